/* The clocks, and how a moment is written. */
#include "common/base/clock.h"

#include "common/base/auto.h"
#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct {
    int64_t wall_ms;
    const char *text;
} moments[] = {
    {0,               "1970-01-01T00:00:00.000Z"},
    {1,               "1970-01-01T00:00:00.001Z"},
    {951782399999,    "2000-02-28T23:59:59.999Z"},
    {951782400000,    "2000-02-29T00:00:00.000Z"},
    {1795335330125,   "2026-11-22T08:15:30.125Z"},
    {4102444800000,   "2100-01-01T00:00:00.000Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
    {-1,              "1969-12-31T23:59:59.999Z"},
    {-1000,           "1969-12-31T23:59:59.000Z"},
};

START_TEST(a_moment_is_written_as_rfc_3339_in_utc)
{
    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        char text[CLOCK_TEXT_SIZE];

        clock_format(moments[i].wall_ms, text);
        ck_assert_str_eq(text, moments[i].text);
    }
}
END_TEST

START_TEST(a_moment_past_the_year_9999_is_still_terminated)
{
    char text[CLOCK_TEXT_SIZE];

    memset(text, 'x', sizeof(text));
    clock_format(INT64_MAX, text);
    ck_assert_ptr_nonnull(memchr(text, '\0', sizeof(text)));
}
END_TEST

START_TEST(a_pretended_clock_stands_still_until_it_is_let_go)
{
    clock_pretend(1000);
    clock_pause_ms(5);
    ck_assert_int_eq(clock_wall_ms(), 1000);
    clock_pretend(0);
    ck_assert_int_gt(clock_wall_ms(), 1700000000000);
}
END_TEST

START_TEST(a_pretended_wall_clock_leaves_deadlines_alone)
{
    int64_t before = clock_monotonic_ms();

    clock_pretend(1000);
    ck_assert_int_ge(clock_monotonic_ms(), before);
    ck_assert_int_lt(clock_monotonic_ms(), before + 10000);
    clock_pretend(0);
}
END_TEST

START_TEST(a_pause_lasts_at_least_as_long_as_it_says)
{
    int64_t before = clock_monotonic_us();

    clock_pause_ms(20);
    ck_assert_int_ge(clock_monotonic_us() - before, 20000);
    clock_pause_ms(0);
    clock_pause_ms(-5);
}
END_TEST

START_TEST(every_day_is_the_one_of_the_c_library)
{
    for (int64_t day = -719162; day < 2932896; day += 13) { /* from 0001 to 9999 */
        time_t seconds = day * 86400 + day % 86400 * (day > 0);
        char text[CLOCK_TEXT_SIZE], expected[64];
        struct tm utc;

        gmtime_r(&seconds, &utc);
        snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.007Z",
                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min,
                 utc.tm_sec);
        clock_format((int64_t)seconds * 1000 + 7, text);
        ck_assert_str_eq(text, expected);
    }
}
END_TEST

TEST_MAIN("clock", a_moment_is_written_as_rfc_3339_in_utc, every_day_is_the_one_of_the_c_library,
          a_moment_past_the_year_9999_is_still_terminated,
          a_pretended_clock_stands_still_until_it_is_let_go,
          a_pretended_wall_clock_leaves_deadlines_alone, a_pause_lasts_at_least_as_long_as_it_says)
