/* links: common_json */
/* Milliseconds as protobuf's Timestamp and back, before 1970 and beyond the years there are. */
#include "common/json/timestamp.h"

#include "common/json/value_text.h"
#include "tests/helpers/house_test.h"

#include <stdint.h>

static struct ctx *ctx;

static void before(void)
{
    ctx = ctx_new_system("test");
}

static void after(void)
{
    ctx_free(ctx);
}

static const char *as_text(int64_t ms)
{
    const Google__Protobuf__Timestamp *t = timestamp(ctx, ms);
    struct seconds_nanos time = {.seconds = t->seconds, .nanos = t->nanos};
    struct text text = text_new(ctx->arena, 40);

    text_add_time(&text, FORM_TIMESTAMP, &time);
    return text.data;
}

START_TEST(a_time_comes_back_as_it_was)
{
    static const int64_t times[] = {1,
                                    999,
                                    1000,
                                    1795259254884,
                                    -1,
                                    -999,
                                    -1000,
                                    -1001,
                                    -58258900915100,
                                    253402300799999,
                                    -62135596800000};

    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        ck_assert_int_eq(timestamp_ms(timestamp(ctx, times[i])), times[i]);
    }
}
END_TEST

START_TEST(a_time_before_1970_is_written_as_any_other)
{
    ck_assert_str_eq(as_text(1795259254884), "\"2026-11-21T11:07:34.884Z\"");
    ck_assert_str_eq(as_text(-1), "\"1969-12-31T23:59:59.999Z\"");
    ck_assert_str_eq(as_text(-58258900915100), "\"0123-11-07T03:58:04.900Z\"");
}
END_TEST

START_TEST(what_has_not_happened_is_absent)
{
    ck_assert_ptr_null(timestamp(ctx, 0));
    ck_assert_int_eq(timestamp_ms(NULL), 0);
}
END_TEST

START_TEST(what_is_no_time_is_the_nearest_there_is)
{
    Google__Protobuf__Timestamp t = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    t.seconds = INT64_MAX;
    t.nanos = INT32_MAX;
    ck_assert_int_eq(timestamp_ms(&t), 253402300799999);
    t.seconds = INT64_MIN;
    t.nanos = INT32_MIN;
    ck_assert_int_eq(timestamp_ms(&t), -62135596800000);
}
END_TEST

TEST_MAIN_AROUND("timestamp", (&(struct test_around){.before = before, .after = after}),
                 a_time_comes_back_as_it_was, a_time_before_1970_is_written_as_any_other,
                 what_has_not_happened_is_absent, what_is_no_time_is_the_nearest_there_is)
