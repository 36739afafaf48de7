/* Every Kafka topic of the daemon. */
#ifndef ORDER_SERVICE_TOPICS_H
#define ORDER_SERVICE_TOPICS_H

#include "common/events/producer.h"

extern const struct topic topics[]; /* ends with {0} */

#endif
