/* Every Kafka topic that the order service publishes. */
#include "order-service/topics.h"

#define DAYS(n) ((int64_t)(n)*24 * 60 * 60 * 1000)

const struct topic topics[] = {
    {"order.created",  3, DAYS(30), -1},
    {"order.placed",        3, DAYS(30), -1},
    {"order.accepted",                3, DAYS(30), -1},
    {"order.prepared",        3, DAYS(30), -1},
    {"order.ready",              3, DAYS(30), -1},
    {"order.completed", 3, DAYS(30), -1},
    {"order.cancelled",        3, DAYS(30), -1},
    {"payment.completed",                1, DAYS(30), -1},
    {"payment.failed",        1, DAYS(30), -1},
    {"payment.refunded",              1, DAYS(30), -1},
    {"menu.updated",    1, DAYS(30), -1},
    {"audit.events",        3, -1, INT64_C(256) << 20}, /* capped by size: a partition */
    {"dead.letters",                1, DAYS(30), -1},
    {0              },
};
