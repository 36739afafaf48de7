/* "order:queue" in Valkey: the ids of the open orders, sorted by when they were placed, for screens
 * and counters that must not ask the database. The table orders.open_orders is the truth: each
 * change comes here through the outbox, and what Valkey lost is put back from the table. */
#ifndef ORDER_SERVICE_ORDER_ORDER_QUEUE_CACHE_H
#define ORDER_SERVICE_ORDER_ORDER_QUEUE_CACHE_H

#include "common/outbox/outbox.h"

struct service;
struct order_queue_cache;

struct order_queue_cache *order_queue_cache_new(struct cache *cache);
void order_queue_cache_free(struct order_queue_cache *queue); /* NULL is fine */

/* The live sink, with the queue kept beside it: first the queue changes, then clients hear of
 * it. */
struct outbox_sink order_queue_cache_sink(struct order_queue_cache *queue);

/* Reads the table and writes the queue anew, when the queue is not known to be whole. */
enum status order_queue_cache_mend(struct ctx *ctx, struct service *service,
                                   struct order_queue_cache *queue) MUST_CHECK;

#endif
