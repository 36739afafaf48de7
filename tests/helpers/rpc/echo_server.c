/* The echo service: handlers that do as the request says. */
#include "tests/helpers/rpc/echo_server.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/crypto/crypto.h"
#include "common/obs/trace.h"
#include "common/rpc/identity.h"
#include "tests/helpers/patience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum status act(struct ctx *ctx, const echo_request *request)
{
    switch (request->act) {
    case ECHO_ACT(FAIL):
        fail_problem(ctx, PROBLEM_HANDLE_TAKEN, "This name is taken");
        ctx->failure.retry_after_s = 7;
        return ctx->failure.status;
    case ECHO_ACT(BREAK):
        return fail_with(ctx, ST_INTERNAL, "the words of a library", "table=%s", "secrets");
    case ECHO_ACT(WAIT):
        clock_pause_ms(request->count);
        return ST_OK;
    default:
        return ST_OK;
    }
}

static void fill(struct ctx *ctx, const echo_request *request, echo_answer *answer)
{
    answer->text = request->text;
    answer->count = request->count;
    answer->subject = ctx->caller.subject;
    answer->device = ctx->caller.device;
    answer->role = arena_strdup(ctx->arena, role_name(ctx->caller.role));
    answer->client_address = ctx->client_address;
    answer->trace_id = ctx->trace_id;
    answer->correlation_id = ctx->correlation_id;
    answer->idempotency_key =
        arena_strdup(ctx->arena, ctx->idempotency_key ? ctx->idempotency_key : "");
    answer->request_sha256 = ctx->request_sha256;
    answer->left_ms = ctx_left_ms(ctx);
}

static enum status say(struct ctx *ctx, void *service, const void *in, void *out)
{
    struct echo *echo = service;

    atomic_fetch_add(&echo->said, 1);
    if (echo->reached) {
        atomic_fetch_add(echo->reached, 1);
    }
    TRY(act(ctx, in));
    fill(ctx, in, out);
    return ST_OK;
}

static bool send(struct rpc_stream *stream, int count)
{
    echo_answer answer = EVERYTHING__TEST__V1__ECHO_ANSWER__INIT;

    answer.count = count;
    return rpc_stream_send(stream, &answer.base);
}

static void stay(struct echo *echo, struct rpc_stream *stream)
{
    struct rpc_stream *before = atomic_exchange(&echo->staying, rpc_stream_ref(stream));

    if (before) {
        rpc_stream_unref(before);
    }
}

static enum status open_any(struct ctx *ctx, struct rpc_stream *stream, void *service,
                            const void *in)
{
    struct echo *echo = service;

    (void)ctx;
    (void)in;
    rpc_stream_set_user(stream, calloc(1, sizeof(int)));
    atomic_fetch_add(&echo->opened, 1);
    return ST_OK;
}

static void closed_any(struct rpc_stream *stream, void *service)
{
    struct echo *echo = service;

    free(rpc_stream_user(stream));
    rpc_stream_set_user(stream, NULL);
    atomic_fetch_add(&echo->closed, 1);
}

static enum status repeat_open(struct ctx *ctx, struct rpc_stream *stream, void *service,
                               const void *in)
{
    const echo_request *request = in;

    TRY(act(ctx, request));
    TRY(open_any(ctx, stream, service, in));
    if (request->act == ECHO_ACT(STAY)) {
        stay(service, stream);
        send(stream, 0);
        return ST_OK;
    }
    for (int i = 0; i < request->count && send(stream, i); i++) {
    }
    rpc_stream_end(stream, ST_OK, NULL);
    return ST_OK;
}

static enum status repeat_at_once(struct ctx *ctx, struct rpc_stream *stream, void *service,
                                  const void *in)
{
    const echo_request *request = in;

    (void)ctx;
    (void)service;
    for (int i = 0; i < request->count && send(stream, i); i++) {
    }
    rpc_stream_end(stream, ST_OK, NULL);
    return ST_OK;
}

static enum status collect_message(struct ctx *ctx, struct rpc_stream *stream, void *service,
                                   const void *in)
{
    int *count = rpc_stream_user(stream);

    (void)service;
    if (in) {
        TRY(act(ctx, in));
        ++*count;
        return ST_OK;
    }
    send(stream, *count);
    rpc_stream_end(stream, ST_OK, NULL);
    return ST_OK;
}

static enum status talk_message(struct ctx *ctx, struct rpc_stream *stream, void *service,
                                const void *in)
{
    const echo_request *request = in;

    if (!in) {
        rpc_stream_end(stream, ST_OK, NULL);
        return ST_OK;
    }
    TRY(act(ctx, request));
    if (request->act == ECHO_ACT(STAY)) {
        stay(service, stream);
    }
    send(stream, request->count);
    return ST_OK;
}

