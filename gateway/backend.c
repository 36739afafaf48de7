/* See backend.h. */
#include "gateway/backend.h"

#include "common/base/clock.h"
#include "common/obs/log.h"
#include "common/obs/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAILURES_TO_OPEN = 3, /* in a row */
    TRY_EVERY_MS = 1000,
    CONNECT_MS =
        800, /* a call may wait for a connection that long: a refusal comes within a second */
    RETRY_AFTER_S = 1,
};

struct backend {
    const char *name;
    struct rpc_client *client;
    char target[256];
    atomic_int failures; /* in a row */
    _Atomic int64_t next_try_ms;
    struct metric_series *refused;
};

static const char *const names[BACKEND_COUNT] = {
    [BACKEND_ORDER] = "order-service",
    [BACKEND_CUSTOMER] = "customer-service",
};

struct backend *backend_new(enum backend_id id, const char *address,
                            const struct identity_keys *keys, int threads, struct backend *beside)
{
    static const struct metric_def refused = {METRIC_COUNTER,
                                              "backend_refused_total",
                                              "Calls answered 503 without asking: it was away.",
                                              {"backend"}};
    struct backend *backend = calloc(1, sizeof(*backend));

    if (!backend) {
        fputs("out of memory\n", stderr);
        abort();
    }
    backend->name = names[id];
    /* "host:port", or a list of addresses, as in ipv4:127.0.0.1:50051,127.0.0.1:50061 */
    bool has_scheme = strstr(address, ":///") || strncmp(address, "ipv", 3) == 0;
    snprintf(backend->target, sizeof(backend->target), "%s%s", has_scheme ? "" : "dns:///",
             address);
    backend->refused = METRIC_SERIES(metric_register(&refused), names[id]);
    backend->client =
        rpc_client_new(&(struct rpc_client_options){.target = backend->target,
                                                    .audience = names[id],
                                                    .keys = keys,
                                                    .threads = threads,
                                                    .beside = beside ? beside->client : NULL});
    rpc_client_is_up(backend->client); /* connects now, not at the first request */
    return backend;
}

void backend_free(struct backend *backend)
{
    if (backend) {
        rpc_client_free(backend->client);
        free(backend);
    }
}

struct rpc_client *backend_client(struct backend *backend)
{
    return backend->client;
}

const char *backend_name(const struct backend *backend)
{
    return backend->name;
}

bool backend_is_up(struct backend *backend)
{
    return rpc_client_is_up(backend->client);
}

/* Open: one call a second finds out whether it is back. */
static bool may_call(struct backend *backend)
{
    int64_t now = clock_monotonic_ms();
    int64_t next = atomic_load(&backend->next_try_ms);

    if (atomic_load(&backend->failures) < FAILURES_TO_OPEN) {
        return true;
    }
    return now >= next &&
           atomic_compare_exchange_strong(&backend->next_try_ms, &next, now + TRY_EVERY_MS);
}

struct attempt {
    struct backend *backend;
    rpc_done *done;
    void *user;
    int timeout_ms, allowed_ms;
};

/* Nobody answered, and no other replica is there. A daemon that cannot do this one thing sends a
 * sentence along: that says nothing of its other methods. */
static bool was_away(const struct ctx *ctx, enum status st, const struct attempt *attempt)
{
    bool unanswered = st == ST_TIMEOUT ? attempt->allowed_ms < attempt->timeout_ms
                                       : st == ST_UNAVAILABLE && !ctx->failure.message;

    return unanswered && !backend_is_up(attempt->backend);
}

static void note(struct backend *backend, bool away)
{
    if (!away) {
        if (atomic_exchange(&backend->failures, 0) >= FAILURES_TO_OPEN) {
            log_info(NULL, "backend is back", log_text("backend", backend->name));
        }
        return;
    }
    if (atomic_fetch_add(&backend->failures, 1) == FAILURES_TO_OPEN - 1) {
        atomic_store(&backend->next_try_ms, clock_monotonic_ms() + TRY_EVERY_MS);
        log_warn(NULL, "backend is away", log_text("backend", backend->name));
    }
}

static void ended(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct attempt attempt = *(struct attempt *)user; /* it lives in ctx, which done() may end */
    bool away = was_away(ctx, st, &attempt);

    note(attempt.backend, away);
    if (away && st == ST_TIMEOUT) {
        st = fail_with(ctx, ST_UNAVAILABLE, "", "%s: no connection", attempt.backend->name);
    }
    if (away && !ctx->failure.retry_after_s) {
        ctx->failure.retry_after_s = RETRY_AFTER_S;
    }
    attempt.done(ctx, st, out, attempt.user);
}

/* NOLINTNEXTLINE(readability-function-size): the shape of rpc_call_async() */
void backend_call(struct ctx *ctx, struct backend *backend, const char *path,
                  const ProtobufCMessage *in, const ProtobufCMessageDescriptor *out_type,
                  int timeout_ms, rpc_done *done, void *user)
{
    if (!may_call(backend)) {
        metric_add(backend->refused, 1);
        enum status st = fail_with(ctx, ST_UNAVAILABLE, "", "%s is away", backend->name);
        ctx->failure.retry_after_s = RETRY_AFTER_S;
        done(ctx, st, NULL, user);
        return;
    }
    bool short_of_time = timeout_ms > CONNECT_MS && !backend_is_up(backend);
    struct attempt *attempt = arena_new_struct(ctx->arena, struct attempt);

    *attempt =
        (struct attempt){backend, done, user, timeout_ms, short_of_time ? CONNECT_MS : timeout_ms};
    rpc_call_async(ctx, backend->client, path, in, out_type, attempt->allowed_ms, ended, attempt);
}
