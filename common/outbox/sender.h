/* The thread of one sink: it sends a batch while the relay goes on with the other sinks. Private to
 * this folder. */
#ifndef COMMON_OUTBOX_SENDER_H
#define COMMON_OUTBOX_SENDER_H

#include "common/outbox/outbox.h"

struct sender;

/* One batch; its rows and ctx belong to the sender until sender_collect() hands them back. */
struct batch {
    struct ctx *ctx;
    struct outbox_row *rows;
    int *parts; /* of each row */
    size_t count;
};

/* done() runs on the sender's thread after each batch. 'sink' must outlive it. */
struct sender *sender_new(const struct outbox_sink *sink, void (*done)(void *user), void *user);
void sender_free(struct sender *sender); /* waits for the batch under way; NULL is fine */

bool sender_is_busy(struct sender *sender); /* from giving to collecting */
void sender_give(struct sender *sender, const struct batch *batch);
/* false: there is none, or it is under way still. */
bool sender_collect(struct sender *sender, struct batch *batch);

#endif
