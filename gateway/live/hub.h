/* The inside of gateway/live: who hears what. */
#ifndef GATEWAY_LIVE_HUB_H
#define GATEWAY_LIVE_HUB_H

#include "coffee/order/v1/order.pb-c.h"
#include "gateway/edge/edge_deny.h"
#include "gateway/gateway.h"
#include "gateway/live/live.h"

#include <pthread.h>

enum { PENDING_MOST = 16, PING_MS = 15000, STREAM_QUEUE_BYTES = 64 * 1024 };

/* A change as it came in: the view and what must be known of it. */
struct live_change {
    const char *id, *view;
    int64_t seq;
    Coffee__Order__V1__Status status;
};

/* Who opened a stream, in which session, and whether that was ended since (revoke.c). */
struct live_session {
    char subject[ID_TEXT_SIZE], id[ID_TEXT_SIZE];
    int64_t since_ms; /* monotonic clock */
    bool gave_way;    /* ended for a newer one of the same person (share.c) */
    int every_ms;     /* how often the deny list is asked */
    int64_t look_ms;  /* when it is asked again, monotonic clock */
    bool is_over;
};

/* One SSE stream. 'pending' holds what came in before its snapshot was sent. */
struct live_listener {
    struct live_listener *next;
    struct live *live;
    char id[ID_TEXT_SIZE];
    int64_t seq; /* the newest that was sent; -1: the snapshot is still to come */
    int queue_position, eta_seconds;
    unsigned round;              /* of telling places that it was part of */
    int64_t expires_ms, ping_ms; /* wall clock, monotonic clock */
    struct live_session session;
    struct http_stream *stream;
    bool ended;
    int refs; /* who opens it, and the stream */
    char *pending[PENDING_MOST];
    size_t pending_count;
};

/* One WebSocket: of a barista's screen, or of somebody who follows one order. */
struct live_socket {
    struct live_socket *next;
    struct live *live;
    struct http_socket *socket;
    char order_id[ID_TEXT_SIZE]; /* "": the queue */
    int64_t seq;                 /* the newest of that order that was sent */
    struct caller caller;
    char address[48]; /* of the client, as in ctx */
    int64_t expires_ms;
    struct live_session session;
    bool has_snapshot;   /* of the queue; changes before it are not sent */
    bool wants_snapshot; /* it is to be sent a whole one */
    int refs;
};

/* One question to order-service, for a stream that opens; lives in what 'ctx' carries. */
struct live_ask {
    struct live_ask *next;
    struct live *live;
    struct ctx *ctx;
    const char *path;
    const ProtobufCMessage *in;
    const ProtobufCMessageDescriptor *out_type;
    rpc_done *done;
    void *user;
    int64_t until_ms; /* when it has waited for too long */
    bool goes_first;  /* one was asked before, for the same stream */
};

struct live {
    struct live_options options;
    struct cache_subscriber *subscriber;
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below, and what is in the lists */
    pthread_cond_t wake;
    struct live_listener *listeners;
    struct live_socket *sockets;
    int under_way; /* questions to the deny list, and commands: their answers are still to come */
    struct live_ask *first_ask, *last_ask; /* who waits to ask order-service */
    int waiting_asks, asking;
    bool is_pumping;
    bool bus_up, stopping;
    unsigned told;      /* changes so far */
    unsigned round;     /* of telling all their places */
    bool queue_changed; /* places in the queue may be others now */
    bool look_now;      /* compare at the next tick: something may have been missed */
};

/* Reads a view; false when it is none. What it points to lives in ctx. */
bool live_read_view(struct ctx *ctx, const char *view, struct live_change *change);
bool live_is_final(Coffee__Order__V1__Status status);

/* Tells all whom it concerns. Takes the lock. */
void live_tell(struct live *live, const struct live_change *change);

/* ---- sse.c; all under the lock ---- */
void listener_tell(struct live_listener *listener, const struct live_change *change);
void listener_tell_queue(struct live_listener *listener, int position, int eta_seconds);
void listener_tick(struct live_listener *listener, int64_t wall_ms, int64_t monotonic_ms);
void listener_give_way(struct live_listener *listener);

/* ---- websocket.c; all under the lock ---- */
void socket_tell(struct live_socket *socket, const struct live_change *change, const char *message);
/* One that is old was read before a change that was told since: it is no more than a beginning. */
void socket_tell_snapshot(struct live_socket *socket, const char *message, bool is_old);
void socket_tick(struct live_socket *socket, int64_t wall_ms);
void socket_give_way(struct live_socket *socket);

/* ---- ask.c; takes the lock. done() is called once, and perhaps before this returns ---- */
void live_ask(struct live *live, struct live_ask *ask);

/* ---- revoke.c; the second one under the lock ---- */
void live_session_init(struct live_session *session, const struct caller *caller, int every_ms);
void live_session_look(struct live *live, struct live_session *session, int64_t monotonic_ms);

/* ---- share.c; under the lock, when one more is listed ---- */
void live_share(struct live *live, const char *subject);

/* ---- watch.c ---- */
void *live_watch_run(void *live);

#endif
