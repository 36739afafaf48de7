/* links: common_http common_obs */
/* Streams and WebSockets: many, quiet, slow and vanishing clients. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/http/http_server.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/raw_client.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MANY = 500, LARGE = 300 * 1024, PING_MS = 1000, NEVER_MS = 600000 };

static struct http_server *server;
static int port;
static struct http_stream *streams[MANY + 10];
static atomic_int opened, closed, socket_closed;
static struct http_socket *_Atomic last_socket;

static void stream_closed(void *user)
{
    (void)user;
    atomic_fetch_add(&closed, 1);
}

static void echo(struct http_socket *socket, const char *text, size_t size, void *user)
{
    (void)user;
    if (strcmp(text, "bye") == 0) {
        http_socket_close(socket, 1000, "as you wish");
    } else {
        http_socket_send(socket, text, size);
    }
}

static void over(struct http_socket *socket, void *user)
{
    (void)user;
    http_socket_unref(socket);
    atomic_fetch_add(&socket_closed, 1);
}

static void handle(struct ctx *ctx, struct http_request *request, void *user)
{
    static const struct http_socket_events events = {.text = echo, .closed = over};

    (void)ctx;
    (void)user;
    if (strcmp(http_path(request), "/ws") == 0) {
        struct http_socket *socket = http_socket_accept(request, "bearer", &events, NULL);

        atomic_store(&last_socket, socket);
        if (!socket) {
            http_reply(request, &(struct http_reply){.code = 400});
        }
        return;
    }
    int i = atomic_fetch_add(&opened, 1);
    struct http_stream *stream =
        http_stream_open(request, 200, "text/event-stream", 32 * 1024, stream_closed, NULL);

    http_stream_write(stream, ": hello\n\n", 9);
    streams[i] = stream;
}

static void start_with(int ping_ms)
{
    server = http_server_start(&(struct http_options){
        .address = "127.0.0.1", .threads = 2, .ping_ms = ping_ms, .handle = handle});
    ck_assert_ptr_nonnull(server);
    port = http_server_port(server);
}

static void start(void)
{
    start_with(0);
}

static void stop(void)
{
    http_server_drain(server, 3000);
    http_server_free(server);
    for (int i = 0; i < atomic_load(&opened); i++) {
        http_stream_unref(streams[i]);
    }
}

static char text[512 * 1024], large_text[LARGE + 1]; /* ends with '!', which is nowhere else */

static bool becomes(const atomic_int *count, int wanted)
{
    for (int i = 0; i < 3000 && atomic_load(count) != wanted; i++) {
        clock_pause_ms(20);
    }
    return atomic_load(count) == wanted;
}

static void make_large(void)
{
    memset(large_text, 'd', LARGE);
    large_text[LARGE - 1] = '!';
}

