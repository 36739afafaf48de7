/* A Kafka consumer that hands each event to the handler of its topic, on a thread of its own.
 *
 * At least once: an offset is stored only after its handler succeeded, so a handler must be safe to
 * run twice. After a passing fault (ST_UNAVAILABLE, ST_TIMEOUT, ST_RETRY) the event is read again,
 * so that the order within its partition is kept, and after ST_INTERNAL too, for three minutes.
 * What can never succeed, an unknown version included, goes to "dead.letters" with its cause, and
 * the partition moves on; `./everything dead` lists and replays these. Lag is a metric. */
#ifndef COMMON_EVENTS_CONSUMER_H
#define COMMON_EVENTS_CONSUMER_H

#include "common/events/event.h"

struct consumer;

struct event_route {
    const char *topic;
    event_handler *handle;
};

struct consumer_options {
    const char *brokers, *group, *daemon;
    const struct event_route *routes; /* ends with {0} */
    void *service;
};

/* Never fails: the broker may be away at start, and come later. */
struct consumer *consumer_start(const struct consumer_options *options);
void consumer_stop(struct consumer *consumer); /* commits, leaves the group; NULL is fine */
bool consumer_is_up(struct consumer *consumer);

#endif
