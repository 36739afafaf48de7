/* links: test_temporal */
/* Between C and Temporal's messages. */
#include "tests/helpers/house_test.h"

#include "common/obs/trace.h"
#include "common/temporal/payload.h"

static struct ctx *ctx;

static void make(void)
{
    ctx = ctx_new_system("test");
}

static void end(void)
{
    ctx_free(ctx);
}

START_TEST(json_goes_through_unread)
{
    const Temporal__Payloads *payloads = payloads_json(ctx->arena, "{\"a\":1}");

    ck_assert_str_eq(payloads_text(ctx->arena, payloads), "{\"a\":1}");
    ck_assert_str_eq(payloads->payloads[0]->metadata[0]->key, "encoding");
    ck_assert_ptr_null(payloads_json(ctx->arena, NULL));
    ck_assert_ptr_null(payloads_text(ctx->arena, NULL));
}
END_TEST

START_TEST(a_payload_without_bytes_is_no_value)
{
    Temporal__Payload *payload = payload_json(ctx->arena, ""); /* binary/null of other SDKs */

    ck_assert_ptr_null(payload_text(ctx->arena, payload));
}
END_TEST

START_TEST(milliseconds_survive_a_duration)
{
    ck_assert_ptr_null(duration_of(ctx->arena, 0));
    ck_assert_int_eq(duration_ms(duration_of(ctx->arena, 90061007)), 90061007);
    ck_assert_int_eq(duration_of(ctx->arena, 1250)->nanos, 250000000);
}
END_TEST

START_TEST(a_status_survives_a_failure_and_says_whether_to_try_again)
{
    static const enum status final[] = {ST_INVALID,        ST_NOT_FOUND, ST_EXISTS,
                                        ST_FORBIDDEN,      ST_CONFLICT,  ST_UNIMPLEMENTED,
                                        ST_UNAUTHENTICATED};
    static const enum status passing[] = {ST_TIMEOUT,  ST_RETRY,       ST_TOO_MANY,
                                          ST_INTERNAL, ST_UNAVAILABLE, ST_CANCELLED};

    for (size_t i = 0; i < ARRAY_LEN(final); i++) {
        const Temporal__Failure *failure = failure_of(ctx, final[i]);

        ck_assert_int_eq(failure_told(failure).st, final[i]);
        ck_assert(failure->application_failure_info->non_retryable);
    }
    for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
        const Temporal__Failure *failure = failure_of(ctx, passing[i]);

        ck_assert_int_eq(failure_told(failure).st, passing[i]);
        ck_assert(!failure->application_failure_info->non_retryable);
    }
}
END_TEST

START_TEST(the_innermost_cause_says_why)
{
    Temporal__Failure *outer = failure_text(ctx->arena, "CONFLICT", "outer");

    outer->cause = failure_text(ctx->arena, "NOT_FOUND", "inner");
    ck_assert_int_eq(failure_told(outer).st, ST_NOT_FOUND);
    ck_assert_str_eq(failure_told(outer).message, "inner");
    ck_assert_int_eq(failure_told(failure_text(ctx->arena, "KeyError", "python's")).st,
                     ST_INTERNAL);
    ck_assert_int_eq(failure_told(NULL).st, ST_INTERNAL);
}
END_TEST

START_TEST(the_trace_goes_as_the_official_interceptors_send_it)
{
    char sent[TRACEPARENT_SIZE];

    ck_assert_ptr_null(header_of_trace(ctx));
    trace_begin(ctx, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    trace_traceparent(ctx, sent);
    Temporal__Header *header = header_of_trace(ctx);
    ck_assert_str_eq(header->fields[0]->key, "_tracer-data");
    ck_assert_str_eq(header_traceparent(ctx->arena, header), sent);
    ck_assert_ptr_null(header_traceparent(ctx->arena, NULL));
}
END_TEST

TEST_MAIN_AROUND("payload", (&(struct test_around){.before = make, .after = end}),
                 json_goes_through_unread, a_payload_without_bytes_is_no_value,
                 milliseconds_survive_a_duration,
                 a_status_survives_a_failure_and_says_whether_to_try_again,
                 the_innermost_cause_says_why, the_trace_goes_as_the_official_interceptors_send_it)
