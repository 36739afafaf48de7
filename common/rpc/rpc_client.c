/* One channel and the threads of its completion queues; calls that take one message and give one.
 *
 * What never reached a server is tried again by the core (transparent retries). Here is tried again
 * what a server of ours turned away unseen, and, where it is harmless to run twice, with an
 * idempotency key, what broke off. */
#include "common/rpc/rpc_outgoing.h"

#include "common/base/clock.h"
#include "common/base/tsan.h"
#include "common/obs/log.h"

#include <grpc/byte_buffer.h>
#include <grpc/grpc_security.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_TRIES = 4,
    CONNECTION_MS = 1000, /* how long a call that runs again waits for a connection, */
    MOMENT_MS = 50,       /* and how long that must last: the news of what broke may be late */
    KEEPALIVE_MS = 20000,
    KEEPALIVE_TIMEOUT_MS = 5000,
    RECONNECT_MS = 200,
    RECONNECT_MOST_MS = 5000,
    CONNECT_MS = 5000, /* for one attempt, in spite of what the core calls it */
};

/* Our daemons tell by grpc.health.v1 when they drain: round_robin then turns to the others. */
static const char to_daemons[] = "{\"loadBalancingConfig\":[{\"round_robin\":{}}],"
                                 "\"healthCheckConfig\":{\"serviceName\":\"\"}}";
/* Temporal says goodbye to a connection every 5 min, and long polls keep it open a while. When it
 * closes at last, round_robin's subchannel (1.51) takes that for the end of the new connection and
 * opens another, whose end ...: for ever, one for each call under load. pick_first starts anew. */
static const char to_strangers[] = "{\"loadBalancingConfig\":[{\"pick_first\":{}}]}";

static grpc_arg number_arg(const char *key, int value)
{
    return (grpc_arg){
        .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static grpc_arg text_arg(const char *key, const char *value)
{
    return (grpc_arg){.type = GRPC_ARG_STRING,
                      .key = (char *)(uintptr_t)key,
                      .value.string = (char *)(uintptr_t)value};
}

static grpc_channel *open_channel(const struct rpc_client_options *options)
{
    bool ours = options->audience != NULL;
    grpc_arg list[] = {
        number_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, RPC_MAX_MESSAGE),
        number_arg(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, RECONNECT_MS),
        number_arg(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_MS),
        number_arg(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, RECONNECT_MOST_MS),
        number_arg(GRPC_ARG_KEEPALIVE_TIME_MS, KEEPALIVE_MS),
        number_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, KEEPALIVE_TIMEOUT_MS),
        number_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, ours),
        number_arg(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1),
        number_arg(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, !ours), /* a filter less a call */
        number_arg(GRPC_ARG_HTTP2_BDP_PROBE, !ours), /* its pings wake us, and the way is short */
        number_arg(GRPC_ARG_ENABLE_HTTP_PROXY, 0),
        text_arg(GRPC_ARG_SERVICE_CONFIG, ours ? to_daemons : to_strangers),
    };
    const grpc_channel_args args = {sizeof(list) / sizeof(list[0]), list};
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create(); /* ADR 0017 */
    grpc_channel *channel = grpc_channel_create(options->target, credentials, &args);

    grpc_channel_credentials_release(credentials);
    return channel;
}

static void start_threads(struct rpc_client *client)
{
    int wanted = client->options.threads > 0 ? client->options.threads : 1;

    client->queues = rpc_alloc((size_t)wanted * sizeof(client->queues[0]));
    client->threads = rpc_alloc((size_t)wanted * sizeof(client->threads[0]));
    for (; client->count < wanted; client->count++) {
        grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);

        if (pthread_create(&client->threads[client->count], NULL, rpc_queue_run, queue) != 0) {
            grpc_completion_queue_shutdown(queue);
            grpc_completion_queue_destroy(queue);
            break;
        }
        client->queues[client->count] = queue;
    }
    if (client->count == 0) {
        abort(); /* not one thread: as good as no memory */
    }
}

