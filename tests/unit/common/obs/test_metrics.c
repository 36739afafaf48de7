/* The registry adds up, and its text is what Prometheus reads. */
#include "common/obs/metrics.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"

static const struct metric_def drinks = {METRIC_COUNTER, "drinks_total", "Drinks made.", {"drink"}};
static const struct metric_def orders = {METRIC_COUNTER, "order_count", "Orders.", {NULL}};
static const struct metric_def took = {METRIC_HISTOGRAM, "took_seconds", "Time taken.", {"what"}};
static const struct metric_def waiting = {METRIC_GAUGE, "waiting", "People waiting.", {NULL}};

static const char *printed(struct arena *arena, bool openmetrics)
{
    struct text out = text_new(arena, 4096);

    metrics_print(&out, openmetrics);
    return out.data;
}

static void assert_prints(bool openmetrics, const char *expected)
{
    AUTO(arena) struct arena *arena = arena_new(65536);
    const char *out = printed(arena, openmetrics);

    ck_assert_msg(strstr(out, expected) != NULL, "no %s in:\n%s", expected, out);
}

static double printed_number(const char *line_start)
{
    AUTO(arena) struct arena *arena = arena_new(65536);
    const char *out = printed(arena, false);
    const char *line = strstr(out, line_start);

    ck_assert_msg(line != NULL, "no %s in:\n%s", line_start, out);
    return strtod(line + strlen(line_start), NULL);
}

START_TEST(a_definition_registered_twice_is_one_metric)
{
    ck_assert_ptr_eq(metric_register(&drinks), metric_register(&drinks));
    metric_add(METRIC_SERIES(metric_register(&drinks), "latte"), 2);
    metric_add(METRIC_SERIES(metric_register(&drinks), "latte"), 1);
    assert_prints(false, "# TYPE drinks_total counter\ndrinks_total{drink=\"latte\"} 3\n");
}
END_TEST

static void *add_many(void *unused)
{
    struct metric *metric = metric_register(&drinks);

    for (int i = 0; i < 20000; i++) {
        metric_add(METRIC_SERIES(metric, i % 2 ? "latte" : "mocha"), 1);
    }
    return unused;
}

START_TEST(threads_lose_no_count)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, add_many, NULL);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_prints(false, "drinks_total{drink=\"latte\"} 40000\n");
    assert_prints(false, "drinks_total{drink=\"mocha\"} 40000\n");
}
END_TEST

START_TEST(label_values_are_escaped)
{
    metric_add(METRIC_SERIES(metric_register(&drinks), "a \"b\" \\ c\nd"), 1);
    metric_add(METRIC_SERIES(metric_register(&drinks), "\xff"), 1);
    assert_prints(false, "drinks_total{drink=\"a \\\"b\\\" \\\\ c\\nd\"} 1\n");
    assert_prints(false, "drinks_total{drink=\"(not UTF-8)\"} 1\n");
}
END_TEST

START_TEST(too_many_series_share_one)
{
    struct metric *metric = metric_register(&drinks);
    char name[16];

    for (int i = 0; i < METRIC_MAX_SERIES + 10; i++) {
        snprintf(name, sizeof(name), "drink-%d", i);
        metric_add(METRIC_SERIES(metric, name), 1);
    }
    assert_prints(false, "drinks_total{drink=\"drink-499\"} 1\n");
    assert_prints(false, "drinks_total{drink=\"other\"} 10\n");
    metric_add(METRIC_SERIES(metric, "drink-7"), 1); /* those that were there stay themselves */
    assert_prints(false, "drinks_total{drink=\"drink-7\"} 2\n");
}
END_TEST

