/* links: common_http common_obs */
/* The server's end, with clients that are slow: to send, to read, to hang up. It comes in time, and
 * what was under way is answered. */
#include "common/base/clock.h"
#include "common/http/http_server.h"
#include "tests/helpers/freeze.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/raw_client.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LARGE = 64 * 1024 * 1024, /* more than the kernel keeps for a client that does not read */
    GRACE_MS = 500,
    SOON_MS = 4500,  /* on top of it; less than the 5 s that who is not cut at once would take */
    LAST_MS = 20000, /* with all that the server waits for who does not read */
    LATER_MS = GRACE_MS + 100, /* after the drain began */
    STILL_MS = 6000,           /* longer than what is late is waited for */
    LONG_MS = 20000,
};

static struct http_server *server;
static int port;
static struct raw_reply reply;
static char *large;
static atomic_bool drains, stands_still, wakes_slowly, has_woken;
static atomic_int held, released, orders;

static void nobody_cares(void *user)
{
    (void)user;
}

static void open_stream(struct http_request *request, size_t more)
{
    struct http_stream *stream =
        http_stream_open(request, 200, "text/event-stream", LARGE + 100, nobody_cares, NULL);

    http_stream_write(stream, ": hello\n\n", 9);
    http_stream_write(stream, large, more);
    http_stream_unref(stream);
}

/* As a machine does from which its time is taken. */
static void stand_still(void)
{
    pid_t self = getpid(), other = fork();

    if (other == 0) {
        freeze(self);
        clock_pause_ms(STILL_MS);
        thaw(self);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(other, NULL, 0), other);
}

static void *answer_later(void *arg)
{
    struct http_request *request = arg;

    while (!atomic_load(&drains)) {
        clock_pause_ms(5);
    }
    clock_pause_ms(LATER_MS);
    if (atomic_load(&stands_still)) {
        stand_still();
        clock_pause_ms(LATER_MS);
    }
    http_reply(request, &(struct http_reply){.code = 200, .body = "later", .size = 5});
    return NULL;
}

/* The server's thread has no time, until one more is released. */
static void hold(void)
{
    int mine = atomic_fetch_add(&held, 1);

    while (atomic_load(&released) <= mine) {
        clock_pause_ms(5);
    }
}

static void handle(struct ctx *ctx, struct http_request *request, void *user)
{
    pthread_t thread;

    (void)ctx;
    (void)user;
    if (strcmp(http_path(request), "/stream") == 0) {
        open_stream(request, LARGE);
    } else if (strcmp(http_path(request), "/short") == 0) {
        http_reply(request, &(struct http_reply){.code = 200, .body = "short", .size = 5});
    } else if (strcmp(http_path(request), "/held") == 0) {
        hold();
        http_reply(request, &(struct http_reply){.code = 200});
    } else if (strcmp(http_path(request), "/order") == 0) {
        atomic_fetch_add(&orders, 1);
        http_reply(request, &(struct http_reply){.code = 200});
    } else if (strcmp(http_path(request), "/quiet") == 0) {
        open_stream(request, 0);
    } else if (strcmp(http_path(request), "/later") == 0) {
        ck_assert_int_eq(pthread_create(&thread, NULL, answer_later, request), 0);
        pthread_detach(thread);
    } else {
        http_reply(request, &(struct http_reply){
                                .code = 200, .body = large, .size = LARGE, .body_is_static = true});
    }
}

static void start_server(int threads)
{
    server = http_server_start(
        &(struct http_options){.address = "127.0.0.1", .threads = threads, .handle = handle});
    ck_assert_ptr_nonnull(server);
    port = http_server_port(server);
}

static void start(void)
{
    large = calloc(1, LARGE);
    ck_assert_ptr_nonnull(large);
    start_server(2);
}

static void stop(void)
{
    free(large);
}

static int say(const char *text)
{
    int fd = raw_connect(port);

    ck_assert_int_ge(fd, 0);
    ck_assert(raw_send(fd, text));
    return fd;
}

static void wait_for(int requests, int streams)
{
    struct http_load load = {.requests = -1};

    for (int i = 0; i < 3000 && (load.requests != requests || load.streams != streams); i++) {
        clock_pause_ms(10);
        http_server_load(server, &load);
    }
    ck_assert_int_eq(load.requests, requests);
    ck_assert_int_eq(load.streams, streams);
}

static int64_t ms_to_end(void)
{
    int64_t begun = clock_monotonic_ms();

    atomic_store(&drains, true);
    http_server_drain(server, GRACE_MS);
    http_server_free(server);
    return clock_monotonic_ms() - begun;
}

static int64_t ms_to_end_amid_halves(void)
{
    int head = say("GET / HTTP/1.1\r\n");
    int body = say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf");

    wait_for(2, 0);
    int64_t took_ms = ms_to_end();
    ck_assert(raw_is_closed(head, 1000));
    ck_assert(raw_is_closed(body, 1000));
    close(head);
    close(body);
    return took_ms;
}

