/* links: common_crypto
 * Web Push's sealing by the example of RFC 8291, appendix A. */
#include "common/base/arena.h"
#include "common/crypto/crypto.h"
#include "common/crypto/push_seal.h"
#include "tests/helpers/house_test.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct arena *arena;

static void before(void)
{
    arena = arena_new(4096);
}

static void after(void)
{
    arena_free(arena);
}

static const uint8_t *of_text(const char *text, size_t expected)
{
    size_t size = 0;
    const uint8_t *bytes = base64url_decode(arena, text, strlen(text), &size);

    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(size, expected);
    return bytes;
}

/* The RFC gives the key as numbers; ours are read from files. */
static struct p256_key *key_of(const char *private_text, const char *public_text)
{
    char path[] = "/tmp/push_seal.XXXXXX", curve[] = "P-256";
    BIGNUM *number = BN_bin2bn(of_text(private_text, 32), 32, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *pkey = NULL;

    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, of_text(public_text, 65), 65);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    ck_assert_int_eq(EVP_PKEY_fromdata_init(maker), 1);
    ck_assert_int_eq(EVP_PKEY_fromdata(maker, &pkey, EVP_PKEY_KEYPAIR, params), 1);
    FILE *file = fdopen(mkstemp(path), "w");
    ck_assert_int_eq(PEM_write_PrivateKey(file, pkey, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    struct p256_key *key = p256_key_load(path);
    unlink(path);
    EVP_PKEY_free(pkey);
    EVP_PKEY_CTX_free(maker);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(number);
    ck_assert_ptr_nonnull(key);
    return key;
}

static struct push_receiver receiver(void)
{
    struct push_receiver to;

    memcpy(to.point,
           of_text("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6S"
                   "RpkNtoIAiw4",
                   65),
           65);
    memcpy(to.secret, of_text("BTBZMqHH6r4Tts7J_aSIgg", 16), 16);
    return to;
}

START_TEST(the_rfcs_message_is_sealed_as_the_rfc_says)
{
    static const char text[] = "When I grow up, I want to be a watermelon";
    struct push_receiver to = receiver();
    uint8_t sealed[sizeof(text) - 1 + PUSH_SEAL_SIZE];
    AUTO(p256_key)
    struct p256_key *sender = key_of(
        "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
        "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");

    ck_assert(push_seal(sender, of_text("DGv6ra1nlYgDCS1FRnbzlw", 16), &to,
                        (struct bytes){text, sizeof(text) - 1}, sealed));
    ck_assert_str_eq(base64url_encode(arena, sealed, sizeof(sealed)),
                     "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
                     "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
                     "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN");
}
END_TEST

START_TEST(a_point_that_is_none_and_a_long_message_are_refused)
{
    static uint8_t sealed[PUSH_PLAIN_MAX + 1 + PUSH_SEAL_SIZE], plain[PUSH_PLAIN_MAX + 1];
    AUTO(p256_key) struct p256_key *sender = p256_key_make();
    struct push_receiver to = receiver();
    uint8_t salt[PUSH_SALT_SIZE] = {0};

    ck_assert(!push_seal(sender, salt, &to, (struct bytes){plain, PUSH_PLAIN_MAX + 1}, sealed));
    ck_assert(push_seal(sender, salt, &to, (struct bytes){plain, PUSH_PLAIN_MAX}, sealed));
    to.point[9] ^= 1;
    ck_assert(!push_seal(sender, salt, &to, (struct bytes){plain, 1}, sealed));
}
END_TEST

TEST_MAIN_AROUND("push seal", (&(struct test_around){.before = before, .after = after}),
                 the_rfcs_message_is_sealed_as_the_rfc_says,
                 a_point_that_is_none_and_a_long_message_are_refused)
