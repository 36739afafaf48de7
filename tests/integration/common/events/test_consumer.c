/* links: test_kafka */
/* The consumer against a real Kafka: order, passing faults, dead letters, lag. */
#include "common/events/consumer.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/obs/metrics.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/test_kafka.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 400 };

static char topic[64], group[64];
static struct event_route routes[2];

static struct {
    char type[MOST][24], key[MOST][24], trace[MOST][33], correlation[MOST][65];
    int attempt[MOST];
    atomic_int count;
    atomic_int faults;   /* how often "Faulty" fails yet */
    atomic_int mistakes; /* how often "Mistaken" meets one of ours yet */
    atomic_bool down;    /* every event meets a passing fault */
    atomic_int refused;  /* how often one did */
} seen;

static enum status handle(struct ctx *ctx, void *service, const struct event *event)
{
    (void)service;
    if (atomic_load(&seen.down) ||
        (strcmp(event->type, "Faulty") == 0 && atomic_fetch_sub(&seen.faults, 1) > 0)) {
        atomic_fetch_add(&seen.refused, 1);
        return fail_with(ctx, ST_UNAVAILABLE, "", "the database is away");
    }
    if (strcmp(event->type, "Mistaken") == 0 && atomic_fetch_sub(&seen.mistakes, 1) > 0) {
        return fail_with(ctx, ST_INTERNAL, "", "sqlstate=42501 permission denied");
    }
    if (strcmp(event->type, "Impossible") == 0) {
        return fail_with(ctx, ST_INVALID, "", "no such order");
    }
    int n = atomic_load(&seen.count);
    ck_assert_int_lt(n, MOST);
    text_copy(seen.type[n], 24, event->type);
    text_copy(seen.key[n], 24, event->key);
    text_copy(seen.trace[n], 33, ctx->trace_id);
    text_copy(seen.correlation[n], 65, ctx->correlation_id);
    seen.attempt[n] = event->attempt;
    atomic_fetch_add(&seen.count, 1);
    return ST_OK;
}

static void before(void)
{
    char id[ID_TEXT_SIZE];

    memset(&seen, 0, sizeof(seen));
    uuid_v7(id);
    snprintf(topic, sizeof(topic), "test.%s", id);
    snprintf(group, sizeof(group), "test-%s", id);
    routes[0] = (struct event_route){topic, handle};
}

static struct consumer *start(void)
{
    return consumer_start(&(struct consumer_options){
        .brokers = test_kafka_brokers(), .group = group, .daemon = "test", .routes = routes});
}

static void write_event(const char *key, const char *type)
{
    static const char *const headers[] = {"traceparent",
                                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                                          "correlation-id", "client-7", NULL};
    struct ctx *ctx = ctx_new_system("test");
    struct event_draft draft = {.type = type, .data = "{}", .at_ms = clock_wall_ms()};

    uuid_v7(draft.id);
    test_kafka_write(test_kafka_brokers(), topic, key, event_envelope(ctx->arena, &draft), headers);
    ctx_free(ctx);
}

static bool wait_for(int count, int ms)
{
    int64_t until = clock_monotonic_ms() + ms;

    while (atomic_load(&seen.count) < count && clock_monotonic_ms() < until) {
        clock_pause_ms(10);
    }
    return atomic_load(&seen.count) >= count;
}

START_TEST(an_event_reaches_its_handler_with_its_trace) /* EVT-21 */
{
    write_event("a", "OrderPlaced");
    struct consumer *consumer = start();
    ck_assert(wait_for(1, 60000));
    ck_assert_str_eq(seen.type[0], "OrderPlaced");
    ck_assert_str_eq(seen.key[0], "a");
    ck_assert_str_eq(seen.trace[0], "0af7651916cd43dd8448eb211c80319c");
    ck_assert_str_eq(seen.correlation[0], "client-7");
    ck_assert_int_eq(seen.attempt[0], 1);
    ck_assert(consumer_is_up(consumer));
    consumer_stop(consumer);
}
END_TEST

