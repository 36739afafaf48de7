/* Calls to other daemons (and Temporal, and an OTLP collector). A client is one channel with its
 * completion-queue threads; it reconnects by itself, spreads over all addresses of a daemon's name
 * (of a stranger's it takes one) and tries again what no handler can have seen, and what broke off
 * where ctx holds an idempotency key. A call that one of our daemons turns away because it goes is
 * UNAVAILABLE, if that was of no use; a stream is at once. */
#ifndef COMMON_RPC_RPC_CLIENT_H
#define COMMON_RPC_RPC_CLIENT_H

#include "common/base/ctx.h"

#include <protobuf-c/protobuf-c.h>

struct rpc_client;
struct rpc_watch; /* the client's side of one streaming call */
struct identity_keys;

struct rpc_client_options {
    const char *target;   /* "dns:///order-service:50051", "ipv4:127.0.0.1:50051,127.0.0.1:50061" */
    const char *audience; /* the daemon called; NULL: no identity is sent (Temporal) */
    const struct identity_keys *keys;
    int threads;                 /* 0: 1 */
    bool no_retry;               /* for callers that retry themselves */
    const char *const *metadata; /* further pairs of every call: key, value, ..., NULL */
    /* Its threads are used, and its channel where the target is the same (calls that are cancelled
     * apart from its own); it is freed later. Two clients' threads would wake each other at every
     * call: any of them may be who finds it answered. NULL: own ones. */
    struct rpc_client *beside;
};

/* The options' strings and keys must outlive the client. */
struct rpc_client *rpc_client_new(const struct rpc_client_options *options);
/* Cancels its streams and waits for its calls, so not from a callback. NULL is fine. */
void rpc_client_free(struct rpc_client *client);

/* One call, and waits. The deadline is the earlier of ctx's and timeout_ms; caller, trace,
 * correlation id and idempotency key travel as metadata; a failure of the other side is recorded
 * in ctx as it was told (problem, detail, fields). '*out' is unpacked into the arena. */
enum status rpc_call(struct ctx *ctx, struct rpc_client *client, const char *path,
                     const ProtobufCMessage *in, const ProtobufCMessageDescriptor *out_type,
                     int timeout_ms, ProtobufCMessage **out) MUST_CHECK;

/* The same without waiting. done() runs on a completion-queue thread: it must not block. ctx and
 * 'in' must live until then; 'out' is NULL unless st is ST_OK. */
typedef void rpc_done(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user);
void rpc_call_async(struct ctx *ctx, struct rpc_client *client, const char *path,
                    const ProtobufCMessage *in, const ProtobufCMessageDescriptor *out_type,
                    int timeout_ms, rpc_done *done, void *user);

/* Breaks off the calls that run, for long polls at shutdown: they, and all later ones, end with
 * ST_CANCELLED. Any thread. */
void rpc_client_cancel(struct rpc_client *client);

/* A call that streams, in either or both directions. Callbacks never overlap and must not block. */
struct rpc_watch_events {
    bool (*message)(struct rpc_watch *watch, const ProtobufCMessage *message,
                    void *user); /* false: pause */
    void (*ended)(struct rpc_watch *watch, enum status st, const struct ctx *ctx, void *user);
};
/* The caller gets a reference. ctx is read before this returns and not kept. */
struct rpc_watch *rpc_watch_open(struct ctx *ctx, struct rpc_client *client, const char *path,
                                 const ProtobufCMessageDescriptor *out_type,
                                 const struct rpc_watch_events *events, void *user);
/* False when the call is over or 1024 messages wait. */
bool rpc_watch_send(struct rpc_watch *watch, const ProtobufCMessage *message);
void rpc_watch_no_more(struct rpc_watch *watch); /* our side has said all */
void rpc_watch_resume(struct rpc_watch *watch);  /* after message() returned false */
void rpc_watch_cancel(struct rpc_watch *watch);
void rpc_watch_unref(struct rpc_watch *watch);

/* Whether the channel is connected now; asking also makes an idle one connect. */
bool rpc_client_is_up(struct rpc_client *client);

#endif
