/* links: test_apns common_crypto
 * What a dead connection, or a slow answer on one that lives, does to the calls of the same host. A
 * relay stands between: connections that it has hushed are taken from, and nothing comes of it. */
#include "common/base/clock.h"
#include "common/base/ctx.h"
#include "common/http/http_multi.h"
#include "tests/helpers/apns/fake_apns.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/raw_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS = 64, TURN_MS = 20 };

struct relay {
    pthread_t thread;
    int port;
    struct pollfd ends[1 + 2 * PAIRS]; /* who listens, then client and server of each */
    int count, hushed;
    atomic_bool hush, stopping;
};

static struct fake_apns fake;
static struct relay relay;
static struct ctx *ctx;
static struct http_multi *multi;
static atomic_int answered;

/* ---- the relay ---- */

static void take_one(void)
{
    int client = accept4(relay.ends[0].fd, NULL, NULL, SOCK_CLOEXEC);

    ck_assert_int_le(relay.count + 2, (int)ARRAY_LEN(relay.ends));
    relay.ends[relay.count++] = (struct pollfd){.fd = client, .events = POLLIN};
    relay.ends[relay.count++] = (struct pollfd){.fd = raw_connect(fake.port), .events = POLLIN};
}

static void pass_on(int i)
{
    int other = 1 + ((i - 1) ^ 1);
    char bytes[16384];
    ssize_t size = read(relay.ends[i].fd, bytes, sizeof(bytes));

    if (size > 0 && i >= relay.hushed) {
        size = send(relay.ends[other].fd, bytes, (size_t)size, MSG_NOSIGNAL);
    }
    if (size <= 0) {
        shutdown(relay.ends[other].fd, SHUT_RDWR);
        relay.ends[i].events = 0;
        relay.ends[i].fd = -1 - relay.ends[i].fd; /* poll() leaves it out */
    }
}

static void *run_relay(void *nothing)
{
    while (!atomic_load(&relay.stopping)) {
        int count = relay.count;

        poll(relay.ends, (nfds_t)count, TURN_MS);
        if (atomic_exchange(&relay.hush, false)) {
            relay.hushed = relay.count;
        }
        for (int i = 1; i < count; i++) {
            if (relay.ends[i].fd >= 0 && relay.ends[i].revents) {
                pass_on(i);
            }
        }
        if (relay.ends[0].revents) {
            take_one();
        }
    }
    return nothing;
}

static void start_relay(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, PAIRS), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    relay = (struct relay){.port = ntohs(address.sin_port), .count = 1};
    relay.ends[0] = (struct pollfd){.fd = fd, .events = POLLIN};
    pthread_create(&relay.thread, NULL, run_relay, NULL);
}

static void stop_relay(void)
{
    atomic_store(&relay.stopping, true);
    pthread_join(relay.thread, NULL);
    for (int i = 0; i < relay.count; i++) {
        close(relay.ends[i].fd < 0 ? -1 - relay.ends[i].fd : relay.ends[i].fd);
    }
}

static void hush(void)
{
    atomic_store(&relay.hush, true);
    while (atomic_load(&relay.hush)) {
        clock_pause_ms(1);
    }
}

/* ---- calls ---- */

struct asked {
    struct http_multi_call call;
    atomic_int code; /* -1: not yet */
};

static void note(struct http_multi_call *call, const struct http_multi_answer *answer)
{
    atomic_store(&((struct asked *)call->user)->code, answer->code);
    atomic_fetch_add(&answered, answer->code == 200);
}

static struct asked *ask(const char *name)
{
    struct asked *asked = arena_alloc(ctx->arena, sizeof(*asked));

    *asked = (struct asked){.code = -1};
    asked->call = (struct http_multi_call){
        .url = arena_printf(ctx->arena, "https://127.0.0.1:%d/web/%s", relay.port, name),
        .body = "x",
        .size = 1,
        .done = note,
        .user = asked,
    };
    http_multi_post(multi, &asked->call);
    return asked;
}

static int code_of(const struct asked *asked)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (atomic_load(&asked->code) < 0 && clock_monotonic_ms() < until) {
        clock_pause_ms(5);
    }
    return atomic_load(&asked->code);
}

static void start_multi(int timeout_ms)
{
    multi = http_multi_start(&(struct http_multi_options){
        .timeout_ms = timeout_ms, .ca_file = fake.ca_file, .reach = HTTP_PUBLIC_OR_LOOPBACK});
}

static void start(void)
{
    fake_apns_start(&fake);
}

static void stop(void)
{
    fake_apns_stop(&fake);
}

static void before(void)
{
    fake_apns_reset(&fake);
    ctx = ctx_new_system("test");
    start_relay();
}

static void after(void)
{
    http_multi_stop(multi);
    stop_relay();
    ctx_free(ctx);
}

static bool is_answered(void)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    int code = 0;

    while (code != 200 && clock_monotonic_ms() < until) {
        code = code_of(ask("one"));
    }
    return code == 200;
}

START_TEST(a_connection_that_fell_silent_is_left)
{
    start_multi(1000);
    ck_assert(is_answered());
    hush();
    ck_assert(is_answered());
}
END_TEST

/* Whoever comes finds somebody on it who has not waited long. */
START_TEST(a_connection_that_fell_silent_is_left_while_more_and_more_is_asked)
{
    start_multi(1000);
    ck_assert(is_answered());
    hush();
    int before = atomic_load(&answered);
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (atomic_load(&answered) == before && clock_monotonic_ms() < until) {
        ask("one");
        clock_pause_ms(100);
    }
    ck_assert_int_gt(atomic_load(&answered), before);
}
END_TEST

static bool outlives_another(void)
{
    fake_apns_program(&fake, "[{\"token\":\"/web/never\",\"delayMs\":20000},"
                             "{\"token\":\"/web/slow\",\"delayMs\":2000}]");
    struct asked *never = ask("never");
    clock_pause_ms(3000);
    struct asked *slow = ask("slow");
    struct asked *quick = ask("quick");

    return code_of(quick) == 200 && code_of(never) == 0 && atomic_load(&slow->code) == -1 &&
           code_of(slow) == 200;
}

START_TEST(an_answer_that_does_not_come_ends_no_other_call_where_others_come)
{
    bool did = false;

    start_multi(4000);
    ck_assert(is_answered());
    for (int i = 0; i < PATIENCE_TRIES && !did; i++) {
        did = outlives_another();
    }
    ck_assert(did);
}
END_TEST

TEST_MAIN_AROUND("http_multi",
                 (&(struct test_around){
                     .start = start, .stop = stop, .before = before, .after = after}),
                 a_connection_that_fell_silent_is_left,
                 a_connection_that_fell_silent_is_left_while_more_and_more_is_asked,
                 an_answer_that_does_not_come_ends_no_other_call_where_others_come)
