/* Known answers of FIPS 180-2, RFC 4231 and RFC 4648, and what passwords and seals must refuse. */
#include "common/crypto/crypto.h"
#include "tests/helpers/house_test.h"

#include <string.h>

static struct arena *arena;

static void make_arena(void)
{
    arena = arena_new(4096);
}

static void drop_arena(void)
{
    arena_free(arena);
}

static const char *hex(const void *bytes, size_t size)
{
    char *text = arena_alloc(arena, 2 * size + 1);

    hex_encode(bytes, size, text);
    return text;
}

START_TEST(sha256_gives_the_published_digests)
{
    uint8_t digest[SHA256_SIZE];

    sha256("abc", 3, digest);
    ck_assert_str_eq(hex(digest, sizeof(digest)),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    sha256("", 0, digest);
    ck_assert_str_eq(hex(digest, sizeof(digest)),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

START_TEST(hmac_gives_the_answers_of_rfc_4231)
{
    uint8_t mac[SHA256_SIZE], key[131];

    memset(key, 0x0b, 20);
    hmac_sha256(key, 20, "Hi There", 8, mac);
    ck_assert_str_eq(hex(mac, sizeof(mac)),
                     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    ck_assert_str_eq(hex(mac, sizeof(mac)),
                     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key)); /* longer than a block */
    hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54,
                mac);
    ck_assert_str_eq(hex(mac, sizeof(mac)),
                     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(hex_reads_back_and_refuses_what_is_not_hex)
{
    uint8_t bytes[2];

    ck_assert(hex_decode("00fF", bytes, 2));
    ck_assert_int_eq(bytes[1], 0xff);
    ck_assert(!hex_decode("00f", bytes, 2));
    ck_assert(!hex_decode("00ff0", bytes, 2));
    ck_assert(!hex_decode("00fg", bytes, 2));
    ck_assert(!hex_decode("0 ff", bytes, 2));
}
END_TEST

START_TEST(base64url_gives_the_answers_of_rfc_4648_without_padding)
{
    static const char *const pairs[][2] = {
        {"",       ""        },
        {"f",      "Zg"      },
        {"fo",     "Zm8"     },
        {"foo",    "Zm9v"    },
        {"foob",   "Zm9vYg"  },
        {"fooba",  "Zm9vYmE" },
        {"foobar", "Zm9vYmFy"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        size_t size = 99;
        const uint8_t *back;

        ck_assert_str_eq(base64url_encode(arena, pairs[i][0], strlen(pairs[i][0])), pairs[i][1]);
        back = base64url_decode(arena, pairs[i][1], strlen(pairs[i][1]), &size);
        ck_assert_ptr_nonnull(back);
        ck_assert_uint_eq(size, strlen(pairs[i][0]));
        ck_assert_mem_eq(back, pairs[i][0], size);
    }
    ck_assert_str_eq(base64url_encode(arena, "\xfb\xff\xbf", 3), "-_-_");
}
END_TEST

START_TEST(every_byte_string_reads_back_from_base64url)
{
    uint8_t bytes[70];

    for (size_t size = 0; size <= sizeof(bytes); size++) {
        size_t back_size = 0;

        random_bytes(bytes, size);
        const char *text = base64url_encode(arena, bytes, size);
        const uint8_t *back = base64url_decode(arena, text, strlen(text), &back_size);
        ck_assert_ptr_nonnull(back);
        ck_assert_uint_eq(back_size, size);
        ck_assert_mem_eq(back, bytes, size);
    }
}
END_TEST

START_TEST(base64url_takes_no_second_spelling)
{
    static const char *const refused[] = {
        "Zg==", "Zh", "Zm9", "Zm9v Yg", "Zm9v\n", "Z", "Zm9vY", "+/+/", "Zm.v", "Zm9vYg=",
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        size_t size = 0;

        ck_assert_msg(!base64url_decode(arena, refused[i], strlen(refused[i]), &size), "%s",
                      refused[i]);
    }
}
END_TEST

START_TEST(a_password_matches_its_own_hash_only)
{
    char hash[PASSWORD_HASH_SIZE], again[PASSWORD_HASH_SIZE];

    ck_assert(password_hash("correct horse", hash));
    ck_assert_msg(strncmp(hash, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0, "%s", hash);
    ck_assert(password_hash("correct horse", again));
    ck_assert_str_ne(hash, again); /* salted */
    ck_assert(password_matches("correct horse", hash));
    ck_assert(!password_matches("correct horse ", hash));
    ck_assert(!password_matches("", hash));
    ck_assert(!password_matches("correct horse", "no hash at all"));
}
END_TEST

START_TEST(a_sealed_text_comes_back_and_a_touched_one_does_not)
{
    uint8_t key[SHA256_SIZE], other[SHA256_SIZE];

    random_bytes(key, sizeof(key));
    random_bytes(other, sizeof(other));
    char *sealed = seal(arena, key, "2026-11-21T08:00:00Z|019aa1f0");
    ck_assert_str_eq(unseal(arena, key, sealed), "2026-11-21T08:00:00Z|019aa1f0");
    ck_assert_ptr_null(unseal(arena, other, sealed));
    ck_assert_ptr_null(unseal(arena, key, ""));
    ck_assert_ptr_null(unseal(arena, key, "AAAA"));
    for (char *at = sealed; *at; at++) {
        char was = *at;

        *at = was == 'A' ? 'B' : 'A';
        ck_assert_ptr_null(unseal(arena, key, sealed));
        *at = was;
    }
    ck_assert_str_eq(unseal(arena, key, seal(arena, key, "")), "");
}
END_TEST

START_TEST(random_bytes_differ)
{
    uint8_t a[16], b[16];

    random_bytes(a, sizeof(a));
    random_bytes(b, sizeof(b));
    ck_assert_mem_ne(a, b, sizeof(a));
    ck_assert(equal_in_constant_time(a, a, sizeof(a)));
    ck_assert(!equal_in_constant_time(a, b, sizeof(a)));
}
END_TEST

TEST_MAIN_AROUND("crypto", (&(struct test_around){.before = make_arena, .after = drop_arena}),
                 sha256_gives_the_published_digests, hmac_gives_the_answers_of_rfc_4231,
                 hex_reads_back_and_refuses_what_is_not_hex,
                 base64url_gives_the_answers_of_rfc_4648_without_padding,
                 every_byte_string_reads_back_from_base64url, base64url_takes_no_second_spelling,
                 a_password_matches_its_own_hash_only,
                 a_sealed_text_comes_back_and_a_touched_one_does_not, random_bytes_differ)
