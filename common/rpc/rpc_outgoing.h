/* What every call of a client sends along and gets back, unary or stream. Internal to
 * common/rpc. */
#ifndef COMMON_RPC_RPC_OUTGOING_H
#define COMMON_RPC_RPC_OUTGOING_H

#include "common/obs/span.h"
#include "common/rpc/rpc_client.h"
#include "common/rpc/rpc_problem.h"

#include <pthread.h>
#include <stdatomic.h>

enum { RPC_OUTGOING = 5 + 4 }; /* what ctx holds, and rpc_client_options.metadata */

struct rpc_client {
    struct rpc_client_options options;
    grpc_channel *channel;
    bool owns_channel;
    int count; /* queues, one thread each */
    grpc_completion_queue **queues;
    pthread_t *threads;
    atomic_uint next_queue;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t idle;
    long live;
    struct rpc_watch *watches;
    struct rpc_unary *calls;
    bool is_cancelled;
};

void rpc_client_joined(struct rpc_client *client);
void rpc_client_left(struct rpc_client *client);
grpc_call *rpc_client_call(struct rpc_client *client, const char *path, int64_t deadline_ms);

/* x-identity, traceparent, x-correlation-id, idempotency-key, if-match: copies of what ctx holds;
 * and the pairs of the client's options. The other side's span is below the call's own, if it has
 * one. */
struct rpc_outgoing {
    grpc_metadata entries[RPC_OUTGOING];
    size_t count;
};
void rpc_outgoing_init(struct rpc_outgoing *out, const struct ctx *ctx, const struct span *span,
                       const struct rpc_client *client, const char *path);
void rpc_outgoing_send(struct rpc_outgoing *out, grpc_op *op);
void rpc_outgoing_finish(struct rpc_outgoing *out);
/* The call's own span. */
void rpc_outgoing_traced(struct span *span, const struct ctx *ctx, const char *path,
                         enum status st);

/* What the core writes into when a call ends. */
struct rpc_result {
    grpc_metadata_array initial, trailing;
    grpc_status_code code;
    grpc_slice text;
    const char *error;
};
void rpc_result_init(struct rpc_result *result);
void rpc_result_receive(struct rpc_result *result, grpc_op *op);
void rpc_result_finish(struct rpc_result *result);
/* Records in ctx why the call failed, as the other side told it, and returns the status. */
enum status rpc_result_read(struct ctx *ctx, const struct rpc_result *result, const char *path);
/* The call failed below us: nothing that the other side told. */
bool rpc_result_is_ours(const struct rpc_result *result);
/* A call to a server of ours was cancelled, and by none of its handlers. Unless we cancelled it
 * ourselves, its core did because it goes, or somebody on the way: a proxy's reset reads so. */
bool rpc_result_is_cut(const struct rpc_result *result, const struct rpc_client *client);
/* One that was cut: it was the core of the server, and no handler has seen the call. */
bool rpc_result_is_unseen(const struct rpc_result *result);

void rpc_watch_cancel_all(struct rpc_client *client);

#endif
