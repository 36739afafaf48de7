/* What producer and consumer have in common: how a client of librdkafka is made. Private to this
 * folder. */
#ifndef COMMON_EVENTS_KAFKA_CLIENT_H
#define COMMON_EVENTS_KAFKA_CLIENT_H

#include "common/base/auto.h"
#include "common/events/producer.h"

#include <librdkafka/rdkafka.h>

struct kafka_setting {
    const char *name, *value;
};

/* What all our clients have, and these; 'settings' ends with {0}. A setting that librdkafka refuses
 * is a bug of ours and aborts. */
rd_kafka_conf_t *kafka_conf(const char *brokers, const char *daemon,
                            const struct kafka_setting *settings);
rd_kafka_t *kafka_client(rd_kafka_type_t type, rd_kafka_conf_t *conf);

/* Makes those of 'topics' that do not exist; true when all are there. Waits at most timeout_ms. */
bool kafka_ensure_topics(rd_kafka_t *kafka, const struct topic *topics, int timeout_ms);

#endif
