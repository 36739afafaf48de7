/* See edge_auth.h. */
#include "gateway/edge/edge_auth.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "gateway/edge/edge_keys.h"
#include "gateway/gateway.h"
#include "gateway/routes.h"

#include <string.h>

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

static const char *token_of(const struct exchange *exchange)
{
    const char *header = http_header(exchange->request, "Authorization");
    const char *protocols = http_header(exchange->request, "Sec-WebSocket-Protocol");

    if (header && strncasecmp(header, "Bearer ", 7) == 0) {
        return skip_blanks(header + 7);
    }
    if (!header && protocols && strncasecmp(protocols, "bearer,", 7) == 0) {
        return skip_blanks(protocols + 7);
    }
    return NULL;
}

void auth_identify(struct exchange *exchange)
{
    struct gateway *gateway = exchange->gateway;
    struct ctx *ctx = exchange->ctx;
    const char *token = token_of(exchange);
    bool unknown_key = false;

    if (!token) {
        return;
    }
    if (token_verify(ctx, gateway->verifier, token, &exchange->claims, &unknown_key) == ST_OK) {
        ctx->caller = exchange->claims.caller;
        return;
    }
    if (unknown_key) {
        key_fetcher_want(gateway->key_fetcher);
    }
    exchange->claims = (struct token_claims){0};
    exchange->has_bad_token = true;
}

bool auth_is_signed_in(const struct exchange *exchange)
{
    return exchange->ctx->caller.role != ROLE_NOBODY;
}

void auth_revoke(struct exchange *exchange)
{
    exchange->claims = (struct token_claims){0};
    exchange->ctx->caller = (struct caller){0};
    exchange->has_bad_token = true;
    (void)fail_problem(exchange->ctx, PROBLEM_TOKEN_REVOKED, "Please sign in again");
}

/* Nobody asks where someone is needed. The reason that the token gave, if any, stays on the log. */
static enum status refuse_nobody(struct exchange *exchange)
{
    struct ctx *ctx = exchange->ctx;

    if (exchange->has_bad_token && ctx->failure.status != ST_OK) {
        return ctx->failure.status;
    }
    return fail_with(ctx, ST_UNAUTHENTICATED, "", "no token");
}

enum status auth_check(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    struct ctx *ctx = exchange->ctx;
    int64_t now_s = clock_wall_ms() / 1000;

    if (route->roles & ROLE_ANYONE) {
        ctx_forgive(ctx);
        return ST_OK;
    }
    if (!auth_is_signed_in(exchange)) {
        return refuse_nobody(exchange);
    }
    if (!(route->roles & ctx->caller.role)) {
        return fail_with(ctx, ST_FORBIDDEN, "", "%s is not for a %s", route->label,
                         role_name(ctx->caller.role));
    }
    if (route->step_up && now_s - ctx->caller.signed_in_at > STEP_UP_S) {
        return fail_problem(ctx, PROBLEM_STEP_UP_REQUIRED, "Please sign in again first");
    }
    return ST_OK;
}
