/* links: test_rpc */
/* The four kinds of calls, each ending well, cancelled, late, and in the server's error; and what
 * only streams have: order, bounds, pauses, drain. */
#include "tests/helpers/free_port.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/rpc/listener.h"

#include "common/base/clock.h"

#include <pthread.h>
#include <string.h>

enum { IN_FLIGHT = 40 }; /* fewer than the server queues for a client: 64 */

static int port; /* of the echo server: one that was free */
static struct echo *echo;
static struct rpc_client *client;
static struct ctx *ctx;
static struct listener listener;

static void start(void)
{
    port = free_port();
    echo = echo_start(&(struct echo_options){.port = port});
    client = echo_client(port, echo->keys);
    ctx = echo_ctx(ROLE_CUSTOMER);
    memset(&listener, 0, sizeof(listener));
}

static void stop(void)
{
    ctx_free(ctx);
    rpc_client_free(client);
    echo_stop(echo);
}

static const struct kind {
    const char *path;
    bool client_streams;
    bool stream;
    int answers; /* to a request of count 3 that is sent once */
} kinds[] = {
    {ECHO("Say"),     false, false, 1},
    {ECHO("Repeat"),  false, true,  3},
    {ECHO("Collect"), true,  true,  1},
    {ECHO("Talk"),    true,  true,  1},
};

static struct rpc_watch *call(const struct kind *kind, Everything__Test__V1__Act act, int count)
{
    echo_request request = ECHO_REQUEST;

    memset(&listener, 0, sizeof(listener));
    request.act = act;
    request.count = count;
    return listener_open(&listener, client, ctx, kind->path, &request);
}

/* A call of that kind that does not end by itself for a while. */
static struct rpc_watch *call_that_lasts(const struct kind *kind)
{
    struct rpc_watch *watch =
        kind->stream ? call(kind, ECHO_ACT(STAY), 0) : call(kind, ECHO_ACT(WAIT), 3000);

    if (!kind->client_streams) {
        rpc_watch_no_more(watch);
    }
    return watch;
}

/* Every stream that a handler accepted was closed again. */
static bool all_closed(void)
{
    return echo_wait(&echo->closed, atomic_load(&echo->opened));
}

static void ends_well(const struct kind *kind)
{
    struct rpc_watch *watch = call(kind, ECHO_ACT(UNSPECIFIED), 3);

    rpc_watch_no_more(watch);
    ck_assert_int_eq(listener_end(&listener), ST_OK);
    ck_assert_int_eq(atomic_load(&listener.messages), kind->answers);
    ck_assert(listener.in_order);
    ck_assert(all_closed());
    rpc_watch_unref(watch);
}

START_TEST(a_stream_whose_handler_keeps_nothing_needs_no_closed)
{
    static const struct kind at_once = {ECHO("RepeatAtOnce"), false, true, 3};

    for (int i = 0; i < 20; i++) { /* over before and after open() has returned */
        struct rpc_watch *watch = call(&at_once, ECHO_ACT(UNSPECIFIED), 3);

        rpc_watch_no_more(watch);
        ck_assert_int_eq(listener_end(&listener), ST_OK);
        ck_assert_int_eq(atomic_load(&listener.messages), 3);
        rpc_watch_unref(watch);
    }
}
END_TEST

static void is_cancelled(const struct kind *kind)
{
    int opened = atomic_load(&echo->opened);
    struct rpc_watch *watch = call_that_lasts(kind);

    if (kind->stream) {
        ck_assert(echo_wait(&echo->opened, opened + 1));
    }
    rpc_watch_cancel(watch);
    ck_assert_int_eq(listener_end(&listener), ST_CANCELLED);
    ck_assert_int_eq(listener.problem, PROBLEM_CLIENT_GONE);
    ck_assert(all_closed()); /* the server has noticed */
    rpc_watch_unref(watch);
}