START_TEST(after_a_passing_fault_the_order_within_a_key_is_kept)
{
    atomic_store(&seen.faults, 3);
    write_event("a", "First");
    write_event("a", "Faulty");
    write_event("a", "Third");
    struct consumer *consumer = start();
    ck_assert(wait_for(3, 60000));
    ck_assert_str_eq(seen.type[0], "First");
    ck_assert_str_eq(seen.type[1], "Faulty");
    ck_assert_int_eq(seen.attempt[1], 4);
    ck_assert_str_eq(seen.type[2], "Third");
    clock_pause_ms(500);
    ck_assert_int_eq(atomic_load(&seen.count), 3);
    consumer_stop(consumer);
}
END_TEST

START_TEST(a_mistake_of_ours_that_is_mended_costs_no_event)
{
    atomic_store(&seen.mistakes, 3);
    write_event("a", "Mistaken");
    write_event("a", "Next");
    struct consumer *consumer = start();
    ck_assert(wait_for(2, 60000));
    ck_assert_str_eq(seen.type[0], "Mistaken");
    ck_assert_int_eq(seen.attempt[0], 4);
    ck_assert_str_eq(seen.type[1], "Next");
    consumer_stop(consumer);
}
END_TEST

static bool wait_for_members(int count)
{
    int64_t until = clock_monotonic_ms() + 60000;

    while (test_kafka_members(test_kafka_brokers(), group) != count &&
           clock_monotonic_ms() < until) {
        clock_pause_ms(100);
    }
    return clock_monotonic_ms() < until;
}

/* The pause before the eighth attempt is 6.4 s: the group shares out anew in the midst of it. */
START_TEST(an_event_that_waits_while_the_group_changes_is_handled_all_the_same)
{
    int64_t until = clock_monotonic_ms() + 60000;

    atomic_store(&seen.down, true);
    write_event("a", "First");
    struct consumer *consumer = start();
    while (atomic_load(&seen.refused) < 7 && clock_monotonic_ms() < until) {
        clock_pause_ms(10);
    }
    struct consumer *second = start();
    ck_assert(wait_for_members(2));
    consumer_stop(second);
    ck_assert(wait_for_members(1));
    atomic_store(&seen.down, false);
    ck_assert(wait_for(1, 60000));
    clock_pause_ms(500);
    ck_assert_int_eq(atomic_load(&seen.count), 1);
    consumer_stop(consumer);
}
END_TEST

START_TEST(what_was_handled_is_not_handled_again_after_a_restart)
{
    write_event("a", "First");
    struct consumer *consumer = start();
    ck_assert(wait_for(1, 60000));
    consumer_stop(consumer);
    write_event("a", "Second");
    consumer = start();
    ck_assert(wait_for(2, 60000));
    clock_pause_ms(300);
    ck_assert_int_eq(atomic_load(&seen.count), 2);
    ck_assert_str_eq(seen.type[1], "Second");
    consumer_stop(consumer);
}
END_TEST

START_TEST(what_was_not_handled_is_handled_after_a_restart)
{
    atomic_store(&seen.down, true);
    write_event("a", "First");
    struct consumer *consumer = start();
    clock_pause_ms(2500);
    consumer_stop(consumer);
    atomic_store(&seen.down, false);
    consumer = start();
    ck_assert(wait_for(1, 60000));
    ck_assert_str_eq(seen.type[0], "First");
    consumer_stop(consumer);
}
END_TEST

/* The letter of our topic: others write there too. */
static bool find_letter(const char *cause, const char *payload)
{
    struct kafka_records records = test_kafka_read(test_kafka_brokers(), "dead.letters");
    char from[80];
    bool found = false;

    snprintf(from, sizeof(from), "topic=%s\n", topic);
    for (size_t i = 0; i < records.count; i++) {
        found =
            found ||
            (strstr(records.v[i].headers, from) && strstr(records.v[i].headers, cause) &&
             strstr(records.v[i].headers, "group=test-") && strstr(records.v[i].payload, payload));
    }
    test_kafka_records_free(&records);
    return found;
}

START_TEST(an_event_that_can_never_be_handled_becomes_a_dead_letter)
{
    write_event("a", "Impossible");
    write_event("a", "Next");
    struct consumer *consumer = start();
    ck_assert(wait_for(1, 60000));
    ck_assert_str_eq(seen.type[0], "Next");
    ck_assert(find_letter("cause=no such order", "\"type\":\"Impossible\""));
    consumer_stop(consumer);
}
END_TEST

