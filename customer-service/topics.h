/* What this daemon says to Kafka and hears from it. */
#ifndef CUSTOMER_SERVICE_TOPICS_H
#define CUSTOMER_SERVICE_TOPICS_H

#include "common/events/consumer.h"
#include "common/events/producer.h"

extern const struct topic topics[];       /* published */
extern const struct event_route routes[]; /* consumed, by the group "customer-service" */

#endif
