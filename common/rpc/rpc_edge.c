/* What happens around every handler, whatever it does: who calls, may they, is the request well
 * formed, how long may it take; and afterwards one log line and one observation. */
#include "common/rpc/rpc_method.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/contract/idempotency_key.h"
#include "common/crypto/crypto.h"
#include "common/obs/log.h"
#include "common/obs/span.h"
#include "common/obs/trace.h"
#include "common/rpc/identity.h"
#include "common/rpc/rpc_scan.h"

#include <string.h>

enum { OVERLOAD_RETRY_S = 1 };

/* The earlier of the client's deadline and the method's own. */
static int64_t deadline_of(const struct rpc_incoming *in)
{
    int64_t asked = in->method == &in->queue->server->unknown ? 0 : rpc_deadline_ms(in->deadline);

    if (!in->method->deadline_ms || !in->method->unary) {
        return asked;
    }
    int64_t own = clock_monotonic_ms() + in->method->deadline_ms;
    return asked && asked < own ? asked : own;
}

struct ctx *rpc_edge_begin(const struct rpc_incoming *in, size_t arena_size)
{
    struct arena *arena = arena_new(arena_size);
    struct ctx *ctx = arena_new_struct(arena, struct ctx);

    ctx->arena = arena;
    ctx->deadline_ms = deadline_of(in);
    trace_begin(ctx, rpc_metadata(arena, &in->metadata, "traceparent", NULL));
    trace_correlation(ctx, rpc_metadata(arena, &in->metadata, "x-correlation-id", NULL));
    return ctx;
}

static enum status identify(struct ctx *ctx, const struct rpc_incoming *in)
{
    const struct rpc_server *server = in->queue->server;
    const char *identity = rpc_metadata(ctx->arena, &in->metadata, "x-identity", NULL);

    if (!identity) { /* who is nobody says so, signed: else any pod could claim an address */
        return in->method->is_probe ? ST_OK
                                    : fail_with(ctx, ST_UNAUTHENTICATED, "", "no x-identity");
    }
    return identity_verify(ctx, server->options.keys, identity, server->options.daemon,
                           in->method->path);
}

static enum status authorise(struct ctx *ctx, const struct rpc_method *method)
{
    if (method->roles & (ROLE_ANYONE | ctx->caller.role)) {
        return ST_OK;
    }
    enum status st = ctx->caller.role == ROLE_NOBODY ? ST_UNAUTHENTICATED : ST_FORBIDDEN;
    return fail_with(ctx, st, "", "%s is for others than %s", method->path,
                     role_name(ctx->caller.role));
}

/* What tells a retry from another request under the same key: the method and the bytes sent. It is
 * kept in a table, and a request may hold a password: so a bare digest, which is guessed at far
 * faster than argon2id, will not do. */
static void fingerprint(struct ctx *ctx, const struct rpc_incoming *in)
{
    size_t size = 0;
    const uint8_t *bytes = in->message ? rpc_bytes(ctx->arena, in->message, &size) : NULL;
    struct text all = text_new(ctx->arena, size + 128);
    uint8_t digest[SHA256_SIZE];

    text_add(&all, in->method->path);
    text_add_char(&all, '\n');
    text_add_bytes(&all, bytes ? (const char *)bytes : "", size);
    identity_fingerprint(in->queue->server->options.keys, all.data, all.length, digest);
    hex_encode(digest, sizeof(digest), ctx->request_sha256);
}

static enum status take_idempotency_key(struct ctx *ctx, const struct rpc_incoming *in)
{
    const char *key = rpc_metadata(ctx->arena, &in->metadata, "idempotency-key", NULL);

    if (!key) {
        return ST_OK;
    }
    if (!idempotency_key_is_good(key)) {
        return fail_problem(ctx, PROBLEM_BAD_REQUEST, "Idempotency-Key " IDEMPOTENCY_KEY_RULE,
                            IDEMPOTENCY_KEY_MOST);
    }
    ctx->idempotency_key = key;
    fingerprint(ctx, in);
    return ST_OK;
}