static void is_late(const struct kind *kind)
{
    int64_t began = clock_monotonic_ms();

    ctx->deadline_ms = began + 150;
    struct rpc_watch *watch = call_that_lasts(kind);
    ck_assert_int_eq(listener_end(&listener), ST_TIMEOUT);
    ck_assert_int_lt(clock_monotonic_ms() - began, 10000);
    ck_assert(all_closed());
    rpc_watch_unref(watch);
}

static void is_refused(const struct kind *kind)
{
    struct rpc_watch *watch = call(kind, ECHO_ACT(FAIL), 0);

    if (!kind->client_streams) {
        rpc_watch_no_more(watch);
    }
    ck_assert_int_eq(listener_end(&listener), ST_EXISTS);
    ck_assert_int_eq(listener.problem, PROBLEM_HANDLE_TAKEN);
    ck_assert_str_eq(listener.message, "This name is taken");
    ck_assert(all_closed());
    rpc_watch_unref(watch);
}

static void each(void (*try)(const struct kind *kind))
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        try(&kinds[i]);
    }
}

/* GRPC-22 */
START_TEST(each_kind_of_call_ends_well)
{
    each(ends_well);
}
END_TEST

/* GRPC-22 */
START_TEST(each_kind_of_call_can_be_cancelled)
{
    each(is_cancelled);
}
END_TEST

/* GRPC-22 */
START_TEST(each_kind_of_call_keeps_its_deadline)
{
    each(is_late);
}
END_TEST

/* GRPC-22 */
START_TEST(each_kind_of_call_tells_the_servers_error)
{
    each(is_refused);
}
END_TEST

/* GRPC-24 */
START_TEST(a_stream_without_identity_is_refused)
{
    struct rpc_client *stranger = echo_client(port, NULL);
    echo_request request = ECHO_REQUEST;
    struct rpc_watch *watch = listener_open(&listener, stranger, ctx, ECHO("Talk"), &request);

    ck_assert_int_eq(listener_end(&listener), ST_UNAUTHENTICATED);
    ck_assert_int_eq(atomic_load(&echo->opened), 0);
    rpc_watch_unref(watch);
    rpc_client_free(stranger);
}
END_TEST

START_TEST(a_message_of_a_stream_is_checked_as_a_request_is)
{
    char text[102] = {0};
    echo_request request = ECHO_REQUEST;

    memset(text, 'a', 101);
    struct rpc_watch *watch = call(&kinds[2], ECHO_ACT(UNSPECIFIED), 0);
    request.text = text;
    ck_assert(rpc_watch_send(watch, &request.base));
    ck_assert_int_eq(listener_end(&listener), ST_INVALID);
    ck_assert_int_eq(listener.problem, PROBLEM_INVALID_FIELDS);
    ck_assert(all_closed());
    rpc_watch_unref(watch);
}
END_TEST

START_TEST(open_waits_for_room_so_that_long_lists_arrive_whole_and_in_order)
{
    struct rpc_watch *watch = call(&kinds[1], ECHO_ACT(UNSPECIFIED), 20000);

    ck_assert_int_eq(listener_end(&listener), ST_OK);
    ck_assert_int_eq(atomic_load(&listener.messages), 20000);
    ck_assert(listener.in_order);
    rpc_watch_unref(watch);
}
END_TEST

START_TEST(many_messages_cross_both_ways)
{
    struct rpc_watch *watch = call(&kinds[3], ECHO_ACT(UNSPECIFIED), 0);
    echo_request request = ECHO_REQUEST;

    for (int i = 1; i < 500; i++) {
        request.count = i;
        ck_assert(rpc_watch_send(watch, &request.base));
        ck_assert(echo_wait(&listener.messages, i - IN_FLIGHT));
    }
    ck_assert(echo_wait(&listener.messages, 500));
    rpc_watch_no_more(watch);
    ck_assert_int_eq(listener_end(&listener), ST_OK);
    ck_assert(listener.in_order);
    rpc_watch_unref(watch);
}
END_TEST

