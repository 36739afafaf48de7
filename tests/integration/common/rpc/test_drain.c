/* links: test_rpc */
/* Two servers, each a process of its own, under load: one is told to go, one is killed, and what
 * the clients notice of it. */
#include "tests/helpers/free_port.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/rpc/listener.h"

#include "common/base/clock.h"
#include "common/rpc/identity.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IN_FLIGHT = 64, CALLS = 20000, TIMEOUT_MS = 60000, RESTARTS = 3, BUSY_MS = 10 };
enum { GRACE_MS = 60000, LATE = 8, LONG_CALLS = 8, LONG_MS = 1300 };

static int first_port, second_port; /* free when the test began */
static struct identity_keys *keys;

struct reached {
    atomic_int first, second;
};
static struct reached *reached; /* calls, at each of the servers: they share it */

/* The body of a server process: says that it is there, serves until SIGTERM, drains, exits 0. */
static void serve(int port, int told)
{
    sigset_t signals;
    int sig;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before the core's threads inherit the mask */
    struct echo *echo = echo_start(
        &(struct echo_options){.port = port,
                               .workers = 4,
                               .queue = 64,
                               .keys = keys,
                               .reached = port == first_port ? &reached->first : &reached->second});
    (void)!write(told, "", 1);
    sigwait(&signals, &sig);
    rpc_server_drain(echo->server, GRACE_MS);
    echo->keys = NULL;
    echo_stop(echo);
    _exit(0);
}

/* A process of sanitizers takes its time over its first server. */
static void warm_up(int port)
{
    struct echo *echo = echo_start(&(struct echo_options){.port = port, .keys = keys});

    echo->keys = NULL;
    echo_stop(echo);
}

/* Forked before this process knows gRPC, which does not survive a fork. It serves when this
 * returns; with 'gate' it is warm by then, and serves once a byte is written there. */
static pid_t prepare_server(int port, int *gate)
{
    int ends[2];
    char byte;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stdout)) { /* its log */
            _exit(1);
        }
        if (gate) {
            warm_up(second_port);
            (void)!write(ends[1], "", 1);
            (void)!read(ends[1], &byte, 1);
        }
        serve(port, ends[1]);
    }
    close(ends[1]);
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    if (gate) {
        *gate = ends[0];
    } else {
        close(ends[0]);
    }
    return pid;
}

static pid_t start_server(int port)
{
    return prepare_server(port, NULL);
}

static void end_server(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void start(void)
{
    keys = echo_new_keys();
    reached =
        mmap(NULL, sizeof(*reached), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(reached, MAP_FAILED);
    first_port = free_port();
    second_port = free_port();
}

static void stop(void)
{
    identity_keys_free(keys);
    munmap(reached, sizeof(*reached));
}

/* ---- a load of calls, IN_FLIGHT at any time ---------------------------------------------- */

struct load {
    struct rpc_client *client;
    atomic_int begun, ended, failed;
    int total, busy_ms; /* what each answer keeps the client's only thread from reading more */
    int long_ms;        /* what each call takes its server */
    bool with_keys;
    atomic_int first_failure;
};

static void begin_one(struct load *load);

static void one_ended(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct load *load = user;

    (void)out;
    if (st != ST_OK) {
        int none = 0;

        atomic_fetch_add(&load->failed, 1);
        if (atomic_compare_exchange_strong(&load->first_failure, &none, (int)st)) {
            fprintf(stderr, "first failure: %s\n", ctx->failure.detail ? ctx->failure.detail : "?");
        }
    }
    ctx_free(ctx);
    clock_pause_ms(load->busy_ms);
    begin_one(load);
    atomic_fetch_add(&load->ended, 1);
}

static void begin_one(struct load *load)
{
    int number = atomic_fetch_add(&load->begun, 1);

    if (number >= load->total) {
        return;
    }
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request *request = arena_new_struct(ctx->arena, echo_request);
    *request = (echo_request)ECHO_REQUEST;
    request->act = ECHO_ACT(WAIT);
    request->count = load->long_ms;
    if (load->with_keys) {
        ctx->idempotency_key = arena_printf(ctx->arena, "call-%d", number);
    }
    rpc_call_async(ctx, load->client, ECHO("Say"), &request->base, ECHO_ANSWER_TYPE, TIMEOUT_MS,
                   one_ended, load);
}

static bool wait_for(struct load *load, int ended)
{
    int64_t until = clock_monotonic_ms() + 240000;

    while (atomic_load(&load->ended) < ended && clock_monotonic_ms() < until) {
        clock_pause_ms(5);
    }
    return atomic_load(&load->ended) >= ended;
}

static struct rpc_client *client_of_both(void)
{
    char target[64];

    snprintf(target, sizeof(target), "ipv4:127.0.0.1:%d,127.0.0.1:%d", first_port, second_port);
    return rpc_client_new(
        &(struct rpc_client_options){.target = target, .audience = "echo", .keys = keys});
}

static enum status say(struct rpc_client *client, const char *key)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *out;

    ctx->idempotency_key = key;
    enum status st =
        rpc_call(ctx, client, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, TIMEOUT_MS, &out);
    if (st != ST_OK) {
        fprintf(stderr, "%s\n", ctx->failure.detail);
    }
    ctx_free(ctx);
    return st;
}

static void wait_until_up(struct rpc_client *client)
{
    int64_t until = clock_monotonic_ms() + TIMEOUT_MS;

    while (!rpc_client_is_up(client)) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(10);
    }
}

