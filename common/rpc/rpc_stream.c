/* The server's side of a streaming call: what goes out is queued, bounded, and sent one message at
 * a time; what comes in is handed to the handler one message at a time. */
#include "common/rpc/rpc_stream_call.h"

#include "common/base/clock.h"
#include "common/base/cond.h"

#include <grpc/byte_buffer.h>
#include <stdlib.h>

enum { MOST_QUEUED = 64, ROOM_WAIT_S = 5 };

/* ---- references -------------------------------------------------------------------------- */

struct rpc_stream *rpc_stream_ref(struct rpc_stream *stream)
{
    atomic_fetch_add(&stream->refs, 1);
    return stream;
}

static void drop_queue(struct rpc_stream *stream)
{
    while (stream->first) {
        struct outgoing *one = stream->first;

        stream->first = one->next;
        grpc_byte_buffer_destroy(one->bytes);
        free(one);
    }
    stream->last = &stream->first;
    stream->queued = 0;
}

void rpc_stream_unref(struct rpc_stream *stream)
{
    if (atomic_fetch_sub(&stream->refs, 1) != 1) {
        return;
    }
    pthread_mutex_destroy(&stream->lock);
    pthread_cond_destroy(&stream->room);
    free(stream);
}

static void unlink_stream(struct rpc_stream *stream)
{
    struct rpc_server *server = stream->in.queue->server;

    pthread_mutex_lock(&server->lock);
    if (stream->link) {
        *stream->link = stream->next;
        if (stream->next) {
            stream->next->link = stream->link;
        }
    }
    pthread_mutex_unlock(&server->lock);
}

/* Gives back all that the core lent. The husk stays for those who hold a reference. */
static void stream_finish(struct rpc_stream *stream)
{
    struct rpc_server *server = stream->in.queue->server;

    unlink_stream(stream);
    pthread_mutex_lock(&stream->lock); /* who holds a reference may still ask */
    drop_queue(stream);
    pthread_mutex_unlock(&stream->lock);
    grpc_byte_buffer_destroy(stream->in_flight);
    rpc_trailers_finish(&stream->trailers);
    rpc_incoming_finish(&stream->in);
    rpc_stream_unref(stream);
    rpc_server_left(server);
}

