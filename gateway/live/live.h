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
#include "gateway/backend.h"
#include "gateway/exchange.h"

struct live;

struct live_options {
    struct cache_options cache;
    const struct contract *contract; /* says how often a screen's command may come */
    struct backend *orders;
    struct deny_list *deny_list;
    struct limiter *limiter;
    int max_per_person; /* streams and sockets */
};

struct live *live_new(const struct live_options *options);
/* After the HTTP server: its streams are over. Before the errands, whose answers it awaits. NULL is
 * fine. */
void live_free(struct live *live);
/* Whether the bus is up; for readiness ("degraded" otherwise). */
bool live_is_up(struct live *live);

/* GET /orders/{id}/events and the WebSockets /ws/queue and /ws/orders/{id}, once the caller is
 * known and within limits. The stream ends with the access token, or soon after its session was
 * ended: "reauth", or close code 4401; or for one more of the same person: "retry", or 1013. */
void live_order_events(struct exchange *exchange);
void live_queue(struct exchange *exchange);
void live_order(struct exchange *exchange);

#endif
