/* What is secret or must not be guessed. libsodium and OpenSSL stay behind this folder. */
#ifndef COMMON_CRYPTO_CRYPTO_H
#define COMMON_CRYPTO_CRYPTO_H

#include "common/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32 };

void random_bytes(void *bytes, size_t size);
void sha256(const void *bytes, size_t size, uint8_t digest[SHA256_SIZE]);
void hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                 uint8_t mac[SHA256_SIZE]);
bool equal_in_constant_time(const void *a, const void *b, size_t size);

void hex_encode(const void *bytes, size_t size, char *text); /* 2*size + 1 */
bool hex_decode(const char *text, void *bytes, size_t size); /* exactly 'size' bytes */
char *base64url_encode(struct arena *arena, const void *bytes, size_t size); /* no padding */
/* Strict: no padding, zero tail bits. NULL when it is not base64url. */
uint8_t *base64url_decode(struct arena *arena, const char *text, size_t length, size_t *size);

/* argon2id t=2 m=19 MiB. One at a time in the process is the caller's business. */
enum { PASSWORD_HASH_SIZE = 128 };
bool password_hash(const char *password, char hash[PASSWORD_HASH_SIZE]);
bool password_matches(const char *password, const char *hash);

/* Opaque page tokens and the like: 'text' under a MAC, base64url. */
char *seal(struct arena *arena, const uint8_t key[SHA256_SIZE], const char *text);
char *unseal(struct arena *arena, const uint8_t key[SHA256_SIZE],
             const char *sealed); /* NULL: forged */

#endif
