/* See edge_upload.h. The caller's sign-in is looked at twice: here by its signature alone, before a
 * byte of the body is read, and as ever once it is there. */
#include "gateway/edge/edge_upload.h"

#include "gateway/edge/edge_auth.h"
#include "gateway/gateway.h"
#include "gateway/routes.h"

enum { AGAIN_S = 2 };

static size_t route_takes(const struct route *route)
{
    return route && route->method ? route->method->call.max_body : CONTRACT_MAX_BODY;
}

static bool may_use(struct exchange *exchange)
{
    auth_identify(exchange);
    return auth_check(exchange) == ST_OK;
}

static void leave(void *gateway)
{
    atomic_fetch_sub(&((struct gateway *)gateway)->uploads, 1);
}

static bool enter(struct ctx *ctx, struct gateway *gateway)
{
    if (atomic_fetch_add(&gateway->uploads, 1) >= UPLOADS_AT_ONCE) {
        leave(gateway);
        return false;
    }
    arena_defer(ctx->arena, leave, gateway);
    return true;
}

size_t upload_allow(struct ctx *ctx, struct http_request *request, void *user)
{
    struct gateway *gateway = user;
    struct exchange exchange = {.gateway = gateway, .ctx = ctx, .request = request};
    struct route_match match;

    routes_match(ctx->arena, gateway->routes, verb_parse(http_method(request)), http_path(request),
                 &match);
    size_t takes = route_takes(match.route);

    if (takes <= CONTRACT_MAX_BODY) {
        return 0;
    }
    exchange.route = match.route;
    bool may = may_use(&exchange);

    ctx_forgive(ctx);
    ctx->caller = (struct caller){0}; /* the chain finds out anew, and looks at more */
    return may && enter(ctx, gateway) ? takes : 0;
}

void upload_refuse(struct exchange *exchange)
{
    struct ctx *ctx = exchange->ctx;
    size_t takes = route_takes(exchange->route);

    if (takes > CONTRACT_MAX_BODY && !may_use(exchange)) {
        return;
    }
    if (http_refused(exchange->request) == PROBLEM_OVERLOADED ||
        takes > http_allowed_body(exchange->request)) {
        (void)fail_problem(ctx, PROBLEM_OVERLOADED, "Others are sending too, please try again");
        ctx->failure.retry_after_s = AGAIN_S;
        return;
    }
    (void)fail_problem(ctx, PROBLEM_TOO_LARGE, "The body has more than %zu KiB", takes / 1024);
}