static int open_stream(void)
{
    int fd = raw_connect(port);

    ck_assert_int_ge(fd, 0);
    ck_assert(raw_send(fd, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert(raw_read_until(fd, text, sizeof(text), ": hello\n\n", 30000));
    return fd;
}

START_TEST(what_is_written_later_arrives_and_the_end_is_clean)
{
    int fd = open_stream();

    clock_pause_ms(50);
    ck_assert(http_stream_write(streams[0], "data: 1\n\n", 9));
    ck_assert(raw_read_until(fd, text, sizeof(text), "data: 1\n\n", 30000));
    http_stream_end(streams[0]);
    ck_assert(raw_read_until(fd, text, sizeof(text), "0\r\n\r\n", 30000));
    ck_assert(becomes(&closed, 1));
    ck_assert(!http_stream_write(streams[0], "x", 1));
    ck_assert(
        raw_send(fd, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")); /* the connection was kept */
    ck_assert(raw_read_until(fd, text, sizeof(text), ": hello\n\n", 30000));
    close(fd);
}
END_TEST

START_TEST(a_quiet_stream_notices_that_its_client_is_gone)
{
    int fd = open_stream();

    clock_pause_ms(100); /* it sleeps now */
    close(fd);
    ck_assert(becomes(&closed, 1));
    ck_assert(!http_stream_write(streams[0], "x", 1));
}
END_TEST

START_TEST(a_client_that_does_not_read_is_refused_more)
{
    int fd = open_stream();
    static char block[16 * 1024];
    bool wanted = true;

    memset(block, 'd', sizeof(block));
    for (int i = 0; i < 1000 && wanted; i++) {
        wanted = http_stream_write(streams[0], block, sizeof(block));
        clock_pause_ms(1);
    }
    ck_assert(!wanted);
    close(fd);
    ck_assert(becomes(&closed, 1));
}
END_TEST

/* What comes up to that byte is read and dropped. */
static bool hears(int fd, char last)
{
    ssize_t count;

    do {
        count = read(fd, text, sizeof(text));
    } while (count > 0 && !memchr(text, last, (size_t)count));
    return count > 0;
}

/* RT-08: the first event of a large order. */
START_TEST(a_stream_takes_a_write_that_is_larger_than_its_queue)
{
    int fd = open_stream();

    make_large();
    ck_assert(http_stream_write(streams[0], large_text, LARGE));
    ck_assert(hears(fd, '!'));
    ck_assert(http_stream_write(streams[0], "data: 1\n\n", 9));
    close(fd);
}
END_TEST

/* Both ends of each are here. */
static void allow_descriptors(rlim_t count)
{
    struct rlimit limit;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < count) {
        limit.rlim_cur = count;
        ck_assert_msg(setrlimit(RLIMIT_NOFILE, &limit) == 0, "ulimit -n is too small");
    }
}

/* What one costs of memory, `./everything bench sse` measures. */
START_TEST(five_hundred_open_streams_are_fed)
{
    int fds[MANY];

    allow_descriptors(3 * MANY);
    for (int i = 0; i < MANY; i++) {
        fds[i] = open_stream();
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert(http_stream_write(streams[i], "data: all\n\n", 11));
    }
    for (int i = 0; i < MANY; i++) {
        ck_assert(raw_read_until(fds[i], text, sizeof(text), "data: all\n\n", 30000));
        close(fds[i]);
    }
    ck_assert(becomes(&closed, MANY));
}
END_TEST

START_TEST(a_drain_ends_the_streams)
{
    int fd = open_stream();

    http_server_drain(server, PATIENCE_MS);
    ck_assert_int_eq(atomic_load(&closed), 1);
    ck_assert(raw_read_until(fd, text, sizeof(text), "0\r\n\r\n", 30000));
    close(fd);
}
END_TEST

#define WS_HEAD                                                                    \
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
    "Sec-WebSocket-Version: 13\r\n"

static int open_socket(void)
{
    static struct raw_reply reply;
    int fd = raw_connect(port);

    ck_assert(raw_send(fd, WS_HEAD "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    ck_assert(raw_reply_no_body(fd, &reply));
    ck_assert_int_eq(reply.code, 101);
    ck_assert_str_eq(raw_header(&reply, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    ck_assert_str_eq(raw_header(&reply, "Sec-WebSocket-Protocol"), "bearer");
    return fd;
}

static int close_code(int fd)
{
    size_t length;
    int opcode;

    do {
        opcode = raw_frame_read(fd, text, sizeof(text), &length);
    } while (opcode >= 0 && opcode != 8);
    return opcode == 8 && length >= 2 ? (unsigned char)text[0] * 256 + (unsigned char)text[1] : -1;
}

START_TEST(a_socket_echoes_small_and_large_messages)
{
    static char large[64 * 1024];
    int fd = open_socket();
    size_t length;

    ck_assert(raw_frame_send(fd, 1, "hello", 5, true));
    ck_assert_int_eq(raw_frame_read(fd, text, sizeof(text), &length), 1);
    ck_assert_str_eq(text, "hello");
    memset(large, 'l', sizeof(large));
    ck_assert(raw_frame_send(fd, 1, large, sizeof(large), true));
    ck_assert_int_eq(raw_frame_read(fd, text, sizeof(text), &length), 1);
    ck_assert_uint_eq(length, sizeof(large));
    ck_assert(raw_frame_send(fd, 1, "bye", 3, true));
    ck_assert_int_eq(close_code(fd), 1000);
    ck_assert(raw_frame_send(fd, 8, "\x03\xe8", 2, true));
    ck_assert(becomes(&socket_closed, 1));
    close(fd);
}
END_TEST

START_TEST(a_handshake_that_is_none_is_refused)
{
    static const char *const keys[] = {"Sec-WebSocket-Key: short\r\n\r\n", "\r\n"};
    static struct raw_reply reply;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        int fd = raw_connect(port);

        ck_assert(raw_send(fd, WS_HEAD));
        ck_assert(raw_send(fd, keys[i]));
        ck_assert(raw_reply(fd, &reply));
        ck_assert_int_eq(reply.code, 400);
        close(fd);
    }
}
END_TEST

START_TEST(frames_that_break_the_rules_end_the_socket_with_their_code)
{
    static char too_large[64 * 1024 + 1];
    static const struct {
        int opcode;
        const char *bytes;
        size_t size;
        bool masked;
        int code;
    } cases[] = {
        {1, "\xff\xfe", 2,                 true,  1007}, /* no UTF-8 */
        {1, too_large,  sizeof(too_large), true,  1009},
        {1, "unmasked", 8,                 false, 1002},
        {2, "\x01",     1,                 true,  1003}, /* binary */
        {3, "x",        1,                 true,  1002}, /* a reserved opcode */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int fd = open_socket();

        raw_frame_send(fd, cases[i].opcode, cases[i].bytes, cases[i].size, cases[i].masked);
        ck_assert_int_eq(close_code(fd), cases[i].code);
        close(fd);
    }
    ck_assert(becomes(&socket_closed, ARRAY_LEN(cases)));
}
END_TEST

/* A new socket that a pong kept until its second ping; -1: this client was too slow to tell. */
static int open_kept_socket(void)
{
    int64_t opened_ms = clock_monotonic_ms();
    int fd = open_socket(), ended = atomic_load(&socket_closed);
    size_t length;
    bool kept =
        raw_frame_read(fd, text, sizeof(text), &length) == 9 && raw_frame_send(fd, 10, "", 0, true);
    int64_t ponged_ms = clock_monotonic_ms();

    kept = kept && raw_frame_read(fd, text, sizeof(text), &length) == 9 &&
           atomic_load(&socket_closed) == ended;
    if (ponged_ms - opened_ms > 2 * PING_MS - 200 ||
        clock_monotonic_ms() - ponged_ms > 2 * PING_MS - 200) {
        close(fd);
        ck_assert(becomes(&socket_closed, ended + 1));
        return -1;
    }
    ck_assert(kept);
    return fd;
}

START_TEST(a_silent_socket_is_pinged_and_ended_when_no_pong_comes)
{
    int fd = -1, opened_sockets = 0;

    stop();
    start_with(PING_MS);
    for (; fd < 0 && opened_sockets < PATIENCE_TRIES; opened_sockets++) {
        fd = open_kept_socket();
    }
    ck_assert_int_ge(fd, 0);
    ck_assert(becomes(&socket_closed, opened_sockets));
    close(fd);
}
END_TEST

START_TEST(a_socket_whose_client_vanishes_is_ended)
{
    int fd = open_socket();

    close(fd);
    ck_assert(becomes(&socket_closed, 1));
}
END_TEST

START_TEST(a_slow_socket_is_refused_more)
{
    static char block[32 * 1024];
    int fd = open_socket();
    bool wanted = true;

    memset(block, 's', sizeof(block));
    for (int i = 0; i < 1000 && wanted; i++) {
        wanted = http_socket_send(atomic_load(&last_socket), block, sizeof(block));
    }
    ck_assert(!wanted);
    close(fd);
    ck_assert(becomes(&socket_closed, 1));
}
END_TEST

START_TEST(what_was_sent_before_a_close_of_1000_comes_before_it)
{
    static char block[32 * 1024];
    int fd = open_socket(), sent = 0, came = 0, opcode;
    size_t length;

    memset(block, 'b', sizeof(block));
    while (http_socket_send(atomic_load(&last_socket), block, sizeof(block))) {
        sent++;
    }
    http_socket_close(atomic_load(&last_socket), 1000, "that was all");
    do {
        opcode = raw_frame_read(fd, text, sizeof(text), &length);
        came += opcode == 1;
    } while (opcode == 1 || opcode == 9);
    ck_assert_int_eq(opcode, 8);
    ck_assert_int_eq(came, sent);
    close(fd);
    ck_assert(becomes(&socket_closed, 1));
}
END_TEST

enum { HUGE_SIZE = 24 * 1024 * 1024 }; /* more than the kernel takes of who does not read */

/* No silence ends it. */
static int open_socket_that_is_sent(char *huge)
{
    stop();
    start_with(NEVER_MS);
    int fd = open_socket();
    memset(huge, 'h', HUGE_SIZE);
    ck_assert(http_socket_send(atomic_load(&last_socket), huge, HUGE_SIZE));
    return fd;
}

START_TEST(a_close_of_1000_and_what_was_sent_before_it_wait_for_who_reads_late)
{
    enum { LATE_MS = 3000 }; /* longer than who is to say goodbye has */
    char *huge = malloc(HUGE_SIZE + 1);
    int fd = open_socket_that_is_sent(huge);
    size_t length;

    http_socket_close(atomic_load(&last_socket), 1000, "that was all");
    clock_pause_ms(LATE_MS);
    ck_assert_int_eq(raw_frame_read(fd, huge, HUGE_SIZE + 1, &length), 1);
    ck_assert_int_eq(close_code(fd), 1000);
    free(huge);
    close(fd);
}
END_TEST

START_TEST(who_does_not_read_up_to_a_1000_is_ended_by_another_code)
{
    char *huge = malloc(HUGE_SIZE);
    int fd = open_socket_that_is_sent(huge);

    http_socket_close(atomic_load(&last_socket), 1000, "that was all");
    http_socket_close(atomic_load(&last_socket), 1013, "too many");
    ck_assert(becomes(&socket_closed, 1));
    free(huge);
    close(fd);
}
END_TEST

/* RT-01: the snapshot of a long queue. */
START_TEST(a_socket_takes_a_message_that_is_larger_than_its_queue)
{
    int fd = open_socket();
    size_t length;

    make_large();
    ck_assert(http_socket_send(atomic_load(&last_socket), large_text, LARGE));
    ck_assert_int_eq(raw_frame_read(fd, text, sizeof(text), &length), 1);
    ck_assert_uint_eq(length, LARGE);
    ck_assert_str_eq(text, large_text);
    ck_assert(http_socket_send(atomic_load(&last_socket), "more", 4));
    close(fd);
    ck_assert(becomes(&socket_closed, 1));
}
END_TEST

/* While it goes out the client's frames come in as ever. */
START_TEST(a_client_that_is_slow_to_read_a_large_message_keeps_its_socket)
{
    enum { WHOLE = 8 * 1024 * 1024 }; /* more than the kernel takes at once */
    char *whole = malloc(WHOLE), *heard = malloc(WHOLE + 1);
    int fd = open_socket();
    size_t length;

    memset(whole, 'w', WHOLE);
    ck_assert(http_socket_send(atomic_load(&last_socket), whole, WHOLE));
    ck_assert(raw_frame_send(fd, 10, "", 0, true)); /* a pong */
    clock_pause_ms(200);
    ck_assert_int_eq(raw_frame_read(fd, heard, WHOLE + 1, &length), 1);
    ck_assert_uint_eq(length, WHOLE);
    free(whole);
    free(heard);
    close(fd);
}
END_TEST

START_TEST(a_client_that_pings_and_never_reads_is_ended)
{
    enum { PINGS = 2000, ROUNDS = 10000, MASKED_PING = 6 };
    static char pings[PINGS * MASKED_PING];
    int fd = open_socket(), rounds = 0;

    for (size_t i = 0; i < sizeof(pings); i += MASKED_PING) {
        memcpy(pings + i, "\x89\x80\0\0\0\0", MASKED_PING);
    }
    while (rounds < ROUNDS && raw_send_bytes(fd, pings, sizeof(pings))) {
        rounds++;
    }
    ck_assert_int_lt(rounds, ROUNDS);
    ck_assert(becomes(&socket_closed, 1));
    close(fd);
}
END_TEST

START_TEST(a_drain_closes_sockets_with_1001)
{
    int fd = open_socket();

    raw_frame_send(fd, 1, "hello", 5, true);
    http_server_drain(server, 100);
    ck_assert_int_eq(close_code(fd), 1001);
    close(fd);
    ck_assert(becomes(&socket_closed, 1));
}
END_TEST

static void talk(int fd)
{
    size_t length;

    ck_assert(raw_frame_send(fd, 1, "hello", 5, true));
    ck_assert_int_eq(raw_frame_read(fd, text, sizeof(text), &length), 1);
    ck_assert(http_socket_send(atomic_load(&last_socket), "change", 6));
    ck_assert_int_eq(raw_frame_read(fd, text, sizeof(text), &length), 1);
}

/* A client says after 40 ms that it has what came: neither a frame's text nor the next frame waits
 * for that. */
START_TEST(a_screen_that_talks_is_sent_changes_without_delay)
{
    enum { TALKS = 20, ALL_MS = TALKS * 35 };
    int fd = open_socket();

    ck_assert_quick(
        ALL_MS, for (int i = 0; i < TALKS; i++) { talk(fd); });
    close(fd);
}
END_TEST

TEST_MAIN_AROUND("http stream", (&(struct test_around){.before = start, .after = stop}),
                 what_is_written_later_arrives_and_the_end_is_clean,
                 a_quiet_stream_notices_that_its_client_is_gone,
                 a_client_that_does_not_read_is_refused_more,
                 a_stream_takes_a_write_that_is_larger_than_its_queue,
                 five_hundred_open_streams_are_fed, a_drain_ends_the_streams,
                 a_socket_echoes_small_and_large_messages, a_handshake_that_is_none_is_refused,
                 frames_that_break_the_rules_end_the_socket_with_their_code,
                 a_silent_socket_is_pinged_and_ended_when_no_pong_comes,
                 a_socket_whose_client_vanishes_is_ended, a_slow_socket_is_refused_more,
                 what_was_sent_before_a_close_of_1000_comes_before_it,
                 a_close_of_1000_and_what_was_sent_before_it_wait_for_who_reads_late,
                 who_does_not_read_up_to_a_1000_is_ended_by_another_code,
                 a_socket_takes_a_message_that_is_larger_than_its_queue,
                 a_client_that_is_slow_to_read_a_large_message_keeps_its_socket,
                 a_client_that_pings_and_never_reads_is_ended, a_drain_closes_sockets_with_1001,
                 a_screen_that_talks_is_sent_changes_without_delay)
