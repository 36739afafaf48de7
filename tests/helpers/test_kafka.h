/* Kafka as tests see it: a reader of whole topics, and a broker of the test's own that may be
 * stopped and killed. Linked by those that name it: links: test_kafka */
#ifndef TESTS_HELPERS_TEST_KAFKA_H
#define TESTS_HELPERS_TEST_KAFKA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* KAFKA_BROKERS; without it the test program ends with a message: such tests are not skipped. */
const char *test_kafka_brokers(void);

struct kafka_record {
    char *topic, *key, *payload;
    char *headers; /* "name=value\n..." */
    int partition;
    int64_t offset;
};

struct kafka_records {
    struct kafka_record *v;
    size_t count;
};

/* All that a topic holds now, each partition in its order. */
struct kafka_records test_kafka_read(const char *brokers, const char *topic);
void test_kafka_records_free(struct kafka_records *records);

/* Writes one message with these headers ("name", "value", ..., NULL), makes the topic when
 * needed. */
void test_kafka_write(const char *brokers, const char *topic, const char *key, const char *payload,
                      const char *const *headers);

/* What the broker has for a setting of a topic, "" when there is no such thing; until the next
 * call. */
const char *test_kafka_topic_setting(const char *brokers, const char *topic, const char *name);

/* How many members a consumer group has; -1 while it is sharing out its partitions. */
int test_kafka_members(const char *brokers, const char *group);

/* A broker for this test binary alone, of the jars that everything keeps in the user's cache. */
void test_kafka_start(void);
const char *test_kafka_own(void); /* its address */
void test_kafka_stop(void);
/* Stops and goes on, or starts it anew with its data. */
void test_kafka_pause(void);
void test_kafka_resume(void);
void test_kafka_kill(void);
void test_kafka_restart(void);

#endif
