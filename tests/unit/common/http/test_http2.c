/* links: common_http */
/* Many calls on one HTTP/2 connection, to a host that the test plays frame by frame: what it
 * bears, what it refuses, that it goes; and the client's own end. Whatever happens, a call is
 * done once. */
#include "tests/unit/common/http/http2_calls.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what goes well ---- */

START_TEST(a_call_is_answered_with_code_body_and_retry_after)
{
    static const uint8_t head[] = {0x08, 3,    '4', '2', '9',  /* :status */
                                   0x0f, 0x26, 2,   '3', '0'}; /* retry-after */

    start();
    struct one *one = post();
    accept_client(10);
    uint32_t stream = next_call();
    ck_assert_uint_eq(frame.size, 5);
    ck_assert_mem_eq(frame.payload, "hello", 5);
    http2_peer_send(&peer, H2_HEADERS, H2_END_HEADERS, stream, head, sizeof(head));
    http2_peer_send(&peer, H2_DATA, 0, stream, "too ", 4);
    http2_peer_send(&peer, H2_DATA, H2_END_STREAM, stream, "many", 4);
    expect_code(one, 429);
    ck_assert_str_eq(one->answer.body, "too many");
    ck_assert_int_eq(one->answer.retry_after_s, 30);
    ck_assert_ptr_null(one->answer.error);
    http2_peer_close(&peer);
}
END_TEST

START_TEST(of_a_long_answer_the_beginning_is_kept)
{
    char part[200];

    memset(part, 'x', sizeof(part));
    start();
    struct one *one = post();
    accept_client(10);
    uint32_t stream = next_call();
    http2_peer_send(&peer, H2_HEADERS, H2_END_HEADERS, stream, &(uint8_t){0x88}, 1);
    for (int i = 0; i < 10; i++) {
        http2_peer_send(&peer, H2_DATA, i == 9 ? H2_END_STREAM : 0, stream, part, sizeof(part));
    }
    expect_code(one, 200);
    ck_assert_uint_eq(strlen(one->answer.body), HTTP_MULTI_ANSWER - 1);
    http2_peer_close(&peer);
}
END_TEST

/* The client acknowledges the host's first word when it hears it, and what it begins then comes
 * behind. */
START_TEST(one_call_is_under_way_until_the_host_has_said_how_many_it_bears)
{
    struct one *of[3];

    start();
    for (int i = 0; i < 3; i++) {
        of[i] = post();
    }
    peer = http2_host_accept(&host);
    ck_assert_uint_eq(next_call(), 1);
    http2_peer_settle(&peer, 2);
    do {
        ck_assert(http2_peer_read(&peer, &frame));
        ck_assert_int_ne(frame.type, H2_HEADERS);
    } while (frame.type != H2_SETTINGS || !(frame.flags & H2_ACK));
    ck_assert_uint_eq(next_call(), 3);
    fence();
    answer(1);
    ck_assert_uint_eq(next_call(), 5);
    answer(5);
    answer(3);
    for (int i = 0; i < 3; i++) {
        expect_code(of[i], 200);
    }
    http2_peer_close(&peer);
}
END_TEST

START_TEST(no_more_calls_are_under_way_than_the_options_say)
{
    start_with(&(struct http_multi_options){.streams = 2});
    struct one *of[] = {post(), post(), post()};
    accept_client(100);
    next_call();
    next_call();
    fence();
    answer(3);
    ck_assert_uint_eq(next_call(), 5);
    answer(5);
    answer(1);
    for (int i = 0; i < 3; i++) {
        expect_code(of[i], 200);
    }
    http2_peer_close(&peer);
}
END_TEST

/* Of the first call, and how many heads of others came meanwhile. */
static int read_body(char *body, size_t most)
{
    size_t size = 0;
    int others = 0;

    while (size < most) {
        read_frame();
        if (frame.type == H2_DATA && frame.stream == 1) {
            memcpy(body + size, frame.payload, frame.size);
            size += frame.size;
        }
        others += frame.stream != 1;
    }
    ck_assert_uint_eq(size, most);
    return others;
}