struct rpc_client *rpc_client_new(const struct rpc_client_options *options)
{
    rpc_init();
    struct rpc_client *client = rpc_alloc(sizeof(*client));
    const struct rpc_client *beside = options->beside;

    client->options = *options;
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->idle, NULL);
    bool same =
        beside && (!options->target || strcmp(beside->options.target, options->target) == 0);
    client->owns_channel = !same;
    client->channel = same ? beside->channel : open_channel(options);
    if (beside) {
        client->queues = beside->queues;
        client->count = beside->count;
    } else {
        start_threads(client);
    }
    return client;
}

static void stop_threads(struct rpc_client *client)
{
    for (int i = 0; i < client->count; i++) {
        grpc_completion_queue_shutdown(client->queues[i]);
        pthread_join(client->threads[i], NULL);
        grpc_completion_queue_destroy(client->queues[i]);
    }
    free(client->queues);
    free(client->threads);
}

void rpc_client_free(struct rpc_client *client)
{
    if (!client) {
        return;
    }
    rpc_watch_cancel_all(client);
    pthread_mutex_lock(&client->lock);
    while (client->live) {
        pthread_cond_wait(&client->idle, &client->lock);
    }
    pthread_mutex_unlock(&client->lock);
    if (!client->options.beside) {
        stop_threads(client);
    }
    if (client->owns_channel) {
        grpc_channel_destroy(client->channel);
    }
    pthread_mutex_destroy(&client->lock);
    pthread_cond_destroy(&client->idle);
    free(client);
    grpc_shutdown();
}

void rpc_client_joined(struct rpc_client *client)
{
    pthread_mutex_lock(&client->lock);
    client->live++;
    pthread_mutex_unlock(&client->lock);
}

void rpc_client_left(struct rpc_client *client)
{
    pthread_mutex_lock(&client->lock);
    if (--client->live == 0) {
        pthread_cond_broadcast(&client->idle);
    }
    pthread_mutex_unlock(&client->lock);
}

bool rpc_client_is_up(struct rpc_client *client)
{
    return grpc_channel_check_connectivity_state(client->channel, 1) == GRPC_CHANNEL_READY;
}

grpc_call *rpc_client_call(struct rpc_client *client, const char *path, int64_t deadline_ms)
{
    unsigned queue = atomic_fetch_add(&client->next_queue, 1) % (unsigned)client->count;
    grpc_slice method = grpc_slice_from_copied_string(path);
    grpc_call *call = grpc_channel_create_call(client->channel, NULL, GRPC_PROPAGATE_DEFAULTS,
                                               client->queues[queue], method, NULL,
                                               rpc_deadline(deadline_ms), NULL);

    grpc_slice_unref(method); /* the call took its own reference */
    return call;
}

/* ---- one message each way ---------------------------------------------------------------- */

struct rpc_unary {
    struct rpc_tag ended, looked;
    struct rpc_client *client;
    struct rpc_unary *next, **link; /* in client->calls while a try runs, under its lock */
    struct ctx *ctx;
    const char *path; /* a copy, behind the struct */
    const ProtobufCMessage *in;
    const ProtobufCMessageDescriptor *out_type;
    rpc_done *done;
    void *user;
    int64_t deadline_ms;     /* 0: none */
    int64_t connected_by_ms; /* of a call that runs again */
    int tries;
    grpc_call *call;
    grpc_byte_buffer *sent, *received;
    struct span span;
    struct rpc_outgoing metadata;
    struct rpc_result result;
};

/* From here on rpc_client_cancel() finds the call. */
static void list_call(struct rpc_unary *unary)
{
    struct rpc_client *client = unary->client;

    pthread_mutex_lock(&client->lock);
    unary->next = client->calls;
    unary->link = &client->calls;
    if (unary->next) {
        unary->next->link = &unary->next;
    }
    client->calls = unary;
    if (client->is_cancelled) {
        grpc_call_cancel(unary->call, NULL);
    }
    pthread_mutex_unlock(&client->lock);
}