static const struct rpc_stream_handler repeat = {.open = repeat_open, .closed = closed_any};
static const struct rpc_stream_handler at_once = {.open = repeat_at_once};
static const struct rpc_stream_handler collect = {
    .open = open_any, .message = collect_message, .closed = closed_any};
static const struct rpc_stream_handler talk = {
    .open = open_any, .message = talk_message, .closed = closed_any};

static const struct rpc_handler handlers[] = {
    {.method = "Say",         .unary = say},
    {.method = "SayToAnyone",                       .unary = say},
    {.method = "SayToProbes",.unary = say},
    {.method = "SayToAdmins", .unary = say},
    {.method = "Repeat",                       .stream = &repeat},
    {.method = "RepeatAtOnce",           .stream = &at_once},
    {.method = "Collect",      .stream = &collect},
    {.method = "Talk",                       .stream = &talk},
    {0},
};

static const struct rpc_service services[] = {
    {.descriptor = &everything__test__v1__echo_service__descriptor, .handlers = handlers},
    {0                                                            },
};

struct contract *echo_contract(void)
{
    static const ProtobufCServiceDescriptor *const described[] = {
        &everything__test__v1__echo_service__descriptor, NULL};
    AUTO(arena) struct arena *arena = arena_new(4096);
    const size_t most = 4 << 20;
    char *set = arena_alloc(arena, most);
    FILE *in = fopen(TEST_DESCRIPTORS, "re");

    if (!in) {
        return NULL;
    }
    size_t size = fread(set, 1, most, in);
    fclose(in);
    return contract_new_from(set, size, described, stderr);
}

struct identity_keys *echo_new_keys(void)
{
    char file[] = "/tmp/identity-keys-XXXXXX", hex[65];
    uint8_t key[32];
    int fd = mkstemp(file);

    random_bytes(key, sizeof(key));
    hex_encode(key, sizeof(key), hex);
    dprintf(fd, "k1 %s\n", hex);
    close(fd);
    struct identity_keys *keys = identity_keys_load(file, stderr);
    unlink(file);
    return keys;
}

struct echo *echo_start(const struct echo_options *options)
{
    struct echo *echo = calloc(1, sizeof(*echo));

    snprintf(echo->address, sizeof(echo->address), "127.0.0.1:%d", options->port);
    echo->reached = options->reached;
    echo->contract = echo_contract();
    echo->keys = options->keys ? options->keys : echo_new_keys();
    echo->server = rpc_server_start(&(struct rpc_server_options){
        .address = echo->address,
        .daemon = "echo",
        .contract = echo->contract,
        .services = services,
        .keys = echo->keys,
        .service = echo,
        .workers = options->workers ? options->workers : 4,
        .queue = options->queue,
        .unready = options->unready,
    });
    if (!echo->server) {
        abort();
    }
    return echo;
}

void echo_stop(struct echo *echo)
{
    struct rpc_stream *staying = atomic_load(&echo->staying);

    rpc_server_free(echo->server);
    if (staying) {
        rpc_stream_unref(staying);
    }
    contract_free(echo->contract);
    identity_keys_free(echo->keys);
    free(echo);
}

struct rpc_client *echo_client(int port, const struct identity_keys *keys)
{
    char target[64];

    snprintf(target, sizeof(target), "ipv4:127.0.0.1:%d", port);
    return rpc_client_new(&(struct rpc_client_options){
        .target = target, .audience = keys ? "echo" : NULL, .keys = keys});
}

enum status echo_ask(struct ctx *ctx, struct rpc_client *client, const char *path,
                     const echo_request *request, const echo_answer **answer)
{
    ProtobufCMessage *out = NULL;
    enum status st =
        rpc_call(ctx, client, path, &request->base, ECHO_ANSWER_TYPE, PATIENCE_MS, &out);

    *answer = (const echo_answer *)out;
    return st;
}

enum status echo_say(struct ctx *ctx, struct rpc_client *client, const char *path, const char *text,
                     const echo_answer **answer)
{
    echo_request request = ECHO_REQUEST;

    request.text = (char *)(uintptr_t)text; /* protobuf-c's strings are not const */
    return echo_ask(ctx, client, path, &request, answer);
}

struct ctx *echo_ctx(enum role role)
{
    struct ctx *ctx = ctx_new_system("test");

    ctx->caller.role = role;
    uuid_v7(ctx->caller.subject);
    text_copy(ctx->caller.device, sizeof(ctx->caller.device), "phone");
    trace_begin(ctx, NULL);
    trace_correlation(ctx, "asked-by-a-test");
    ctx->deadline_ms = clock_monotonic_ms() + PATIENCE_MS;
    return ctx;
}

bool echo_wait(atomic_int *counter, int at_least)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (atomic_load(counter) < at_least) {
        if (clock_monotonic_ms() > until) {
            return false;
        }
        clock_pause_ms(2);
    }
    return true;
}
