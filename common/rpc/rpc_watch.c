/* The client's side of a streaming call. All its events come on the thread of one queue; what the
 * caller does (send, resume, cancel) may come from any. */
#include "common/rpc/rpc_outgoing.h"

#include <grpc/byte_buffer.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_QUEUED = 1024, ARENA_SIZE = 4096 };

struct outgoing {
    struct outgoing *next;
    grpc_byte_buffer *bytes;
};

struct rpc_watch {
    atomic_int refs;
    struct rpc_client *client;
    struct rpc_watch *next, **link; /* among the client's: these and 'ending' under its lock */
    bool ending;
    struct rpc_tag began, sent, received, status;
    const ProtobufCMessageDescriptor *out_type;
    const char *path;
    struct rpc_watch_events events;
    void *user;
    struct ctx base; /* which trace; its arena is NULL */
    struct span span;
    struct rpc_outgoing metadata;
    struct rpc_result result;
    grpc_byte_buffer *incoming;

    pthread_mutex_t lock; /* guards what follows */
    grpc_call *call;
    int holds; /* batches under way, and the reading, paused or not, until all was read: the last
                * one gives the call back */
    bool has_status, has_all; /* ended() is due when both are true */
    bool paused, resumed;     /* resumed: while message() was still running */
    bool cancelled, dead, sending, no_more, closed;
    struct outgoing *first, **last;
    int queued;
    grpc_byte_buffer *in_flight;
};

static void drop_queue(struct rpc_watch *watch)
{
    while (watch->first) {
        struct outgoing *one = watch->first;

        watch->first = one->next;
        grpc_byte_buffer_destroy(one->bytes);
        free(one);
    }
    watch->last = &watch->first;
    watch->queued = 0;
}

void rpc_watch_unref(struct rpc_watch *watch)
{
    if (atomic_fetch_sub(&watch->refs, 1) == 1) {
        pthread_mutex_destroy(&watch->lock);
        free((char *)(uintptr_t)watch->path);
        free(watch);
    }
}

static void watch_finish(struct rpc_watch *watch)
{
    struct rpc_client *client = watch->client;

    pthread_mutex_lock(&client->lock);
    *watch->link = watch->next;
    if (watch->next) {
        watch->next->link = watch->link;
    }
    pthread_mutex_unlock(&client->lock);
    pthread_mutex_lock(&watch->lock); /* who holds a reference may still ask */
    drop_queue(watch);
    pthread_mutex_unlock(&watch->lock);
    grpc_byte_buffer_destroy(watch->in_flight);
    grpc_byte_buffer_destroy(watch->incoming);
    rpc_outgoing_finish(&watch->metadata);
    rpc_result_finish(&watch->result);
    grpc_call_unref(watch->call);
    rpc_watch_unref(watch);
    rpc_client_left(client);
}

