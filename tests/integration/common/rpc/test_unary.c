/* links: test_rpc */
/* Unary calls over a real server and channel: who may call, what is passed on, how a failure comes
 * back, what a full server says. */
#include "tests/helpers/free_port.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/rpc/echo_server.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/metrics.h"
#include "common/rpc/identity.h"

#include <pthread.h>
#include <string.h>

static int port; /* of the echo server: one that was free */
static struct echo *echo;
static struct rpc_client *client;

static void start(void)
{
    port = free_port();
    echo = echo_start(&(struct echo_options){.port = port});
    client = echo_client(port, echo->keys);
}

static void stop(void)
{
    rpc_client_free(client);
    echo_stop(echo);
}

/* GRPC-22 GRPC-24 */
START_TEST(a_unary_call_is_answered_and_knows_its_caller)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    const echo_answer *answer;

    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "hello", &answer), ST_OK);
    ck_assert_str_eq(answer->text, "hello");
    ck_assert_str_eq(answer->subject, ctx->caller.subject);
    ck_assert_str_eq(answer->role, "customer");
    ck_assert_str_eq(answer->device, "phone");
    ck_assert_str_eq(answer->trace_id, ctx->trace_id);
    ck_assert_str_eq(answer->correlation_id, "asked-by-a-test");
    ck_assert_str_eq(answer->request_sha256, "");
    ctx_free(ctx);
}
END_TEST

/* What protobuf-c would not pack: it goes as a field that it does not know. */
static echo_request raw_text(ProtobufCMessageUnknownField *field, const char *text, size_t size)
{
    echo_request request = ECHO_REQUEST;

    *field = (ProtobufCMessageUnknownField){.tag = 1,
                                            .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
                                            .len = size,
                                            .data = (uint8_t *)(uintptr_t)text};
    request.base.n_unknown_fields = 1;
    request.base.unknown_fields = field;
    return request;
}

START_TEST(a_nul_in_a_string_never_reaches_a_handler)
{
    static const char cut[] = "\x07half\0it"; /* its length, then the bytes */
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    ProtobufCMessageUnknownField field;
    echo_request request = raw_text(&field, cut, sizeof(cut) - 1);
    const echo_answer *answer;

    ck_assert_int_eq(echo_ask(ctx, client, ECHO("Say"), &request, &answer), ST_INVALID);
    ck_assert_str_eq(ctx->failure.fields->field, "text");
    ck_assert_int_eq(atomic_load(&echo->said), 0);
    ctx_free(ctx);
}
END_TEST

START_TEST(who_may_not_call_does_not_learn_what_is_wrong_with_the_request)
{
    static const char cut[] = "\x01\0";
    struct rpc_client *stranger = echo_client(port, NULL);
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    ProtobufCMessageUnknownField field;
    echo_request request = raw_text(&field, cut, sizeof(cut) - 1);
    ProtobufCMessage *out;

    ck_assert_int_eq(
        rpc_call(ctx, stranger, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, PATIENCE_MS, &out),
        ST_UNAUTHENTICATED);
    ck_assert_ptr_null(ctx->failure.fields);
    ctx_free(ctx);
    rpc_client_free(stranger);
}
END_TEST

START_TEST(an_unknown_method_is_unimplemented)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    const echo_answer *answer;

    ck_assert_int_eq(echo_say(ctx, client, ECHO("Sing"), "", &answer), ST_UNIMPLEMENTED);
    ck_assert_int_eq(echo_say(ctx, client, "/nobody.knows/This", "", &answer), ST_UNIMPLEMENTED);
    ctx_free(ctx);
}
END_TEST

/* GRPC-22 */
START_TEST(a_failure_arrives_as_it_was_told)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    const echo_answer *answer;

    request.act = ECHO_ACT(FAIL);
    ck_assert_int_eq(echo_ask(ctx, client, ECHO("Say"), &request, &answer), ST_EXISTS);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_HANDLE_TAKEN);
    ck_assert_str_eq(ctx->failure.message, "This name is taken");
    ck_assert_int_eq(ctx->failure.retry_after_s, 7);
    ctx_free(ctx);
}
END_TEST

