/* What was verified already: claims by the digest of their token. Bounded, for this folder only;
 * its owner locks. libjwt parses the key at each call (0.6 ms), a look here costs a digest. */
#ifndef COMMON_TOKEN_TOKEN_MEMORY_H
#define COMMON_TOKEN_TOKEN_MEMORY_H

#include "common/crypto/crypto.h"
#include "common/token/token.h"

enum { MEMORY_SETS = 256, MEMORY_WAYS = 8 };

struct token_memory {
    struct remembered {
        uint8_t digest[SHA256_SIZE];
        struct token_claims claims; /* expires_at 0: the place is free */
    } places[MEMORY_SETS][MEMORY_WAYS];
};

/* NULL when it was not seen, or is over. */
const struct token_claims *token_memory_find(struct token_memory *memory,
                                             const uint8_t digest[SHA256_SIZE], int64_t now_s);
/* Takes a free or finished place of its set, else that of the token which ends first. */
void token_memory_keep(struct token_memory *memory, const uint8_t digest[SHA256_SIZE],
                       const struct token_claims *claims);
void token_memory_clear(struct token_memory *memory);

#endif