static void unlist_call(struct rpc_unary *unary)
{
    pthread_mutex_lock(&unary->client->lock);
    *unary->link = unary->next;
    if (unary->next) {
        unary->next->link = unary->link;
    }
    pthread_mutex_unlock(&unary->client->lock);
}

void rpc_client_cancel(struct rpc_client *client)
{
    pthread_mutex_lock(&client->lock);
    client->is_cancelled = true;
    for (struct rpc_unary *unary = client->calls; unary; unary = unary->next) {
        grpc_call_cancel(unary->call, NULL);
    }
    pthread_mutex_unlock(&client->lock);
}

static void begin_try(struct rpc_unary *unary)
{
    unary->tries++;
    unary->call = rpc_client_call(unary->client, unary->path, unary->deadline_ms);
    unary->sent = rpc_pack(unary->in);
    unary->received = NULL;
    rpc_outgoing_init(&unary->metadata, unary->ctx, &unary->span, unary->client, unary->path);
    rpc_result_init(&unary->result);
    grpc_op ops[6] = {{0}};
    rpc_outgoing_send(&unary->metadata, &ops[0]);
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = unary->sent;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &unary->result.initial;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &unary->received;
    rpc_result_receive(&unary->result, &ops[5]);
    list_call(unary); /* before it starts: it may end on another thread at once */
    rpc_start(unary->call, ops, sizeof(ops) / sizeof(ops[0]), &unary->ended);
}

static void end_try(struct rpc_unary *unary)
{
    unlist_call(unary);
    grpc_byte_buffer_destroy(unary->sent);
    grpc_byte_buffer_destroy(unary->received);
    rpc_outgoing_finish(&unary->metadata);
    rpc_result_finish(&unary->result);
    grpc_call_unref(unary->call);
}

static bool was_cut(const struct rpc_unary *unary)
{
    struct rpc_client *client = unary->client;

    if (!rpc_result_is_cut(&unary->result, client)) {
        return false; /* nearly always: without the lock, which all calls share */
    }
    pthread_mutex_lock(&client->lock);
    bool asked_for = client->is_cancelled;
    pthread_mutex_unlock(&client->lock);
    return !asked_for;
}

static bool broke_off(const struct rpc_unary *unary)
{
    return was_cut(unary) ||
           (unary->result.code == GRPC_STATUS_UNAVAILABLE && rpc_result_is_ours(&unary->result));
}

static bool may_try_again(const struct rpc_unary *unary)
{
    bool harmless = (broke_off(unary) && unary->ctx->idempotency_key) ||
                    (was_cut(unary) && rpc_result_is_unseen(&unary->result));

    return harmless && !unary->client->options.no_retry && unary->tries < MAX_TRIES &&
           (!unary->deadline_ms || clock_monotonic_ms() < unary->deadline_ms);
}

static enum status read_answer(struct rpc_unary *unary, ProtobufCMessage **out)
{
    struct ctx *ctx = unary->ctx;

    TRY(rpc_result_read(ctx, &unary->result, unary->path));
    *out = unary->received ? rpc_unpack(ctx->arena, unary->out_type, unary->received) : NULL;
    if (!*out) {
        return fail_with(ctx, ST_INTERNAL, "", "%s: cannot read the answer", unary->path);
    }
    return ST_OK;
}

static enum status judge(struct rpc_unary *unary, ProtobufCMessage **out)
{
    if (was_cut(unary)) {
        return fail_with(unary->ctx, ST_UNAVAILABLE, "", "%s: cut on its way", unary->path);
    }
    return read_answer(unary, out);
}

static void finish(struct rpc_unary *unary, enum status st, ProtobufCMessage *out)
{
    struct rpc_client *client = unary->client;

    rpc_outgoing_traced(&unary->span, unary->ctx, unary->path, st);
    unary->done(unary->ctx, st, out, unary->user);
    free(unary);
    rpc_client_left(client);
}

