/* Every Kafka topic that the order service publishes. */
#include "order-service/topics.h"

#define DAYS(n) ((int64_t)(n)*24 * 60 * 60 * 1000)

const struct topic topics[] = {
    {"order.created",  3, DAYS(30), -1, false},
    {"order.placed",        3, DAYS(30), -1, true},
    {"order.accepted",           3, DAYS(30), -1, false},
    {"order.prepared",   3, DAYS(30), -1, false},
    {"order.ready",        3, DAYS(30), -1, false},
    {"order.completed",            3, DAYS(30), -1, true},
    {"order.cancelled", 3, DAYS(30), -1, true},
    {"payment.completed",        1, DAYS(30), -1, false},
    {"payment.failed",           1, DAYS(30), -1, false},
    {"payment.refunded", 1, DAYS(30), -1, false},
    {"menu.updated",        1, DAYS(30), -1, false},
    {"audit.events",           3, -1, INT64_C(256) << 20, false}, /* capped by size: a partition */
    {"dead.letters",    1, DAYS(30), -1, true},
    {0       },
};
