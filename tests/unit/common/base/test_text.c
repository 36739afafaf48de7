/* links: PkgConfig::jansson */
/* The text builder, JSON quoting, UTF-8 and numbers. */
#include "common/base/text.h"

#include "tests/helpers/house_test.h"

#include <jansson.h>
#include <string.h>

static struct arena *arena;

static void make_arena(void)
{
    arena = arena_new(256);
}

static void free_arena(void)
{
    arena_free(arena);
}

START_TEST(a_text_grows_and_stays_terminated)
{
    struct text text = text_new(arena, 1);

    for (int i = 0; i < 1000; i++) {
        text_add(&text, "ab");
        text_add_char(&text, '-');
        text_add_number(&text, i % 10);
        ck_assert_uint_eq(strlen(text.data), text.length);
    }
    ck_assert_uint_eq(text.length, 4000);
    ck_assert_str_eq(text.data + 3992, "ab-8ab-9");
}
END_TEST

START_TEST(an_empty_text_is_terminated)
{
    struct text text = text_new(arena, 0);

    ck_assert_str_eq(text.data, "");
    text_printf(&text, "%s", "");
    text_add_bytes(&text, "", 0);
    ck_assert_uint_eq(text.length, 0);
}
END_TEST

START_TEST(numbers_are_written_to_their_limits)
{
    struct text text = text_new(arena, 8);

    text_add_number(&text, INT64_MIN);
    text_add_char(&text, ' ');
    text_add_number(&text, INT64_MAX);
    ck_assert_str_eq(text.data, "-9223372036854775808 9223372036854775807");
}
END_TEST

static const struct {
    const char *input, *quoted;
} quotings[] = {
    {"",                         "\"\""                        },
    {"flat white",               "\"flat white\""              },
    {"a \"b\" \\ c",             "\"a \\\"b\\\" \\\\ c\""      },
    {"\b\f\n\r\t",               "\"\\b\\f\\n\\r\\t\""         },
    {"\x01\x1f\x7f",             "\"\\u0001\\u001f\x7f\""      },
    {"caf\xc3\xa9 \xe2\x98\x95", "\"caf\xc3\xa9 \xe2\x98\x95\""},
    {"</script>",                "\"</script>\""               },
};

START_TEST(json_strings_are_quoted)
{
    for (size_t i = 0; i < ARRAY_LEN(quotings); i++) {
        struct text text = text_new(arena, 4);

        text_add_json(&text, quotings[i].input);
        ck_assert_str_eq(text.data, quotings[i].quoted);
    }
}
END_TEST

START_TEST(a_json_parser_reads_back_every_ascii_character)
{
    for (char c = 1; c > 0 && c < 127; c++) {
        struct text text = text_new(arena, 4);
        const char input[] = {'x', c, 'y', '\0'};

        text_add_json(&text, input);
        json_t *read = json_loads(text.data, JSON_DECODE_ANY, NULL);
        ck_assert_str_eq(json_string_value(read), input);
        json_decref(read);
    }
}
END_TEST

static const char *const well_formed[] = {
    "",
    "a",
    "\x7f",
    "\xc2\x80",
    "\xdf\xbf",
    "\xe0\xa0\x80",
    "\xed\x9f\xbf",
    "\xee\x80\x80",
    "\xef\xbf\xbf",
    "\xf0\x90\x80\x80",
    "\xf4\x8f\xbf\xbf",
    "\xf0\x9f\x98\x80 emoji",
};

static const char *const ill_formed[] = {
    "\x80",             /* a continuation alone */
    "\xbf",             /* likewise */
    "\xc0\x80",         /* overlong NUL */
    "\xc1\xbf",         /* overlong */
    "\xe0\x80\x80",     /* overlong */
    "\xe0\x9f\xbf",     /* overlong */
    "\xf0\x80\x80\x80", /* overlong */
    "\xf0\x8f\xbf\xbf", /* overlong */
    "\xed\xa0\x80",     /* a surrogate */
    "\xed\xbf\xbf",     /* a surrogate */
    "\xf4\x90\x80\x80", /* past U+10FFFF */
    "\xf5\x80\x80\x80", /* past U+10FFFF */
    "\xff",             /* never */
    "\xfe",             /* never */
    "\xc2",             /* cut short */
    "\xe2\x98",         /* cut short */
    "\xf0\x9f\x98",     /* cut short */
    "\xc2z",            /* no continuation */
    "\xe2\x98z",        /* no continuation */
    "\xf0\x9f\x98z",    /* no continuation */
    "fine \xe2\x98\x95 then \x80",
};

