/* Who is asking, and may they. */
#ifndef GATEWAY_EDGE_EDGE_AUTH_H
#define GATEWAY_EDGE_EDGE_AUTH_H

#include "gateway/exchange.h"

enum { STEP_UP_S = 300 };

/* Takes the bearer token, if there is one, and makes ctx->caller of it; one that does not verify
 * makes the caller nobody. A WebSocket of a browser brings it as a protocol: "bearer, <token>". */
void auth_identify(struct exchange *exchange);
bool auth_is_signed_in(const struct exchange *exchange);
/* The sign-in has ended: the caller is nobody again, with TOKEN_REVOKED where someone is needed. */
void auth_revoke(struct exchange *exchange);

/* Against the route's roles and step-up. */
enum status auth_check(struct exchange *exchange) MUST_CHECK;

#endif