START_TEST(a_body_larger_than_the_window_arrives_whole)
{
    enum { SIZE = 300000 };
    char *body = make_body(SIZE), *came = malloc(SIZE);

    start();
    struct one *one = post_body(body, SIZE);
    accept_client(10);
    ck_assert_uint_eq(next(H2_HEADERS), 1);
    read_body(came, WINDOW);
    fence(); /* and not a byte more */
    http2_peer_send_number(&peer, H2_WINDOW_UPDATE, 0, SIZE);
    http2_peer_send_number(&peer, H2_WINDOW_UPDATE, 1, SIZE);
    read_body(came + WINDOW, SIZE - WINDOW);
    ck_assert_int_eq(frame.flags, H2_END_STREAM);
    ck_assert_mem_eq(came, body, SIZE);
    answer(1);
    expect_code(one, 200);
    http2_peer_close(&peer);
    free(body);
    free(came);
}
END_TEST

START_TEST(who_waits_for_a_host_that_reads_late_uses_no_cpu_and_sends_all)
{
    char *body = make_body(HUGE_SIZE), *came = malloc(HUGE_SIZE);

    start();
    struct one *one = post_body(body, HUGE_SIZE);
    accept_client(10);
    next(H2_HEADERS);
    bear_all();
    expect_quiet();
    struct one *other = post_body(NULL, 0);
    expect_quiet();
    if (!read_body(came, HUGE_SIZE)) {
        ck_assert_uint_eq(next(H2_HEADERS), 3);
    }
    ck_assert_mem_eq(came, body, HUGE_SIZE);
    answer(1);
    answer(3);
    expect_code(one, 200);
    expect_code(other, 200);
    http2_peer_close(&peer);
    free(body);
    free(came);
}
END_TEST

START_TEST(a_call_wakes_a_client_that_sleeps)
{
    start();
    for (uint32_t stream = 1; stream < 7; stream += 2) {
        struct one *one = post();

        if (stream == 1) {
            accept_client(10);
        }
        ck_assert_uint_eq(next_call(), stream);
        answer(stream);
        expect_code(one, 200);
        expect_quiet();
    }
    http2_peer_close(&peer);
}
END_TEST

START_TEST(what_comes_with_each_call_is_said_once)
{
    char line[LINE_SIZE] = "apns-topic: ";
    size_t sizes[2];

    memset(line + strlen(line), 'x', sizeof(line) - strlen(line) - 1);
    start();
    for (int i = 0; i < 2; i++) {
        struct one *one = &ones[atomic_fetch_add(&posted, 1)];
        one->call = (struct http_multi_call){
            .url = "/3/device/1",
            .headers = {line, "apns-id: 1"},
            .shared = 1,
            .done = note,
            .user = one
        };
        http2_post(http2, &one->call);
        if (i == 0) {
            accept_client(10);
        }
        answer(next(H2_HEADERS));
        sizes[i] = frame.size;
        expect_code(one, 200);
    }
    ck_assert_uint_gt(sizes[0], LINE_SIZE / 2);
    ck_assert_uint_lt(sizes[1], LINE_SIZE / 4);
    http2_peer_close(&peer);
}
END_TEST

static void *post_many(void *count)
{
    for (int i = 0; i < *(int *)count; i++) {
        post();
    }
    return NULL;
}

START_TEST(calls_of_many_threads_are_each_answered_once)
{
    int each = 100;
    pthread_t threads[THREADS];

    start();
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, post_many, &each), 0);
    }
    accept_client(10);
    for (int i = 0; i < THREADS * each; i++) {
        answer(next_call());
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < THREADS * each; i++) {
        expect_code(&ones[i], 200);
    }
    http2_peer_close(&peer);
}
END_TEST

/* ---- what the host refuses ---- */

START_TEST(a_refused_call_is_sent_again_once)
{
    start();
    struct one *one = post();
    accept_client(10);
    http2_peer_send_number(&peer, H2_RST_STREAM, next_call(), H2_REFUSED_STREAM);
    ck_assert_uint_eq(next_call(), 3);
    ck_assert_mem_eq(frame.payload, "hello", 5);
    answer(3);
    expect_code(one, 200);

    one = post();
    http2_peer_send_number(&peer, H2_RST_STREAM, next_call(), H2_REFUSED_STREAM);
    http2_peer_send_number(&peer, H2_RST_STREAM, next_call(), H2_REFUSED_STREAM);
    expect_error(one, false);
    fence();
    http2_peer_close(&peer);
}
END_TEST

