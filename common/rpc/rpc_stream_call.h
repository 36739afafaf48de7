/* The inside of a server's stream, shared by rpc_stream.c (what goes out) and rpc_stream_call.c
 * (how it begins, what comes in, how it is over). */
#ifndef COMMON_RPC_RPC_STREAM_CALL_H
#define COMMON_RPC_RPC_STREAM_CALL_H

#include "common/rpc/rpc_method.h"

struct outgoing {
    struct outgoing *next;
    grpc_byte_buffer *bytes;
};

struct rpc_stream {
    struct rpc_job job;
    atomic_int refs;
    struct rpc_incoming in;
    struct rpc_tag received, sent, closed;
    struct rpc_stream *next, **link; /* among the server's: these and 'sent_away' under its lock */
    bool sent_away;
    struct ctx base; /* who and which trace; its arena is NULL */
    void *user;
    int64_t began_us;
    int cancelled;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t room;
    int holds;              /* what still needs the core's call: batches under way, open(), end() */
    bool opening, opened;   /* open() runs; it succeeded, so closed() is due */
    bool may_wait;          /* open() runs on a worker: */
    pthread_t opener;       /* this one */
    bool sent_any, sending; /* initial metadata; a batch is under way */
    bool ending, status_sent;
    bool broken, over; /* nothing can be sent; the core has said that it is over */
    struct outgoing *first, **last;
    int queued;
    bool fell_behind; /* the queue had no room for a message, and was not empty since */
    grpc_byte_buffer *in_flight;
    struct rpc_trailers trailers;
};

void rpc_stream_sent(struct rpc_tag *tag, bool ok);
/* One hold less; the last one gives everything back to the core. */
void rpc_stream_let_go(struct rpc_stream *stream);
/* To log and metrics, once. */
void rpc_stream_told(struct rpc_stream *stream, const struct failure *failure);
void rpc_stream_send_away(struct rpc_stream *stream);

#endif
