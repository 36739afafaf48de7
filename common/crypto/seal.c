/* Text that goes out and must come back as it was: under a MAC, not hidden. */
#include "common/crypto/crypto.h"

#include <string.h>

char *seal(struct arena *arena, const uint8_t key[SHA256_SIZE], const char *text)
{
    size_t length = strlen(text);
    uint8_t *sealed = arena_alloc(arena, SHA256_SIZE + length + 1);

    hmac_sha256(key, SHA256_SIZE, text, length, sealed);
    memcpy(sealed + SHA256_SIZE, text, length + 1); /* its NUL is not sealed */
    return base64url_encode(arena, sealed, SHA256_SIZE + length);
}

char *unseal(struct arena *arena, const uint8_t key[SHA256_SIZE], const char *sealed)
{
    uint8_t mac[SHA256_SIZE];
    size_t size = 0;
    const uint8_t *bytes = base64url_decode(arena, sealed, strlen(sealed), &size);

    if (!bytes || size < SHA256_SIZE) {
        return NULL;
    }
    const char *text = (const char *)bytes + SHA256_SIZE; /* the decoder terminates it */
    hmac_sha256(key, SHA256_SIZE, text, size - SHA256_SIZE, mac);
    return equal_in_constant_time(mac, bytes, SHA256_SIZE) ? arena_strdup(arena, text) : NULL;
}
