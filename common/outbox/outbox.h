/* The outbox: events are rows of the transaction that caused them, one row a sink, and are sent
 * afterwards, at least once, in order for each key, by whichever replica owns the key's part.
 *
 * The table is outbox.events (migration of each daemon, from common/outbox/outbox_schema.sql): id,
 * part (key's hash mod 8), sink, topic, key, headers, payload, created_at. A part of a sink belongs
 * to the session that holds its advisory lock; replicas rebalance. A failing key is set aside
 * without stopping the sink, a sink without stopping the others; what can never be sent goes to
 * outbox.dead. */
#ifndef COMMON_OUTBOX_OUTBOX_H
#define COMMON_OUTBOX_OUTBOX_H

#include "common/db/db.h"

enum { OUTBOX_PARTS = 8 };

int outbox_part(const char *key); /* for the statements that insert */

/* One row: what outbox_add() writes and what a sink gets when it is due. A Kafka row may name
 * several topics, separated by a space: the same payload goes to each, in that order. */
struct outbox_row {
    int64_t id;
    const char *sink;
    const char *topic, *key, *payload, *traceparent, *correlation_id;
    /* set by send(): ST_OK, ST_UNAVAILABLE (later), ST_INVALID (never: dead letter) */
    enum status outcome;
};

/* Writes one row in the caller's transaction; trace and correlation id come from ctx. For use cases
 * whose statement does not write its rows itself. */
enum status outbox_add(struct ctx *ctx, struct db_conn *tx,
                       const struct outbox_row *row) MUST_CHECK;

/* Writes the row by which this key of cache-aside is dropped, in the transaction of the change that
 * makes it old: so Valkey hears of it, though it be away now and we be gone when it comes. */
enum status outbox_add_drop(struct ctx *ctx, struct db_conn *tx, const char *key) MUST_CHECK;

/* Where rows go. send() runs on a thread of the sink's own; it gets rows in order and sets each
 * outcome; it may take deadline_ms. When a row could not be sent, send() must not send later rows
 * of its key either: they are ST_UNAVAILABLE too. */
struct outbox_sink {
    const char *name; /* "kafka", "live", "temporal", "drop" */
    void (*send)(struct ctx *ctx, void *user, struct outbox_row *rows, size_t count,
                 int deadline_ms);
    void *user;
    int pace_ms; /* small batches begin so long after one another; 0: 20 */
};

struct outbox_relay;

/* One thread, one connection and one LISTEN for each relay, and a thread a sink; 'sinks' ends
 * with {0}. Never fails. */
struct outbox_relay *outbox_relay_start(const struct db_options *options,
                                        const struct outbox_sink *sinks);
void outbox_relay_stop(struct outbox_relay *relay); /* gives its parts back; NULL is fine */

/* Whether its thread turned lately: a relay that stands still keeps its parts from the others. */
bool outbox_relay_is_alive(struct outbox_relay *relay);

/* After a commit that wrote rows: from any thread, cheap, coalesced, never inside the
 * transaction. */
void outbox_wake(struct outbox_relay *relay);

/* The Kafka sink, over a producer; the live sink, over Valkey pub/sub; drops of what Valkey
 * keeps. */
struct producer;
struct cache;
struct outbox_sink outbox_kafka_sink(struct producer *producer);
struct outbox_sink outbox_live_sink(struct cache *cache);
struct outbox_sink outbox_drop_sink(struct cache *cache);

#endif
