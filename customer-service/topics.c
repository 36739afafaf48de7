/* Every Kafka topic that the customer service publishes or hears. */
#include "customer-service/topics.h"

#include "customer-service/loyalty/loyalty_events.h"
#include "customer-service/notify/notify_events.h"

#define DAYS(n) ((int64_t)(n)*24 * 60 * 60 * 1000)

/* clang-format off */
const struct topic topics[] = {
    {"loyalty.changed", 1, DAYS(30), -1},
    {"security.events", 1, DAYS(30), -1},
    {"audit.events",    3, -1,       INT64_C(256) << 20}, /* capped by size: a partition */
    {"dead.letters",    1, DAYS(30), -1},
    {0},
};

const struct event_route routes[] = {
    {"order.placed",    loyalty_on_order_placed   },
    {"order.completed", loyalty_on_order_completed},
    {"order.cancelled", loyalty_on_order_cancelled},
    {"audit.events",    notify_on_audit           },
    {0},
};
/* clang-format on */
