/* The memory of verified tokens: a small set-associative table, no list to walk or to grow. */
#include "common/token/token_memory.h"

#include "common/token/token_text.h"

#include <string.h>

static struct remembered *set_of(struct token_memory *memory, const uint8_t digest[SHA256_SIZE])
{
    return memory->places[(digest[0] | digest[1] << 8) % MEMORY_SETS];
}

const struct token_claims *token_memory_find(struct token_memory *memory,
                                             const uint8_t digest[SHA256_SIZE], int64_t now_s)
{
    struct remembered *set = set_of(memory, digest);

    for (int i = 0; i < MEMORY_WAYS; i++) {
        if (set[i].claims.expires_at && memcmp(set[i].digest, digest, SHA256_SIZE) == 0) {
            return token_is_over(&set[i].claims, now_s) ? NULL : &set[i].claims;
        }
    }
    return NULL;
}

void token_memory_keep(struct token_memory *memory, const uint8_t digest[SHA256_SIZE],
                       const struct token_claims *claims)
{
    struct remembered *set = set_of(memory, digest);
    struct remembered *place = set;

    for (int i = 0; i < MEMORY_WAYS; i++) {
        if (memcmp(set[i].digest, digest, SHA256_SIZE) == 0) {
            place = &set[i];
            break;
        }
        if (set[i].claims.expires_at < place->claims.expires_at) {
            place = &set[i];
        }
    }
    memcpy(place->digest, digest, SHA256_SIZE);
    place->claims = *claims;
}

void token_memory_clear(struct token_memory *memory)
{
    for (size_t set = 0; set < MEMORY_SETS; set++) {
        for (size_t way = 0; way < MEMORY_WAYS; way++) {
            struct remembered *place = &memory->places[set][way];

            if (place->claims.expires_at) { /* pages never written stay unused */
                memset(place, 0, sizeof(*place));
            }
        }
    }
}
