/* Metadata on the way out, the failure on the way back. */
#include "common/rpc/rpc_outgoing.h"

#include "common/obs/trace.h"
#include "common/rpc/identity.h"

#include <grpc/support/alloc.h>
#include <string.h>

/* What cannot be a header value is left out: the core would refuse the whole call. */
static void add(struct rpc_outgoing *out, const char *key, const char *value)
{
    if (!value || !*value || out->count == RPC_OUTGOING) {
        return;
    }
    grpc_slice slice = grpc_slice_from_copied_string(value);
    if (!grpc_header_nonbin_value_is_legal(slice)) {
        grpc_slice_unref(slice);
        return;
    }
    out->entries[out->count++] =
        (grpc_metadata){.key = grpc_slice_from_static_string(key), .value = slice};
}

void rpc_outgoing_init(struct rpc_outgoing *out, const struct ctx *ctx, const struct span *span,
                       const struct rpc_client *client, const char *path)
{
    char identity[IDENTITY_TEXT_SIZE], traceparent[TRACEPARENT_SIZE], below[TRACEPARENT_SIZE];

    out->count = 0;
    if (client->options.audience && client->options.keys) {
        identity_sign(client->options.keys, &ctx->caller, ctx->client_address,
                      client->options.audience, path, identity);
        add(out, "x-identity", identity);
    }
    if (*ctx->trace_id) {
        trace_traceparent(ctx, traceparent);
        add(out, "traceparent", span_traceparent(span, traceparent, below));
    }
    add(out, "x-correlation-id", ctx->correlation_id);
    add(out, "idempotency-key", ctx->idempotency_key);
    add(out, "if-match", ctx->if_match);
    for (const char *const *pair = client->options.metadata; pair && pair[0]; pair += 2) {
        add(out, pair[0], pair[1]);
    }
}

void rpc_outgoing_traced(struct span *span, const struct ctx *ctx, const char *path, enum status st)
{
    span_failed(span, ctx, st);
    span_end(span, SPAN_CLIENT, path + 1, log_text("rpc.system", "grpc"),
             log_text("rpc.grpc.status", status_name(st)));
}

void rpc_outgoing_send(struct rpc_outgoing *out, grpc_op *op)
{
    op->op = GRPC_OP_SEND_INITIAL_METADATA;
    op->data.send_initial_metadata.count = out->count;
    op->data.send_initial_metadata.metadata = out->entries;
}

void rpc_outgoing_finish(struct rpc_outgoing *out)
{
    for (size_t i = 0; i < out->count; i++) {
        grpc_slice_unref(out->entries[i].key);
        grpc_slice_unref(out->entries[i].value);
    }
    out->count = 0;
}

void rpc_result_init(struct rpc_result *result)
{
    *result = (struct rpc_result){.text = grpc_empty_slice()};
    grpc_metadata_array_init(&result->initial);
    grpc_metadata_array_init(&result->trailing);
}

void rpc_result_receive(struct rpc_result *result, grpc_op *op)
{
    op->op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    op->data.recv_status_on_client.trailing_metadata = &result->trailing;
    op->data.recv_status_on_client.status = &result->code;
    op->data.recv_status_on_client.status_details = &result->text;
    op->data.recv_status_on_client.error_string = &result->error;
}

void rpc_result_finish(struct rpc_result *result)
{
    grpc_metadata_array_destroy(&result->initial);
    grpc_metadata_array_destroy(&result->trailing);
    grpc_slice_unref(result->text);
    gpr_free((void *)(uintptr_t)result->error);
}

bool rpc_result_is_ours(const struct rpc_result *result)
{
    for (size_t i = 0; i < result->trailing.count; i++) {
        if (grpc_slice_str_cmp(result->trailing.metadata[i].key, RPC_DETAILS_KEY) == 0) {
            return false;
        }
    }
    return true;
}

bool rpc_result_is_cut(const struct rpc_result *result, const struct rpc_client *client)
{
    return result->code == GRPC_STATUS_CANCELLED && client->options.audience &&
           rpc_result_is_ours(result);
}

/* What a core sends along. Of a reset ours says "Received RST_STREAM with error code 8". */
bool rpc_result_is_unseen(const struct rpc_result *result)
{
    return grpc_slice_str_cmp(result->text, "CANCELLED") == 0;
}

/* The status text of the core or of a stranger goes to the log, never on to our client. */
enum status rpc_result_read(struct ctx *ctx, const struct rpc_result *result, const char *path)
{
    enum status st = status_from_grpc((int)result->code);
    size_t size = 0;

    if (st == ST_OK) {
        return ST_OK;
    }
    const char *details = rpc_metadata(ctx->arena, &result->trailing, RPC_DETAILS_KEY, &size);
    fail_with(ctx, st, "", "%s: %d %.*s", path, (int)result->code,
              (int)GRPC_SLICE_LENGTH(result->text),
              (const char *)GRPC_SLICE_START_PTR(result->text));
    if (details) {
        rpc_problem_decode(ctx->arena, details, size, &ctx->failure);
    }
    return st;
}
