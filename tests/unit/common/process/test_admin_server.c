/* links: common_process common_obs common_crypto */
/* The page that Kubernetes and Prometheus read. */
#include "common/base/clock.h"
#include "common/obs/metrics.h"
#include "common/process/admin_http.h"
#include "common/process/daemon.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/raw_client.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_bool postgres_up = true, kafka_up = true;
static atomic_int asked;
static atomic_bool database_hangs, kafka_hangs;

static bool postgres(void *service)
{
    (void)service;
    atomic_fetch_add(&asked, 1);
    while (atomic_load(&database_hangs)) {
        clock_pause_ms(5);
    }
    return atomic_load(&postgres_up);
}

static bool kafka(void *service)
{
    (void)service;
    while (atomic_load(&kafka_hangs)) {
        clock_pause_ms(5);
    }
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

static void stop(void)
{
    admin_server_stop(server);
    health_free(health);
    server = NULL;
    health = NULL;
}

static void start_anew(const char *user, const char *password)
{
    stop();
    health = health_new(checks, NULL);
    server = admin_server_start(&(struct admin_options){
        .address = "127.0.0.1", .health = health, .user = user, .password = password});
    ck_assert_ptr_nonnull(server);
}

/* The first look is waited for, a second at most: after less than that each check was asked. */
static void start_with(const char *user, const char *password)
{
    ck_assert_quick(900, start_anew(user, password));
}

static void start(void)
{
    start_with(NULL, NULL);
}

static void start_while(atomic_bool *hangs)
{
    atomic_store(hangs, false);
    stop();
    atomic_store(hangs, true);
    start_anew(NULL, NULL);
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
    stop();
    atomic_store(&kafka_up, false);
    start();
    ck_assert_int_eq(get("/readyz", ""), 200);
    ck_assert_str_eq(reply.body, "{\"status\":\"ok\",\"postgres\":\"ok\",\"kafka\":\"degraded\"}");
}
END_TEST

START_TEST(what_is_required_makes_it_unready_but_not_dead)
{
    stop();
    atomic_store(&postgres_up, false);
    start();
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
    int before = atomic_load(&asked);
    int64_t began = clock_monotonic_ms();

    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(get("/readyz", ""), 200);
    }
    int meanwhile = atomic_load(&asked) - before; /* it is asked once a second */
    ck_assert_int_le(meanwhile, 1 + (clock_monotonic_ms() - began) / 1000);
}
END_TEST

/* What /readyz says; each reply comes at once. */
static int look(void)
{
    int said = 0;

    ck_assert_quick(500, said = get("/readyz", ""); ck_assert_int_eq(get("/healthz", ""), 200));
    return said;
}

/* How long until /readyz says 'code' once 'flag' is so. */
static int64_t ms_until(int code, atomic_bool *flag, bool is)
{
    int64_t began = clock_monotonic_ms();

    atomic_store(flag, is);
    while (look() != code && clock_monotonic_ms() - began < PATIENCE_MS) {
        clock_pause_ms(20);
    }
    return clock_monotonic_ms() - began;
}

START_TEST(a_check_that_hangs_holds_up_no_answer_and_hides_nothing)
{
    int64_t first_ms, down_ms, up_ms;
    int tries = 0;

    do {
        start_while(&kafka_hangs);
        first_ms = ms_until(200, &postgres_up, true);
        clock_pause_ms(2000);
        down_ms = ms_until(503, &postgres_up, false); /* the second time that it fails */
        up_ms = ms_until(200, &postgres_up, true);
    } while ((first_ms > 500 || down_ms > 2500 || up_ms > 1500) && ++tries < PATIENCE_TRIES);
    ck_assert_int_le(first_ms, 500);
    ck_assert_int_le(down_ms, 2500);
    ck_assert_int_le(up_ms, 1500);
    atomic_store(&kafka_hangs, false);
}
END_TEST

