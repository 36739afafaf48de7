/* links: common_http common_obs */
/* The server against clients that behave and clients that do not: keep-alive, pipelines, limits,
 * slow and vanished clients, replies from other threads. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/http/http_client.h"
#include "common/http/http_server.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/raw_client.h"
#include "tests/unit/common/http/no_proxy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct http_server *server;
static int port;
static atomic_int saw_gone, later_runs;
static atomic_bool is_held; /* what would be answered later */

static void answer_text(struct http_request *request, int code, const char *text)
{
    http_reply(request,
               &(struct http_reply){
                   .code = code, .type = "text/plain", .body = text, .size = strlen(text)});
}

static void *answer_later(void *arg)
{
    struct http_request *request = arg;

    atomic_fetch_add(&later_runs, 1);
    do {
        clock_pause_ms(50);
    } while (atomic_load(&is_held));
    answer_text(request, 200, "later");
    return NULL;
}

static void *answer_when_gone(void *arg)
{
    struct http_request *request = arg;

    for (int i = 0; i < 6000 && !http_client_gone(request); i++) {
        clock_pause_ms(5);
    }
    atomic_fetch_add(&saw_gone, http_client_gone(request));
    answer_text(request, 200, "nobody reads this");
    return NULL;
}

static void in_a_thread(void *(*run)(void *), struct http_request *request)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, run, request), 0);
    pthread_detach(thread);
}

static bool add_pair(const char *name, const char *value, void *user)
{
    text_printf(user, "%s=%s;", name, value);
    return true;
}

/* "/later" and "/gone" answer from other threads, "/query" tells its parameters, the rest tells
 * what it saw. */
static void handle(struct ctx *ctx, struct http_request *request, void *user)
{
    struct text text = text_new(ctx->arena, 256);
    size_t size;

    (void)user;
    if (http_refused(request) != PROBLEM_NONE) {
        answer_text(request, problem_http(http_refused(request)),
                    problem_code(http_refused(request)));
    } else if (strcmp(http_path(request), "/later") == 0) {
        in_a_thread(answer_later, request);
    } else if (strcmp(http_path(request), "/gone") == 0) {
        in_a_thread(answer_when_gone, request);
    } else if (strcmp(http_path(request), "/query") == 0) {
        http_query(request, add_pair, &text);
        answer_text(request, 200, text.data);
    } else {
        const char *body = http_body(request, &size);

        text_printf(&text, "%s %s %zu %.20s %s", http_method(request), http_path(request), size,
                    size ? body : "-", http_client_address(request));
        http_reply_header(request, "X-Seen", "yes");
        answer_text(request, 200, text.data);
    }
}

static void start_with(int idle_timeout_s)
{
    server = http_server_start(&(struct http_options){
        .address = "127.0.0.1", .threads = 2, .idle_timeout_s = idle_timeout_s, .handle = handle});
    ck_assert_ptr_nonnull(server);
    port = http_server_port(server);
}

static void start(void)
{
    start_with(60);
}

static void stop(void)
{
    http_server_drain(server, 2000);
    http_server_free(server);
}

static int say(const char *text)
{
    int fd = raw_connect(port);

    ck_assert_int_ge(fd, 0);
    ck_assert(raw_send(fd, text));
    return fd;
}

static struct raw_reply reply;

START_TEST(a_kept_connection_serves_request_after_request)
{
    int fd = raw_connect(port);

    for (int i = 0; i < 5; i++) {
        ck_assert(raw_send(fd, "GET /a?x=1 HTTP/1.1\r\nHost: x\r\n\r\n"));
        ck_assert(raw_reply(fd, &reply));
        ck_assert_int_eq(reply.code, 200);
        ck_assert_str_eq(reply.body, "GET /a 0 - 127.0.0.1");
        ck_assert_str_eq(raw_header(&reply, "X-Seen"), "yes");
    }
    close(fd);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
    int fd = say("GET /one HTTP/1.1\r\nHost: x\r\n\r\n"
                 "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
                 "POST /three HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
                 "GET /four HTTP/1.1\r\nHost: x\r\n\r\n");
    static const char *const bodies[] = {"GET /one 0 - 127.0.0.1", "later",
                                         "POST /three 3 abc 127.0.0.1", "GET /four 0 - 127.0.0.1"};

    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        ck_assert(raw_reply(fd, &reply));
        ck_assert_str_eq(reply.body, bodies[i]);
    }
    close(fd);
}
END_TEST

START_TEST(another_thread_may_reply_to_a_hundred_waiting_requests)
{
    int fds[100];

    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        ck_assert(raw_reply(fds[i], &reply));
        ck_assert_str_eq(reply.body, "later");
        close(fds[i]);
    }
}
END_TEST