START_TEST(an_internal_error_keeps_its_words_to_itself)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    const echo_answer *answer;

    request.act = ECHO_ACT(BREAK);
    ck_assert_int_eq(echo_ask(ctx, client, ECHO("Say"), &request, &answer), ST_INTERNAL);
    ck_assert_str_eq(ctx->failure.message, problem_title(PROBLEM_INTERNAL));
    ck_assert_ptr_null(strstr(ctx->failure.detail, "library"));
    ck_assert_ptr_null(strstr(ctx->failure.detail, "secrets"));
    ctx_free(ctx);
}
END_TEST

START_TEST(a_refused_field_is_named_on_the_other_side)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    const echo_answer *answer;
    char text[102] = {0};

    memset(text, 'a', 101);
    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), text, &answer), ST_INVALID);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_INVALID_FIELDS);
    ck_assert_ptr_nonnull(ctx->failure.fields);
    ck_assert_str_eq(ctx->failure.fields->field, "text");
    ck_assert_int_eq(atomic_load(&echo->said), 0);
    ctx_free(ctx);
}
END_TEST

START_TEST(text_that_is_not_utf8_never_reaches_a_handler)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    const echo_answer *answer;

    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "\xff\xfe", &answer), ST_INVALID);
    ck_assert_int_eq(atomic_load(&echo->said), 0);
    ctx_free(ctx);
}
END_TEST

START_TEST(an_idempotency_key_comes_with_a_fingerprint_of_the_request)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    const echo_answer *first, *same, *other;

    ctx->idempotency_key = "order-1";
    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "flat white", &first), ST_OK);
    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "flat white", &same), ST_OK);
    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "espresso", &other), ST_OK);
    ck_assert_str_eq(first->idempotency_key, "order-1");
    ck_assert_uint_eq(strlen(first->request_sha256), 64);
    ck_assert_str_eq(first->request_sha256, same->request_sha256);
    ck_assert_str_ne(first->request_sha256, other->request_sha256);
    ctx_free(ctx);
}
END_TEST

/* It is kept in tables: who reads one must not find out what a request held, by guessing. */
START_TEST(a_fingerprint_is_another_under_other_keys)
{
    int other_port = free_port();
    struct echo *other = echo_start(&(struct echo_options){.port = other_port});
    struct rpc_client *to_other = echo_client(other_port, other->keys);
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    const echo_answer *here;
    ProtobufCMessage *there;
    echo_request request = ECHO_REQUEST;

    ctx->idempotency_key = "order-1";
    ck_assert_int_eq(echo_ask(ctx, client, ECHO("Say"), &request, &here), ST_OK);
    ck_assert_int_eq(
        rpc_call(ctx, to_other, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, PATIENCE_MS, &there),
        ST_OK);
    ck_assert_str_ne(here->request_sha256, ((const echo_answer *)there)->request_sha256);
    ctx_free(ctx);
    rpc_client_free(to_other);
    echo_stop(other);
}
END_TEST

START_TEST(an_idempotency_key_that_is_too_long_is_refused)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    const echo_answer *answer;
    char key[257] = {0};

    memset(key, 'k', 255);
    ctx->idempotency_key = key;
    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "", &answer), ST_OK);
    memset(key, 'k', 256);
    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "", &answer), ST_INVALID);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_BAD_REQUEST);
    ctx_free(ctx);
}
END_TEST

START_TEST(the_earlier_of_the_two_deadlines_holds)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    enum status st = ST_TIMEOUT;
    const echo_answer *answer;

    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "", &answer), ST_OK);
    ck_assert_int_le(answer->left_ms, 1500); /* the method's own */
    ck_assert_int_gt(answer->left_ms, 500);
    for (int i = 0; i < PATIENCE_TRIES && st != ST_OK; i++) {
        ctx->deadline_ms = clock_monotonic_ms() + 400;
        st = echo_say(ctx, client, ECHO("Say"), "", &answer);
    }
    ck_assert_int_eq(st, ST_OK);
    ck_assert_int_le(answer->left_ms, 450); /* the client's, and what rounding adds */
    ctx_free(ctx);
}
END_TEST