/* Calls go to each that the client is connected with, in turn. */
static void wait_until_both_are_up(struct rpc_client *client)
{
    int64_t until = clock_monotonic_ms() + TIMEOUT_MS;

    while (!atomic_load(&reached->first) || !atomic_load(&reached->second)) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        ck_assert_int_eq(say(client, NULL), ST_OK);
        clock_pause_ms(10);
    }
}

/* Returns how many calls failed. */
static int sigterm_under(struct load *load)
{
    pid_t going = start_server(first_port), staying = start_server(second_port);
    int status = -1;

    load->client = client_of_both();
    wait_until_both_are_up(load->client);
    for (int i = 0; i < IN_FLIGHT; i++) {
        begin_one(load);
    }
    ck_assert(wait_for(load, load->total / 4));
    kill(going, SIGTERM);
    ck_assert(wait_for(load, load->total / 2));
    ck_assert_int_eq(waitpid(going, &status, 0), going);
    ck_assert_int_eq(status, 0); /* drained, and left of its own accord */
    ck_assert(wait_for(load, load->total));
    rpc_client_free(load->client);
    end_server(staying);
    return atomic_load(&load->failed);
}

START_TEST(sigterm_to_one_of_two_servers_loses_no_call)
{
    ck_assert_int_eq(sigterm_under(&(struct load){.total = CALLS}), 0);
}
END_TEST

/* It hears of the drain after all the answers it has, 640 ms later, and calls on meanwhile. */
START_TEST(sigterm_loses_no_call_of_a_client_that_is_busy)
{
    struct load load = {.total = 10 * IN_FLIGHT, .busy_ms = BUSY_MS};

    ck_assert_int_eq(sigterm_under(&load), 0);
}
END_TEST

/* ---- calls that come too late at a server that goes --------------------------------------- */

static void wait_until_refused(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int64_t until = clock_monotonic_ms() + TIMEOUT_MS;
    bool refused = false;

    while (!refused && clock_monotonic_ms() < until) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        refused = connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0;
        close(fd);
        clock_pause_ms(5);
    }
    ck_assert(refused);
}

/* What keeps the client's only thread from reading, until it is let go. */
struct standstill {
    atomic_int begun, over;
};

static void stand_still(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct standstill *standstill = user;

    (void)st;
    (void)out;
    ctx_free(ctx);
    atomic_store(&standstill->begun, 1);
    echo_wait(&standstill->over, 1);
}

/* A call that lasts until it is told that there is no more: its server waits for it. */
static struct rpc_watch *hold(struct rpc_client *client, struct listener *listener)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    struct rpc_watch *watch = listener_open(listener, client, ctx, ECHO("Collect"), &request);

    ctx_free(ctx);
    return watch;
}

/* The first server has stopped, and the client has not heard of it yet. */
static void let_go_unheard(struct rpc_client *client, pid_t going, struct standstill *standstill)
{
    static const echo_request request = ECHO_REQUEST;

    rpc_call_async(echo_ctx(ROLE_CUSTOMER), client, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE,
                   TIMEOUT_MS, stand_still, standstill);
    ck_assert(echo_wait(&standstill->begun, 1));
    kill(going, SIGTERM);
    wait_until_refused(first_port);
}

START_TEST(a_call_that_comes_too_late_at_one_of_two_servers_is_not_lost)
{
    pid_t going = start_server(first_port), staying = start_server(second_port);
    struct rpc_client *client = client_of_both();
    struct load load = {.client = client, .total = LATE};
    struct listener held[2] = {{0}};
    struct rpc_watch *holds[2];
    struct standstill standstill = {0};

    wait_until_both_are_up(client);
    for (int i = 0; i < 2; i++) { /* one at each */
        holds[i] = hold(client, &held[i]);
    }
    let_go_unheard(client, going, &standstill);
    for (int i = 0; i < LATE; i++) {
        begin_one(&load);
    }
    atomic_store(&standstill.over, 1);
    ck_assert(wait_for(&load, LATE));
    ck_assert_int_eq(atomic_load(&load.failed), 0);
    for (int i = 0; i < 2; i++) {
        rpc_watch_no_more(holds[i]);
        ck_assert_int_eq(listener_end(&held[i]), ST_OK);
        rpc_watch_unref(holds[i]);
    }
    waitpid(going, NULL, 0);
    rpc_client_free(client);
    end_server(staying);
}
END_TEST