static void look_again(struct rpc_unary *unary)
{
    struct rpc_client *client = unary->client;
    grpc_connectivity_state now = grpc_channel_check_connectivity_state(client->channel, 1);
    int64_t until_ms =
        now == GRPC_CHANNEL_READY ? clock_monotonic_ms() + MOMENT_MS : unary->connected_by_ms;

    HB_RELEASE(&unary->looked);
    grpc_channel_watch_connectivity_state(client->channel, now, rpc_deadline(until_ms),
                                          client->queues[0], &unary->looked);
}

static void has_looked(struct rpc_tag *tag, bool changed)
{
    struct rpc_unary *unary = tag->owner;
    bool is_up = rpc_client_is_up(unary->client);

    if ((changed || !is_up) && clock_monotonic_ms() < unary->connected_by_ms) {
        look_again(unary);
    } else if (is_up) {
        begin_try(unary);
    } else {
        finish(unary,
               fail_with(unary->ctx, ST_UNAVAILABLE, "", "%s: no connection came", unary->path),
               NULL);
    }
}

/* Waits for a connection first: a try that had none would wait for it until the deadline. */
static void try_again(struct rpc_unary *unary)
{
    int64_t by_ms = clock_monotonic_ms() + CONNECTION_MS;
    int64_t own = unary->deadline_ms;

    unary->connected_by_ms = own && own < by_ms ? own : by_ms;
    look_again(unary);
}

static void unary_ended(struct rpc_tag *tag, bool ok)
{
    struct rpc_unary *unary = tag->owner;
    ProtobufCMessage *out = NULL;

    (void)ok; /* always true: the batch receives a status */
    if (may_try_again(unary)) {
        end_try(unary);
        try_again(unary);
        return;
    }
    enum status st = judge(unary, &out);
    end_try(unary);
    finish(unary, st, out);
}

/* NOLINTNEXTLINE(readability-function-size): a call is all of these */
void rpc_call_async(struct ctx *ctx, struct rpc_client *client, const char *path,
                    const ProtobufCMessage *in, const ProtobufCMessageDescriptor *out_type,
                    int timeout_ms, rpc_done *done, void *user)
{
    size_t path_size = strlen(path) + 1;
    struct rpc_unary *unary = rpc_alloc(sizeof(*unary) + path_size);
    int64_t own = timeout_ms > 0 ? clock_monotonic_ms() + timeout_ms : 0;

    unary->ended = (struct rpc_tag){unary_ended, unary};
    unary->looked = (struct rpc_tag){has_looked, unary};
    unary->client = client;
    unary->ctx = ctx;
    unary->path = memcpy(unary + 1, path, path_size);
    unary->in = in;
    unary->out_type = out_type;
    unary->done = done;
    unary->user = user;
    unary->deadline_ms =
        own && (!ctx->deadline_ms || own < ctx->deadline_ms) ? own : ctx->deadline_ms;
    span_begin(&unary->span, ctx);
    rpc_client_joined(client);
    begin_try(unary);
}

struct waiter {
    sem_t done;
    enum status st;
    ProtobufCMessage *out;
};

static void wake(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct waiter *waiter = user;

    (void)ctx;
    waiter->st = st;
    waiter->out = out;
    sem_post(&waiter->done);
}

/* NOLINTNEXTLINE(readability-function-size): a call is all of these */
enum status rpc_call(struct ctx *ctx, struct rpc_client *client, const char *path,
                     const ProtobufCMessage *in, const ProtobufCMessageDescriptor *out_type,
                     int timeout_ms, ProtobufCMessage **out)
{
    struct waiter waiter = {.st = ST_INTERNAL};

    sem_init(&waiter.done, 0, 0);
    rpc_call_async(ctx, client, path, in, out_type, timeout_ms, wake, &waiter);
    while (sem_wait(&waiter.done) != 0) { /* a signal handler ran */
    }
    sem_destroy(&waiter.done);
    if (waiter.st == ST_OK) {
        *out = waiter.out;
    }
    return waiter.st;
}
