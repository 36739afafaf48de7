/* Over OpenSSL's EVP. A key is read once and kept: parsing PEM costs more than signing. */
#include "common/crypto/p256.h"

#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/crypto/p256_pkey.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COORDINATE_SIZE = 32, DER_SIZE = 80, INFO_SIZE = 256 };

struct p256_key {
    EVP_PKEY *pkey;
    uint8_t point[P256_POINT_SIZE];
};

DEFINE_AUTO(file, FILE *, fclose)
DEFINE_AUTO(md_ctx, EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_AUTO(cipher_ctx, EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)
DEFINE_AUTO(signature, ECDSA_SIG *, ECDSA_SIG_free)

/* Takes 'pkey' over. */
static struct p256_key *keep(EVP_PKEY *pkey)
{
    struct p256_key *key = calloc(1, sizeof(*key));
    char curve[32] = "";
    size_t size = 0;

    if (!key) {
        abort();
    }
    key->pkey = pkey;
    if (!pkey || EVP_PKEY_get_group_name(pkey, curve, sizeof(curve), &size) != 1 ||
        !text_equal(curve, "prime256v1") ||
        EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, key->point,
                                        sizeof(key->point), &size) != 1 ||
        size != sizeof(key->point)) {
        p256_key_free(key);
        key = NULL;
    }
    ERR_clear_error();
    return key;
}

struct p256_key *p256_key_load(const char *path)
{
    AUTO(file) FILE *file = fopen(path, "re");

    return file ? keep(PEM_read_PrivateKey(file, NULL, NULL, (void *)"")) : NULL;
}

struct p256_key *p256_key_make(void)
{
    return keep(EVP_EC_gen("P-256"));
}

void p256_key_free(struct p256_key *key)
{
    if (key) {
        EVP_PKEY_free(key->pkey);
        free(key);
    }
}

void p256_public(const struct p256_key *key, uint8_t point[P256_POINT_SIZE])
{
    memcpy(point, key->point, P256_POINT_SIZE);
}

bool p256_sign(const struct p256_key *key, const void *bytes, size_t size,
               uint8_t signature[P256_SIGNATURE_SIZE])
{
    AUTO(md_ctx) EVP_MD_CTX *md = EVP_MD_CTX_new();
    uint8_t der[DER_SIZE];
    size_t der_size = sizeof(der);
    const uint8_t *at = der;

    if (!md || EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key->pkey) != 1 ||
        EVP_DigestSign(md, der, &der_size, bytes, size) != 1) {
        ERR_clear_error();
        return false;
    }
    AUTO(signature) ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)der_size);
    return pair &&
           BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, COORDINATE_SIZE) == COORDINATE_SIZE &&
           BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + COORDINATE_SIZE, COORDINATE_SIZE) ==
               COORDINATE_SIZE;
}

EVP_PKEY *p256_pkey_of_point(const uint8_t point[P256_POINT_SIZE])
{
    char curve[] = "P-256";
    uint8_t copy[P256_POINT_SIZE];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy, sizeof(copy)),
        OSSL_PARAM_construct_end(),
    };
    AUTO(pkey_ctx) EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;

    memcpy(copy, point, sizeof(copy));
    if (!maker || EVP_PKEY_fromdata_init(maker) != 1 ||
        EVP_PKEY_fromdata(maker, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        return NULL;
    }
    return key;
}

bool p256_agree(const struct p256_key *key, const uint8_t other[P256_POINT_SIZE],
                uint8_t shared[P256_SHARED_SIZE])
{
    AUTO(pkey) EVP_PKEY *peer = p256_pkey_of_point(other);
    AUTO(pkey_ctx) EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    size_t size = P256_SHARED_SIZE;
    bool agreed = peer && derive && EVP_PKEY_derive_init(derive) == 1 &&
                  EVP_PKEY_derive_set_peer(derive, peer) == 1 && /* looks whether it is a point */
                  EVP_PKEY_derive(derive, shared, &size) == 1 && size == P256_SHARED_SIZE;

    ERR_clear_error();
    return agreed;
}

bool hkdf_sha256(struct bytes salt, struct bytes secret, struct bytes info, uint8_t *out,
                 size_t size)
{
    uint8_t pseudo_random[SHA256_SIZE], block[SHA256_SIZE], message[INFO_SIZE + 1];

    if (info.size > INFO_SIZE || size > sizeof(block)) {
        return false;
    }
    hmac_sha256(salt.data, salt.size, secret.data, secret.size, pseudo_random);
    memcpy(message, info.data, info.size);
    message[info.size] = 1;
    hmac_sha256(pseudo_random, sizeof(pseudo_random), message, info.size + 1, block);
    memcpy(out, block, size);
    OPENSSL_cleanse(pseudo_random, sizeof(pseudo_random));
    OPENSSL_cleanse(block, sizeof(block));
    return true;
}

bool aes128_gcm_seal(const uint8_t key[16], const uint8_t nonce[12], struct bytes plain,
                     uint8_t *sealed)
{
    AUTO(cipher_ctx) EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int length = 0, rest = 0;

    return cipher && EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
           EVP_EncryptUpdate(cipher, sealed, &length, plain.data, (int)plain.size) == 1 &&
           EVP_EncryptFinal_ex(cipher, sealed + length, &rest) == 1 &&
           EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, AES_TAG_SIZE, sealed + plain.size) ==
               1;
}
