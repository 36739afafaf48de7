/* links: test_kafka */
/* The producer against a real broker of the test's own, which is killed and comes back. */
#include "common/events/producer.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_kafka.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <string.h>

static const struct topic topics[] = {
    {"p.events", 3, 3600000, -1},
    {"p.other",   1, -1, -1},
    {0         },
};

static struct producer *producer;

static void wait_up(void)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (!producer_is_up(producer) && clock_monotonic_ms() < until) {
        clock_pause_ms(20);
    }
    ck_assert(producer_is_up(producer));
}

static void start(const char *brokers, const struct topic *table)
{
    producer = producer_new(
        &(struct producer_options){.brokers = brokers, .daemon = "test", .topics = table});
    wait_up();
}

static void before(void)
{
    start(test_kafka_own(), topics);
}

static void after(void)
{
    producer_free(producer);
}

static struct produced message_of(const char *topic, const char *key, const char *payload)
{
    return (struct produced){
        .topic = topic, .key = key, .payload = payload, .size = strlen(payload)};
}

START_TEST(topics_are_made_and_a_message_arrives_with_its_headers) /* EVT-21 */
{
    struct produced message = message_of("p.events", "k", "{\"n\":1}");
    const char *traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    char expected[256];

    message.traceparent = traceparent;
    message.correlation_id = "client-7";
    producer_send(producer, &message, 1, 10000);
    ck_assert_int_eq(message.outcome, ST_OK);
    ck_assert(producer_is_up(producer));
    struct kafka_records records = test_kafka_read(test_kafka_own(), "p.events");
    ck_assert_uint_eq(records.count, 1);
    ck_assert_str_eq(records.v[0].payload, "{\"n\":1}");
    ck_assert_str_eq(records.v[0].key, "k");
    snprintf(expected, sizeof(expected),
             "traceparent=%s\ncorrelation-id=client-7\ncontent-type=application/json\n",
             traceparent);
    ck_assert_str_eq(records.v[0].headers, expected);
    test_kafka_records_free(&records);
}
END_TEST

START_TEST(what_the_broker_acknowledges_is_on_its_disk)
{
    ck_assert_str_eq(test_kafka_topic_setting(test_kafka_own(), "p.events", "flush.messages"), "1");
}
END_TEST

START_TEST(a_topic_that_nobody_makes_is_refused_for_ever_and_the_rest_goes)
{
    struct produced messages[] = {
        message_of("p.typo", "k", "1"),
        message_of("p.other", "k", "2"),
    };

    producer_send(producer, messages, 2, 15000);
    ck_assert_int_eq(messages[0].outcome, ST_INVALID);
    ck_assert_int_eq(messages[1].outcome, ST_OK);
}
END_TEST

START_TEST(a_message_too_large_is_refused_for_ever)
{
    static char large[1200000];

    memset(large, 'x', sizeof(large) - 1);
    struct produced message = message_of("p.other", "k", large);
    producer_send(producer, &message, 1, 10000);
    ck_assert_int_eq(message.outcome, ST_INVALID);
}
END_TEST

START_TEST(a_broker_that_is_away_is_told_and_comes_back) /* EVT-20 */
{
    struct produced message = message_of("p.other", "k", "after");

    test_kafka_kill();
    int64_t began = clock_monotonic_ms();
    producer_send(producer, &message, 1, 1500);
    ck_assert_int_eq(message.outcome, ST_UNAVAILABLE);
    ck_assert_int_lt(clock_monotonic_ms() - began, 30000);
    ck_assert(!producer_is_up(producer));
    test_kafka_restart();
    wait_up();
    producer_send(producer, &message, 1, 10000);
    ck_assert_int_eq(message.outcome, ST_OK);
}
END_TEST

/* So large that each request holds two at most, and the second is ready before the first fails. */
static void send_large(struct produced *messages, int count)
{
    static char payloads[8][400000];

    for (int i = 0; i < count; i++) {
        memset(payloads[i], '0' + i, sizeof(payloads[i]) - 1);
        messages[i] = message_of("m", "k", payloads[i]);
    }
    producer_send(producer, messages, (size_t)count, PATIENCE_MS);
}

/* A stand-in, since a broker refuses so only while it makes a topic, or has just come back. */
START_TEST(what_a_broker_refuses_for_a_moment_is_not_told_as_taken) /* EVT-18 */
{
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
    rd_kafka_mock_cluster_t *broker = rd_kafka_mock_cluster_new(host, 1);
    const char *address = rd_kafka_mock_cluster_bootstraps(broker);
    struct produced messages[8];

    producer_free(producer);
    rd_kafka_mock_topic_create(broker, "m", 1, 1);
    rd_kafka_mock_broker_push_request_error_rtts(broker, 1, 0, 1,
                                                 RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 100);
    start(address, NULL);
    send_large(messages, 8);
    struct kafka_records records = test_kafka_read(address, "m");
    ck_assert_uint_eq(records.count, 8);
    for (int i = 0; i < 8; i++) {
        ck_assert_int_eq(messages[i].outcome, ST_OK);
        ck_assert_int_eq(records.v[i].payload[0], '0' + i);
    }
    test_kafka_records_free(&records);
    rd_kafka_mock_cluster_destroy(broker);
    rd_kafka_destroy(host);
}
END_TEST

START_TEST(a_wrong_address_is_no_error_but_away) /* EVT-20 */
{
    struct producer *lost = producer_new(
        &(struct producer_options){.brokers = "127.0.0.1:1", .daemon = "test", .topics = topics});
    struct produced message = message_of("p.other", "k", "never");

    producer_send(lost, &message, 1, 500);
    ck_assert_int_eq(message.outcome, ST_UNAVAILABLE);
    ck_assert(!producer_is_up(lost));
    producer_free(lost);
}
END_TEST

TEST_MAIN_AROUND("producer",
                 (&(struct test_around){.start = test_kafka_start,
                                        .stop = test_kafka_stop,
                                        .before = before,
                                        .after = after}),
                 topics_are_made_and_a_message_arrives_with_its_headers,
                 what_the_broker_acknowledges_is_on_its_disk,
                 a_topic_that_nobody_makes_is_refused_for_ever_and_the_rest_goes,
                 a_message_too_large_is_refused_for_ever,
                 what_a_broker_refuses_for_a_moment_is_not_told_as_taken,
                 a_wrong_address_is_no_error_but_away, a_broker_that_is_away_is_told_and_comes_back)
