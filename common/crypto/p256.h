/* P-256 and what Web Push and provider tokens make of it: ES256, key agreement, HKDF, AES-GCM. */
#ifndef COMMON_CRYPTO_P256_H
#define COMMON_CRYPTO_P256_H

#include "common/base/auto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { P256_POINT_SIZE = 65, P256_SIGNATURE_SIZE = 64, P256_SHARED_SIZE = 32, AES_TAG_SIZE = 16 };

struct p256_key;

/* A private key in PEM form; NULL when the file holds none on P-256. */
struct p256_key *p256_key_load(const char *path);
struct p256_key *p256_key_make(void);
void p256_key_free(struct p256_key *key); /* NULL is fine */
DEFINE_AUTO(p256_key, struct p256_key *, p256_key_free)

/* The public key as an uncompressed point. */
void p256_public(const struct p256_key *key, uint8_t point[P256_POINT_SIZE]);
/* ES256 as JWS wants it: r and s, 32 bytes each. */
bool p256_sign(const struct p256_key *key, const void *bytes, size_t size,
               uint8_t signature[P256_SIGNATURE_SIZE]);
/* ECDH; false when the other's point is not on the curve. */
bool p256_agree(const struct p256_key *key, const uint8_t other[P256_POINT_SIZE],
                uint8_t shared[P256_SHARED_SIZE]);

struct bytes {
    const void *data;
    size_t size;
};

/* RFC 5869 with SHA-256; at most 32 bytes come out. */
bool hkdf_sha256(struct bytes salt, struct bytes secret, struct bytes info, uint8_t *out,
                 size_t size);

/* AES-128-GCM: 'sealed' gets plain.size + AES_TAG_SIZE bytes. */
bool aes128_gcm_seal(const uint8_t key[16], const uint8_t nonce[12], struct bytes plain,
                     uint8_t *sealed);

#endif