void rpc_stream_let_go(struct rpc_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    bool last = --stream->holds == 0;
    pthread_mutex_unlock(&stream->lock);
    if (last) {
        stream_finish(stream);
    }
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Under the lock: the next batch, when one is due and none is under way. */
static void pump(struct rpc_stream *stream)
{
    grpc_op ops[3] = {{0}};
    size_t count = 0;
    struct outgoing *one = stream->first;

    if (stream->sending || stream->broken || stream->over || stream->status_sent ||
        (!one && !stream->ending)) {
        return;
    }
    if (!stream->sent_any) {
        ops[count++].op = GRPC_OP_SEND_INITIAL_METADATA;
        stream->sent_any = true;
    }
    if (one) {
        stream->first = one->next;
        stream->last = one->next ? stream->last : &stream->first;
        stream->queued--;
        stream->fell_behind = stream->fell_behind && stream->queued;
        stream->in_flight = one->bytes;
        free(one);
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = stream->in_flight;
    }
    if (stream->ending && !stream->first) {
        rpc_trailers_send(&stream->trailers, &ops[count++]);
        stream->status_sent = true;
    }
    stream->sending = true;
    stream->holds++;
    rpc_start(stream->in.call, ops, count, &stream->sent);
}

void rpc_stream_sent(struct rpc_tag *tag, bool ok)
{
    struct rpc_stream *stream = tag->owner;

    pthread_mutex_lock(&stream->lock);
    grpc_byte_buffer_destroy(stream->in_flight);
    stream->in_flight = NULL;
    stream->sending = false;
    if (!ok) {
        stream->broken = true;
        drop_queue(stream);
    }
    pthread_cond_broadcast(&stream->room);
    pump(stream);
    pthread_mutex_unlock(&stream->lock);
    rpc_stream_let_go(stream);
}

static bool is_dead(const struct rpc_stream *stream)
{
    return stream->ending || stream->broken || stream->over;
}

/* Under the lock. Only the worker inside open() waits: others must not block. */
static void wait_for_room(struct rpc_stream *stream)
{
    int64_t left_s = ctx_left_ms(&stream->base) / 1000 + 1;
    int timed_out = 0;

    if (!stream->may_wait || !pthread_equal(stream->opener, pthread_self())) {
        return;
    }
    struct timespec until = cond_limit((left_s < ROOM_WAIT_S ? left_s : ROOM_WAIT_S) * 1000);
    while (stream->queued >= MOST_QUEUED && !is_dead(stream) && !timed_out) {
        timed_out = pthread_cond_timedwait(&stream->room, &stream->lock, &until);
    }
}

bool rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message)
{
    pthread_mutex_lock(&stream->lock);
    if (!is_dead(stream) && stream->queued >= MOST_QUEUED) {
        wait_for_room(stream);
    }
    bool taken = !is_dead(stream) && stream->queued < MOST_QUEUED;
    stream->fell_behind = stream->fell_behind || !taken;
    if (taken) {
        struct outgoing *one = rpc_alloc(sizeof(*one));

        one->bytes = rpc_pack(message);
        *stream->last = one;
        stream->last = &one->next;
        stream->queued++;
        pump(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    return taken;
}

/* ---- ending ------------------------------------------------------------------------------ */

void rpc_stream_told(struct rpc_stream *stream, const struct failure *failure)
{
    struct ctx ctx = stream->base;

    ctx.failure = *failure;
    rpc_edge_done(&ctx, stream->in.method, failure->status, stream->began_us);
}

/* Under the lock. A client that stands still cannot be sent a status behind what it has not read:
 * its call is cut instead. */
static void end_now(struct rpc_stream *stream, const struct failure *failure, bool flush)
{
    bool stuck = stream->fell_behind || stream->queued >= MOST_QUEUED;

    stream->ending = true;
    rpc_trailers_init(&stream->trailers, failure);
    if (failure->status != ST_OK && !flush) {
        drop_queue(stream);
    }
    if (failure->status != ST_OK && stuck) {
        stream->broken = true;
        grpc_call_cancel_with_status(stream->in.call, (grpc_status_code)failure->status,
                                     problem_title(failure->problem), NULL);
    }
    pump(stream);
    pthread_cond_broadcast(&stream->room);
}

static void end_with(struct rpc_stream *stream, const struct failure *failure, bool flush)
{
    pthread_mutex_lock(&stream->lock);
    bool first = !stream->ending && !stream->over;
    if (first) {
        stream->holds++;
        end_now(stream, failure, flush);
    }
    pthread_mutex_unlock(&stream->lock);
    if (first) {
        rpc_stream_told(stream, failure);
        rpc_stream_let_go(stream);
    }
}

void rpc_stream_end(struct rpc_stream *stream, enum status st, const struct ctx *ctx)
{
    struct failure failure = {.status = st, .problem = status_problem(st)};

    if (ctx && st != ST_OK && ctx->failure.status == st) {
        failure = ctx->failure;
    }
    end_with(stream, &failure, false);
}

/* Only what lasts: a client that streams has its one answer still to get. */
void rpc_stream_send_away(struct rpc_stream *stream)
{
    const struct failure failure = {
        .status = ST_UNAVAILABLE, .problem = PROBLEM_UNAVAILABLE, .retry_after_s = 1};

    pthread_mutex_lock(&stream->lock);
    bool wait = stream->opening; /* it looks again once it is open */
    pthread_mutex_unlock(&stream->lock);
    if (!wait && stream->in.method->server_streams) {
        end_with(stream, &failure, true);
    }
}

static struct rpc_stream *next_to_send_away(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->sending_away = true;
    struct rpc_stream *stream = server->streams;
    while (stream && stream->sent_away) {
        stream = stream->next;
    }
    if (stream) {
        stream->sent_away = true;
        rpc_stream_ref(stream);
    }
    pthread_mutex_unlock(&server->lock);
    return stream;
}

void rpc_streams_send_away(struct rpc_server *server)
{
    struct rpc_stream *stream;

    while ((stream = next_to_send_away(server)) != NULL) {
        rpc_stream_send_away(stream);
        rpc_stream_unref(stream);
    }
}

/* ---- what handlers ask ------------------------------------------------------------------- */

void rpc_stream_set_user(struct rpc_stream *stream, void *user)
{
    stream->user = user;
}

void *rpc_stream_user(const struct rpc_stream *stream)
{
    return stream->user;
}

const struct caller *rpc_stream_caller(const struct rpc_stream *stream)
{
    return &stream->base.caller;
}
