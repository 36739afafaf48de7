/* Digests, MACs, random bytes and comparisons that take the same time whatever they find. */
#include "common/crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdlib.h>

void random_bytes(void *bytes, size_t size)
{
    randombytes_buf(bytes, size); /* never fails: the process ends without entropy */
}

void sha256(const void *bytes, size_t size, uint8_t digest[SHA256_SIZE])
{
    SHA256(bytes, size, digest);
}

void hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                 uint8_t mac[SHA256_SIZE])
{
    unsigned int length = 0;

    if (!HMAC(EVP_sha256(), key_size > 0 ? key : "", (int)key_size, bytes, size, mac, &length) ||
        length != SHA256_SIZE) {
        abort(); /* only for want of memory */
    }
}

bool equal_in_constant_time(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}