START_TEST(a_paused_listener_hears_the_rest_when_it_resumes)
{
    struct rpc_watch *watch;

    listener.pause_after = 2;
    echo_request request = ECHO_REQUEST;
    request.count = 10;
    watch = listener_open(&listener, client, ctx, ECHO("Repeat"), &request);
    ck_assert(echo_wait(&listener.messages, 2));
    clock_pause_ms(50);
    ck_assert_int_eq(atomic_load(&listener.messages), 2);
    ck_assert_int_eq(atomic_load(&listener.ended), 0);
    rpc_watch_resume(watch);
    ck_assert_int_eq(listener_end(&listener), ST_OK);
    ck_assert_int_eq(atomic_load(&listener.messages), 10);
    rpc_watch_unref(watch);
}
END_TEST

START_TEST(a_stream_that_ends_while_its_listener_pauses_is_told_when_it_resumes)
{
    echo_request request = ECHO_REQUEST;

    listener.pause_after = 1;
    request.act = ECHO_ACT(STAY);
    struct rpc_watch *watch = listener_open(&listener, client, ctx, ECHO("Repeat"), &request);
    ck_assert(echo_wait(&listener.messages, 1));
    ck_assert(echo_wait(&echo->opened, 1));
    rpc_stream_end(atomic_load(&echo->staying), ST_UNAVAILABLE, NULL);
    ck_assert(echo_wait(&echo->closed, 1));
    clock_pause_ms(200); /* the status has come to the client, too */
    ck_assert_int_eq(atomic_load(&listener.ended), 0);
    rpc_watch_resume(watch);
    ck_assert_int_eq(listener_end(&listener), ST_UNAVAILABLE);
    rpc_watch_unref(watch);
}
END_TEST

START_TEST(a_paused_listener_can_be_cancelled)
{
    struct rpc_watch *watch;
    echo_request request = ECHO_REQUEST;

    listener.pause_after = 1;
    request.count = 10;
    watch = listener_open(&listener, client, ctx, ECHO("Repeat"), &request);
    ck_assert(echo_wait(&listener.messages, 1));
    rpc_watch_cancel(watch);
    ck_assert_int_ne(listener_end(&listener), ST_INTERNAL);
    ck_assert_int_eq(atomic_load(&listener.messages), 1);
    rpc_watch_unref(watch);
}
END_TEST

/* Sends until it is refused; the number of messages that were taken. */
static int flood(struct rpc_stream *stream, size_t text_size)
{
    echo_answer answer = EVERYTHING__TEST__V1__ECHO_ANSWER__INIT;
    char *text = arena_alloc(ctx->arena, text_size + 1);
    int taken = 0;

    memset(text, 'x', text_size);
    answer.text = text;
    while (taken < 100000 && rpc_stream_send(stream, &answer.base)) {
        taken++;
    }
    return taken;
}

/* The window of HTTP/2 takes some, the queue 64, and then it is over. */
START_TEST(a_reader_that_stands_still_is_cut_off_with_bounded_memory)
{
    enum { TEXT = 16384, MOST = 64 + 8192 * 1024 / TEXT };
    echo_request request = ECHO_REQUEST;

    listener.pause_after = 1;
    request.act = ECHO_ACT(STAY);
    struct rpc_watch *watch = listener_open(&listener, client, ctx, ECHO("Repeat"), &request);
    ck_assert(echo_wait(&listener.messages, 1));
    ck_assert(echo_wait(&echo->opened, 1));
    struct rpc_stream *stream = atomic_load(&echo->staying);
    int taken = flood(stream, TEXT);
    ck_assert_int_ge(taken, 64);
    ck_assert_int_le(taken, MOST);
    clock_pause_ms(50); /* so that some of it leaves the queue, and no farther */
    rpc_stream_end(stream, ST_UNAVAILABLE, NULL);
    ck_assert(echo_wait(&echo->closed, 1)); /* though the client still reads nothing */
    ck_assert_int_eq(flood(stream, 1), 0);
    rpc_watch_resume(watch);
    ck_assert_int_eq(listener_end(&listener), ST_UNAVAILABLE);
    rpc_watch_unref(watch);
}
END_TEST

