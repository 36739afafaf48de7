/* How a stream begins, what it receives, how it is over. All events of one call come on the thread
 * of its queue; only open() runs on a worker, and nothing is received before it has returned. */
#include "common/rpc/rpc_stream_call.h"

#include "common/base/clock.h"
#include "common/base/cond.h"

#include <grpc/byte_buffer.h>
#include <stdlib.h>

enum { ARENA_SIZE = 4096 };

/* Under the lock, or before anybody knows of the stream. */
static void receive(struct rpc_stream *stream)
{
    const grpc_op op = {.op = GRPC_OP_RECV_MESSAGE,
                        .data.recv_message.recv_message = &stream->in.message};

    stream->holds++;
    rpc_start(stream->in.call, &op, 1, &stream->received);
}

static void receive_more(struct rpc_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    if (!stream->over && !stream->ending) {
        receive(stream);
    }
    pthread_mutex_unlock(&stream->lock);
}

/* ---- what comes in ----------------------------------------------------------------------- */

static struct ctx *message_ctx(const struct rpc_stream *stream)
{
    struct arena *arena = arena_new(ARENA_SIZE);
    struct ctx *ctx = arena_new_struct(arena, struct ctx);

    *ctx = stream->base;
    ctx->arena = arena;
    return ctx;
}

static enum status deliver(struct ctx *ctx, struct rpc_stream *stream)
{
    struct rpc_method *method = stream->in.method;
    ProtobufCMessage *message = NULL;

    if (stream->in.message) {
        TRY(rpc_edge_decode(ctx, method, stream->in.message, &message));
    }
    return method->stream->message(ctx, stream, method->service, message);
}

static void stream_received(struct rpc_tag *tag, bool ok)
{
    struct rpc_stream *stream = tag->owner;

    pthread_mutex_lock(&stream->lock);
    bool wanted = ok && !stream->over && !stream->ending && !stream->broken;
    pthread_mutex_unlock(&stream->lock);
    if (wanted) {
        struct ctx *ctx = message_ctx(stream);
        bool was_last = !stream->in.message;
        enum status st = deliver(ctx, stream);

        if (st != ST_OK) {
            rpc_edge_failed(ctx, st);
            rpc_stream_end(stream, st, ctx);
        }
        ctx_free(ctx);
        grpc_byte_buffer_destroy(stream->in.message);
        stream->in.message = NULL;
        if (st == ST_OK && !was_last) {
            receive_more(stream);
        }
    }
    rpc_stream_let_go(stream);
}

/* ---- how it is over ---------------------------------------------------------------------- */

/* Once, by whichever comes last: the core's word that the call is over, or open()'s return. */
static void call_over(struct rpc_stream *stream, bool was_told, bool was_opened)
{
    struct rpc_method *method = stream->in.method;

    if (!was_told) {
        bool late = stream->base.deadline_ms && ctx_left_ms(&stream->base) == 0;
        enum status st = late ? ST_TIMEOUT : ST_CANCELLED;

        rpc_stream_told(stream, &(struct failure){.status = st, .problem = status_problem(st)});
    }
    if (was_opened && method->stream->closed) {
        method->stream->closed(stream, method->service);
    }
}

static void stream_closed(struct rpc_tag *tag, bool ok)
{
    struct rpc_stream *stream = tag->owner;

    (void)ok;
    pthread_mutex_lock(&stream->lock);
    bool opening = stream->opening, told = stream->ending, was_opened = stream->opened;
    stream->over = true;
    pthread_cond_broadcast(&stream->room);
    pthread_mutex_unlock(&stream->lock);
    if (!opening) {
        call_over(stream, told, was_opened);
    }
    rpc_stream_let_go(stream);
}

/* ---- how it begins ----------------------------------------------------------------------- */

static enum status open_stream(struct ctx *ctx, struct rpc_stream *stream)
{
    struct rpc_method *method = stream->in.method;
    ProtobufCMessage *message = NULL;

    TRY(rpc_edge_admit(ctx, &stream->in));
    if (!method->client_streams) {
        TRY(rpc_edge_decode(ctx, method, stream->in.message, &message));
    }
    stream->base = *ctx;
    stream->base.arena = NULL;
    stream->base.idempotency_key = NULL;
    return method->stream->open(ctx, stream, method->service, message);
}

