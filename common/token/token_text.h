/* A token's text taken apart, and its claims checked. For this folder only. Nothing here knows
 * a key: a signature is checked between the two. */
#ifndef COMMON_TOKEN_TOKEN_TEXT_H
#define COMMON_TOKEN_TOKEN_TEXT_H

#include "common/token/token.h"

enum { TOKEN_MAX_SIZE = 4096 };

struct token_text {
    char kid[48];
    const uint8_t *payload; /* decoded, in the arena; not yet to be trusted */
    size_t payload_size;
};

/* NULL when it is well formed: three strict base64url parts, an ES256 header with a kid and no
 * "crit", a signature of 64 bytes. Else what is wrong, for the log. */
const char *token_text_read(struct arena *arena, const char *token, struct token_text *text);

struct token_expected {
    const char *issuer, *audience;
    int64_t now_s;
};

/* NULL when every claim is there and holds now. Else which does not. */
const char *token_claims_read(const struct token_text *text, const struct token_expected *expected,
                              struct token_claims *claims);

bool token_is_over(const struct token_claims *claims, int64_t now_s);

#endif
