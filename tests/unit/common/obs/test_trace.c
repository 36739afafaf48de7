/* Trace context: what comes in is believed only when it is well-formed. */
#include "common/obs/trace.h"

#include "common/base/auto.h"
#include "tests/helpers/house_test.h"

#include <string.h>

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN  "00f067aa0ba902b7"

#define LOW_TRACE "4bf92f3577b34da60000000000000001"

DEFINE_AUTO(ctx, struct ctx *, ctx_free)

START_TEST(a_traceparent_goes_on_with_a_span_of_ours)
{
    AUTO(ctx) struct ctx *ctx = ctx_new_system("test");
    char out[TRACEPARENT_SIZE];

    trace_begin(ctx, "00-" TRACE "-" SPAN "-01");
    ck_assert_str_eq(ctx->trace_id, TRACE);
    ck_assert_str_ne(ctx->span_id, SPAN);
    trace_traceparent(ctx, out);
    ck_assert_int_eq(strlen(out), 55);

    struct trace_parent ours;
    ck_assert(trace_parse(out, &ours));
    ck_assert_str_eq(ours.trace_id, TRACE);
    ck_assert_str_eq(ours.span_id, ctx->span_id);
    ck_assert(ours.sampled);
}
END_TEST

START_TEST(the_sampled_flag_is_kept)
{
    AUTO(ctx) struct ctx *ctx = ctx_new_system("test");
    char out[TRACEPARENT_SIZE];

    trace_begin(ctx, "00-" TRACE "-" SPAN "-00");
    trace_traceparent(ctx, out);
    ck_assert_str_eq(out + 53, "00");
    trace_begin(ctx, "00-" TRACE "-" SPAN "-03"); /* an unknown flag beside it is dropped */
    trace_traceparent(ctx, out);
    ck_assert_str_eq(out + 53, "01");
}
END_TEST

START_TEST(a_malformed_traceparent_starts_a_new_trace)
{
    static const char *const malformed[] = {
        NULL,
        "",
        "00",
        "ff-" TRACE "-" SPAN "-01",
        "00-" TRACE "-" SPAN "-01-more",
        "00-" TRACE "-" SPAN "-0",
        "00-" TRACE "-" SPAN "-0g",
        "00-00000000000000000000000000000000-" SPAN "-01",
        "00-" TRACE "-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01",
        "00_" TRACE "-" SPAN "-01",
        "00-" TRACE "_" SPAN "-01",
        "0x-" TRACE "-" SPAN "-01",
        "01-" TRACE "-" SPAN "-01.more",
    };

    for (size_t i = 0; i < ARRAY_LEN(malformed); i++) {
        AUTO(ctx) struct ctx *ctx = ctx_new_system("test");

        trace_begin(ctx, malformed[i]);
        ck_assert_int_eq(strlen(ctx->trace_id), 32);
        ck_assert_int_eq(strlen(ctx->span_id), 16);
        ck_assert_msg(strcmp(ctx->trace_id, TRACE) != 0, "%s", malformed[i]);
        ck_assert(ctx->sampled);
    }
}
END_TEST

START_TEST(a_newer_version_is_read_as_far_as_we_know_it)
{
    struct trace_parent parent;

    ck_assert(trace_parse("01-" TRACE "-" SPAN "-01", &parent));
    ck_assert(trace_parse("cc-" TRACE "-" SPAN "-01-what-the-future-brings", &parent));
    ck_assert_str_eq(parent.trace_id, TRACE);
}
END_TEST

START_TEST(ids_do_not_repeat)
{
    AUTO(ctx) struct ctx *ctx = ctx_new_system("test");
    char seen[1000][17];

    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        trace_begin(ctx, NULL);
        memcpy(seen[i], ctx->span_id, sizeof(seen[i]));
        for (size_t j = 0; j < i; j++) {
            ck_assert_str_ne(seen[i], seen[j]);
        }
    }
}
END_TEST

/* OBS-16 */
START_TEST(the_correlation_id_is_the_clients_or_the_trace_id)
{
    static const char *const refused[] = {
        NULL,
        "",
        "two\r\nX-Header: lines",
        "caf\xc3\xa9",
        "12345678901234567890123456789012345678901234567890123456789012345", /* 65 */
    };
    AUTO(ctx) struct ctx *ctx = ctx_new_system("test");

    trace_begin(ctx, NULL);
    trace_correlation(ctx, "till 3, order 17");
    ck_assert_str_eq(ctx->correlation_id, "till 3, order 17");
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        trace_correlation(ctx, refused[i]);
        ck_assert_str_eq(ctx->correlation_id, ctx->trace_id);
    }
}
END_TEST

