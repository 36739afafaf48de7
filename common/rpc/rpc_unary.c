/* A unary call: it arrives on a completion-queue thread, is worked on by a worker, and ends with
 * one batch that sends the answer and learns that the call is over: one event of a queue. */
#include "common/rpc/rpc_method.h"

#include "common/base/clock.h"
#include "common/base/tsan.h"

#include <stddef.h>
#include <stdlib.h>

struct unary_call {
    struct rpc_job job;
    struct rpc_incoming in;
    grpc_completion_queue_functor over; /* of server->ended, which has no thread */
    struct rpc_trailers trailers;
    grpc_byte_buffer *answer;
    int64_t began_us;
    int cancelled;
};

enum { ARENA_SIZE = 8192 };

static void unary_free(struct unary_call *call)
{
    struct rpc_server *server = call->in.queue->server;

    rpc_trailers_finish(&call->trailers);
    grpc_byte_buffer_destroy(call->answer);
    rpc_incoming_finish(&call->in);
    free(call);
    rpc_server_left(server);
}

/* Mostly on the worker that sent the answer, before it is back from sending: to wake a thread of a
 * queue for this would cost more than the rest of the ending. */
static void call_over(grpc_completion_queue_functor *over, int ok)
{
    struct unary_call *call =
        (struct unary_call *)((char *)over - offsetof(struct unary_call, over));

    (void)ok;
    HB_ACQUIRE(over);
    unary_free(call);
}

static void send_answer(struct unary_call *call, const struct failure *failure)
{
    grpc_op ops[4] = {{0}};
    size_t count = 3;

    rpc_trailers_init(&call->trailers, failure);
    rpc_trailers_send(&call->trailers, &ops[0]);
    ops[1].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[2].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
    ops[2].data.recv_close_on_server.cancelled = &call->cancelled;
    if (call->answer) {
        ops[count].op = GRPC_OP_SEND_MESSAGE;
        ops[count++].data.send_message.send_message = call->answer;
    }
    call->over = (grpc_completion_queue_functor){.functor_run = call_over, .inlineable = 1};
    rpc_start_inline(call->in.call, ops, count, &call->over);
}

static enum status run_handler(struct ctx *ctx, struct unary_call *call)
{
    struct rpc_method *method = call->in.method;
    ProtobufCMessage *message;

    TRY(rpc_edge_admit(ctx, &call->in));
    TRY(rpc_edge_decode(ctx, method, call->in.message, &message));
    ProtobufCMessage *out = arena_alloc(ctx->arena, method->out->sizeof_message);
    protobuf_c_message_init(method->out, out);
    TRY(method->unary(ctx, method->service, message, out));
    call->answer = rpc_pack(out);
    return ST_OK;
}

static void unary_end(struct ctx *ctx, struct unary_call *call, enum status st)
{
    struct rpc_method *method = call->in.method;
    int64_t began_us = call->began_us;
    const struct failure fine = {.status = ST_OK};

    if (st != ST_OK) {
        rpc_edge_failed(ctx, st);
    }
    send_answer(call, st == ST_OK ? &fine : &ctx->failure); /* 'call' may be gone by now */
    rpc_edge_done(ctx, method, st, began_us);
    ctx_free(ctx);
}

static void unary_run(struct rpc_job *job)
{
    struct unary_call *call = (struct unary_call *)job;
    struct ctx *ctx = rpc_edge_begin(&call->in, ARENA_SIZE);

    unary_end(ctx, call, run_handler(ctx, call));
}

static void unary_refuse(struct unary_call *call)
{
    struct ctx *ctx = rpc_edge_begin(&call->in, 1024);

    unary_end(ctx, call, rpc_edge_overloaded(ctx));
}

static void unary_unknown(struct unary_call *call)
{
    const struct failure failure = {.status = ST_UNIMPLEMENTED,
                                    .problem = PROBLEM_NOT_IMPLEMENTED,
                                    .message = "There is no such method"};

    send_answer(call, &failure);
}

static bool finds_worker(struct unary_call *call)
{
    struct rpc_method *method = call->in.method;
    struct rpc_server *server = method->server;

    return rpc_workers_offer(method->is_slow ? server->slow : server->workers, &call->job);
}

static void unary_arrived(struct rpc_tag *tag, bool ok)
{
    struct unary_call *call = tag->owner;
    struct rpc_method *method = call->in.method;

    if (!ok) { /* the server takes no more calls */
        unary_free(call);
        return;
    }
    rpc_expect(call->in.queue, method);
    call->began_us = clock_monotonic_us();
    if (!method->unary) {
        unary_unknown(call);
    } else if (method->internal) {
        unary_run(&call->job);
    } else if (!finds_worker(call)) {
        unary_refuse(call);
    }
}

void rpc_unary_expect(struct rpc_queue *queue, struct rpc_method *method)
{
    struct unary_call *call = rpc_alloc(sizeof(*call));

    _Static_assert(offsetof(struct unary_call, job) == 0, "unary_run() casts");
    call->job.run = unary_run;
    call->in.arrived = (struct rpc_tag){unary_arrived, call};
    rpc_server_joined(queue->server);
    if (!rpc_incoming_request(&call->in, queue, method)) {
        unary_free(call);
    }
}