/* A call that the host may have looked at is not sent again. */
START_TEST(a_call_that_was_reset_ends)
{
    start();
    struct one *one = post();
    accept_client(10);
    uint32_t stream = next_call();
    http2_peer_send(&peer, H2_HEADERS, H2_END_HEADERS, stream, &(uint8_t){0x88}, 1);
    http2_peer_send_number(&peer, H2_RST_STREAM, stream, 2);
    expect_error(one, false);
    fence();
    http2_peer_close(&peer);
}
END_TEST

enum { LEAVE_MS = 3000 }; /* what a host that goes has for the calls under way */

/* False: this machine was so busy that the host answered too late. */
static bool is_answered_by_who_goes(struct one *one, int64_t gone_ms)
{
    if (wait_for(one)->code == 0 && clock_monotonic_ms() - gone_ms >= LEAVE_MS) {
        return false;
    }
    expect_code(one, 200);
    return true;
}

static bool rest_goes_to_a_new_connection(void)
{
    start();
    struct one *of[] = {post(), post(), post(), NULL};
    accept_client(10);
    for (int i = 0; i < 3; i++) {
        next_call();
    }
    int64_t gone_ms = clock_monotonic_ms();
    http2_peer_go_away(&peer, 1);
    try_fence();
    of[3] = post(); /* while it goes */
    try_fence();
    answer(1);
    if (!is_answered_by_who_goes(of[0], gone_ms)) {
        return false;
    }
    expect_closed();
    accept_client(10);
    for (int i = 0; i < 3; i++) {
        answer(next_call());
    }
    for (int i = 1; i < 4; i++) {
        expect_code(of[i], 200);
    }
    return true;
}

START_TEST(a_host_that_goes_answers_what_it_took_and_the_rest_goes_to_a_new_connection)
{
    try_until(rest_goes_to_a_new_connection);
}
END_TEST

static bool idle_uses_no_cpu_after_a_host_has_gone(void)
{
    start();
    struct one *one = post();
    accept_client(10);
    next_call();
    int64_t gone_ms = clock_monotonic_ms();
    http2_peer_go_away(&peer, 1);
    answer(1);
    if (!is_answered_by_who_goes(one, gone_ms)) {
        return false;
    }
    expect_closed();
    clock_pause_ms(LEAVE_MS + 500);
    expect_quiet();
    return true;
}

START_TEST(after_a_host_has_gone_an_idle_client_uses_no_cpu)
{
    try_until(idle_uses_no_cpu_after_a_host_has_gone);
}
END_TEST

/* ---- ends ---- */

START_TEST(stopping_without_a_call_or_between_calls_is_fine)
{
    start();
    stop();
    start();
    struct one *one = post();
    accept_client(10);
    answer(next_call());
    expect_code(one, 200);
    expect_quiet();
    stop();
    expect_closed();
}
END_TEST

START_TEST(stopping_amid_calls_ends_them)
{
    start_with(&(struct http_multi_options){.streams = 2});
    struct one *of[] = {post(), post(), post()};
    accept_client(10);
    next_call();
    next_call();
    stop();
    for (int i = 0; i < 3; i++) {
        expect_error(of[i], false);
    }
    expect_closed();
}
END_TEST

START_TEST(stopping_amid_connecting_ends_the_calls)
{
    start();
    struct one *of[] = {post(), post()};
    int fd = http2_host_accept_tcp(&host);
    stop();
    expect_error(of[0], false);
    expect_error(of[1], false);
    close(fd);
}
END_TEST

static struct one *again;

static void post_again(struct http_multi_call *call, const struct http_multi_answer *why)
{
    note(call, why);
    if (!is_done(again)) {
        http2_post(http2, &again->call);
    }
}

/* Posts from done(); the other call is in line until that one has ended. */
static struct one *post_twice(void)
{
    struct one *one = &ones[atomic_fetch_add(&posted, 2)];

    again = one + 1;
    one->call = (struct http_multi_call){.url = "/1", .done = post_again, .user = one};
    again->call = (struct http_multi_call){.url = "/2", .done = note, .user = again};
    http2_post(http2, &one->call);
    return one;
}

START_TEST(who_is_told_the_end_of_a_call_may_post_another)
{
    start();
    struct one *one = post_twice();
    accept_client(10);
    answer(next(H2_HEADERS));
    expect_code(one, 200);
    answer(next(H2_HEADERS));
    expect_code(again, 200);
    one = post_twice();
    next(H2_HEADERS);
    http2_peer_close(&peer); /* one ends by that */
    accept_client(10);
    answer(next(H2_HEADERS));
    expect_code(again, 200);
    http2_peer_close(&peer);
    ck_assert_int_eq(one->answer.code, 0);
}
END_TEST

