/* A Kafka producer: idempotent, acks=all. Used by the outbox relay only: nothing else publishes. */
#ifndef COMMON_EVENTS_PRODUCER_H
#define COMMON_EVENTS_PRODUCER_H

#include "common/base/ctx.h"

struct producer;

struct topic {
    const char *name;
    int partitions;
    int64_t retention_ms;    /* -1: for ever */
    int64_t retention_bytes; /* -1: no bound */
};

struct producer_options {
    const char *brokers, *daemon;
    const struct topic *topics; /* made when they do not exist; ends with {0} */
};

/* Never fails: the broker may be away at start, and come later; a thread looks for it. */
struct producer *producer_new(const struct producer_options *options);
void producer_free(struct producer *producer); /* NULL is fine */
bool producer_is_up(
    struct producer *producer); /* a broker answered lately, and the topics are there */

struct produced_header {
    const char *name, *value;
};

struct produced {
    const char *topic, *key, *payload;
    size_t size;
    const char *traceparent, *correlation_id; /* headers; NULL or "": none */
    const struct produced_header *headers;    /* more of them; ends with {0}; NULL: none */
    enum status
        outcome; /* set: ST_OK (acknowledged), ST_UNAVAILABLE, or ST_INVALID (never will be) */
};

/* From one thread at a time. Sends all, in order, and waits until each is acknowledged or given up
 * (deadline_ms from now). After any ST_UNAVAILABLE what is in flight is purged: the caller sends
 * again from the first that failed. */
void producer_send(struct producer *producer, struct produced *messages, size_t count,
                   int deadline_ms);

#endif
