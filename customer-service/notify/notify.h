/* Notices: promised as rows in the transaction that hears of an order's stage, sent by jobs. */
#ifndef CUSTOMER_SERVICE_NOTIFY_NOTIFY_H
#define CUSTOMER_SERVICE_NOTIFY_NOTIFY_H

#include "common/base/ctx.h"
#include "customer-service/notify/notify_plan.h"

#include <stdatomic.h>

#define NOTIFY_JOB "push.send"

/* Older news is no news. The lease of notices lasts as long as an attempt of their job may, and
 * ends before the job's own, which lasts 5 s more. */
enum { NOTIFY_FRESH_MS = 60 * 60 * 1000, NOTIFY_LEASE_MS = 35000, NOTIFY_WAITERS = 4 };

struct config;
struct service;

/* What sends; each is NULL unless it is configured. Made by service.c. */
struct apns;
struct web_push;
struct notify_senders {
    struct apns *apns;
    struct web_push *web;
    const char *public_url; /* of the API */
    atomic_int *waiting;    /* calls that wait for a notice, NOTIFY_WAITERS at most */
};

/* False, with the reason on stderr, when a key that is named cannot be used. */
bool notify_senders_start(struct notify_senders *senders, const struct config *config,
                          struct service *service);
void notify_senders_stop(struct notify_senders *senders);

struct notify_event {
    const char *id, *type;
    int64_t seq;
};

/* Where the world finds what the API has at this path; NULL for "" and for what is no photo. */
const char *notify_photo(struct ctx *ctx, struct service *service, const char *path);

/* Makes the notices of this stage, unless the event was here before, and the job that sends
 * them. */
enum status notify_tell(struct ctx *ctx, struct service *service, const struct notify_event *event,
                        const struct notify_order *order) MUST_CHECK;

/* Makes the notices of this stage unless they are there, or those of a later one, and waits until
 * none is open: as long as ctx has left. ST_UNAVAILABLE: not yet. event->id is not used. */
struct notice_stage {
    int notices, open, sent;
};
enum status notify_ensure(struct ctx *ctx, struct service *service,
                          const struct notify_event *event, const struct notify_order *order,
                          struct notice_stage *stage) MUST_CHECK;

/* Why some of an order must be tried again; {0}, as it comes in, when nothing must. */
struct notify_wait {
    const char *why;
    bool failed;      /* it went wrong; else it is not its turn */
    int64_t pause_ms; /* not sooner than that */
};
/* Sends what is open of these orders. */
enum status notify_deliver(struct ctx *ctx, struct service *service, const char *const *orders,
                           size_t count, struct notify_wait *waits) MUST_CHECK;

/* The newest of what the caller was told. */
struct inbox_notice;
enum status notify_inbox(struct ctx *ctx, struct service *service, int64_t most,
                         struct inbox_notice **notices, size_t *count) MUST_CHECK;

/* Forget what is too old to be told or asked for. */
struct db_conn;
enum status notify_purge_notices(struct ctx *ctx, struct db_conn *db) MUST_CHECK;
enum status notify_purge_events(struct ctx *ctx, struct db_conn *db) MUST_CHECK;
enum status notify_purge_devices(struct ctx *ctx, struct db_conn *db) MUST_CHECK;
enum status notify_purge_activities(struct ctx *ctx, struct db_conn *db) MUST_CHECK;

#endif
