/* Access tokens: ES256 JWTs. The only folder that knows libjwt. The algorithm is fixed before
 * a key is looked at; every claim is checked; a signature once verified is remembered until
 * the token's end. */
#ifndef COMMON_TOKEN_TOKEN_H
#define COMMON_TOKEN_TOKEN_H

#include "common/base/ctx.h"

#include <stdio.h>

enum { TOKEN_LIFE_S = 900, TOKEN_LEEWAY_S = 30 };

/* What our own tokens say, unless a daemon is configured otherwise. */
#define TOKEN_ISSUER   "everything"
#define TOKEN_AUDIENCE "everything"

struct token_claims {
    struct caller caller;
    char id[ID_TEXT_SIZE]; /* jti */
    int64_t issued_at, expires_at;
};

/* A public key as a JWK (EC, P-256), base64url without padding. */
struct token_jwk {
    char kid[48], x[48], y[48];
};

/* customer-service's private keys: current signs, next and previous are only published.
 * 'directory' holds current.pem and perhaps next.pem and previous.pem, EC P-256. A kid is the
 * RFC 7638 thumbprint of its key. NULL, with the reason on 'complaints', when there is no usable
 * current key or another file is there and cannot be used. */
struct token_signer;
struct token_signer *token_signer_load(const char *directory, FILE *complaints);
void token_signer_free(struct token_signer *signer);
/* A token for TOKEN_AUDIENCE, for TOKEN_LIFE_S from now on, in ctx's arena. */
enum status token_issue(struct ctx *ctx, const struct token_signer *signer, const char *issuer,
                        const struct caller *caller, const char **token) MUST_CHECK;
size_t token_signer_jwks(const struct token_signer *signer, struct token_jwk jwks[3]);

/* The gateway's side: keys as they are known now, replaceable while it runs. */
struct token_verifier;
struct token_verifier *token_verifier_new(const char *issuer, const char *audience);
void token_verifier_free(struct token_verifier *verifier);
/* From any thread. Keys that are none on P-256 are left out, as RFC 7517 asks; what was verified
 * with the old ones is forgotten. */
void token_verifier_set_keys(struct token_verifier *verifier, const struct token_jwk *jwks,
                             size_t count);
bool token_verifier_has_keys(const struct token_verifier *verifier);
/* From any thread. ST_UNAUTHENTICATED, or ST_UNAVAILABLE while there are no keys: that is no fault
 * of the token's. The reason goes to the log's detail, not to the client.
 * '*unknown_key' tells whether fetching the keys again might help. Sessions that were ended
 * meanwhile are the caller's business: claims->caller.session. */
enum status token_verify(struct ctx *ctx, struct token_verifier *verifier, const char *token,
                         struct token_claims *claims, bool *unknown_key) MUST_CHECK;

#endif