static void let_go(struct rpc_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    bool last = --watch->holds == 0;
    pthread_mutex_unlock(&watch->lock);
    if (last) {
        watch_finish(watch);
    }
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Under the lock: the next batch, when one is due and none is under way. */
static void pump(struct rpc_watch *watch)
{
    grpc_op ops[2] = {{0}};
    size_t count = 0;
    struct outgoing *one = watch->first;

    if (watch->sending || watch->dead) {
        return;
    }
    if (one) {
        watch->first = one->next;
        watch->last = one->next ? watch->last : &watch->first;
        watch->queued--;
        watch->in_flight = one->bytes;
        free(one);
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = watch->in_flight;
    }
    if (!watch->first && watch->no_more && !watch->closed) {
        ops[count++].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
        watch->closed = true;
    }
    if (count) {
        watch->sending = true;
        watch->holds++;
        rpc_start(watch->call, ops, count, &watch->sent);
    }
}

static void watch_sent(struct rpc_tag *tag, bool ok)
{
    struct rpc_watch *watch = tag->owner;

    pthread_mutex_lock(&watch->lock);
    grpc_byte_buffer_destroy(watch->in_flight);
    watch->in_flight = NULL;
    watch->sending = false;
    if (!ok) {
        watch->dead = true;
        drop_queue(watch);
    }
    pump(watch);
    pthread_mutex_unlock(&watch->lock);
    let_go(watch);
}

bool rpc_watch_send(struct rpc_watch *watch, const ProtobufCMessage *message)
{
    pthread_mutex_lock(&watch->lock);
    bool taken = !watch->dead && !watch->no_more && watch->queued < MOST_QUEUED;
    if (taken) {
        struct outgoing *one = rpc_alloc(sizeof(*one));

        one->bytes = rpc_pack(message);
        *watch->last = one;
        watch->last = &one->next;
        watch->queued++;
        pump(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    return taken;
}

void rpc_watch_no_more(struct rpc_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->no_more = true;
    pump(watch);
    pthread_mutex_unlock(&watch->lock);
}

/* ---- receiving --------------------------------------------------------------------------- */

/* Under the lock, with the reading's hold. */
static void receive(struct rpc_watch *watch)
{
    const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE,
                        .data.recv_message.recv_message = &watch->incoming};

    rpc_start(watch->call, &op, 1, &watch->received);
}

static enum status judge(struct rpc_watch *watch, struct ctx *ctx)
{
    pthread_mutex_lock(&watch->lock);
    bool asked_for = watch->cancelled;
    pthread_mutex_unlock(&watch->lock);
    if (!asked_for && rpc_result_is_cut(&watch->result, watch->client)) {
        return fail_with(ctx, ST_UNAVAILABLE, "", "%s: cut on its way", watch->path);
    }
    return rpc_result_read(ctx, &watch->result, watch->path);
}

static void tell_end(struct rpc_watch *watch)
{
    AUTO(arena) struct arena *arena = arena_new(ARENA_SIZE);
    struct ctx ctx = watch->base;

    ctx.arena = arena;
    enum status st = judge(watch, &ctx);
    rpc_outgoing_traced(&watch->span, &ctx, watch->path, st);
    watch->events.ended(watch, st, &ctx, watch->user);
}

/* Marks one of the two parts as done, and tells the end when it was the second one. */
static void part_done(struct rpc_watch *watch, bool *part)
{
    pthread_mutex_lock(&watch->lock);
    *part = true;
    bool both = watch->has_status && watch->has_all;
    pthread_mutex_unlock(&watch->lock);
    if (both) {
        tell_end(watch);
    }
}

/* Hands one message over; true: go on reading. */
static bool deliver(struct rpc_watch *watch, const ProtobufCMessage *message)
{
    pthread_mutex_lock(&watch->lock);
    bool wanted = !watch->cancelled;
    watch->resumed = false;
    pthread_mutex_unlock(&watch->lock);
    bool more = !wanted || watch->events.message(watch, message, watch->user);
    pthread_mutex_lock(&watch->lock);
    more = more || watch->resumed || watch->cancelled;
    watch->paused = !more;
    pthread_mutex_unlock(&watch->lock);
    return more;
}

static void watch_received(struct rpc_tag *tag, bool ok)
{
    struct rpc_watch *watch = tag->owner;
    AUTO(arena) struct arena *arena = arena_new(ARENA_SIZE);
    ProtobufCMessage *message =
        ok && watch->incoming ? rpc_unpack(arena, watch->out_type, watch->incoming) : NULL;

    if (watch->incoming && !message) {
        grpc_call_cancel_with_status(watch->call, GRPC_STATUS_INTERNAL, "malformed message", NULL);
    }
    grpc_byte_buffer_destroy(watch->incoming);
    watch->incoming = NULL; /* before it pauses: who resumes it has the next one put there */
    bool more = message && deliver(watch, message);
    if (more) {
        pthread_mutex_lock(&watch->lock);
        receive(watch);
        pthread_mutex_unlock(&watch->lock);
    } else if (!message) {
        part_done(watch, &watch->has_all);
        let_go(watch);
    }
}

static void go_on(struct rpc_watch *watch) /* under the lock */
{
    watch->resumed = true;
    if (watch->paused) {
        watch->paused = false;
        receive(watch);
    }
}

void rpc_watch_resume(struct rpc_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    go_on(watch);
    pthread_mutex_unlock(&watch->lock);
}

/* A paused stream reads on, or it would never learn that it is over. */
void rpc_watch_cancel(struct rpc_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    if (!watch->cancelled && watch->holds) {
        watch->cancelled = watch->dead = true;
        grpc_call_cancel(watch->call, NULL);
        go_on(watch);
    }
    pthread_mutex_unlock(&watch->lock);
}

static void watch_began(struct rpc_tag *tag, bool ok)
{
    (void)ok;
    let_go(tag->owner);
}

static void watch_status(struct rpc_tag *tag, bool ok)
{
    struct rpc_watch *watch = tag->owner;

    (void)ok;
    pthread_mutex_lock(&watch->lock);
    watch->dead = true;
    pthread_mutex_unlock(&watch->lock);
    part_done(watch, &watch->has_status);
    let_go(watch);
}

/* ---- opening ----------------------------------------------------------------------------- */

static void link_watch(struct rpc_watch *watch)
{
    struct rpc_client *client = watch->client;

    pthread_mutex_lock(&client->lock);
    client->live++;
    watch->next = client->watches;
    watch->link = &client->watches;
    if (watch->next) {
        watch->next->link = &watch->next;
    }
    client->watches = watch;
    pthread_mutex_unlock(&client->lock);
}

static void begin(struct rpc_watch *watch)
{
    grpc_op status = {0}, first[2] = {{0}};

    rpc_result_receive(&watch->result, &status);
    rpc_outgoing_send(&watch->metadata, &first[0]);
    first[1].op = GRPC_OP_RECV_INITIAL_METADATA;
    first[1].data.recv_initial_metadata.recv_initial_metadata = &watch->result.initial;
    pthread_mutex_lock(&watch->lock);
    watch->holds += 3;
    rpc_start(watch->call, &status, 1, &watch->status);
    rpc_start(watch->call, first, 2, &watch->began);
    receive(watch);
    pthread_mutex_unlock(&watch->lock);
}

struct rpc_watch *rpc_watch_open(struct ctx *ctx, struct rpc_client *client, const char *path,
                                 const ProtobufCMessageDescriptor *out_type,
                                 const struct rpc_watch_events *events, void *user)
{
    struct rpc_watch *watch = rpc_alloc(sizeof(*watch));

    atomic_init(&watch->refs, 2); /* the caller's and the runtime's */
    pthread_mutex_init(&watch->lock, NULL);
    watch->client = client;
    watch->out_type = out_type;
    watch->path = strdup(path);
    watch->events = *events;
    watch->user = user;
    watch->base = *ctx;
    watch->base.arena = NULL;
    watch->base.idempotency_key = NULL;
    watch->base.failure = (struct failure){0};
    watch->last = &watch->first;
    watch->began = (struct rpc_tag){watch_began, watch};
    watch->sent = (struct rpc_tag){watch_sent, watch};
    watch->received = (struct rpc_tag){watch_received, watch};
    watch->status = (struct rpc_tag){watch_status, watch};
    span_begin(&watch->span, ctx);
    rpc_outgoing_init(&watch->metadata, ctx, &watch->span, client, path);
    rpc_result_init(&watch->result);
    link_watch(watch);
    watch->call = rpc_client_call(client, path, ctx->deadline_ms);
    begin(watch);
    return watch;
}

static struct rpc_watch *next_to_cancel(struct rpc_client *client)
{
    pthread_mutex_lock(&client->lock);
    struct rpc_watch *watch = client->watches;
    while (watch && watch->ending) {
        watch = watch->next;
    }
    if (watch) {
        watch->ending = true;
        atomic_fetch_add(&watch->refs, 1);
    }
    pthread_mutex_unlock(&client->lock);
    return watch;
}

void rpc_watch_cancel_all(struct rpc_client *client)
{
    struct rpc_watch *watch;

    while ((watch = next_to_cancel(client)) != NULL) {
        rpc_watch_cancel(watch);
        rpc_watch_unref(watch);
    }
}
