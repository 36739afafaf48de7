/* links: common_process common_http common_obs common_crypto */
/* The page that Kubernetes and Prometheus read. */
#include "common/base/clock.h"
#include "common/obs/metrics.h"
#include "common/process/daemon.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/raw_client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_bool postgres_up = true, kafka_up = true;
static atomic_int asked;

static bool postgres(void *service)
{
    (void)service;
    atomic_fetch_add(&asked, 1);
    return atomic_load(&postgres_up);
}

static bool kafka(void *service)
{
    (void)service;
    return atomic_load(&kafka_up);
}

static const struct health_check checks[] = {
    {"postgres", true, postgres},
    {"kafka",  false, kafka},
    {0   },
};

static struct health *health;
static struct admin_server *server;
static struct raw_reply reply;

static void start_with(const char *user, const char *password)
{
    health = health_new(checks, NULL);
    server = admin_server_start(&(struct admin_options){
        .address = "127.0.0.1", .health = health, .user = user, .password = password});
    ck_assert_ptr_nonnull(server);
}

static void start(void)
{
    start_with(NULL, NULL);
}

static void stop(void)
{
    admin_server_stop(server);
    health_free(health);
}

static int get(const char *path, const char *header)
{
    char request[256];
    int fd = raw_connect(admin_server_port(server));

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, header);
    ck_assert(raw_send(fd, request));
    ck_assert(raw_reply(fd, &reply));
    close(fd);
    return reply.code;
}

START_TEST(what_is_only_useful_shows_as_degraded_and_the_daemon_stays_ready)
{
    atomic_store(&kafka_up, false);
    ck_assert_int_eq(get("/readyz", ""), 200);
    ck_assert_str_eq(reply.body, "{\"status\":\"ok\",\"postgres\":\"ok\",\"kafka\":\"degraded\"}");
}
END_TEST

START_TEST(what_is_required_makes_it_unready_but_not_dead)
{
    atomic_store(&postgres_up, false);
    ck_assert_int_eq(get("/readyz", ""), 503);
    ck_assert_str_eq(reply.body, "{\"status\":\"down\",\"postgres\":\"down\",\"kafka\":\"ok\"}");
    ck_assert_int_eq(get("/healthz", ""), 200);
    ck_assert_str_eq(reply.body, "{\"status\":\"ok\"}");
}
END_TEST

START_TEST(a_draining_daemon_is_not_ready)
{
    health_set_draining(health);
    ck_assert_int_eq(get("/readyz", ""), 503);
    ck_assert_ptr_nonnull(strstr(reply.body, "\"status\":\"draining\""));
}
END_TEST

START_TEST(a_clock_before_the_build_is_not_ready)
{
    clock_pretend(1);
    int code = get("/readyz", "");
    clock_pretend(0);
    ck_assert_int_eq(code, 503);
    ck_assert_ptr_nonnull(strstr(reply.body, "\"clock\":\"down\""));
}
END_TEST

START_TEST(a_hundred_looks_ask_the_database_once)
{
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(get("/readyz", ""), 200);
    }
    ck_assert_int_le(atomic_load(&asked), 2);
}
END_TEST

START_TEST(metrics_are_printed_in_the_form_that_is_asked_for)
{
    static const struct metric_def def = {METRIC_COUNTER, "cups_total", "cups", {NULL}};

    metric_add(metric_series(metric_register(&def), (const char *const[]){NULL}), 3);
    ck_assert_int_eq(get("/metrics", ""), 200);
    ck_assert_ptr_nonnull(strstr(reply.body, "cups_total 3"));
    ck_assert_ptr_nonnull(strstr(raw_header(&reply, "Content-Type"), "version=0.0.4"));
    ck_assert_int_eq(get("/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n"),
                     200);
    ck_assert_ptr_nonnull(strstr(reply.body, "# EOF"));
    ck_assert_ptr_nonnull(strstr(raw_header(&reply, "Content-Type"), "openmetrics"));
}
END_TEST

START_TEST(metrics_ask_for_the_password_and_health_does_not)
{
    stop();
    start_with("prom", "s3cret>?");
    ck_assert_int_eq(get("/metrics", ""), 401);
    ck_assert_str_eq(raw_header(&reply, "WWW-Authenticate"), "Basic realm=\"metrics\"");
    ck_assert_int_eq(get("/metrics", "Authorization: Basic cHJvbTpzM2NyZXQ+PA==\r\n"), 401);
    ck_assert_int_eq(get("/metrics", "Authorization: Basic cHJvbTpzM2NyZXQ+Pw==\r\n"), 200);
    ck_assert_int_eq(get("/readyz", ""), 200);
}
END_TEST

START_TEST(there_is_nothing_else_here)
{
    ck_assert_int_eq(get("/orders", ""), 404);
}
END_TEST

TEST_MAIN_AROUND("admin server", (&(struct test_around){.before = start, .after = stop}),
                 what_is_only_useful_shows_as_degraded_and_the_daemon_stays_ready,
                 what_is_required_makes_it_unready_but_not_dead, a_draining_daemon_is_not_ready,
                 a_clock_before_the_build_is_not_ready, a_hundred_looks_ask_the_database_once,
                 metrics_are_printed_in_the_form_that_is_asked_for,
                 metrics_ask_for_the_password_and_health_does_not, there_is_nothing_else_here)
