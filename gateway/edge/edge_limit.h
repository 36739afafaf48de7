/* How often a caller may come: one token bucket a caller and rate class, in Valkey, shared by all
 * replicas. A replica takes tokens in small batches, so that a caller in a hurry costs few round
 * trips; near the end of the bucket batches shrink to what is needed, so that the shared total
 * holds. Nothing here blocks a thread of the server. With Valkey away: a reduced bucket in the
 * process. */
#ifndef GATEWAY_EDGE_EDGE_LIMIT_H
#define GATEWAY_EDGE_EDGE_LIMIT_H

#include "common/cache/cache.h"
#include "gateway/errands.h"
#include "gateway/exchange.h"

struct limiter;

struct limiter_options {
    struct cache *cache;
    struct errands *errands;
    const char *read, *write, *auth, *image; /* rates, "60/60s" */
};

struct limiter *limiter_new(const struct limiter_options *options);
void limiter_free(struct limiter *limiter); /* when nobody waits any more; NULL is fine */
void limiter_tick(struct limiter *limiter, int64_t now_ms);

/* Part of who asks; lives until told() was called. */
struct limit_wait {
    struct limit_wait *next;
    void (*told)(struct limit_wait *wait, const struct limit_answer *answer);
};

/* true: decided, '*answer' is filled. false: told() is called later, on a thread of the errands. */
bool limiter_take(struct limiter *limiter, const char *limit_class, const char *subject,
                  struct limit_wait *wait, struct limit_answer *answer);

/* Says so to whoever asked too often; the status. */
enum status limit_refuse(struct ctx *ctx, const struct limit_answer *answer);

/* Before anything is known of a caller but the address: in this process only, many times as wide,
 * since a whole family may share an address. */
bool limiter_guard(struct limiter *limiter, const char *limit_class, const char *address,
                   struct limit_answer *answer);

#endif
