/* The push services that browsers name: strangers' machines, which may be slow, away or worse. For
 * each: the token that says who we are, until when it asked us to wait, and who waits for it. */
#ifndef CUSTOMER_SERVICE_NOTIFY_PUSH_SERVICES_H
#define CUSTOMER_SERVICE_NOTIFY_PUSH_SERVICES_H

#include "common/base/arena.h"
#include "common/crypto/p256.h"
#include "common/http/http_multi.h"
#include "customer-service/notify/push.h"

/* Of those that are slow, or that nobody has heard of yet: so many calls wait for one of them, and
 * for all; so many pushes of a call. Half of the workers (jobs.c) and of the streams stay free. */
enum { PUSH_SERVICES = 16, SLOW_CALLS_EACH = 2, SLOW_CALLS = 4, SLOW_PUSHES = 12 };

struct push_services;

/* The key and the subject ("mailto:...") live longer. */
struct push_services *push_services_new(const struct p256_key *key, const char *subject);
void push_services_free(struct push_services *services); /* NULL is fine */

/* One call that sends to several of them: {0} before the first. */
struct push_visit {
    bool at[PUSH_SERVICES];
    int64_t signed_ms[PUSH_SERVICES]; /* wall clock: the oldest token that it shows each */
    int slow_pushes;
    int64_t from_ms; /* when they were sent: of the caller */
};

/* The header line that authorises a push, in the arena; NULL, with verdict and reason, when nothing
 * may go there now. */
const char *push_services_enter(struct arena *arena, struct push_services *services,
                                struct push_visit *visit, struct push *push);
/* What came of it: a service that says 503 is left alone for as long as it says. True: it refused a
 * token that may have been the reason; the same push will have another. */
bool push_services_heard(struct push_services *services, const struct push_visit *visit,
                         const struct push *push, const struct http_multi_answer *answer);
void push_services_leave(struct push_services *services, const struct push_visit *visit);

#endif