START_TEST(head_tells_the_length_without_the_body)
{
    int fd = say("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");

    ck_assert(raw_reply_no_body(fd, &reply));
    ck_assert_int_eq(reply.code, 200);
    ck_assert_str_eq(raw_header(&reply, "Content-Length"), "21");
    char rest[64];
    ck_assert_uint_eq(raw_read(fd, rest, sizeof(rest), 100), 0);
    close(fd);
}
END_TEST

START_TEST(a_client_that_expects_100_gets_it_before_it_sends)
{
    int fd =
        say("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");

    ck_assert(raw_reply_no_body(fd, &reply));
    ck_assert_int_eq(reply.code, 100);
    ck_assert(raw_send(fd, "abc"));
    ck_assert(raw_reply(fd, &reply));
    ck_assert_str_eq(reply.body, "POST /a 3 abc 127.0.0.1");
    close(fd);
}
END_TEST

START_TEST(a_chunked_body_is_put_together)
{
    int fd = say("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");

    ck_assert(raw_reply(fd, &reply));
    ck_assert_str_eq(reply.body, "POST /a 7 abcdefg 127.0.0.1");
    close(fd);
}
END_TEST

START_TEST(parameters_are_decoded_and_kept_in_order)
{
    int fd = say("GET /query?b=1&a=x%20y+z&c&a=%C3%A9 HTTP/1.1\r\nHost: x\r\n\r\n");

    ck_assert(raw_reply(fd, &reply));
    ck_assert_str_eq(reply.body, "b=1;a=x y z;c=;a=\xc3\xa9;");
    close(fd);
}
END_TEST

START_TEST(a_parameter_that_is_no_text_is_a_bad_request)
{
    static const char *const bad[] = {"a=%00", "a=%ff", "a=%4", "a=%zz", "%C3=1"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char request[128];

        snprintf(request, sizeof(request), "GET /query?%s HTTP/1.1\r\nHost: x\r\n\r\n", bad[i]);
        int fd = say(request);
        ck_assert(raw_reply(fd, &reply));
        ck_assert_int_eq(reply.code, 400);
        close(fd);
    }
}
END_TEST

/* GW-06 */
START_TEST(ten_megabytes_are_refused_at_once_and_the_client_sees_why)
{
    static char block[64 * 1024];
    int fd = say("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10485760\r\n\r\n");
    int64_t begun = clock_monotonic_ms();

    for (int i = 0; i < 160; i++) { /* a client that sends all before it reads */
        if (!raw_send_bytes(fd, block, sizeof(block))) {
            break;
        }
    }
    ck_assert(raw_reply(fd, &reply));
    ck_assert_int_eq(reply.code, 413);
    ck_assert_str_eq(reply.body, "too_large");
    ck_assert_str_eq(raw_header(&reply, "Connection"), "close");
    ck_assert(raw_is_closed(fd, 30000));
    ck_assert_int_lt(clock_monotonic_ms() - begun, 30000);
    close(fd);
}
END_TEST

START_TEST(a_chunked_body_past_the_limit_is_refused)
{
    static char block[10000];
    int fd = say("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");

    memset(block, 'a', sizeof(block));
    for (int i = 0; i < 8; i++) {
        ck_assert(raw_send(fd, "2710\r\n"));
        ck_assert(raw_send_bytes(fd, block, sizeof(block)));
        ck_assert(raw_send(fd, "\r\n"));
    }
    ck_assert(raw_send(fd, "0\r\n\r\n"));
    ck_assert(raw_reply(fd, &reply));
    ck_assert_int_eq(reply.code, 413);
    close(fd);
}
END_TEST

START_TEST(a_body_of_exactly_the_limit_is_taken)
{
    static char body[64 * 1024];
    int fd = say("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n");

    memset(body, 'b', sizeof(body));
    ck_assert(raw_send_bytes(fd, body, sizeof(body)));
    ck_assert(raw_reply(fd, &reply));
    ck_assert_int_eq(reply.code, 200);
    ck_assert_ptr_nonnull(strstr(reply.body, "POST /a 65536 bbbb"));
    close(fd);
}
END_TEST

static int code_of(const char *head, size_t filler, const char *tail)
{
    char *text = malloc(strlen(head) + filler + strlen(tail) + 1);

    memcpy(text, head, strlen(head)); /* NOLINT(bugprone-not-null-terminated-result): below */
    memset(text + strlen(head), 'x', filler);
    memcpy(text + strlen(head) + filler, tail, strlen(tail) + 1);
    int fd = say(text);
    free(text);
    int code = raw_reply(fd, &reply) ? reply.code : -1;
    close(fd);
    return code;
}