START_TEST(an_unknown_version_becomes_a_dead_letter) /* EVT-22 */
{
    test_kafka_write(test_kafka_brokers(), topic, "a", "{\"v\":9,\"id\":\"x\"}", NULL);
    test_kafka_write(test_kafka_brokers(), topic, "a", "not even JSON", NULL);
    write_event("a", "Next");
    struct consumer *consumer = start();
    ck_assert(wait_for(1, 60000));
    ck_assert_str_eq(seen.type[0], "Next");
    ck_assert(find_letter("version 9, known is 1", "{\"v\":9"));
    ck_assert(find_letter("no JSON at byte", "not even JSON"));
    consumer_stop(consumer);
}
END_TEST

/* Of all partitions; -1 when there is none. */
static int64_t lag(void)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct text text = text_new(arena, 4096);
    int64_t sum = -1;
    char name[160];

    metrics_print(&text, false);
    snprintf(name, sizeof(name), "kafka_consumer_lag{topic=\"%s\"", topic);
    for (const char *at = text.data; (at = strstr(at, name)); at++) {
        const char *value = strstr(at, "} ");

        sum = (sum < 0 ? 0 : sum) + strtoll(value + 2, NULL, 10);
    }
    return sum;
}

static bool wait_for_lag(int64_t expected, int ms)
{
    int64_t until = clock_monotonic_ms() + ms;

    while (lag() != expected && clock_monotonic_ms() < until) {
        clock_pause_ms(100);
    }
    return lag() == expected;
}

START_TEST(lag_is_a_metric_that_rises_and_falls) /* EVT-19 */
{
    atomic_store(&seen.down, true);
    for (int i = 0; i < 5; i++) {
        write_event("a", "First");
    }
    struct consumer *consumer = start();
    ck_assert_msg(wait_for_lag(5, 60000), "lag %lld", (long long)lag());
    atomic_store(&seen.down, false);
    ck_assert_msg(wait_for_lag(0, 60000), "lag %lld", (long long)lag());
    consumer_stop(consumer);
}
END_TEST

/* EVT-19: or the sum of a group's lag would never fall again after a rebalance. */
START_TEST(partitions_that_went_to_another_have_no_lag_here)
{
    atomic_store(&seen.down, true);
    write_event("a", "First");
    struct consumer *consumer = start();
    ck_assert_msg(wait_for_lag(1, 60000), "lag %lld", (long long)lag());
    consumer_stop(consumer); /* gives its partitions back */
    ck_assert_int_eq(lag(), 0);
}
END_TEST

START_TEST(a_topic_that_is_made_later_is_found)
{
    struct consumer *consumer = start();

    clock_pause_ms(1500);
    write_event("a", "First");
    ck_assert(wait_for(1, 60000));
    consumer_stop(consumer);
}
END_TEST

START_TEST(without_a_broker_it_is_not_up_and_stops_all_the_same) /* EVT-20 */
{
    struct consumer *consumer = consumer_start(&(struct consumer_options){
        .brokers = "127.0.0.1:1", .group = group, .daemon = "test", .routes = routes});

    clock_pause_ms(1500);
    ck_assert(!consumer_is_up(consumer));
    consumer_stop(consumer);
}
END_TEST

TEST_MAIN_AROUND("consumer", (&(struct test_around){.before = before}),
                 an_event_reaches_its_handler_with_its_trace,
                 after_a_passing_fault_the_order_within_a_key_is_kept,
                 a_mistake_of_ours_that_is_mended_costs_no_event,
                 an_event_that_waits_while_the_group_changes_is_handled_all_the_same,
                 what_was_handled_is_not_handled_again_after_a_restart,
                 what_was_not_handled_is_handled_after_a_restart,
                 an_event_that_can_never_be_handled_becomes_a_dead_letter,
                 an_unknown_version_becomes_a_dead_letter, lag_is_a_metric_that_rises_and_falls,
                 partitions_that_went_to_another_have_no_lag_here,
                 a_topic_that_is_made_later_is_found,
                 without_a_broker_it_is_not_up_and_stops_all_the_same)