START_TEST(a_histogram_adds_up_its_buckets)
{
    struct metric_series *series = METRIC_SERIES(metric_register(&took), "grind");

    metric_observe(series, 0.0005, NULL);
    metric_observe(series, 0.5, NULL); /* a bound belongs to its bucket */
    metric_observe(series, 99, NULL);
    assert_prints(false, "took_seconds_bucket{what=\"grind\",le=\"0.001\"} 1\n");
    assert_prints(false, "took_seconds_bucket{what=\"grind\",le=\"0.25\"} 1\n");
    assert_prints(false, "took_seconds_bucket{what=\"grind\",le=\"0.5\"} 2\n");
    assert_prints(false, "took_seconds_bucket{what=\"grind\",le=\"+Inf\"} 3\n");
    assert_prints(false, "took_seconds_sum{what=\"grind\"} 99.500500000\n");
    assert_prints(false, "took_seconds_count{what=\"grind\"} 3\n");
}
END_TEST

START_TEST(a_bucket_names_the_latest_trace_that_fell_into_it)
{
    struct metric_series *series = METRIC_SERIES(metric_register(&took), "steam");

    clock_pretend(1700000000125);
    metric_observe(series, 0.3, "0af7651916cd43dd8448eb211c80319c");
    metric_observe(series, 0.4, TRACE);
    metric_observe(series, 0.4, "");
    assert_prints(true, "took_seconds_bucket{what=\"steam\",le=\"0.5\"} 3 # {trace_id=\"" TRACE
                        "\"} 0.400000 1700000000.125\n");
    assert_prints(false, "took_seconds_bucket{what=\"steam\",le=\"0.5\"} 3\n");
}
END_TEST

START_TEST(openmetrics_names_the_family_without_total_and_ends)
{
    metric_add(METRIC_SERIES(metric_register(&drinks), "latte"), 1);
    metric_add(METRIC_SERIES(metric_register(&orders), NULL), 1);
    assert_prints(true, "# TYPE drinks counter\ndrinks_total{drink=\"latte\"} 1\n");
    assert_prints(true, "# TYPE order_count unknown\norder_count 1\n");
    assert_prints(false, "# TYPE order_count counter\norder_count 1\n");

    AUTO(arena) struct arena *arena = arena_new(65536);
    const char *out = printed(arena, true);
    ck_assert_str_eq(out + strlen(out) - 6, "# EOF\n");
}
END_TEST

static int64_t read_number(void *user)
{
    return *(int *)user;
}

START_TEST(a_gauge_is_read_when_somebody_looks)
{
    int people = 3;

    metric_gauge_callback(&waiting, read_number, &people);
    assert_prints(false, "# TYPE waiting gauge\nwaiting 3\n");
    people = 4;
    assert_prints(false, "\nwaiting 4\n");
    metric_gauge_callback(&waiting, NULL, NULL);

    AUTO(arena) struct arena *arena = arena_new(65536);
    ck_assert_ptr_null(strstr(printed(arena, false), "\nwaiting "));
}
END_TEST

START_TEST(the_process_tells_of_itself)
{
    int pipe_ends[2];

    ck_assert(printed_number("\nprocess_resident_memory_bytes ") > 100 * 1024);
    double files = printed_number("\nprocess_open_fds ");
    ck_assert_int_eq(pipe(pipe_ends), 0);
    ck_assert_double_eq(printed_number("\nprocess_open_fds "), files + 2);
    ck_assert(printed_number("\nprocess_cpu_seconds_total ") > 0);

    double started = printed_number("\nprocess_start_time_seconds ");
    ck_assert_double_eq_tol(started, (double)time(NULL), 120);
    metrics_build_info("order-service", "1.2.3");
    assert_prints(false, "build_info{service=\"order-service\",version=\"1.2.3\"} 1\n");
}
END_TEST

TEST_MAIN("metrics", a_definition_registered_twice_is_one_metric, threads_lose_no_count,
          label_values_are_escaped, too_many_series_share_one, a_histogram_adds_up_its_buckets,
          a_bucket_names_the_latest_trace_that_fell_into_it,
          openmetrics_names_the_family_without_total_and_ends, a_gauge_is_read_when_somebody_looks,
          the_process_tells_of_itself)
