/* Times and durations as text: the calendar, the offsets, the ends of the ranges. */
#include "common/json/value_text.h"

#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct arena *arena;

static void before(void)
{
    arena = arena_new(4096);
}

static void after(void)
{
    arena_free(arena);
}

static bool parse(enum message_form form, const char *text, struct seconds_nanos *time)
{
    return time_from_text(form, text, strlen(text), time);
}

static const char *format(enum message_form form, int64_t seconds, int32_t nanos)
{
    struct seconds_nanos time = {.seconds = seconds, .nanos = nanos};
    struct text text = text_new(arena, 40);

    text_add_time(&text, form, &time);
    return text.data;
}

static const struct {
    const char *text;
    int64_t seconds;
    int32_t nanos;
} moments[] = {
    {"1970-01-01T00:00:00Z",           0,            0        },
    {"1970-01-01t00:00:00z",           0,            0        },
    {"2026-11-21T08:15:30.5Z",         1795248930,   500000000},
    {"2026-11-21T09:15:30+01:00",      1795248930,   0        },
    {"2026-11-20T20:30:30-11:45",      1795248930,   0        },
    {"2000-02-29T23:59:59.123456789Z", 951868799,    123456789},
    {"2024-02-29T00:00:00Z",           1709164800,   0        },
    {"0001-01-01T00:00:00Z",           -62135596800, 0        },
    {"9999-12-31T23:59:59.999999999Z", 253402300799, 999999999},
    {"1969-12-31T23:59:59.9Z",         -1,           900000000},
};

START_TEST(a_moment_of_any_offset_is_read)
{
    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        struct seconds_nanos time = {0};

        ck_assert_msg(parse(FORM_TIMESTAMP, moments[i].text, &time), "%s", moments[i].text);
        ck_assert_int_eq(time.seconds, moments[i].seconds);
        ck_assert_int_eq(time.nanos, moments[i].nanos);
    }
}
END_TEST

START_TEST(what_is_no_moment_is_refused)
{
    static const char *const wrong[] = {
        "",
        "2026-11-21",
        "2026-11-21T08:15Z",
        "2026-11-21 08:15:30Z",
        "2026-11-21T08:15:30",
        "2023-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2016-12-31T23:59:60Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00.1234567890Z",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60",
        "2026-01-01T00:00:00Zx",
        "0000-12-31T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "+2026-01-01T00:00:00Z",
        "2026\r01-01T00:00:00Z",
    };
    struct seconds_nanos time;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        ck_assert_msg(!parse(FORM_TIMESTAMP, wrong[i], &time), "%s", wrong[i]);
    }
}
END_TEST

/* The C library's calendar is the oracle, a day and a bit at a time over all years. */
START_TEST(every_day_is_written_as_the_c_library_does_and_reads_back)
{
    for (int64_t s = -62135596800; s <= 253402300799; s += 86400 * 43 + 4321) {
        struct tm tm;
        char expected[40];
        time_t when = (time_t)s;
        struct seconds_nanos back;

        if (s % 97 == 0) {
            after();
            before();
        }
        gmtime_r(&when, &tm);
        snprintf(expected, sizeof(expected), "\"%04d-%02d-%02dT%02d:%02d:%02dZ\"",
                 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        const char *text = format(FORM_TIMESTAMP, s, 0);
        ck_assert_str_eq(text, expected);
        ck_assert(time_from_text(FORM_TIMESTAMP, text + 1, strlen(text) - 2, &back));
        ck_assert_int_eq(back.seconds, s);
    }
}
END_TEST

START_TEST(a_fraction_is_written_in_threes)
{
    ck_assert_str_eq(format(FORM_TIMESTAMP, 0, 120000000), "\"1970-01-01T00:00:00.120Z\"");
    ck_assert_str_eq(format(FORM_TIMESTAMP, 0, 120000), "\"1970-01-01T00:00:00.000120Z\"");
    ck_assert_str_eq(format(FORM_TIMESTAMP, -1, 1), "\"1969-12-31T23:59:59.000000001Z\"");
}
END_TEST

START_TEST(a_time_out_of_range_is_null)
{
    ck_assert_str_eq(format(FORM_TIMESTAMP, INT64_MAX, 0), "null");
    ck_assert_str_eq(format(FORM_TIMESTAMP, 0, -1), "null");
    ck_assert_str_eq(format(FORM_TIMESTAMP, 0, 1000000000), "null");
    ck_assert_str_eq(format(FORM_DURATION, INT64_MIN, INT32_MIN), "null");
    ck_assert_str_eq(format(FORM_DURATION, 1, -1), "null");
}
END_TEST

static const struct {
    const char *text;
    int64_t seconds;
    int32_t nanos;
} lengths[] = {
    {"0s",                       0,             0         },
    {"1.500s",                   1,             500000000 },
    {"-1.500s",                  -1,            -500000000},
    {"-0.000000001s",            0,             -1        },
    {"315576000000s",            315576000000,  0         },
    {"-315576000000.999999999s", -315576000000, -999999999},
};

START_TEST(a_duration_reads_back_as_it_was_written)
{
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        struct seconds_nanos time = {0};

        ck_assert_msg(parse(FORM_DURATION, lengths[i].text, &time), "%s", lengths[i].text);
        ck_assert_int_eq(time.seconds, lengths[i].seconds);
        ck_assert_int_eq(time.nanos, lengths[i].nanos);
        ck_assert_str_eq(format(FORM_DURATION, time.seconds, time.nanos),
                         arena_printf(arena, "\"%s\"", lengths[i].text));
    }
}
END_TEST

START_TEST(what_is_no_duration_is_refused)
{
    static const char *const wrong[] = {"",
                                        "s",
                                        "1",
                                        "1.s",
                                        ".5s",
                                        "1,5s",
                                        "1.5S",
                                        "--1s",
                                        "1.0000000001s",
                                        "+1s",
                                        "315576000001s",
                                        "9999999999999s",
                                        "1ss"};
    struct seconds_nanos time;

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        ck_assert_msg(!parse(FORM_DURATION, wrong[i], &time), "%s", wrong[i]);
    }
}
END_TEST

TEST_MAIN_AROUND("time_text", (&(struct test_around){.before = before, .after = after}),
                 a_moment_of_any_offset_is_read, what_is_no_moment_is_refused,
                 every_day_is_written_as_the_c_library_does_and_reads_back,
                 a_fraction_is_written_in_threes, a_time_out_of_range_is_null,
                 a_duration_reads_back_as_it_was_written, what_is_no_duration_is_refused)