START_TEST(a_stream_that_is_held_outlives_its_call)
{
    struct rpc_watch *watch = call_that_lasts(&kinds[1]);

    ck_assert(echo_wait(&listener.messages, 1));
    struct rpc_stream *stream = rpc_stream_ref(atomic_load(&echo->staying));
    rpc_watch_cancel(watch);
    ck_assert(echo_wait(&echo->closed, 1));
    ck_assert_int_eq(flood(stream, 1), 0);
    rpc_stream_end(stream, ST_OK, NULL);
    ck_assert_str_eq(rpc_stream_caller(stream)->subject, ctx->caller.subject);
    rpc_watch_unref(watch);
    rpc_server_drain(echo->server, 0);
    rpc_stream_unref(stream);
}
END_TEST

START_TEST(drain_asks_streams_to_come_back_and_lets_a_running_call_finish)
{
    struct listener running = {0};
    echo_request request = ECHO_REQUEST;
    struct rpc_watch *staying = call_that_lasts(&kinds[1]);

    request.act = ECHO_ACT(WAIT);
    request.count = 700;
    struct rpc_watch *slow = listener_open(&running, client, ctx, ECHO("Say"), &request);
    rpc_watch_no_more(slow);
    ck_assert(echo_wait(&echo->said, 1));
    ck_assert(echo_wait(&listener.messages, 1));
    rpc_server_drain(echo->server, 60000);
    ck_assert_int_eq(listener_end(&running), ST_OK);
    ck_assert_int_eq(listener_end(&listener), ST_UNAVAILABLE);
    ck_assert_int_eq(atomic_load(&echo->closed), 1);
    rpc_watch_unref(slow);
    rpc_watch_unref(staying);
}
END_TEST

START_TEST(drain_cancels_what_outlasts_the_grace)
{
    struct rpc_watch *watch = call(&kinds[2], ECHO_ACT(UNSPECIFIED), 0); /* never half-closes */

    ck_assert(echo_wait(&echo->opened, 1));
    int64_t began = clock_monotonic_ms();
    rpc_server_drain(echo->server, 300);
    ck_assert_int_lt(clock_monotonic_ms() - began, 10000);
    ck_assert_int_ne(listener_end(&listener), ST_OK);
    ck_assert_int_eq(atomic_load(&echo->closed), 1);
    rpc_watch_unref(watch);
}
END_TEST

START_TEST(a_client_that_is_freed_ends_its_streams)
{
    struct rpc_client *brief = echo_client(port, echo->keys);
    echo_request request = ECHO_REQUEST;

    request.act = ECHO_ACT(STAY);
    struct rpc_watch *watch = listener_open(&listener, brief, ctx, ECHO("Repeat"), &request);
    ck_assert(echo_wait(&listener.messages, 1));
    rpc_client_free(brief);
    ck_assert_int_eq(atomic_load(&listener.ended), 1);
    ck_assert_int_eq(listener.st, ST_CANCELLED);
    rpc_watch_unref(watch);
}
END_TEST

TEST_MAIN_AROUND("rpc kinds of calls", (&(struct test_around){.before = start, .after = stop}),
                 each_kind_of_call_ends_well, a_stream_whose_handler_keeps_nothing_needs_no_closed,
                 each_kind_of_call_can_be_cancelled, each_kind_of_call_keeps_its_deadline,
                 each_kind_of_call_tells_the_servers_error, a_stream_without_identity_is_refused,
                 a_message_of_a_stream_is_checked_as_a_request_is,
                 open_waits_for_room_so_that_long_lists_arrive_whole_and_in_order,
                 many_messages_cross_both_ways, a_paused_listener_hears_the_rest_when_it_resumes,
                 a_stream_that_ends_while_its_listener_pauses_is_told_when_it_resumes,
                 a_paused_listener_can_be_cancelled,
                 a_reader_that_stands_still_is_cut_off_with_bounded_memory,
                 a_stream_that_is_held_outlives_its_call,
                 drain_asks_streams_to_come_back_and_lets_a_running_call_finish,
                 drain_cancels_what_outlasts_the_grace, a_client_that_is_freed_ends_its_streams)