START_TEST(well_formed_utf8_is_taken)
{
    for (size_t i = 0; i < ARRAY_LEN(well_formed); i++) {
        ck_assert_msg(text_is_utf8(well_formed[i], strlen(well_formed[i])), "row %zu", i);
    }
}
END_TEST

START_TEST(ill_formed_utf8_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(ill_formed); i++) {
        ck_assert_msg(!text_is_utf8(ill_formed[i], strlen(ill_formed[i])), "row %zu", i);
    }
}
END_TEST

START_TEST(a_nul_inside_is_refused)
{
    ck_assert(!text_is_utf8("a\0b", 3));
    ck_assert(!text_is_utf8("", 1));
}
END_TEST

START_TEST(a_sequence_is_not_read_past_its_end)
{
    const char cut[2] = {(char)0xe2, (char)0x98}; /* ASan guards what follows */

    ck_assert(!text_is_utf8(cut, 2));
    ck_assert(!text_is_utf8(cut, 1));
}
END_TEST

START_TEST(a_copy_that_does_not_fit_is_cut_and_says_so)
{
    char small[4];

    ck_assert(text_copy(small, sizeof(small), "abc"));
    ck_assert_str_eq(small, "abc");
    ck_assert(!text_copy(small, sizeof(small), "abcd"));
    ck_assert_str_eq(small, "abc");
    ck_assert(text_copy(small, sizeof(small), ""));
    ck_assert_str_eq(small, "");
}
END_TEST

static const struct {
    const char *input;
    bool taken;
    int64_t number;
} numbers[] = {
    {"0",                    true,  0        },
    {"42",                   true,  42       },
    {"-7",                   true,  -7       },
    {"007",                  true,  7        },
    {"9223372036854775807",  true,  INT64_MAX},
    {"-9223372036854775808", true,  INT64_MIN},
    {"9223372036854775808",  false, 0        },
    {"",                     false, 0        },
    {"-",                    false, 0        },
    {"--1",                  false, 0        },
    {"- 1",                  false, 0        },
    {"+1",                   false, 0        },
    {" 1",                   false, 0        },
    {"1 ",                   false, 0        },
    {"1x",                   false, 0        },
    {"0x10",                 false, 0        },
    {"1.0",                  false, 0        },
    {"1e3",                  false, 0        },
};

START_TEST(a_number_is_decimal_and_the_whole_text)
{
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        int64_t number = 99;
        bool taken = text_parse_int(numbers[i].input, INT64_MIN, INT64_MAX, &number);

        ck_assert_msg(taken == numbers[i].taken, "'%s'", numbers[i].input);
        ck_assert_int_eq(number, taken ? numbers[i].number : 99);
    }
}
END_TEST

START_TEST(a_number_outside_its_limits_is_refused)
{
    int64_t number;

    ck_assert(text_parse_int("50", 1, 50, &number));
    ck_assert(!text_parse_int("51", 1, 50, &number));
    ck_assert(!text_parse_int("0", 1, 50, &number));
}
END_TEST

START_TEST(equality_bears_a_missing_text)
{
    ck_assert(text_equal(NULL, NULL));
    ck_assert(!text_equal(NULL, ""));
    ck_assert(text_equal("a", "a"));
    ck_assert(!text_equal("a", "b"));
    ck_assert(text_starts("order.placed", "order."));
    ck_assert(!text_starts("ord", "order."));
}
END_TEST

TEST_MAIN_AROUND("text", (&(struct test_around){.before = make_arena, .after = free_arena}),
                 a_text_grows_and_stays_terminated, an_empty_text_is_terminated,
                 numbers_are_written_to_their_limits, json_strings_are_quoted,
                 a_json_parser_reads_back_every_ascii_character, well_formed_utf8_is_taken,
                 ill_formed_utf8_is_refused, a_nul_inside_is_refused,
                 a_sequence_is_not_read_past_its_end, a_copy_that_does_not_fit_is_cut_and_says_so,
                 a_number_is_decimal_and_the_whole_text, a_number_outside_its_limits_is_refused,
                 equality_bears_a_missing_text)