START_TEST(a_database_that_hangs_from_the_start_leaves_the_daemon_alive_and_unready)
{
    int64_t up_ms;
    int tries = 0;

    do {
        start_while(&database_hangs);
        ck_assert_int_eq(look(), 503);
        up_ms = ms_until(200, &database_hangs, false);
    } while (up_ms > 1500 && ++tries < PATIENCE_TRIES);
    ck_assert_int_le(up_ms, 1500);
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

/* What one connection says to all of this; the code of the reply. */
static int say(const char *bytes)
{
    int fd = raw_connect(admin_server_port(server));

    ck_assert(raw_send(fd, bytes));
    ck_assert(raw_reply(fd, &reply));
    ck_assert(raw_is_closed(fd, PATIENCE_MS));
    close(fd);
    return reply.code;
}

START_TEST(head_has_the_length_and_no_body)
{
    int fd = raw_connect(admin_server_port(server));

    ck_assert(raw_send(fd, "HEAD /healthz?x=1 HTTP/1.0\r\n\r\n"));
    ck_assert(raw_reply_no_body(fd, &reply));
    ck_assert_int_eq(reply.code, 200);
    ck_assert_str_eq(raw_header(&reply, "Content-Length"), "15");
    ck_assert(raw_is_closed(fd, PATIENCE_MS));
    close(fd);
}
END_TEST

START_TEST(what_would_change_something_is_refused_with_what_is_allowed)
{
    ck_assert_int_eq(say("POST /healthz HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"), 405);
    ck_assert_str_eq(raw_header(&reply, "Allow"), "GET, HEAD");
}
END_TEST

START_TEST(what_is_no_http_is_refused)
{
    static const char *const bad[] = {
        "\r\n\r\n",
        "GET\r\n\r\n",
        "GET /healthz\r\n\r\n",
        "GET /healthz HTTP/2.0\r\n\r\n",
        "GET  /healthz HTTP/1.1\r\n\r\n",
        "GET healthz HTTP/1.1\r\n\r\n",
        "G\xc3\xa9T /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n: no name\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nA: b\r\n goes on\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nA: b\nB: c\r\n\r\n",
        "\x16\x03\x01\x02\x01\x01\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        ck_assert_msg(say(bad[i]) == 400, "%d: %s", reply.code, bad[i]);
    }
}
END_TEST

START_TEST(a_nul_in_the_head_is_refused)
{
    static const char bytes[] = "GET /healthz\0 HTTP/1.1\r\nA: b\r\n\r\n";
    int fd = raw_connect(admin_server_port(server));

    ck_assert(raw_send_bytes(fd, bytes, sizeof(bytes) - 1));
    ck_assert(raw_reply(fd, &reply));
    ck_assert_int_eq(reply.code, 400);
    close(fd);
}
END_TEST

/* A head of 'size' bytes, its last line without an end. */
static char *long_head(size_t size)
{
    static const char begin[] = "GET /healthz HTTP/1.1\r\nA: ";
    char *head = malloc(size + 1);

    ck_assert_ptr_nonnull(head);
    memset(head, 'a', size);
    memcpy(head, begin, sizeof(begin) - 1);
    head[size] = '\0';
    return head;
}

START_TEST(a_head_of_8_kib_is_read_and_a_longer_one_is_refused)
{
    char *head = long_head(ADMIN_MAX_HEAD);

    memcpy(head + ADMIN_MAX_HEAD - 4, "\r\n\r\n", 4);
    ck_assert_int_eq(say(head), 200);
    free(head);
    head = long_head(3 * ADMIN_MAX_HEAD);
    ck_assert_int_eq(say(head), 431);
    free(head);
}
END_TEST

START_TEST(garbage_behind_a_request_costs_nobody_the_answer)
{
    char *garbage = long_head(40000);
    int fd = raw_connect(admin_server_port(server));

    ck_assert(raw_send(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert(raw_send(fd, garbage));
    ck_assert(raw_reply(fd, &reply));
    ck_assert_int_eq(reply.code, 200);
    ck_assert(raw_is_closed(fd, PATIENCE_MS));
    close(fd);
    free(garbage);
    ck_assert_int_eq(say("GET /healthz HTTP/1.1\r\n\r\nGET /orders HTTP/1.1\r\n\r\n\x01\x02"), 200);
}
END_TEST

START_TEST(a_head_that_comes_byte_by_byte_is_read)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = raw_connect(admin_server_port(server));

    for (size_t i = 0; request[i]; i++) {
        ck_assert(raw_send_bytes(fd, request + i, 1));
        clock_pause_ms(1);
    }
    ck_assert(raw_reply(fd, &reply));
    ck_assert_int_eq(reply.code, 200);
    close(fd);
}
END_TEST

/* False as well where this client was itself too late. */
static bool a_slow_client_is_told_in_time(void)
{
    int64_t began = clock_monotonic_ms();
    int slow = raw_connect(admin_server_port(server));
    bool told = raw_send(slow, "GET /healthz HTTP/1.1\r\nHost: x\r\n");

    while (clock_monotonic_ms() - began < ADMIN_PATIENCE_MS - 1000) {
        told = told && raw_send(slow, "X: y\r\n"); /* a byte now and then buys no time */
        ck_assert_int_eq(get("/healthz", ""), 200);
        clock_pause_ms(200);
    }
    told = told && raw_reply(slow, &reply) && reply.code == 408 && raw_is_closed(slow, PATIENCE_MS);
    close(slow);
    return told && clock_monotonic_ms() - began < ADMIN_PATIENCE_MS + 3000;
}

START_TEST(who_never_ends_a_request_is_told_after_a_while_and_holds_up_nobody)
{
    bool told = false;

    for (int i = 0; i < PATIENCE_TRIES && !told; i++) {
        told = a_slow_client_is_told_in_time();
    }
    ck_assert(told);
}
END_TEST

START_TEST(more_silent_clients_than_there_are_places_keep_no_probe_out)
{
    enum { MANY = 3 * ADMIN_MAX_CONNECTIONS };
    int silent[MANY];

    for (int i = 0; i < MANY; i++) {
        silent[i] = raw_connect(admin_server_port(server));
        ck_assert_int_ge(silent[i], 0);
        ck_assert(raw_send(silent[i], "GET /he"));
    }
    ck_assert_int_eq(get("/readyz", ""), 200);
    ck_assert(raw_is_closed(silent[0], 2000)); /* the oldest made room */
    for (int i = 0; i < MANY; i++) {
        close(silent[i]);
    }
}
END_TEST

static atomic_bool busy;

static void answer_late(struct arena *arena, const struct admin_request *request,
                        struct admin_reply *late, void *user)
{
    (void)arena;
    (void)request;
    (void)late;
    (void)user;
    while (atomic_load(&busy)) {
        clock_pause_ms(5);
    }
}

START_TEST(a_crowd_that_comes_at_once_is_answered_to_the_last)
{
    enum { CROWD = ADMIN_MAX_CONNECTIONS + 20 };
    struct admin_http *http = admin_http_start(
        &(struct admin_http_options){.address = "127.0.0.1", .answer = answer_late});
    int fds[CROWD];

    ck_assert_ptr_nonnull(http);
    atomic_store(&busy, true);
    for (int i = 0; i < CROWD; i++) {
        fds[i] = raw_connect(admin_http_port(http));
        ck_assert(raw_send(fds[i], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"));
        clock_pause_ms(i == 0 ? 100 : 0); /* all others wait together behind the first */
    }
    atomic_store(&busy, false);
    for (int i = 0; i < CROWD; i++) {
        ck_assert_msg(raw_reply(fds[i], &reply), "%d", i);
        ck_assert_int_eq(reply.code, 200);
        close(fds[i]);
    }
    admin_http_stop(http);
}
END_TEST

static void stop_beside_a_silent_client(void)
{
    int fd = raw_connect(admin_server_port(server));

    ck_assert(raw_send(fd, "GET /healthz"));
    ck_assert_int_eq(get("/healthz", ""), 200); /* by now the other was let in */
    stop();
    close(fd);
    start();
}

START_TEST(silent_clients_do_not_hold_up_the_end)
{
    ck_assert_quick(3000, stop_beside_a_silent_client());
}
END_TEST

START_TEST(a_taken_port_is_an_error)
{
    struct health *another = health_new(checks, NULL);

    ck_assert_ptr_null(admin_server_start(&(struct admin_options){
        .address = "127.0.0.1", .port = admin_server_port(server), .health = another}));
    health_free(another);
}
END_TEST

START_TEST(a_name_is_no_address_to_listen_on)
{
    struct health *another = health_new(checks, NULL);

    ck_assert_ptr_null(
        admin_server_start(&(struct admin_options){.address = "localhost", .health = another}));
    health_free(another);
}
END_TEST

TEST_MAIN_AROUND("admin server", (&(struct test_around){.before = start, .after = stop}),
                 what_is_only_useful_shows_as_degraded_and_the_daemon_stays_ready,
                 what_is_required_makes_it_unready_but_not_dead, a_draining_daemon_is_not_ready,
                 a_clock_before_the_build_is_not_ready, a_hundred_looks_ask_the_database_once,
                 a_check_that_hangs_holds_up_no_answer_and_hides_nothing,
                 a_database_that_hangs_from_the_start_leaves_the_daemon_alive_and_unready,
                 metrics_are_printed_in_the_form_that_is_asked_for,
                 metrics_ask_for_the_password_and_health_does_not, there_is_nothing_else_here,
                 head_has_the_length_and_no_body,
                 what_would_change_something_is_refused_with_what_is_allowed,
                 what_is_no_http_is_refused, a_nul_in_the_head_is_refused,
                 a_head_of_8_kib_is_read_and_a_longer_one_is_refused,
                 garbage_behind_a_request_costs_nobody_the_answer,
                 a_head_that_comes_byte_by_byte_is_read,
                 who_never_ends_a_request_is_told_after_a_while_and_holds_up_nobody,
                 more_silent_clients_than_there_are_places_keep_no_probe_out,
                 a_crowd_that_comes_at_once_is_answered_to_the_last,
                 silent_clients_do_not_hold_up_the_end, a_taken_port_is_an_error,
                 a_name_is_no_address_to_listen_on)