/* K8S-17 */
START_TEST(half_a_request_does_not_hold_up_the_end)
{
    int64_t took_ms = ms_to_end_amid_halves();

    for (int i = 1; i < PATIENCE_TRIES && took_ms >= GRACE_MS + SOON_MS; i++) {
        start_server(2);
        took_ms = ms_to_end_amid_halves();
    }
    ck_assert_int_lt(took_ms, GRACE_MS + SOON_MS);
}
END_TEST

START_TEST(who_does_not_read_does_not_hold_up_the_end)
{
    int reply_fd = say("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    int stream_fd = say("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");

    wait_for(1, 1);
    ck_assert_int_lt(ms_to_end(), LAST_MS);
    close(reply_fd);
    close(stream_fd);
}
END_TEST

START_TEST(what_is_answered_after_the_grace_still_arrives)
{
    int fd = say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");

    wait_for(1, 0);
    ck_assert_int_ge(ms_to_end(), GRACE_MS);
    ck_assert(raw_reply(fd, &reply));
    ck_assert_str_eq(reply.body, "later");
    close(fd);
}
END_TEST

START_TEST(what_is_answered_after_the_machine_stood_still_arrives_too)
{
    int fd = say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");

    wait_for(1, 0);
    atomic_store(&stands_still, true);
    ms_to_end();
    ck_assert(raw_reply(fd, &reply));
    ck_assert_str_eq(reply.body, "later");
    close(fd);
}
END_TEST

struct MHD_Connection;
void MHD_resume_connection(struct MHD_Connection *connection);

/* Instead of libmicrohttpd's, which looks at the daemon once more when the connection's thread may
 * go on already. */
void MHD_resume_connection(struct MHD_Connection *connection)
{
    void (*real)(struct MHD_Connection *) =
        (void (*)(struct MHD_Connection *))dlsym(RTLD_NEXT, "MHD_resume_connection");

    real(connection);
    if (atomic_load(&wakes_slowly)) {
        clock_pause_ms(GRACE_MS);
        atomic_store(&has_woken, true);
    }
}

START_TEST(the_end_waits_for_a_thread_that_wakes_the_server)
{
    int fd = say("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");

    wait_for(1, 0);
    atomic_store(&wakes_slowly, true);
    ms_to_end();
    ck_assert(atomic_load(&has_woken));
    ck_assert(raw_reply(fd, &reply));
    close(fd);
}
END_TEST

static void *drain_long(void *arg)
{
    (void)arg;
    atomic_store(&drains, true);
    http_server_drain(server, LONG_MS);
    return NULL;
}

/* K8S-17 */
START_TEST(in_the_grace_streams_are_told_at_once_and_half_a_request_may_be_finished)
{
    static char text[4096];
    int half = say("GET /later HTTP/1.1\r\n");
    int stream = say("GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n");
    pthread_t thread;

    wait_for(1, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, drain_long, NULL), 0);
    ck_assert(raw_read_until(stream, text, sizeof(text), "0\r\n\r\n", LONG_MS / 2));
    ck_assert(raw_send(half, "Host: x\r\n\r\n"));
    ck_assert(raw_reply(half, &reply));
    ck_assert_str_eq(reply.body, "later");
    pthread_join(thread, NULL);
    http_server_free(server);
    close(half);
    close(stream);
}
END_TEST

START_TEST(a_stream_that_a_kept_connection_opens_meanwhile_is_ended_too)
{
    static char text[4096];
    int half = say("GET /later HTTP/1.1\r\n"); /* so that the drain lasts */
    int fd = say("GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n");
    pthread_t thread;

    wait_for(1, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, drain_long, NULL), 0);
    ck_assert(raw_read_until(fd, text, sizeof(text), "0\r\n\r\n", LONG_MS / 2));
    ck_assert(raw_send(fd, "GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n"));
    ck_assert(raw_read_until(fd, text, sizeof(text), "0\r\n\r\n", LONG_MS / 2));
    close(half);
    close(fd);
    pthread_join(thread, NULL);
    http_server_free(server);
}
END_TEST

static void *end_now(void *arg)
{
    (void)arg;
    ms_to_end();
    return NULL;
}

static void wait_for_held(int count)
{
    for (int i = 0; i < 3000 && atomic_load(&held) != count; i++) {
        clock_pause_ms(10);
    }
    ck_assert_int_eq(atomic_load(&held), count);
}

/* The thread has seen that the rest of the order is there, is busy with another, and reads it when
 * the order was cut. */
