/* See edge.h. Two steps may have to ask Valkey; the chain then goes on where the answer comes, on
 * another thread. Each step ends the exchange or calls the next, last of all. */
#include "gateway/edge/edge.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/json/transcode.h"
#include "common/obs/trace.h"
#include "gateway/call.h"
#include "gateway/edge/edge_address.h"
#include "gateway/edge/edge_auth.h"
#include "gateway/edge/edge_cors.h"
#include "gateway/edge/edge_deny.h"
#include "gateway/edge/edge_limit.h"
#include "gateway/edge/edge_upload.h"
#include "gateway/gateway.h"
#include "gateway/routes.h"

#include <stddef.h>
#include <string.h>

enum { CLAIM_HASH_BYTES = 8 };

/* The exchange, and what it waits with. */
struct passage {
    struct exchange exchange; /* first */
    struct limit_wait limit_wait;
    struct deny_wait deny_wait;
};

/* --- roles, and then the handler ---------------------------------------------------------- */

static void let_in(struct exchange *exchange)
{
    if (auth_check(exchange) != ST_OK) {
        exchange_problem(exchange);
        return;
    }
    if (exchange->route->extra) {
        exchange->route->extra->handle(exchange);
        return;
    }
    if (!exchange->in && call_prepare(exchange) != ST_OK) {
        exchange_problem(exchange);
        return;
    }
    call_send(exchange);
}

/* --- how often ---------------------------------------------------------------------------- */

static void after_limit(struct exchange *exchange, const struct limit_answer *answer)
{
    exchange->limit = *answer;
    if (answer->allowed) {
        let_in(exchange);
        return;
    }
    (void)limit_refuse(exchange->ctx, answer);
    exchange_problem(exchange);
}

static void limit_told(struct limit_wait *wait, const struct limit_answer *answer)
{
    struct passage *passage =
        (struct passage *)((char *)wait - offsetof(struct passage, limit_wait));

    after_limit(&passage->exchange, answer);
}

/* Who signs in is nobody yet: the handle that is tried counts, together with the address, so that a
 * family behind one address does not lock itself out. Whoever stays signed in or signs out names no
 * handle, but has a token of their own. */
static const char *claim_hash(struct exchange *exchange)
{
    static const char *const claims[] = {"handle", "refresh_token"};
    struct arena *arena = exchange->ctx->arena;
    const char *claim = NULL;
    uint8_t digest[SHA256_SIZE];
    char *text = arena_alloc(arena, 2 * CLAIM_HASH_BYTES + 1);

    for (size_t i = 0; i < ARRAY_LEN(claims) && !claim; i++) {
        claim = message_field_text(arena, exchange->in, claims[i]);
    }
    if (!claim) {
        return "";
    }
    sha256(claim, strlen(claim), digest);
    hex_encode(digest, CLAIM_HASH_BYTES, text);
    return text;
}

static const char *limit_subject(struct exchange *exchange)
{
    if (auth_is_signed_in(exchange)) {
        return exchange->ctx->caller.subject;
    }
    if (exchange->in) {
        return arena_printf(exchange->ctx->arena, "%s|%s", exchange->address, claim_hash(exchange));
    }
    return exchange->address;
}

static void limit_subject_step(struct exchange *exchange)
{
    struct passage *passage = (struct passage *)exchange;
    const struct route *route = exchange->route;
    struct limit_answer answer;

    if (!route->limit) {
        let_in(exchange);
        return;
    }
    bool signs_in = route->method && route->roles & ROLE_ANYONE && !strcmp(route->limit, "auth");

    if (signs_in && call_prepare(exchange) != ST_OK) {
        exchange_problem(exchange);
        return;
    }
    if (limiter_take(exchange->gateway->limiter, route->limit, limit_subject(exchange),
                     &passage->limit_wait, &answer)) {
        after_limit(exchange, &answer);
    }
}

/* --- who ---------------------------------------------------------------------------------- */

static void after_deny(struct exchange *exchange, bool denied)
{
    if (denied) {
        auth_revoke(exchange);
    }
    limit_subject_step(exchange);
}

static void deny_told(struct deny_wait *wait, bool denied)
{
    struct passage *passage =
        (struct passage *)((char *)wait - offsetof(struct passage, deny_wait));

    after_deny(&passage->exchange, denied);
}