START_TEST(of_the_traces_that_begin_here_the_share_that_was_set_is_sampled)
{
    static const double ratios[] = {0, 0.25, 1};
    enum { TRACES = 4000 };
    AUTO(ctx) struct ctx *ctx = ctx_new_system("test");

    for (size_t i = 0; i < ARRAY_LEN(ratios); i++) {
        int sampled = 0;

        trace_sample(ratios[i]);
        for (int j = 0; j < TRACES; j++) {
            trace_begin(ctx, NULL);
            sampled += ctx->sampled;
        }
        ck_assert_double_le(ratios[i] - 0.05, (double)sampled / TRACES); /* seven sigma */
        ck_assert_double_ge(ratios[i] + 0.05, (double)sampled / TRACES);
        ck_assert(ratios[i] != 0 || sampled == 0);
        ck_assert(ratios[i] != 1 || sampled == TRACES);
        trace_begin(ctx, "00-" TRACE "-" SPAN "-01"); /* its parent has decided */
        ck_assert(ctx->sampled);
        trace_begin(ctx, "00-" TRACE "-" SPAN "-00");
        ck_assert(!ctx->sampled);
    }
}
END_TEST

/* Else whoever calls would choose how much the collector gets. */
START_TEST(of_a_strangers_traces_no_more_than_our_share_is_sampled)
{
    static const double ratios[] = {0, 0.25, 1};
    enum { TRACES = 4000 };
    AUTO(ctx) struct ctx *ctx = ctx_new_system("test");

    for (size_t i = 0; i < ARRAY_LEN(ratios); i++) {
        int sampled = 0;

        trace_sample(ratios[i]);
        for (int j = 0; j < TRACES; j++) { /* an id that the samplers by id would always take */
            trace_begin_for_stranger(ctx, "00-" LOW_TRACE "-" SPAN "-01");
            ck_assert_str_eq(ctx->trace_id, LOW_TRACE);
            ck_assert_str_eq(ctx->parent_id, SPAN);
            sampled += ctx->sampled;
        }
        ck_assert_double_le(ratios[i] - 0.05, (double)sampled / TRACES); /* seven sigma */
        ck_assert_double_ge(ratios[i] + 0.05, (double)sampled / TRACES);
        ck_assert(ratios[i] != 1 || sampled == TRACES);
        trace_begin_for_stranger(ctx, "00-" TRACE "-" SPAN "-00");
        ck_assert(!ctx->sampled);
        trace_begin_for_stranger(ctx, NULL); /* no word of a stranger: as trace_begin() */
        ck_assert_str_eq(ctx->parent_id, "");
        ck_assert(ratios[i] != 1 || ctx->sampled);
    }
}
END_TEST

START_TEST(a_parent_is_known_by_its_id_and_a_root_has_none)
{
    AUTO(ctx) struct ctx *ctx = ctx_new_system("test");

    trace_begin(ctx, "00-" TRACE "-" SPAN "-01");
    ck_assert_str_eq(ctx->parent_id, SPAN);
    trace_join(ctx, "00-" TRACE "-" SPAN "-01"); /* no span of our own */
    ck_assert_str_eq(ctx->span_id, SPAN);
    ck_assert_str_eq(ctx->parent_id, "");
    trace_begin(ctx, NULL);
    ck_assert_str_eq(ctx->parent_id, "");
}
END_TEST

START_TEST(work_without_a_trace_has_no_traceparent)
{
    AUTO(ctx) struct ctx *ctx = ctx_new_system("test");
    char out[TRACEPARENT_SIZE];

    trace_traceparent(ctx, out);
    ck_assert_str_eq(out, "");
}
END_TEST

TEST_MAIN("trace", a_traceparent_goes_on_with_a_span_of_ours, the_sampled_flag_is_kept,
          a_malformed_traceparent_starts_a_new_trace, a_newer_version_is_read_as_far_as_we_know_it,
          ids_do_not_repeat, the_correlation_id_is_the_clients_or_the_trace_id,
          of_the_traces_that_begin_here_the_share_that_was_set_is_sampled,
          of_a_strangers_traces_no_more_than_our_share_is_sampled,
          a_parent_is_known_by_its_id_and_a_root_has_none, work_without_a_trace_has_no_traceparent)