START_TEST(addresses_and_headers_have_limits)
{
    ck_assert_int_eq(code_of("GET /", 4000, " HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    ck_assert_int_eq(code_of("GET /", 4200, " HTTP/1.1\r\nHost: x\r\n\r\n"), 414);
    ck_assert_int_eq(code_of("GET / HTTP/1.1\r\nHost: x\r\nX-A: ", 7000, "\r\n\r\n"), 200);
    ck_assert_int_eq(code_of("GET / HTTP/1.1\r\nHost: x\r\nX-A: ", 8300, "\r\n\r\n"), 431);
    ck_assert_int_eq(code_of("GET /", 40000, " HTTP/1.1\r\nHost: x\r\n\r\n"), 414);
    ck_assert_int_eq(code_of("GET / HTTP/1.1\r\nHost: x\r\nX-A: ", 40000, "\r\n\r\n"), 431);
}
END_TEST

START_TEST(a_body_with_two_lengths_is_refused)
{
    int fd = say("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n");

    ck_assert(raw_reply(fd, &reply));
    ck_assert_int_eq(reply.code, 400);
    ck_assert(raw_is_closed(fd, 30000));
    close(fd);
}
END_TEST

START_TEST(garbage_gets_400_and_the_next_client_is_served)
{
    int fd = say("\x16\x03\x01 hello?\r\n\r\n");

    ck_assert(raw_reply_no_body(fd, &reply));
    ck_assert_int_eq(reply.code, 400);
    ck_assert(raw_is_closed(fd, 30000));
    close(fd);
    a_kept_connection_serves_request_after_request_fn(0);
}
END_TEST

START_TEST(a_client_that_trickles_is_cut)
{
    stop();
    start_with(2);
    int fd = say("GET /a HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    int64_t begun = clock_monotonic_ms();

    while (clock_monotonic_ms() - begun < 30000 && raw_send(fd, "a")) {
        clock_pause_ms(200);
    }
    ck_assert_int_lt(clock_monotonic_ms() - begun, 25000);
    close(fd);
}
END_TEST

START_TEST(an_idle_connection_is_closed_in_time)
{
    stop();
    start_with(2);
    int fd = raw_connect(port);

    ck_assert(raw_is_closed(fd, 30000));
    close(fd);
}
END_TEST

START_TEST(a_client_that_vanishes_while_it_waits_is_noticed)
{
    int fd = say("GET /gone HTTP/1.1\r\nHost: x\r\n\r\n");

    clock_pause_ms(50);
    close(fd);
    for (int i = 0; i < 3000 && !atomic_load(&saw_gone); i++) {
        clock_pause_ms(20);
    }
    ck_assert_int_eq(atomic_load(&saw_gone), 1);
}
END_TEST

static int say_a(const struct http_server *to)
{
    int fd = raw_connect(http_server_port(to));

    ck_assert(raw_send(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"));
    return fd;
}

START_TEST(one_address_cannot_take_all_connections)
{
    struct http_server *small = http_server_start(&(struct http_options){
        .address = "127.0.0.1", .threads = 2, .max_connections_per_address = 3, .handle = handle});
    int fds[3];

    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = say_a(small);
        ck_assert(raw_reply(fds[i], &reply));
    }
    int one_more = raw_connect(http_server_port(small));
    ck_assert(raw_is_closed(one_more, 30000));
    close(one_more);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        close(fds[i]);
    }
    http_server_free(small);
}
END_TEST

START_TEST(who_comes_while_all_places_are_taken_waits_for_one)
{
    struct http_server *small = http_server_start(&(struct http_options){
        .address = "127.0.0.1", .threads = 2, .max_connections = 4, .handle = handle});
    int fds[5];

    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = say_a(small);
        ck_assert(i == 4 || raw_reply(fds[i], &reply));
    }
    ck_assert(!raw_is_closed(fds[4], 300));
    close(fds[0]);
    ck_assert(raw_reply(fds[4], &reply));
    ck_assert_int_eq(reply.code, 200);
    for (size_t i = 1; i < ARRAY_LEN(fds); i++) {
        close(fds[i]);
    }
    http_server_free(small);
}
END_TEST

/* Each goes as soon as it was answered. */
static void ask_while_all_places_are_taken(int port_of_small)
{
    int fds[40];

    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = raw_connect(port_of_small);
        ck_assert(raw_send(fds[i], "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        ck_assert(raw_reply(fds[i], &reply));
        ck_assert_int_eq(reply.code, 200);
        close(fds[i]);
    }
}

START_TEST(many_that_come_while_all_places_are_taken_are_let_in_one_by_one_and_at_once)
{
    enum { ALL_MS = 2500 }; /* let in at the door's ticks they would take 3.5 s */
    struct http_server *small = http_server_start(&(struct http_options){
        .address = "127.0.0.1", .threads = 2, .max_connections = 4, .handle = handle});

    ck_assert_quick(ALL_MS, ask_while_all_places_are_taken(http_server_port(small)));
    http_server_free(small);
}
END_TEST

static void *drain(void *unused)
{
    (void)unused;
    http_server_drain(server, PATIENCE_MS);
    return NULL;
}

START_TEST(a_drain_answers_what_runs_and_takes_nobody_new)
{
    atomic_store(&is_held, true);
    int fd = say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n"), newcomer = 0;
    pthread_t drains;

    for (int i = 0; i < 3000 && !atomic_load(&later_runs); i++) {
        clock_pause_ms(20);
    }
    ck_assert_int_eq(pthread_create(&drains, NULL, drain, NULL), 0);
    for (int i = 0; i < 3000 && (newcomer = raw_connect(port)) >= 0; i++) {
        close(newcomer);
        clock_pause_ms(20);
    }
    ck_assert_int_lt(newcomer, 0);
    atomic_store(&is_held, false);
    pthread_join(drains, NULL);
    ck_assert(raw_reply(fd, &reply));
    ck_assert_str_eq(reply.body, "later");
    ck_assert_str_eq(raw_header(&reply, "Connection"), "close");
    close(fd);
}
END_TEST

static const struct http_client_options patient = {.timeout_ms = PATIENCE_MS,
                                                   .connect_timeout_ms = PATIENCE_MS};

START_TEST(our_client_and_server_understand_each_other)
{
    struct ctx *ctx = ctx_new_system("test");
    AUTO(http_client) struct http_client *client = http_client_new(&patient);
    struct http_answer answer;

    for (int i = 0; i < 2; i++) {
        struct http_call call = {
            .method = "POST",
            .url = arena_printf(ctx->arena, "http://127.0.0.1:%d/p", port),
            .headers = (const char *const[]){"X-Test: 1", NULL},
            .body = "hello",
            .size = 5
        };
        ck_assert_int_eq(http_client_call(ctx, client, &call, &answer), ST_OK);
        ck_assert_int_eq(answer.code, 200);
        ck_assert_str_eq(answer.body, "POST /p 5 hello 127.0.0.1");
        ck_assert_str_eq(http_client_header(ctx, client, "x-seen"), "yes");
    }
    ctx_free(ctx);
}
END_TEST

START_TEST(our_client_gives_up_in_time_and_says_what_happened)
{
    struct ctx *ctx = ctx_new_system("test");
    AUTO(http_client)
    struct http_client *hasty = http_client_new(&(struct http_client_options){.timeout_ms = 20});
    AUTO(http_client) struct http_client *client = http_client_new(&patient);
    struct http_answer answer;
    struct http_call call = {.method = "GET",
                             .url = arena_printf(ctx->arena, "http://127.0.0.1:%d/gone", port)};

    ck_assert_int_eq(http_client_call(ctx, hasty, &call, &answer), ST_TIMEOUT);
    call.url = "http://127.0.0.1:1/";
    ck_assert_int_eq(http_client_call(ctx, client, &call, &answer), ST_UNAVAILABLE);
    call.url = "file:///etc/passwd";
    ck_assert_int_eq(http_client_call(ctx, client, &call, &answer), ST_INVALID);
    ctx_free(ctx);
    clock_pause_ms(100);
}
END_TEST

START_TEST(a_port_that_another_server_has_is_refused)
{
    ck_assert_ptr_null(http_server_start(&(struct http_options){
        .address = "127.0.0.1", .port = port, .threads = 2, .handle = handle}));
}
END_TEST

TEST_MAIN_AROUND(
    "http server", (&(struct test_around){.start = forget_proxies, .before = start, .after = stop}),
    a_port_that_another_server_has_is_refused, a_kept_connection_serves_request_after_request,
    pipelined_requests_are_answered_in_order,
    another_thread_may_reply_to_a_hundred_waiting_requests, head_tells_the_length_without_the_body,
    a_client_that_expects_100_gets_it_before_it_sends, a_chunked_body_is_put_together,
    parameters_are_decoded_and_kept_in_order, a_parameter_that_is_no_text_is_a_bad_request,
    ten_megabytes_are_refused_at_once_and_the_client_sees_why,
    a_chunked_body_past_the_limit_is_refused, a_body_of_exactly_the_limit_is_taken,
    addresses_and_headers_have_limits, a_body_with_two_lengths_is_refused,
    garbage_gets_400_and_the_next_client_is_served, a_client_that_trickles_is_cut,
    an_idle_connection_is_closed_in_time, a_client_that_vanishes_while_it_waits_is_noticed,
    a_drain_answers_what_runs_and_takes_nobody_new, our_client_and_server_understand_each_other,
    our_client_gives_up_in_time_and_says_what_happened,
    who_comes_while_all_places_are_taken_waits_for_one,
    many_that_come_while_all_places_are_taken_are_let_in_one_by_one_and_at_once,
    one_address_cannot_take_all_connections)