/* GRPC-22 */
START_TEST(a_unary_call_past_its_deadline_times_out)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    const echo_answer *answer;

    request.act = ECHO_ACT(WAIT);
    request.count = 400;
    ctx->deadline_ms = clock_monotonic_ms() + 100;
    ck_assert_int_eq(echo_ask(ctx, client, ECHO("Say"), &request, &answer), ST_TIMEOUT);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_TIMEOUT);
    ctx_free(ctx);
}
END_TEST

START_TEST(nobody_there_is_unavailable_at_once)
{
    struct rpc_client *lost = echo_client(free_port(), echo->keys);
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *out;

    ck_assert_quick(2000, ck_assert_int_eq(rpc_call(ctx, lost, ECHO("Say"), &request.base,
                                                    ECHO_ANSWER_TYPE, PATIENCE_MS, &out),
                                           ST_UNAVAILABLE));
    ck_assert_ptr_null(ctx->failure.message); /* the core's words are for the log */
    ck_assert(!rpc_client_is_up(lost));
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_UNAVAILABLE);
    ctx_free(ctx);
    rpc_client_free(lost);
}
END_TEST

struct caller_thread {
    pthread_t thread;
    int well;
};

static void *call_often(void *user)
{
    struct caller_thread *self = user;

    for (int i = 0; i < 100; i++) {
        struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
        const echo_answer *answer;

        self->well += echo_say(ctx, client, ECHO("Say"), "x", &answer) == ST_OK;
        ctx_free(ctx);
    }
    return NULL;
}

START_TEST(many_threads_call_through_one_client)
{
    struct caller_thread threads[8] = {0};
    int well = 0;

    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_create(&threads[i].thread, NULL, call_often, &threads[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i].thread, NULL);
        well += threads[i].well;
    }
    ck_assert_int_eq(well, 800);
    ck_assert(rpc_client_is_up(client));
}
END_TEST

enum { SLOW = 8 };

struct slow_calls {
    struct ctx *ctx[SLOW];
    enum status st[SLOW];
    atomic_int ended;
};

static struct slow_calls slow;

static void slow_ended(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    (void)ctx;
    (void)out;
    *(enum status *)user = st;
    atomic_fetch_add(&slow.ended, 1);
}

START_TEST(a_full_server_says_so_and_when_to_come_back)
{
    const int small_port = free_port();
    struct echo *small = echo_start(
        &(struct echo_options){.port = small_port, .workers = 1, .queue = 2, .keys = echo->keys});
    struct rpc_client *many = echo_client(small_port, echo->keys);
    echo_request request = ECHO_REQUEST;
    int refused = 0, well = 0;

    request.act = ECHO_ACT(WAIT);
    request.count = 100;
    for (int i = 0; i < SLOW; i++) {
        slow.ctx[i] = echo_ctx(ROLE_CUSTOMER);
        rpc_call_async(slow.ctx[i], many, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, PATIENCE_MS,
                       slow_ended, &slow.st[i]);
    }
    ck_assert(echo_wait(&slow.ended, SLOW));
    for (int i = 0; i < SLOW; i++) {
        bool full = slow.st[i] == ST_UNAVAILABLE &&
                    slow.ctx[i]->failure.problem == PROBLEM_OVERLOADED &&
                    slow.ctx[i]->failure.retry_after_s == 1;

        refused += full;
        well += slow.st[i] == ST_OK;
        ctx_free(slow.ctx[i]);
    }
    ck_assert_int_eq(well + refused, SLOW);
    ck_assert_int_ge(well, 3); /* one runs, two wait */
    ck_assert_int_ge(refused, 2);
    rpc_client_free(many);
    small->keys = NULL;
    echo_stop(small);
}
END_TEST

