/* links: test_contracts */
/* Path variables and query parameters into a message. */
#include "common/json/transcode.h"

#include "tests/helpers/house_test.h"

#include "test/kinds/v1/kinds.pb-c.h"

#include <string.h>

typedef Test__Kinds__V1__GetOneRequest request;

static struct ctx *ctx;
static request *asked;

static void before(void)
{
    ctx = ctx_new_system("test");
    asked = (request *)message_new(ctx->arena, &test__kinds__v1__get_one_request__descriptor);
}

static void after(void)
{
    ctx_free(ctx);
}

static void give(const char *path, const char *value)
{
    ck_assert_msg(text_to_field(ctx, &asked->base, path, value) == ST_OK, "%s=%s: %s", path, value,
                  ctx->failure.message);
}

START_TEST(both_spellings_of_a_name_are_taken)
{
    give("id", "o1");
    give("pageSize", "20");
    give("with_tag", "a");
    ck_assert_str_eq(asked->id, "o1");
    ck_assert_int_eq(asked->page_size, 20);
    ck_assert_str_eq(asked->with_tag[0], "a");
}
END_TEST

START_TEST(a_repeated_parameter_adds_up)
{
    static const char *const tags[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};

    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        give("withTag", tags[i]);
    }
    give("withColor", "blue");
    give("withColor", "dark_red");
    ck_assert_uint_eq(asked->n_with_tag, ARRAY_LEN(tags));
    for (size_t i = 0; i < ARRAY_LEN(tags); i++) {
        ck_assert_str_eq(asked->with_tag[i], tags[i]);
    }
    ck_assert_uint_eq(asked->n_with_color, 2);
    ck_assert_int_eq(asked->with_color[1], TEST__KINDS__V1__COLOR__COLOR_DARK_RED);
}
END_TEST

START_TEST(dots_reach_inside)
{
    give("filter.owner", "nana");
    give("filter.mine", "true");
    ck_assert_str_eq(asked->filter->owner, "nana");
    ck_assert(asked->filter->mine);
}
END_TEST

START_TEST(times_wrappers_and_oneofs_are_set_from_text)
{
    give("since", "2026-11-21T09:15:30+01:00");
    give("deep", "false");
    give("limit", "0");
    give("byNumber", "-4");
    ck_assert_int_eq(asked->since->seconds, 1795248930);
    ck_assert(asked->deep && !asked->deep->value);
    ck_assert_int_eq(asked->opt_limit_case, TEST__KINDS__V1__GET_ONE_REQUEST__OPT_LIMIT_LIMIT);
    ck_assert_int_eq(asked->by_number, -4);
}
END_TEST

static const struct {
    const char *path, *value, *field, *message;
} refusals[] = {
    {"nothing",        "1",           "nothing",        "is not known"                                         },
    {"filter.nothing", "1",           "filter.nothing", "is not known"                                         },
    {"filter",         "1",           "filter",         "cannot be given as text"                              },
    {"id.x",           "1",           "id",             "has nothing inside that can be set"                   },
    {"labels",         "1",           "labels",         "cannot be given as text"                              },
    {"pageSize",       "",            "pageSize",       "must be a whole number from -2147483648 to 2147483647"},
    {"pageSize",       "1.5",         "pageSize",       "must be a whole number from -2147483648 to 2147483647"},
    {"pageSize",       " 1",          "pageSize",       "must be a whole number from -2147483648 to 2147483647"},
    {"pageSize",       "99999999999", "pageSize",
     "must be a whole number from -2147483648 to 2147483647"                                                   },
    {"page_size",      "x",           "pageSize",       "must be a whole number from -2147483648 to 2147483647"},
    {"filter.mine",    "yes",         "filter.mine",    "must be true or false"                                },
    {"withColor",      "green",       "withColor",      "must be one of dark_red, blue"                        },
    {"since",          "yesterday",   "since",          "must be a time as in RFC 3339: 2026-01-31T08:15:00Z"  },
    {"id",             "\xff",        "id",             "is not valid UTF-8"                                   },
    {"",               "1",           "",               "is not known"                                         },
};

START_TEST(a_parameter_that_does_not_fit_is_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        after();
        before();
        ck_assert_msg(text_to_field(ctx, &asked->base, refusals[i].path, refusals[i].value) ==
                          ST_INVALID,
                      "%s=%s", refusals[i].path, refusals[i].value);
        ck_assert_int_eq(ctx->failure.problem, PROBLEM_INVALID_FIELDS);
        ck_assert_str_eq(ctx->failure.fields->field, refusals[i].field);
        ck_assert_str_eq(ctx->failure.fields->message, refusals[i].message);
    }
}
END_TEST

START_TEST(a_single_field_is_given_once)
{
    static const char *const twice[][2] = {
        {"id",       "a"                   },
        {"pageSize", "1"                   },
        {"since",    "2026-11-21T09:15:30Z"},
        {"limit",    "0"                   }
    };

    for (size_t i = 0; i < ARRAY_LEN(twice); i++) {
        ctx_forgive(ctx);
        give(twice[i][0], twice[i][1]);
        ck_assert_int_eq(text_to_field(ctx, &asked->base, twice[i][0], twice[i][1]), ST_INVALID);
        ck_assert_str_eq(ctx->failure.fields->message, "is given twice");
    }
}
END_TEST

START_TEST(one_member_of_a_oneof_keeps_the_others_out)
{
    give("byName", "nana");
    ck_assert_int_eq(text_to_field(ctx, &asked->base, "byNumber", "1"), ST_INVALID);
    ck_assert_str_eq(ctx->failure.message, "byNumber cannot be given together with byName");
}
END_TEST

START_TEST(refusals_of_several_parameters_add_up)
{
    enum status first = text_to_field(ctx, &asked->base, "a", "1");
    enum status second = text_to_field(ctx, &asked->base, "b", "1");

    ck_assert_int_eq(first, ST_INVALID);
    ck_assert_int_eq(second, ST_INVALID);
    ck_assert_str_eq(ctx->failure.fields->field, "a");
    ck_assert_str_eq(ctx->failure.fields->next->field, "b");
}
END_TEST

TEST_MAIN_AROUND("transcode_text", (&(struct test_around){.before = before, .after = after}),
                 both_spellings_of_a_name_are_taken, a_repeated_parameter_adds_up,
                 dots_reach_inside, times_wrappers_and_oneofs_are_set_from_text,
                 a_parameter_that_does_not_fit_is_refused, a_single_field_is_given_once,
                 one_member_of_a_oneof_keeps_the_others_out, refusals_of_several_parameters_add_up)
