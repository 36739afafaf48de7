/* Keys as libjwt wants them (PEM) and as they are published (JWK). For this folder only. */
#ifndef COMMON_TOKEN_TOKEN_KEY_H
#define COMMON_TOKEN_TOKEN_KEY_H

#include "common/token/token.h"

enum { TOKEN_PEM_SIZE = 512 };

/* A PEM file's key, private or public; false unless it is on P-256. 'is_private' tells which. */
bool token_key_from_pem(const char *pem, struct token_jwk *jwk, bool *is_private);

/* The public key as PEM; false when x and y are no point of P-256: keys come over the network. */
bool token_key_to_pem(const struct token_jwk *jwk, char pem[TOKEN_PEM_SIZE]);

#endif