START_TEST(a_call_that_waited_past_its_deadline_is_not_run)
{
    const int small_port = free_port();
    struct echo *small =
        echo_start(&(struct echo_options){.port = small_port, .workers = 1, .keys = echo->keys});
    struct rpc_client *two = echo_client(small_port, echo->keys);
    echo_request request = ECHO_REQUEST;

    request.act = ECHO_ACT(WAIT);
    request.count = 3000;
    for (int i = 0; i < 2; i++) {
        slow.ctx[i] = echo_ctx(ROLE_CUSTOMER);
        rpc_call_async(slow.ctx[i], two, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE,
                       i ? 100 : PATIENCE_MS, slow_ended, &slow.st[i]);
        ck_assert(echo_wait(&small->said, 1)); /* the first one has the worker */
    }
    ck_assert(echo_wait(&slow.ended, 2));
    ck_assert_msg(slow.st[0] == ST_OK, "%s", slow.ctx[0]->failure.detail);
    ck_assert_int_eq(slow.st[1], ST_TIMEOUT);
    rpc_server_drain(small->server, 1000);
    ck_assert_int_eq(atomic_load(&small->said), 1);
    ctx_free(slow.ctx[0]);
    ctx_free(slow.ctx[1]);
    rpc_client_free(two);
    small->keys = NULL;
    echo_stop(small);
}
END_TEST

/* GRPC-23 */
START_TEST(each_method_has_its_own_latency_histogram)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    struct text metrics = text_new(ctx->arena, 4096);
    const echo_answer *answer;

    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "", &answer), ST_OK);
    ck_assert_int_eq(echo_say(ctx, client, ECHO("SayToAdmins"), "", &answer), ST_FORBIDDEN);
    rpc_server_drain(echo->server, 1000); /* a call is counted after it was answered */
    metrics_print(&metrics, false);
    ck_assert_ptr_nonnull(
        strstr(metrics.data,
               "rpc_server_duration_seconds_count{rpc_method=\"" ECHO("Say") "\",code=\"OK\"} 1"));
    ck_assert_ptr_nonnull(
        strstr(metrics.data, "rpc_server_duration_seconds_count{rpc_method=\"" ECHO(
                                 "SayToAdmins") "\",code=\"FORBIDDEN\"} 1"));
    ctx_free(ctx);
}
END_TEST

static struct rpc_server *server_of(const struct rpc_handler *handlers, const char *address)
{
    const struct rpc_service services[] = {
        {.descriptor = &everything__test__v1__echo_service__descriptor, .handlers = handlers},
        {0                                                            },
    };

    return rpc_server_start(&(struct rpc_server_options){.address = address,
                                                         .daemon = "echo",
                                                         .contract = echo->contract,
                                                         .services = services,
                                                         .keys = echo->keys});
}

START_TEST(a_server_with_a_gap_in_its_table_does_not_start)
{
    static const struct rpc_handler none[] = {{0}};

    ck_assert_ptr_null(server_of(none, "127.0.0.1:21104"));
}
END_TEST

START_TEST(a_taken_port_is_an_error)
{
    static const struct rpc_service none[] = {{0}};

    ck_assert_ptr_null(rpc_server_start(&(struct rpc_server_options){.address = echo->address,
                                                                     .daemon = "echo",
                                                                     .contract = echo->contract,
                                                                     .services = none,
                                                                     .keys = echo->keys}));
}
END_TEST

TEST_MAIN_AROUND(
    "rpc unary calls", (&(struct test_around){.before = start, .after = stop}),
    a_unary_call_is_answered_and_knows_its_caller, a_nul_in_a_string_never_reaches_a_handler,
    who_may_not_call_does_not_learn_what_is_wrong_with_the_request,
    an_unknown_method_is_unimplemented, a_failure_arrives_as_it_was_told,
    an_internal_error_keeps_its_words_to_itself, a_refused_field_is_named_on_the_other_side,
    text_that_is_not_utf8_never_reaches_a_handler,
    an_idempotency_key_comes_with_a_fingerprint_of_the_request,
    a_fingerprint_is_another_under_other_keys, an_idempotency_key_that_is_too_long_is_refused,
    the_earlier_of_the_two_deadlines_holds, a_unary_call_past_its_deadline_times_out,
    nobody_there_is_unavailable_at_once, many_threads_call_through_one_client,
    a_full_server_says_so_and_when_to_come_back, a_call_that_waited_past_its_deadline_is_not_run,
    each_method_has_its_own_latency_histogram, a_server_with_a_gap_in_its_table_does_not_start,
    a_taken_port_is_an_error)
