/* Tokens made by hand, good and bad, with keys that the test makes itself. Included by the tests
 * of common/token only. */
#ifndef TESTS_UNIT_COMMON_TOKEN_FORGE_H
#define TESTS_UNIT_COMMON_TOKEN_FORGE_H

#include "common/crypto/crypto.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

/* How a token is signed: a key and what to do with it. */
struct forge_signer {
    EVP_PKEY *key;
    const EVP_MD *digest;
    bool raw; /* ECDSA as r || s, as JOSE wants it; else as OpenSSL gives it */
    bool pss;
    const char *mac_key;  /* HS256 instead */
    const uint8_t *fixed; /* these bytes instead */
    size_t fixed_size;
};

static inline size_t forge_raw(const uint8_t *der, size_t size, uint8_t *out)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)size);
    int half = BN_num_bytes(ECDSA_SIG_get0_r(sig)) > 32 ? 48 : 32;

    BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + half, half);
    ECDSA_SIG_free(sig);
    return 2 * (size_t)half;
}

static inline size_t forge_signature(const struct forge_signer *by, const char *text, uint8_t *out)
{
    uint8_t der[1024];
    size_t size = sizeof(der);
    EVP_MD_CTX *md;
    EVP_PKEY_CTX *key_ctx = NULL;

    if (by->fixed) {
        memcpy(out, by->fixed, by->fixed_size);
        return by->fixed_size;
    }
    if (by->mac_key) {
        hmac_sha256(by->mac_key, strlen(by->mac_key), text, strlen(text), out);
        return SHA256_SIZE;
    }
    md = EVP_MD_CTX_new();
    EVP_DigestSignInit(md, &key_ctx, by->digest ? by->digest : EVP_sha256(), NULL, by->key);
    if (by->pss) {
        EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING);
    }
    EVP_DigestSign(md, der, &size, (const uint8_t *)text, strlen(text));
    EVP_MD_CTX_free(md);
    if (by->raw) {
        return forge_raw(der, size, out);
    }
    memcpy(out, der, size);
    return size;
}

static inline const char *forge(struct arena *arena, const char *header, const char *claims,
                                const struct forge_signer *by)
{
    uint8_t signature[1024];
    const char *signed_part =
        arena_printf(arena, "%s.%s", base64url_encode(arena, header, strlen(header)),
                     base64url_encode(arena, claims, strlen(claims)));
    size_t size = forge_signature(by, signed_part, signature);

    return arena_printf(arena, "%s.%s", signed_part, base64url_encode(arena, signature, size));
}

static inline const char *forge_public_pem(struct arena *arena, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char pem[2048];
    int size;

    PEM_write_bio_PUBKEY(bio, key);
    size = BIO_read(bio, pem, sizeof(pem) - 1);
    pem[size] = '\0';
    BIO_free(bio);
    return arena_strdup(arena, pem);
}

#endif
