/* Points and statistics. They follow from the events of orders alone; each event counts once, in
 * whatever order the events come. */
#ifndef CUSTOMER_SERVICE_LOYALTY_LOYALTY_H
#define CUSTOMER_SERVICE_LOYALTY_LOYALTY_H

#include "customer-service/customer/customer.h"
#include "customer-service/loyalty/loyalty_tier.h"

enum { LEDGER_SHOWN = 100 };

/* What one event adds. */
struct loyalty_change {
    const char *event_id;
    struct customer_id customer;
    const char *order_id;
    int64_t placed, completed, cancelled; /* 0 or 1 */
    int64_t spent_cents;
    int64_t points;
    int64_t last_order_ms; /* 0: not said */
};

struct loyalty_stats {
    int64_t orders_placed, orders_completed, orders_cancelled, spent_cents;
    int64_t last_order_ms; /* 0: never */
};

struct loyalty_entry {
    const char *id, *reason, *order_id;
    int64_t delta, at_ms;
};

struct loyalty_account {
    int64_t points;
    enum loyalty_tier tier;
    const struct loyalty_entry *ledger; /* newest first, LEDGER_SHOWN at most */
    size_t count;
};

/* Counts it unless it was counted before. */
enum status loyalty_count(struct ctx *ctx, struct service *service,
                          const struct loyalty_change *change) MUST_CHECK;

enum status loyalty_stats_of(struct ctx *ctx, struct service *service, struct customer_id id,
                             struct loyalty_stats *stats) MUST_CHECK;
enum status loyalty_account_of(struct ctx *ctx, struct service *service, struct customer_id id,
                               struct loyalty_account *account) MUST_CHECK;

/* Forgets events that Kafka no longer has either. */
struct db_conn;
enum status loyalty_purge(struct ctx *ctx, struct db_conn *db) MUST_CHECK;

#endif
