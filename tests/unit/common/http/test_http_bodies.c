/* links: common_http common_obs */
/* Bodies that are never sent to their end, or slowly: what they may hold together, and how long. */
#include "common/base/clock.h"
#include "common/http/http_server.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/raw_client.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct raw_reply reply;

/* Tells how many bytes came, or why they were not taken. */
static void handle(struct ctx *ctx, struct http_request *request, void *user)
{
    enum problem refused = http_refused(request);
    char text[32];
    size_t size;

    (void)ctx;
    (void)user;
    (void)http_body(request, &size);
    snprintf(text, sizeof(text), "%zu", size);
    const char *body = refused == PROBLEM_NONE ? text : problem_code(refused);
    http_reply(request, &(struct http_reply){.code = refused ? problem_http(refused) : 200,
                                             .type = "text/plain",
                                             .body = body,
                                             .size = strlen(body)});
}

enum {
    HALVES = 4,
    HALF_SENT = 60000,
    LITTLE = 4096, /* what one small body costs */
    BODY_MEMORY = 256 * 1024 + 8,
    NEVER_MS = 600000
};

/* A chunked body of 60000 bytes, without its end. */
static int say_half(int to)
{
    static char block[10000];
    int fd = raw_connect(to);

    memset(block, 'a', sizeof(block));
    ck_assert(raw_send(fd, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (size_t sent = 0; sent < HALF_SENT; sent += sizeof(block)) {
        ck_assert(raw_send(fd, "2710\r\n"));
        ck_assert(raw_send_bytes(fd, block, sizeof(block)));
        ck_assert(raw_send(fd, "\r\n"));
    }
    return fd;
}

static int code_from(int to, const char *request)
{
    int fd = raw_connect(to);

    ck_assert(raw_send(fd, request));
    int code = raw_reply(fd, &reply) ? reply.code : -1;
    close(fd);
    return code;
}

/* That a client has gone is noticed some time after: until the answer is this. */
static int code_in_time(int to, const char *request, int wanted)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    int code = code_from(to, request);

    while (code != wanted && clock_monotonic_ms() < until) {
        clock_pause_ms(20);
        code = code_from(to, request);
    }
    return code;
}

static void await_body_bytes(const struct http_server *of, size_t least, size_t most)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    struct http_load load;

    http_server_load(of, &load);
    while ((load.body_bytes < least || load.body_bytes > most) && clock_monotonic_ms() < until) {
        clock_pause_ms(5);
        http_server_load(of, &load);
    }
    ck_assert_uint_ge(load.body_bytes, least);
    ck_assert_uint_le(load.body_bytes, most);
}

static void send_halves(const struct http_server *to, int *fds)
{
    for (size_t i = 0; i < HALVES; i++) {
        fds[i] = say_half(http_server_port(to));
    }
    await_body_bytes(to, (size_t)HALVES * HALF_SENT, SIZE_MAX);
}

static struct http_server *start_small(size_t body_memory, int slow_ms)
{
    return http_server_start(&(struct http_options){.address = "127.0.0.1",
                                                    .threads = 2,
                                                    .body_memory = body_memory,
                                                    .slow_ms = slow_ms,
                                                    .idle_timeout_s = NEVER_MS / 1000,
                                                    .handle = handle});
}

static const char small_post[] = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n"
                                 "01234567890123456789";

