/* The gRPC server: services and their handlers are declared in tables, one a daemon.
 *
 * Unary handlers are straight-line code that may block: completion-queue threads decode a call and
 * hand it to a bounded pool of workers; a full queue answers ST_UNAVAILABLE (overloaded). Around
 * each handler the runtime verifies the caller (identity.h), checks the role and the fields
 * against the contract, keeps the deadline, logs, counts and traces: a new method needs none of
 * that. */
#ifndef COMMON_RPC_RPC_SERVER_H
#define COMMON_RPC_RPC_SERVER_H

#include "common/contract/contract.h"

struct rpc_server;
struct rpc_stream; /* the server's side of one streaming call */
struct identity_keys;

/* 'in' and 'out' are protobuf-c messages of the method's types; 'out' is zeroed, and what the
 * handler hangs into it lives in ctx->arena. */
typedef enum status rpc_unary(struct ctx *ctx, void *service, const void *in, void *out);

/* Streaming calls, of all three kinds. Callbacks of one call never overlap, and must not block:
 * they run on a completion-queue thread, except open(), which runs on a worker and may block. */
struct rpc_stream_handler {
    /* The first request (or NULL, when the client streams). A failure ends the call with it, and
     * closed() is not called then. Its ctx ends with it: what the stream needs later goes into
     * rpc_stream_set_user(). */
    enum status (*open)(struct ctx *ctx, struct rpc_stream *stream, void *service, const void *in);
    /* One further message of a client that streams; NULL: it has no more to say. */
    enum status (*message)(struct ctx *ctx, struct rpc_stream *stream, void *service,
                           const void *in);
    /* Client gone, deadline passed, or rpc_stream_end() done: the last callback of a stream that
     * open() accepted. It may come on the worker, right after open(), when the client left
     * meanwhile. NULL: nothing was kept. */
    void (*closed)(struct rpc_stream *stream, void *service);
};

struct rpc_handler {
    const char *method; /* "PlaceOrder" */
    rpc_unary *unary;
    const struct rpc_stream_handler *stream;
};

struct rpc_service {
    const ProtobufCServiceDescriptor *descriptor;
    const struct rpc_handler *handlers; /* ends with {0} */
};

struct rpc_server_options {
    const char *address; /* "127.0.0.1:50051" */
    const char *daemon;  /* "order-service": audience of the identities it accepts */
    const struct contract *contract;
    const struct rpc_service *services; /* ends with {0}; health, reflection come by themselves */
    const struct identity_keys *keys;
    void *service; /* handed to every handler */
    int workers;   /* threads for unary handlers */
    /* Of those, the ones that stand in line for one thing that only one can have (a processor, for
     * a password); NULL ends them. They share a worker and a queue of 64 of their own, so that
     * their line holds no worker of the others. NULL: none. */
    rpc_unary *const *slow;
    int queue;    /* calls that may wait for one; 0: 64 */
    bool unready; /* health says NOT_SERVING until rpc_server_set_serving() */
};

/* The options' strings, tables and objects must outlive the server. NULL, with the reason on the
 * log, when a method of a service has no handler, a handler no method, or the port is taken. */
struct rpc_server *rpc_server_start(const struct rpc_server_options *options);
/* What grpc.health.v1 answers, for the whole server; Watch streams are told. */
void rpc_server_set_serving(struct rpc_server *server, bool serving);
/* Health says NOT_SERVING, and calls are served on until none comes for a quarter of a second, for
 * half of grace_ms at most. Then streams towards clients are asked to come back elsewhere
 * (ST_UNAVAILABLE), no new calls are taken, running ones may finish for the rest of grace_ms and
 * are cancelled then. Returns when the last handler has returned. */
void rpc_server_drain(struct rpc_server *server, int grace_ms);
void rpc_server_free(struct rpc_server *server);

/* From any thread, while a reference is held (open() has one until closed() returns). */
struct rpc_stream *rpc_stream_ref(struct rpc_stream *stream);
void rpc_stream_unref(struct rpc_stream *stream);
/* False when the stream is over, or its queue of 64 messages full: the client is too slow. The
 * message is packed before this returns. Inside open(), which may block, it waits up to 5 s for
 * room instead. */
bool rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message);
/* Ends the call, once. 'ctx' tells why when st is not ST_OK; it may be NULL. With ST_OK what is
 * queued is still sent; with a failure it is dropped, and a client that stands still is cut off. */
void rpc_stream_end(struct rpc_stream *stream, enum status st, const struct ctx *ctx);
void rpc_stream_set_user(struct rpc_stream *stream, void *user);
void *rpc_stream_user(const struct rpc_stream *stream);
const struct caller *rpc_stream_caller(const struct rpc_stream *stream);

#endif