START_TEST(a_stream_that_comes_too_late_at_a_server_is_told_that_it_is_unavailable)
{
    pid_t going = start_server(first_port);
    struct rpc_client *client = echo_client(first_port, keys);
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    struct listener held = {0}, late = {0};
    struct standstill standstill = {0};

    wait_until_up(client);
    struct rpc_watch *first = hold(client, &held);
    let_go_unheard(client, going, &standstill);
    struct rpc_watch *watch = listener_open(&late, client, ctx, ECHO("Repeat"), &request);
    atomic_store(&standstill.over, 1);
    ck_assert_int_eq(listener_end(&late), ST_UNAVAILABLE);
    ck_assert_int_eq(late.problem, PROBLEM_UNAVAILABLE);
    rpc_watch_no_more(first);
    ck_assert_int_eq(listener_end(&held), ST_OK);
    rpc_watch_unref(first);
    rpc_watch_unref(watch);
    ctx_free(ctx);
    waitpid(going, NULL, 0);
    rpc_client_free(client);
}
END_TEST

/* ---- kill -9 ------------------------------------------------------------------------------ */

START_TEST(kill_of_one_of_two_servers_loses_no_call_that_has_a_key)
{
    pid_t dying = start_server(first_port), staying = start_server(second_port);
    struct load load = {.client = client_of_both(), .total = CALLS / 4, .with_keys = true};

    wait_until_both_are_up(load.client);
    for (int i = 0; i < IN_FLIGHT / 2; i++) {
        begin_one(&load);
    }
    ck_assert(wait_for(&load, CALLS / 16));
    end_server(dying);
    ck_assert(wait_for(&load, CALLS / 4));
    ck_assert_int_eq(atomic_load(&load.failed), 0);
    rpc_client_free(load.client);
    end_server(staying);
}
END_TEST

/* What runs again takes longer than it may wait for a connection. */
START_TEST(a_call_that_runs_again_has_all_of_its_time)
{
    pid_t dying = start_server(first_port), staying = start_server(second_port);
    struct load load = {
        .client = client_of_both(), .total = LONG_CALLS, .long_ms = LONG_MS, .with_keys = true};

    wait_until_both_are_up(load.client);
    for (int i = 0; i < LONG_CALLS; i++) {
        begin_one(&load);
    }
    end_server(dying);
    ck_assert(wait_for(&load, LONG_CALLS));
    ck_assert_int_eq(atomic_load(&load.failed), 0);
    rpc_client_free(load.client);
    end_server(staying);
}
END_TEST

START_TEST(a_client_finds_its_server_again_after_a_restart)
{
    pid_t server = start_server(first_port), next[RESTARTS];
    int gates[RESTARTS], i;
    enum status st = ST_UNAVAILABLE;

    for (i = 0; i < RESTARTS; i++) {
        next[i] = prepare_server(first_port, &gates[i]);
    }
    struct rpc_client *client = echo_client(first_port, keys);
    for (i = 0; i < RESTARTS && st != ST_OK; i++) {
        wait_until_up(client);
        ck_assert_int_eq(say(client, NULL), ST_OK);
        end_server(server);
        ck_assert_int_eq(say(client, NULL), ST_UNAVAILABLE);
        server = next[i];
        ck_assert_int_eq(write(gates[i], "", 1), 1);
        st = say(client, "again"); /* waits a second for the connection */
    }
    ck_assert_int_eq(st, ST_OK);
    ck_assert_int_eq(say(client, NULL), ST_OK);
    end_server(server);
    ck_assert_int_eq(say(client, "for nobody"), ST_UNAVAILABLE); /* long before it is late */
    rpc_client_free(client);
    while (i < RESTARTS) {
        end_server(next[i++]);
    }
}
END_TEST

TEST_MAIN_AROUND("rpc drain", (&(struct test_around){.before = start, .after = stop}),
                 sigterm_to_one_of_two_servers_loses_no_call,
                 sigterm_loses_no_call_of_a_client_that_is_busy,
                 a_call_that_comes_too_late_at_one_of_two_servers_is_not_lost,
                 a_stream_that_comes_too_late_at_a_server_is_told_that_it_is_unavailable,
                 kill_of_one_of_two_servers_loses_no_call_that_has_a_key,
                 a_call_that_runs_again_has_all_of_its_time,
                 a_client_finds_its_server_again_after_a_restart)
