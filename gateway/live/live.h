/* What is pushed to clients: one order as it changes (SSE) and the barista's queue (WebSocket).
 *
 * Changes come over one Valkey subscription a replica. A stream joins first, then takes a snapshot,
 * then drops what is not newer; what the bus loses is found by comparing seqs with order-service,
 * every 15 seconds, or every two while Valkey is away. hub.c knows who hears what, sse.c and
 * websocket.c open and feed the streams, watch.c is the clock of it all. */
#ifndef GATEWAY_LIVE_LIVE_H
#define GATEWAY_LIVE_LIVE_H

#include "common/cache/cache.h"
#include "common/contract/contract.h"
#include "common/http/http_server.h"

struct live;
struct rpc_client;

struct live_options {
    struct cache_options cache;
    struct rpc_client *orders;
    const struct contract *contract;
    /* How a failure in ctx is answered, and how it is written down as problem+json. */
    void (*refuse)(struct ctx *ctx, struct http_request *request);
    const char *(*problem)(struct ctx *ctx);
};

struct live *live_new(const struct live_options *options);
void live_free(struct live *live); /* after the HTTP server: its streams are over. NULL is fine */
/* Whether the bus is up; for readiness ("degraded" otherwise). */
bool live_is_up(struct live *live);

/* GET /orders/{id}/events, once the caller is known and within limits. Answers by itself, now or
 * later. 'expires_at' is the access token's exp, in seconds: the stream ends then. */
void live_order_events(struct ctx *ctx, struct http_request *request, struct live *live,
                       const char *order_id, int64_t expires_at);

/* WebSocket /ws/queue, for staff. 'protocol' is echoed; NULL when the client named none. */
void live_queue(struct ctx *ctx, struct http_request *request, struct live *live,
                const char *protocol, int64_t expires_at);

#endif
