/* What unary and streaming calls have in common: how they are waited for and how they end. */
#include "common/rpc/rpc_method.h"

#include "common/base/tsan.h"

#include <grpc/byte_buffer.h>
#include <string.h>

static bool is_generic(const struct rpc_incoming *in)
{
    return in->method == &in->queue->server->unknown;
}

bool rpc_incoming_request(struct rpc_incoming *in, struct rpc_queue *queue,
                          struct rpc_method *method)
{
    grpc_server *core = queue->server->core;
    grpc_completion_queue *bound = method->stream ? queue->queue : queue->server->ended;

    in->queue = queue;
    in->method = method;
    grpc_metadata_array_init(&in->metadata);
    HB_RELEASE(&in->arrived);
    if (is_generic(in)) {
        grpc_call_details_init(&in->details);
        return grpc_server_request_call(core, &in->call, &in->details, &in->metadata, bound,
                                        queue->queue, &in->arrived) == GRPC_CALL_OK;
    }
    return grpc_server_request_registered_call(core, method->registered, &in->call, &in->deadline,
                                               &in->metadata,
                                               method->client_streams ? NULL : &in->message, bound,
                                               queue->queue, &in->arrived) == GRPC_CALL_OK;
}

void rpc_incoming_finish(struct rpc_incoming *in)
{
    grpc_byte_buffer_destroy(in->message);
    in->message = NULL;
    grpc_metadata_array_destroy(&in->metadata);
    if (is_generic(in)) {
        grpc_call_details_destroy(&in->details);
    }
    if (in->call) {
        grpc_call_unref(in->call);
        in->call = NULL;
    }
}

/* Our own refusals are final: only what never reached a handler may be tried again by the core. */
static void forbid_retry(struct rpc_trailers *trailers)
{
    trailers->entries[trailers->count++] = (grpc_metadata){
        .key = grpc_slice_from_static_string("grpc-retry-pushback-ms"),
        .value = grpc_slice_from_static_string("-1"),
    };
}

void rpc_trailers_init(struct rpc_trailers *trailers, const struct failure *failure)
{
    *trailers = (struct rpc_trailers){.code = GRPC_STATUS_OK, .text = grpc_empty_slice()};
    if (failure->status == ST_OK) {
        return;
    }
    trailers->code = (grpc_status_code)failure->status;
    trailers->text = grpc_slice_from_copied_string(rpc_problem_text(failure));
    trailers->entries[trailers->count++] = (grpc_metadata){
        .key = grpc_slice_from_static_string(RPC_DETAILS_KEY),
        .value = rpc_problem_encode(failure),
    };
    if (failure->status == ST_UNAVAILABLE) {
        forbid_retry(trailers);
    }
}

void rpc_trailers_send(struct rpc_trailers *trailers, grpc_op *op)
{
    op->op = GRPC_OP_SEND_STATUS_FROM_SERVER;
    op->data.send_status_from_server.status = trailers->code;
    op->data.send_status_from_server.status_details =
        trailers->code == GRPC_STATUS_OK ? NULL : &trailers->text;
    op->data.send_status_from_server.trailing_metadata = trailers->entries;
    op->data.send_status_from_server.trailing_metadata_count = trailers->count;
}

void rpc_trailers_finish(struct rpc_trailers *trailers)
{
    grpc_slice_unref(trailers->text);
    for (size_t i = 0; i < trailers->count; i++) {
        grpc_slice_unref(trailers->entries[i].key);
        grpc_slice_unref(trailers->entries[i].value);
    }
}
