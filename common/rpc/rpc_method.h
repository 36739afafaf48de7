/* The server's inside: registered methods, calls that came in, and what is done around each
 * handler. Internal to common/rpc. */
#ifndef COMMON_RPC_RPC_METHOD_H
#define COMMON_RPC_RPC_METHOD_H

#include "common/obs/metrics.h"
#include "common/rpc/rpc_health.h"
#include "common/rpc/rpc_problem.h"
#include "common/rpc/rpc_server.h"
#include "common/rpc/rpc_workers.h"

#include <pthread.h>
#include <stdatomic.h>

enum { GRPC_CODES = 17, RPC_QUEUES = 64, RPC_TRAILERS = 2 };

/* One method, as the wrapper around its handler needs it. */
struct rpc_method {
    struct rpc_server *server;
    const char *path;
    const ProtobufCMessageDescriptor *in, *out;
    bool client_streams, server_streams;
    rpc_unary *unary; /* or */
    const struct rpc_stream_handler *stream;
    void *service;
    bool internal;   /* health, reflection: no identity, no log, on the completion-queue thread */
    bool is_probe;   /* asked about health: without an identity, too */
    bool is_slow;    /* has a worker that is not the others' */
    unsigned roles;  /* of enum role */
    int deadline_ms; /* for unary calls; 0: the client's alone */
    size_t max_request;
    void *registered;
    _Atomic(struct metric_series *) durations[GRPC_CODES];
};

struct rpc_queue {
    struct rpc_server *server;
    grpc_completion_queue *queue;
    pthread_t thread;
};

struct rpc_server {
    struct rpc_server_options options;
    grpc_server *core;
    struct rpc_workers *workers, *slow; /* slow: NULL when no method is */
    struct rpc_health *health;
    struct metric *duration;
    size_t method_count;
    struct rpc_method *methods;
    struct rpc_method unknown; /* what the generic call stands for */
    int queue_count, running;
    struct rpc_queue queues[RPC_QUEUES];
    grpc_completion_queue_functor ended_is_shut;
    grpc_completion_queue *ended; /* of unary calls that are answered: callbacks, and no thread */
    struct rpc_tag stopped_tag;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    bool stopped;
    long live;     /* calls the core still knows of, those waited for included */
    long expected; /* all there ever were: one more with each that comes */
    struct rpc_stream *streams;
    bool sending_away; /* streams that open now are asked to come back elsewhere */
};

/* A call that came in, or that is waited for. */
struct rpc_incoming {
    struct rpc_queue *queue;
    struct rpc_method *method;
    struct rpc_tag arrived;
    grpc_call *call;
    gpr_timespec deadline;
    grpc_metadata_array metadata;
    grpc_call_details details; /* of the generic call only */
    grpc_byte_buffer *message; /* the first one, unless the client streams */
};

/* Asks the core for the next call of the method; 'arrived' must be set. False: it takes no more. */
bool rpc_incoming_request(struct rpc_incoming *in, struct rpc_queue *queue,
                          struct rpc_method *method);
void rpc_incoming_finish(struct rpc_incoming *in);

/* What ends a call: status, its text, the problem. Lives until the batch is done. */
struct rpc_trailers {
    grpc_status_code code;
    grpc_slice text;
    grpc_metadata entries[RPC_TRAILERS];
    size_t count;
};
/* ST_OK: all went well. Copies what it needs of the failure. */
void rpc_trailers_init(struct rpc_trailers *trailers, const struct failure *failure);
void rpc_trailers_send(struct rpc_trailers *trailers, grpc_op *op);
void rpc_trailers_finish(struct rpc_trailers *trailers);

/* The wrapper (rpc_edge.c). A ctx in an arena of its own, with trace, correlation id and
 * deadline. */
struct ctx *rpc_edge_begin(const struct rpc_incoming *in, size_t arena_size);
/* Who calls, and may they: before a byte of the message is read. */
enum status rpc_edge_admit(struct ctx *ctx, const struct rpc_incoming *in);
/* One message, decoded and held against the contract; ST_INVALID when there is none, it is
 * malformed, or a field of it is refused. */
enum status rpc_edge_decode(struct ctx *ctx, const struct rpc_method *method,
                            grpc_byte_buffer *buffer, ProtobufCMessage **message);
/* Completes what a handler left unsaid about its failure. */
void rpc_edge_failed(struct ctx *ctx, enum status st);
/* One line on the log, one observation. */
void rpc_edge_done(const struct ctx *ctx, struct rpc_method *method, enum status st,
                   int64_t began_us);
enum status rpc_edge_overloaded(struct ctx *ctx);

/* The two kinds of calls: wait for the next one on a queue. */
void rpc_unary_expect(struct rpc_queue *queue, struct rpc_method *method);
void rpc_stream_expect(struct rpc_queue *queue, struct rpc_method *method);
void rpc_expect(struct rpc_queue *queue, struct rpc_method *method);

void rpc_server_joined(struct rpc_server *server); /* one more call, one less */
void rpc_server_left(struct rpc_server *server);

/* Open-ended streams are asked to come back elsewhere. */
void rpc_streams_send_away(struct rpc_server *server);

#endif