static atomic_bool goes_on;

static void try_again(struct http_multi_call *call, const struct http_multi_answer *why)
{
    if (atomic_load(&goes_on)) {
        http2_post(http2, call);
    } else {
        note(call, why);
    }
}

START_TEST(a_call_that_is_posted_when_it_has_failed_is_tried_anew)
{
    struct one *one = &ones[atomic_fetch_add(&posted, 1)];

    start();
    atomic_store(&goes_on, true);
    one->call = (struct http_multi_call){.url = "/1", .done = try_again, .user = one};
    http2_post(http2, &one->call);
    for (int i = 3; i > 0; i--) {
        int fd = http2_host_accept_tcp(&host);
        atomic_store(&goes_on, i > 1);
        close(fd);
    }
    expect_error(one, false);
}
END_TEST

/* ---- a proxy ---- */

static void pass_on(int from, int to)
{
    char bytes[4096];
    ssize_t size = read(from, bytes, sizeof(bytes));

    if (size <= 0 || write(to, bytes, (size_t)size) != size) {
        shutdown(from, SHUT_RDWR);
        shutdown(to, SHUT_RDWR);
    }
}

static int connect_to(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static char asked_of_proxy[1024];

/* One connection, as long as it lasts. */
static void *be_proxy(void *listener)
{
    static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    int client = accept4(*(int *)listener, NULL, NULL, SOCK_CLOEXEC), server;
    size_t size = 0;

    while (!strstr(asked_of_proxy, "\r\n\r\n")) {
        ck_assert_int_eq(read(client, asked_of_proxy + size, 1), 1);
        size++;
    }
    server = connect_to(host.port);
    ck_assert_int_gt(write(client, yes, sizeof(yes) - 1), 0);
    struct pollfd ends[] = {
        {.fd = client, .events = POLLIN},
        {.fd = server, .events = POLLIN}
    };
    while (poll(ends, 2, PATIENCE_MS) > 0 && !((ends[0].revents | ends[1].revents) & POLLHUP)) {
        for (int i = 0; i < 2; i++) {
            if (ends[i].revents & POLLIN) {
                pass_on(ends[i].fd, ends[1 - i].fd);
            }
        }
    }
    close(client);
    close(server);
    return NULL;
}

START_TEST(a_proxy_of_the_environment_is_passed)
{
    struct http2_host proxy;
    pthread_t thread;
    char expected[64];

    http2_host_start(&proxy);
    setenv("https_proxy", proxy.url + strlen("https://"), 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, be_proxy, &proxy.listener), 0);
    start();
    struct one *one = post();
    accept_client(10);
    answer(next_call());
    expect_code(one, 200);
    stop();
    http2_peer_close(&peer);
    pthread_join(thread, NULL);
    snprintf(expected, sizeof(expected), "CONNECT 127.0.0.1:%d HTTP/1.1\r\n", host.port);
    ck_assert_mem_eq(asked_of_proxy, expected, strlen(expected));
    http2_host_stop(&proxy);
}
END_TEST

TEST_MAIN_AROUND(
    "http2", (&(struct test_around){.before = before, .after = after}),
    a_call_is_answered_with_code_body_and_retry_after, of_a_long_answer_the_beginning_is_kept,
    one_call_is_under_way_until_the_host_has_said_how_many_it_bears,
    no_more_calls_are_under_way_than_the_options_say, a_body_larger_than_the_window_arrives_whole,
    who_waits_for_a_host_that_reads_late_uses_no_cpu_and_sends_all,
    a_call_wakes_a_client_that_sleeps, what_comes_with_each_call_is_said_once,
    calls_of_many_threads_are_each_answered_once, a_refused_call_is_sent_again_once,
    a_call_that_was_reset_ends,
    a_host_that_goes_answers_what_it_took_and_the_rest_goes_to_a_new_connection,
    after_a_host_has_gone_an_idle_client_uses_no_cpu,
    stopping_without_a_call_or_between_calls_is_fine, stopping_amid_calls_ends_them,
    stopping_amid_connecting_ends_the_calls, who_is_told_the_end_of_a_call_may_post_another,
    a_call_that_is_posted_when_it_has_failed_is_tried_anew, a_proxy_of_the_environment_is_passed)
