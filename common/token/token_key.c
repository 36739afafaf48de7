/* EC P-256 keys between their three forms: PEM, JWK and OpenSSL's own. */
#include "common/token/token_key.h"

#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/crypto/p256_pkey.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

enum { COORDINATE_SIZE = 32, UNCOMPRESSED = 4 };

DEFINE_AUTO(bio, BIO *, BIO_free_all)
DEFINE_AUTO(bignum, BIGNUM *, BN_free)

/* RFC 7638: the digest of the required members, in this order and without white space. */
static void name_by_thumbprint(struct arena *arena, struct token_jwk *jwk)
{
    uint8_t digest[SHA256_SIZE];
    const char *members = arena_printf(
        arena, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", jwk->x, jwk->y);

    sha256(members, strlen(members), digest);
    text_copy(jwk->kid, sizeof(jwk->kid), base64url_encode(arena, digest, sizeof(digest)));
}

static bool read_coordinate(struct arena *arena, const EVP_PKEY *key, const char *name, char *text,
                            size_t size)
{
    AUTO(bignum) BIGNUM *number = NULL;
    uint8_t bytes[COORDINATE_SIZE];

    return EVP_PKEY_get_bn_param(key, name, &number) == 1 &&
           BN_bn2binpad(number, bytes, sizeof(bytes)) == (int)sizeof(bytes) &&
           text_copy(text, size, base64url_encode(arena, bytes, sizeof(bytes)));
}

static EVP_PKEY *read_pem(const char *pem, bool *is_private)
{
    AUTO(bio) BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;

    *is_private = key != NULL;
    if (!key && bio && BIO_reset(bio) == 1) {
        key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    }
    ERR_clear_error();
    return key;
}

bool token_key_from_pem(const char *pem, struct token_jwk *jwk, bool *is_private)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    AUTO(pkey) EVP_PKEY *key = read_pem(pem, is_private);
    char curve[32];
    size_t length = 0;

    memset(jwk, 0, sizeof(*jwk));
    if (!key || EVP_PKEY_get_group_name(key, curve, sizeof(curve), &length) != 1 ||
        strcmp(curve, "prime256v1") != 0 ||
        !read_coordinate(arena, key, OSSL_PKEY_PARAM_EC_PUB_X, jwk->x, sizeof(jwk->x)) ||
        !read_coordinate(arena, key, OSSL_PKEY_PARAM_EC_PUB_Y, jwk->y, sizeof(jwk->y))) {
        return false;
    }
    name_by_thumbprint(arena, jwk);
    return true;
}

static bool put_coordinate(struct arena *arena, const char *text, uint8_t *point)
{
    size_t size = 0;
    const uint8_t *bytes = base64url_decode(arena, text, strlen(text), &size);

    if (!bytes || size != COORDINATE_SIZE) {
        return false;
    }
    memcpy(point, bytes, COORDINATE_SIZE);
    return true;
}

static bool is_on_curve(EVP_PKEY *key)
{
    AUTO(pkey_ctx) EVP_PKEY_CTX *check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    return check && EVP_PKEY_public_check(check) == 1;
}

bool token_key_to_pem(const struct token_jwk *jwk, char pem[TOKEN_PEM_SIZE])
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    uint8_t point[P256_POINT_SIZE] = {UNCOMPRESSED};

    if (!put_coordinate(arena, jwk->x, point + 1) ||
        !put_coordinate(arena, jwk->y, point + 1 + COORDINATE_SIZE)) {
        return false;
    }
    AUTO(pkey) EVP_PKEY *key = p256_pkey_of_point(point);
    AUTO(bio) BIO *bio = BIO_new(BIO_s_mem());
    bool made = key && bio && is_on_curve(key) && PEM_write_bio_PUBKEY(bio, key) == 1;
    int length = made ? BIO_read(bio, pem, TOKEN_PEM_SIZE - 1) : 0;

    ERR_clear_error();
    if (length <= 0 || length >= TOKEN_PEM_SIZE - 1) {
        return false;
    }
    pem[length] = '\0';
    return true;
}