START_TEST(who_is_cut_has_ordered_nothing) /* K8S-17 */
{
    static const char *const hold_up = "GET /held HTTP/1.1\r\nHost: x\r\n\r\n";
    pthread_t thread;

    http_server_free(server);
    start_server(1);
    int other = say("GET /short HTTP/1.1\r\nHost: x\r\n\r\n");
    ck_assert(raw_reply(other, &reply));
    int order = say("POST /order HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
    wait_for(1, 0);
    int first = say(hold_up);
    wait_for_held(1);
    ck_assert(raw_send(other, hold_up) && raw_send(order, "cafe"));
    atomic_store(&released, 1);
    wait_for_held(2);
    ck_assert_int_eq(pthread_create(&thread, NULL, end_now, NULL), 0);
    ck_assert_int_eq(poll(&(struct pollfd){.fd = order, .events = POLLIN}, 1, PATIENCE_MS), 1);
    atomic_store(&released, 2);
    pthread_join(thread, NULL);
    bool answered = raw_reply_no_body(order, &reply);
    ck_assert_int_eq(atomic_load(&orders), answered);
    close(first);
    close(other);
    close(order);
}
END_TEST

struct asker {
    pthread_t thread;
    int fd;
    atomic_int answers;
    bool has_lost; /* a request that it made right behind the answer before */
};

/* An answer tells it to go. */
static void *ask_until_told(void *arg)
{
    enum { BUSY_MS = 50 }; /* half of what the server waits for it */
    struct asker *asker = arg;
    char answer[1024] = "";

    while (!strstr(answer, "Connection: close") && !asker->has_lost) {
        int64_t answered_ms = clock_monotonic_ms();
        bool sent = raw_send(asker->fd, "GET /short HTTP/1.1\r\nHost: x\r\n\r\n");
        bool is_busy = clock_monotonic_ms() - answered_ms <= BUSY_MS;

        if (!sent || !raw_read_until(asker->fd, answer, sizeof(answer), "short", PATIENCE_MS)) {
            asker->has_lost = is_busy;
            break;
        }
        atomic_fetch_add(&asker->answers, 1);
    }
    return NULL;
}

static int losses_of_a_drain(void)
{
    struct asker askers[8] = {0};
    int lost = 0;

    start_server(2);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        askers[i].fd = raw_connect(port);
        pthread_create(&askers[i].thread, NULL, ask_until_told, &askers[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        while (!atomic_load(&askers[i].answers)) {
            clock_pause_ms(1);
        }
    }
    http_server_drain(server, LONG_MS);
    http_server_free(server);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        pthread_join(askers[i].thread, NULL);
        close(askers[i].fd);
        lost += askers[i].has_lost;
    }
    return lost;
}

/* The best of some tries: a client that gets no time meanwhile is no busy one. */
START_TEST(clients_that_are_busy_lose_no_request_when_it_drains) /* K8S-17 */
{
    int lost = -1;

    http_server_free(server);
    for (int try = 0; try < PATIENCE_TRIES && lost != 0; try++) {
        lost = 0;
        for (int i = 0; i < 10; i++) {
            lost += losses_of_a_drain();
        }
    }
    ck_assert_int_eq(lost, 0);
}
END_TEST

static void *ask_on(void *arg)
{
    atomic_bool *ends = arg;

    while (!atomic_load(ends)) {
        int fd = raw_connect(port);

        for (int i = 0; fd >= 0 && i < 50; i++) {
            char byte[256];

            i = raw_send(fd, "GET /short HTTP/1.1\r\nHost: x\r\n\r\n") &&
                        recv(fd, byte, sizeof(byte), 0) > 0
                    ? i
                    : 50;
        }
        if (fd >= 0) {
            close(fd);
        } else {
            clock_pause_ms(1);
        }
    }
    return NULL;
}

/* libmicrohttpd's threads and ours both take the port out of what they watch. */
START_TEST(a_drain_amid_requests_ends_well_each_time) /* K8S-17 */
{
    enum { DRAINS = 100, CLIENTS = 4 };

    http_server_free(server);
    for (int i = 0; i < DRAINS; i++) {
        pthread_t clients[CLIENTS];
        atomic_bool ends = false;

        start_server(4);
        for (int c = 0; c < CLIENTS; c++) {
            pthread_create(&clients[c], NULL, ask_on, &ends);
        }
        clock_pause_ms(5);
        http_server_drain(server, GRACE_MS);
        atomic_store(&ends, true);
        for (int c = 0; c < CLIENTS; c++) {
            pthread_join(clients[c], NULL);
        }
        http_server_free(server);
    }
}
END_TEST

TEST_MAIN_AROUND("http end", (&(struct test_around){.before = start, .after = stop}),
                 half_a_request_does_not_hold_up_the_end,
                 who_does_not_read_does_not_hold_up_the_end,
                 what_is_answered_after_the_grace_still_arrives,
                 what_is_answered_after_the_machine_stood_still_arrives_too,
                 the_end_waits_for_a_thread_that_wakes_the_server,
                 in_the_grace_streams_are_told_at_once_and_half_a_request_may_be_finished,
                 a_stream_that_a_kept_connection_opens_meanwhile_is_ended_too,
                 who_is_cut_has_ordered_nothing,
                 clients_that_are_busy_lose_no_request_when_it_drains,
                 a_drain_amid_requests_ends_well_each_time)
