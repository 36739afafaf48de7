/* A sink as its relay sees it: which parts of it are ours, what is under way, which keys wait.
 * Private to this folder; everything runs on the relay's thread and its one session. */
#ifndef COMMON_OUTBOX_LANE_H
#define COMMON_OUTBOX_LANE_H

#include "common/obs/metrics.h"
#include "common/outbox/sender.h"

enum { LANE_KEYS = 128 };

/* A key whose row could not be sent, though others could. */
struct key_aside {
    char *key;
    int64_t until_ms;
};

struct lane {
    struct outbox_sink sink;
    struct sender *sender;
    bool owned[OUTBOX_PARTS];
    int64_t floor[OUTBOX_PARTS]; /* nothing can be due at or below it */
    int owned_count;
    bool more;     /* rows may be due now */
    bool disowned; /* the session was lost while the batch was under way */
    int64_t poll_at_ms, wait_until_ms;
    int64_t pace_until_ms; /* what comes before then goes together */
    int failures;          /* of whole batches, in a row */
    struct key_aside aside[LANE_KEYS];
    int aside_count;
    struct metric_series *sent, *failed, *dead, *pending;
};

void lane_init(struct lane *lane, const struct outbox_sink *sink, void (*done)(void *), void *user);
void lane_finish(struct lane *lane);

/* The session went, and the locks with it. */
void lane_disown(struct lane *lane);
/* Takes or leaves parts, so that this relay has its share; nothing while a batch is under way. */
enum status lane_balance(struct ctx *ctx, struct lane *lane, struct db_conn *db,
                         int members) MUST_CHECK;
/* Raises the floors of its parts up to 'id'; 0 forgets them. */
enum status lane_raise_floors(struct ctx *ctx, struct lane *lane, struct db_conn *db,
                              int64_t id) MUST_CHECK;
enum status lane_count(struct ctx *ctx, struct lane *lane, struct db_conn *db) MUST_CHECK;

/* Settles what came back from the sender, and gives it the next batch when there is one. */
enum status lane_turn(struct ctx *ctx, struct lane *lane, struct db_conn *db) MUST_CHECK;
/* When lane_turn() has something to do again, were nothing to happen before. */
int64_t lane_due_ms(const struct lane *lane);

#endif
