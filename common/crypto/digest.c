/* Digests, MACs, random bytes and comparisons that take the same time whatever they find.
 *
 * SHA-256 by the calls of OpenSSL 1.1, which its version 3 keeps and calls deprecated: SHA256() and
 * HMAC() of version 3 look the algorithm up by name each time, which costs more than a token's
 * digest itself, and each call between daemons has two MACs. */
#define OPENSSL_API_COMPAT 10101
#include "common/crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <string.h>

void random_bytes(void *bytes, size_t size)
{
    randombytes_buf(bytes, size); /* never fails: the process ends without entropy */
}

void sha256(const void *bytes, size_t size, uint8_t digest[SHA256_SIZE])
{
    SHA256_CTX sha;

    SHA256_Init(&sha);
    SHA256_Update(&sha, bytes, size);
    SHA256_Final(digest, &sha);
}

/* RFC 2104: digest((key ^ outer) || digest((key ^ inner) || bytes)). */
static void keyed_digest(const uint8_t block[SHA256_CBLOCK], uint8_t pad, const void *bytes,
                         size_t size, uint8_t digest[SHA256_SIZE])
{
    uint8_t padded[SHA256_CBLOCK];
    SHA256_CTX sha;

    for (size_t i = 0; i < sizeof(padded); i++) {
        padded[i] = block[i] ^ pad;
    }
    SHA256_Init(&sha);
    SHA256_Update(&sha, padded, sizeof(padded));
    SHA256_Update(&sha, bytes, size);
    SHA256_Final(digest, &sha);
    OPENSSL_cleanse(padded, sizeof(padded));
    OPENSSL_cleanse(&sha, sizeof(sha));
}

void hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                 uint8_t mac[SHA256_SIZE])
{
    enum { INNER = 0x36, OUTER = 0x5c };
    uint8_t block[SHA256_CBLOCK] = {0}, inner[SHA256_SIZE];

    if (key_size > sizeof(block)) {
        sha256(key, key_size, block);
    } else if (key_size > 0) {
        memcpy(block, key, key_size);
    }
    keyed_digest(block, INNER, bytes, size, inner);
    keyed_digest(block, OUTER, inner, sizeof(inner), mac);
    OPENSSL_cleanse(block, sizeof(block));
}

bool equal_in_constant_time(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}
