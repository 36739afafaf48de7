/* Sessions that were ended before their tokens expire: the keys customer:deny:{sid} in Valkey. A
 * revocation is also published, and holds at once; what was not heard is found since each session
 * is asked about once a second, on the errands' threads: a request costs no round trip. What was
 * once denied stays so, whatever happens to Valkey. */
#ifndef GATEWAY_EDGE_EDGE_DENY_H
#define GATEWAY_EDGE_EDGE_DENY_H

#include "common/cache/cache.h"
#include "gateway/errands.h"

struct deny_list;

/* 'subscribe' are the options of a connection of its own. */
struct deny_list *deny_list_new(struct cache *cache, const struct cache_options *subscribe,
                                struct errands *errands);
void deny_list_free(struct deny_list *list); /* when nobody waits any more; NULL is fine */
void deny_list_tick(struct deny_list *list, int64_t now_ms);
/* Whether Valkey answered when it was last asked, about anything; it is asked at least once a
 * second. */
bool deny_list_is_fresh(const struct deny_list *list);

/* Part of who asks; lives until told() was called. */
struct deny_wait {
    struct deny_wait *next;
    void (*told)(struct deny_wait *wait, bool denied);
};

/* true: '*denied' is known. false: told() is called later, on a thread of the errands. */
bool deny_list_check(struct deny_list *list, const char *session, struct deny_wait *wait,
                     bool *denied);

#endif
