/* P-256 as OpenSSL holds it: for this folder and for what else of common/ speaks OpenSSL. */
#ifndef COMMON_CRYPTO_P256_PKEY_H
#define COMMON_CRYPTO_P256_PKEY_H

#include "common/base/auto.h"
#include "common/crypto/p256.h"

#include <openssl/evp.h>

DEFINE_AUTO(pkey, EVP_PKEY *, EVP_PKEY_free)
DEFINE_AUTO(pkey_ctx, EVP_PKEY_CTX *, EVP_PKEY_CTX_free)

/* A public key of an uncompressed point; NULL when OpenSSL refuses it. The caller frees it. */
EVP_PKEY *p256_pkey_of_point(const uint8_t point[P256_POINT_SIZE]);

#endif