/* One that is too long is none of ours. */
static enum status take_version(struct ctx *ctx, const struct rpc_incoming *in)
{
    const char *seen = rpc_metadata(ctx->arena, &in->metadata, "if-match", NULL);

    return !seen || text_copy(ctx->if_match, sizeof(ctx->if_match), seen)
               ? ST_OK
               : fail_problem(ctx, PROBLEM_PRECONDITION_FAILED, "There never was such a version");
}

enum status rpc_edge_admit(struct ctx *ctx, const struct rpc_incoming *in)
{
    if (in->method->internal) {
        return ST_OK;
    }
    if (!ctx_left_ms(ctx)) {
        return fail_with(ctx, ST_TIMEOUT, "", "the deadline passed before a worker was free");
    }
    TRY(identify(ctx, in));
    TRY(authorise(ctx, in->method));
    TRY(take_version(ctx, in));
    return take_idempotency_key(ctx, in);
}

enum status rpc_edge_decode(struct ctx *ctx, const struct rpc_method *method,
                            grpc_byte_buffer *buffer, ProtobufCMessage **message)
{
    size_t size = 0;
    const uint8_t *bytes = buffer ? rpc_bytes(ctx->arena, buffer, &size) : NULL;

    if (!bytes) {
        return fail_with(ctx, ST_INVALID, "", "%s", buffer ? "cannot unfold it" : "no message");
    }
    if (!method->internal && size > method->max_request) { /* the core's bound is the largest one */
        return fail_problem(ctx, PROBLEM_TOO_LARGE, "The request is too large");
    }
    TRY(rpc_scan(ctx, method->in, bytes, size));
    *message = rpc_unpack_bytes(ctx->arena, method->in, bytes, size);
    if (!*message) {
        return fail_with(ctx, ST_INVALID, "", "malformed message");
    }
    return method->internal ? ST_OK
                            : contract_check(ctx, method->server->options.contract, *message);
}

enum status rpc_edge_overloaded(struct ctx *ctx)
{
    enum status st = fail_problem(ctx, PROBLEM_OVERLOADED, "Too busy just now");

    ctx->failure.retry_after_s = OVERLOAD_RETRY_S;
    return st;
}

void rpc_edge_failed(struct ctx *ctx, enum status st)
{
    if (ctx->failure.status != st || ctx->failure.problem == PROBLEM_NONE) {
        ctx->failure = (struct failure){.status = st, .problem = status_problem(st)};
    }
}

static struct metric_series *duration_of(struct rpc_method *method, enum status st)
{
    struct metric_series *series = atomic_load(&method->durations[st]);

    if (!series) { /* two threads may both ask: they get the same one */
        series = METRIC_SERIES(method->server->duration, method->path, status_name(st));
        atomic_store(&method->durations[st], series);
    }
    return series;
}

static void trace(const struct ctx *ctx, const struct rpc_method *method, enum status st,
                  int64_t began_us)
{
    struct span span = span_of(ctx, began_us);

    span_failed(&span, ctx, st);
    span_end(&span, SPAN_SERVER, method->path + 1, log_text("rpc.system", "grpc"),
             log_text("rpc.grpc.status", status_name(st)));
}

void rpc_edge_done(const struct ctx *ctx, struct rpc_method *method, enum status st,
                   int64_t began_us)
{
    int64_t took_us = clock_monotonic_us() - began_us;

    metric_observe(duration_of(method, st), (double)took_us / 1e6,
                   ctx->sampled ? ctx->trace_id : "");
    if (method->internal) {
        return;
    }
    trace(ctx, method, st, began_us);
    if (st == ST_OK || st == ST_CANCELLED) {
        log_info(ctx, "rpc", log_text("method", method->path), log_text("status", status_name(st)),
                 log_num("ms", took_us / 1000));
        return;
    }
    log_failure(ctx, method->path);
}