/* SEC-09: 60000 bytes cost 64 KiB, so that four of them fit. */
START_TEST(bodies_that_are_held_have_one_memory_together)
{
    struct http_server *small = start_small(BODY_MEMORY, NEVER_MS);
    int to = http_server_port(small), fds[HALVES];

    ck_assert_int_eq(code_from(to, small_post), 200);
    await_body_bytes(small, 0, 0); /* what was answered may be held for a moment more */
    send_halves(small, fds);
    ck_assert_int_eq(code_from(to, small_post), 503);
    ck_assert_str_eq(reply.body, problem_code(PROBLEM_OVERLOADED));
    ck_assert_str_eq(raw_header(&reply, "Connection"), "close");
    ck_assert_int_eq(code_from(to, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    for (size_t i = 0; i < HALVES; i++) { /* those that had room are taken to their end */
        ck_assert(raw_send(fds[i], "0\r\n\r\n"));
        ck_assert(raw_reply(fds[i], &reply));
        ck_assert_int_eq(reply.code, 200);
        ck_assert_str_eq(reply.body, "60000");
    }
    ck_assert_int_eq(code_in_time(to, small_post, 200), 200);
    for (size_t i = 0; i < HALVES; i++) {
        close(fds[i]);
    }
    http_server_free(small);
}
END_TEST

/* SEC-09: else one who never ends them could keep all others out. */
START_TEST(who_sends_for_long_gives_way_to_who_comes)
{
    struct http_server *small = start_small(BODY_MEMORY, 1);
    int to = http_server_port(small), fds[HALVES], closed = 0;

    send_halves(small, fds);
    clock_pause_ms(10);
    ck_assert_int_eq(code_from(to, small_post), 200);
    for (size_t i = 0; i < HALVES; i++) {
        bool is_cut = !raw_send(fds[i], "0\r\n\r\n") || !raw_reply(fds[i], &reply);

        closed += is_cut;
        ck_assert(is_cut || reply.code == 200);
        close(fds[i]);
    }
    ck_assert_int_eq(closed, 1);
    http_server_free(small);
}
END_TEST

/* SEC-09: the client with little is the oldest, and slow too. */
START_TEST(of_those_that_send_for_long_who_holds_most_gives_way)
{
    struct http_server *small = start_small(BODY_MEMORY + LITTLE, 1);
    int to = http_server_port(small), fds[HALVES];
    int little = raw_connect(to);

    ck_assert(raw_send(little, "POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "5\r\nhello\r\n"));
    await_body_bytes(small, LITTLE, SIZE_MAX);
    send_halves(small, fds);
    clock_pause_ms(10);
    ck_assert_int_eq(code_from(to, small_post), 200);
    ck_assert(raw_send(little, "0\r\n\r\n"));
    ck_assert(raw_reply(little, &reply));
    ck_assert_str_eq(reply.body, "5");
    close(little);
    for (size_t i = 0; i < HALVES; i++) {
        close(fds[i]);
    }
    http_server_free(small);
}
END_TEST

START_TEST(a_body_without_a_length_that_finds_no_room_is_told_when_it_has_come)
{
    struct http_server *small = start_small(HALF_SENT, NEVER_MS);
    int fd = say_half(http_server_port(small));

    ck_assert(raw_send(fd, "0\r\n\r\n"));
    ck_assert(raw_reply(fd, &reply));
    ck_assert_int_eq(reply.code, 503);
    ck_assert_str_eq(raw_header(&reply, "Connection"), "close");
    ck_assert(raw_is_closed(fd, PATIENCE_MS));
    close(fd);
    ck_assert_int_eq(code_from(http_server_port(small), small_post), 200);
    http_server_free(small);
}
END_TEST

START_TEST(clients_that_go_in_the_middle_of_a_body_leave_their_memory_behind)
{
    struct http_server *small = start_small(BODY_MEMORY, NEVER_MS);
    int to = http_server_port(small), fds[HALVES];

    send_halves(small, fds);
    ck_assert_int_eq(code_from(to, small_post), 503);
    for (size_t i = 0; i < HALVES; i++) {
        close(fds[i]);
    }
    ck_assert_int_eq(code_in_time(to, small_post, 200), 200);
    http_server_free(small);
}
END_TEST

/* How long a client sends before it is cut; 'gap_ms': the longest that it sent nothing. */
static int64_t send_until_cut(int to, int64_t *gap_ms)
{
    static const char block[2048];
    int fd = raw_connect(to);
    int64_t begun = clock_monotonic_ms(), last = begun, now = begun;

    *gap_ms = 0;
    ck_assert(raw_send(fd, "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"));
    while (now - begun < 30000 && raw_send_bytes(fd, block, sizeof(block))) {
        clock_pause_ms(100);
        now = clock_monotonic_ms();
        *gap_ms = now - last > *gap_ms ? now - last : *gap_ms;
        last = now;
    }
    now = clock_monotonic_ms();
    *gap_ms = now - last > *gap_ms ? now - last : *gap_ms;
    close(fd);
    return now - begun;
}

static size_t allow_a_megabyte(struct ctx *ctx, struct http_request *request, void *user)
{
    (void)ctx;
    (void)request;
    (void)user;
    return 1024 * 1024;
}

START_TEST(who_may_send_much_and_sends_steadily_is_cut_in_the_end)
{
    int64_t took, gap;
    int tries = 0;
    struct http_server *patient =
        http_server_start(&(struct http_options){.address = "127.0.0.1",
                                                 .threads = 2,
                                                 .max_body = 1024,
                                                 .allow_body = allow_a_megabyte,
                                                 .idle_timeout_s = 2,
                                                 .longest_read_s = 5,
                                                 .handle = handle});

    do { /* who was held up for a second was not steady */
        took = send_until_cut(http_server_port(patient), &gap);
    } while (gap > 1000 && ++tries < PATIENCE_TRIES);
    ck_assert_int_ge(took, 4000);
    ck_assert_int_lt(took, 25000);
    http_server_free(patient);
}
END_TEST

TEST_MAIN("http bodies", bodies_that_are_held_have_one_memory_together,
          who_sends_for_long_gives_way_to_who_comes,
          of_those_that_send_for_long_who_holds_most_gives_way,
          a_body_without_a_length_that_finds_no_room_is_told_when_it_has_come,
          clients_that_go_in_the_middle_of_a_body_leave_their_memory_behind,
          who_may_send_much_and_sends_steadily_is_cut_in_the_end)