static void who(struct exchange *exchange)
{
    struct passage *passage = (struct passage *)exchange;
    bool denied = false;

    auth_identify(exchange);
    if (!*exchange->ctx->caller.session ||
        deny_list_check(exchange->gateway->deny_list, exchange->ctx->caller.session,
                        &passage->deny_wait, &denied)) {
        after_deny(exchange, denied);
    }
}

/* --- before anything is known of the caller ----------------------------------------------- */

/* False: that was too often, and is answered. */
static bool guard_address(struct exchange *exchange, const char *limit)
{
    struct limit_answer answer;

    if (!limit || limiter_guard(exchange->gateway->limiter, limit, exchange->address, &answer)) {
        return true;
    }
    after_limit(exchange, &answer);
    return false;
}

static void no_route(struct exchange *exchange, unsigned verbs)
{
    struct ctx *ctx = exchange->ctx;
    const char *allowed = verbs_text(ctx->arena, verbs);

    if (verbs && strcmp(http_method(exchange->request), "OPTIONS") == 0) {
        cors_answer_options(exchange, allowed); /* the call that follows is what counts */
        return;
    }
    if (!guard_address(exchange, "read")) {
        return;
    }
    if (verbs) {
        http_reply_header(exchange->request, "Allow", allowed);
        (void)fail_problem(ctx, PROBLEM_METHOD_NOT_ALLOWED, "It takes %s", allowed);
    } else {
        (void)fail_problem(ctx, PROBLEM_NOT_FOUND, "There is nothing at this address");
    }
    exchange_problem(exchange);
}

static unsigned match_route(struct exchange *exchange)
{
    struct http_request *request = exchange->request;
    struct route_match match;

    routes_match(exchange->ctx->arena, exchange->gateway->routes, verb_parse(http_method(request)),
                 http_path(request), &match);
    exchange->route = match.route;
    memcpy(exchange->values, match.values, sizeof(match.values));
    return match.verbs;
}

static void find_route(struct exchange *exchange)
{
    unsigned verbs = match_route(exchange);

    if (!exchange->route) {
        no_route(exchange, verbs);
        return;
    }
    if (guard_address(exchange, exchange->route->limit)) {
        who(exchange);
    }
}

static void refuse_upload(struct exchange *exchange)
{
    unsigned verbs = match_route(exchange);

    if (!exchange->route) {
        no_route(exchange, verbs);
        return;
    }
    upload_refuse(exchange);
    exchange_problem(exchange);
}

/* What a trusted proxy says of sampling counts as our own word would. */
static void begin_trace(struct exchange *exchange)
{
    struct http_request *request = exchange->request;
    bool is_ours = proxies_trust(exchange->gateway->proxies, http_client_address(request));
    const char *traceparent = http_header(request, "traceparent");

    if (is_ours) {
        trace_begin(exchange->ctx, traceparent);
    } else {
        trace_begin_for_stranger(exchange->ctx, traceparent);
    }
}

void edge_handle(struct ctx *ctx, struct http_request *request, void *user)
{
    struct passage *passage = arena_new_struct(ctx->arena, struct passage);
    struct exchange *exchange = &passage->exchange;
    struct gateway *gateway = user;

    exchange->gateway = gateway;
    exchange->ctx = ctx;
    exchange->request = request;
    exchange->begun_us = clock_monotonic_us();
    passage->limit_wait.told = limit_told;
    passage->deny_wait.told = deny_told;
    begin_trace(exchange);
    trace_correlation(ctx, http_header(request, "x-correlation-id"));
    exchange->address = limited_address(
        ctx->arena, client_address(ctx->arena, gateway->proxies, http_client_address(request),
                                   http_header(request, "X-Forwarded-For")));
    text_copy(ctx->client_address, sizeof(ctx->client_address), exchange->address);
    if (http_refused(request) == PROBLEM_TOO_LARGE || http_refused(request) == PROBLEM_OVERLOADED) {
        refuse_upload(exchange);
        return;
    }
    if (http_refused(request) != PROBLEM_NONE) {
        (void)fail_problem(ctx, http_refused(request), "%s", problem_title(http_refused(request)));
        exchange_problem(exchange);
        return;
    }
    find_route(exchange);
}