/* What came meanwhile, client gone or server draining, is looked at now. */
static void open_returned(struct rpc_stream *stream, bool well)
{
    struct rpc_server *server = stream->in.method->server;

    grpc_byte_buffer_destroy(stream->in.message);
    stream->in.message = NULL;
    pthread_mutex_lock(&stream->lock);
    stream->opening = stream->may_wait = false;
    stream->opened = well;
    bool over = stream->over, told = stream->ending;
    if (well && stream->in.method->client_streams && !over && !told) {
        receive(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    if (over) {
        call_over(stream, told, well);
        return;
    }
    pthread_mutex_lock(&server->lock);
    bool away = server->sending_away;
    pthread_mutex_unlock(&server->lock);
    if (away) {
        rpc_stream_send_away(stream);
    }
}

static void stream_open(struct rpc_stream *stream)
{
    struct ctx *ctx = rpc_edge_begin(&stream->in, ARENA_SIZE);

    stream->base = *ctx;
    stream->base.arena = NULL;
    enum status st = open_stream(ctx, stream);
    if (st != ST_OK) {
        rpc_edge_failed(ctx, st);
        rpc_stream_end(stream, st, ctx);
    }
    ctx_free(ctx);
    open_returned(stream, st == ST_OK);
    rpc_stream_let_go(stream);
}

static void stream_work(struct rpc_job *job)
{
    struct rpc_stream *stream = (struct rpc_stream *)job;

    pthread_mutex_lock(&stream->lock);
    stream->opener = pthread_self();
    stream->may_wait = true;
    pthread_mutex_unlock(&stream->lock);
    stream_open(stream);
}

static void stream_refuse(struct rpc_stream *stream)
{
    struct ctx *ctx = rpc_edge_begin(&stream->in, 1024);
    enum status st = rpc_edge_overloaded(ctx);

    stream->base = *ctx;
    stream->base.arena = NULL;
    rpc_stream_end(stream, st, ctx);
    ctx_free(ctx);
    open_returned(stream, false);
    rpc_stream_let_go(stream);
}

static void link_stream(struct rpc_stream *stream)
{
    struct rpc_server *server = stream->in.queue->server;

    pthread_mutex_lock(&server->lock);
    stream->next = server->streams;
    stream->link = &server->streams;
    if (stream->next) {
        stream->next->link = &stream->next;
    }
    server->streams = stream;
    pthread_mutex_unlock(&server->lock);
}

static void stream_arrived(struct rpc_tag *tag, bool ok)
{
    struct rpc_stream *stream = tag->owner;
    struct rpc_method *method = stream->in.method;

    if (!ok) { /* the server takes no more calls */
        rpc_stream_let_go(stream);
        return;
    }
    rpc_expect(stream->in.queue, method);
    const grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER,
                        .data.recv_close_on_server.cancelled = &stream->cancelled};
    stream->began_us = clock_monotonic_us();
    stream->opening = true;
    stream->holds++; /* one for open(), which is there from the start, and one for this */
    link_stream(stream);
    rpc_start(stream->in.call, &op, 1, &stream->closed);
    if (method->internal) {
        stream_open(stream);
    } else if (!rpc_workers_offer(method->server->workers, &stream->job)) {
        stream_refuse(stream);
    }
}

void rpc_stream_expect(struct rpc_queue *queue, struct rpc_method *method)
{
    struct rpc_stream *stream = rpc_alloc(sizeof(*stream));

    pthread_mutex_init(&stream->lock, NULL);
    cond_init(&stream->room);
    atomic_init(&stream->refs, 1);
    stream->holds = 1;
    stream->last = &stream->first;
    stream->job.run = stream_work;
    stream->received = (struct rpc_tag){stream_received, stream};
    stream->sent = (struct rpc_tag){rpc_stream_sent, stream};
    stream->closed = (struct rpc_tag){stream_closed, stream};
    stream->in.arrived = (struct rpc_tag){stream_arrived, stream};
    rpc_server_joined(queue->server);
    if (!rpc_incoming_request(&stream->in, queue, method)) {
        rpc_stream_let_go(stream);
    }
}
