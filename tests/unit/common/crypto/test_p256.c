/* links: common_crypto
 * HKDF by RFC 5869's own vector, agreement, signatures, and points that are none. */
#include "common/crypto/crypto.h"
#include "common/crypto/p256.h"
#include "tests/helpers/house_test.h"

#include <string.h>

START_TEST(hkdf_gives_what_the_rfc_says)
{
    uint8_t secret[22], salt[13], info[10], out[32], expected[32];

    memset(secret, 0x0b, sizeof(secret));
    ck_assert(hex_decode("000102030405060708090a0b0c", salt, sizeof(salt)));
    ck_assert(hex_decode("f0f1f2f3f4f5f6f7f8f9", info, sizeof(info)));
    ck_assert(hex_decode("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
                         expected, sizeof(expected)));
    ck_assert(hkdf_sha256((struct bytes){salt, sizeof(salt)},
                          (struct bytes){secret, sizeof(secret)},
                          (struct bytes){info, sizeof(info)}, out, sizeof(out)));
    ck_assert_mem_eq(out, expected, sizeof(out));
}
END_TEST

START_TEST(both_sides_agree)
{
    AUTO(p256_key) struct p256_key *a = p256_key_make();
    AUTO(p256_key) struct p256_key *b = p256_key_make();
    uint8_t of_a[P256_POINT_SIZE], of_b[P256_POINT_SIZE];
    uint8_t first[P256_SHARED_SIZE], second[P256_SHARED_SIZE];

    p256_public(a, of_a);
    p256_public(b, of_b);
    ck_assert(p256_agree(a, of_b, first));
    ck_assert(p256_agree(b, of_a, second));
    ck_assert_mem_eq(first, second, sizeof(first));
}
END_TEST

START_TEST(a_point_off_the_curve_is_refused)
{
    AUTO(p256_key) struct p256_key *key = p256_key_make();
    uint8_t point[P256_POINT_SIZE], shared[P256_SHARED_SIZE];

    p256_public(key, point);
    point[40] ^= 1;
    ck_assert(!p256_agree(key, point, shared));
    memset(point, 0, sizeof(point));
    ck_assert(!p256_agree(key, point, shared));
}
END_TEST

START_TEST(a_signature_has_both_halves)
{
    AUTO(p256_key) struct p256_key *key = p256_key_make();
    uint8_t signature[P256_SIGNATURE_SIZE] = {0}, zero[32] = {0};

    ck_assert(p256_sign(key, "coffee", 6, signature));
    ck_assert_mem_ne(signature, zero, sizeof(zero));
    ck_assert_mem_ne(signature + 32, zero, sizeof(zero));
}
END_TEST

START_TEST(a_file_without_a_key_gives_none)
{
    ck_assert_ptr_null(p256_key_load("/dev/null"));
    ck_assert_ptr_null(p256_key_load("/no/such/file"));
}
END_TEST

TEST_MAIN("p256", hkdf_gives_what_the_rfc_says, both_sides_agree, a_point_off_the_curve_is_refused,
          a_signature_has_both_halves, a_file_without_a_key_gives_none)
