/* links: test_contracts common_json */
/* Requests against their (everything.field) options. They come as JSON, since that says best what
 * is in them; the few that JSON would refuse are made by hand. */
#include "common/contract/contract.h"

#include "common/json/transcode.h"
#include "tests/helpers/house_test.h"

#include "google/protobuf/any.pb-c.h"
#include "test/kinds/v1/kinds.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef Test__Kinds__V1__Rules rules;

static struct contract *contract;
static struct ctx *ctx;

static void start(void)
{
    static char set[512 * 1024];
    const ProtobufCServiceDescriptor *const services[] = {
        &test__kinds__v1__kinds_service__descriptor, NULL};
    FILE *file = fopen(TEST_DESCRIPTORS, "rb");

    if (!file) {
        exit(EXIT_FAILURE);
    }
    size_t size = fread(set, 1, sizeof(set), file);
    fclose(file);
    contract = contract_new_from(set, size, services, stderr);
    if (!contract) {
        exit(EXIT_FAILURE);
    }
}

static void stop(void)
{
    contract_free(contract);
}

static void before(void)
{
    ctx = ctx_new_system("test");
}

static void after(void)
{
    ctx_free(ctx);
}

/* What every request of Rules must have, so that a case is about one field alone. */
#define WHOLE                                                                          \
    "{\"needed\":\"x\",\"color\":\"blue\",\"lines\":[{\"quantity\":1}],\"fromOne\":1," \
    "\"atLeast\":10,\"at\":\"2026-11-21T08:15:30Z\""

static rules *read_rules(const char *more)
{
    const char *json = arena_printf(ctx->arena, WHOLE "%s}", more);
    rules *message = (rules *)message_new(ctx->arena, &test__kinds__v1__rules__descriptor);

    ck_assert_msg(json_to_message(ctx, json, strlen(json), &message->base) == ST_OK, "%s: %s", json,
                  ctx->failure.message);
    return message;
}

static enum status check(const rules *message)
{
    return contract_check(ctx, contract, &message->base);
}

static void expect_refused(const rules *message, const char *field, const char *words)
{
    enum status st = check(message);

    ck_assert_msg(st == ST_INVALID, "%s", field);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_INVALID_FIELDS);
    ck_assert_str_eq(ctx->failure.fields->field, field);
    ck_assert_str_eq(ctx->failure.fields->message, words);
    ck_assert_msg(!ctx->failure.fields->next, "%s too", ctx->failure.fields->next->field);
}

START_TEST(what_keeps_all_rules_passes)
{
    static const char *const good[] = {
        "",
        ",\"short\":\"\"", /* empty is absent where nothing tells them apart */
        ",\"short\":\"ab\"",
        ",\"short\":\"äöüß\"", /* characters count, not bytes */
        ",\"anId\":\"019aa1f0-5c3e-7000-8000-00000000cafe\"",
        ",\"code\":\"ab\"",
        ",\"code\":\"12345\"",
        ",\"huge\":1000",
        ",\"ratio\":0.5",
        ",\"count\":9,\"name\":\"n\"",
        ",\"tags\":[\"abc\",\"\"]",
        ",\"named\":{\"a\":{\"quantity\":50}}",
        ",\"blob\":\"AAAAAA==\"",
        ",\"maybe\":5",
        (",\"inner\":" WHOLE "}"),
    };

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        const rules *message = read_rules(good[i]);
        ck_assert_msg(check(message) == ST_OK, "%s: %s", good[i], ctx->failure.message);
    }
}
END_TEST

static const struct {
    const char *more, *field, *words;
} refusals[] = {
    {",\"short\":\"a\"",                     "short",            "must have 2 to 4 characters"     },
    {",\"short\":\"abcde\"",                 "short",            "must have 2 to 4 characters"     },
    {",\"short\":\"äöüßx\"",             "short",            "must have 2 to 4 characters"     },
    {",\"anId\":\"1234\"",                   "anId",             "must be a UUID"                  },
    {",\"code\":\"abc\"",                    "code",             "has not the form [a-z]{2}|[0-9]+"},
    {",\"code\":\"ab1\"",                    "code",             "has not the form [a-z]{2}|[0-9]+"},
    {",\"code\":\"x12\"",                    "code",             "has not the form [a-z]{2}|[0-9]+"},
    {",\"huge\":1001",                       "huge",             "must be from 0 to 1000"          },
    {",\"ratio\":1.5",                       "ratio",            "must be from 0 to 1"             },
    {",\"ratio\":-0.5",                      "ratio",            "must be from 0 to 1"             },
    {",\"count\":0",                         "count",            "must be from 1 to 9"             },
    {",\"count\":10",                        "count",            "must be from 1 to 9"             },
    {",\"name\":\"\"",                       "name",             "must have 1 to 8 characters"     },
    {",\"tags\":[\"a\",\"b\",\"c\"]",        "tags",             "must have at most 2 entries"     },
    {",\"tags\":[\"a\",\"abcd\"]",           "tags[1]",          "must have at most 3 characters"  },
    {",\"named\":{\"a\":{\"quantity\":51}}", "named.a.quantity", "must be from 1 to 50"            },
    {",\"blob\":\"AAAAAAA=\"",               "blob",             "must have at most 4 bytes"       },
    {",\"maybe\":6",                         "maybe",            "must be from 1 to 5"             },
};

START_TEST(what_breaks_a_rule_is_refused_by_its_path) /* GW-06 */
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        after();
        before();
        expect_refused(read_rules(refusals[i].more), refusals[i].field, refusals[i].words);
    }
}
END_TEST

START_TEST(all_that_is_required_is_missed)
{
    static const char *const missing[] = {"needed", "fromOne", "atLeast", "color", "lines", "at"};
    const rules *empty = (rules *)message_new(ctx->arena, &test__kinds__v1__rules__descriptor);
    size_t i = 0;

    ck_assert_int_eq(check(empty), ST_INVALID);
    for (const struct field_error *e = ctx->failure.fields; e; e = e->next, i++) {
        ck_assert_str_eq(e->field, missing[i]);
    }
    ck_assert_uint_eq(i, ARRAY_LEN(missing));
    ck_assert_str_eq(ctx->failure.message, "needed is required");
}
END_TEST

START_TEST(a_list_is_looked_into_entry_by_entry)
{
    rules *message = read_rules("");
    Test__Kinds__V1__Line bad = TEST__KINDS__V1__LINE__INIT, good = *message->lines[0];
    Test__Kinds__V1__Line *lines[] = {&good, &good, &bad};

    message->lines = lines;
    message->n_lines = 3;
    expect_refused(message, "lines[2].quantity", "must be from 1 to 50");
}
END_TEST

START_TEST(a_message_in_a_message_is_checked_too)
{
    rules *message = read_rules("");

    message->inner = read_rules("");
    message->inner->inner = read_rules(",\"count\":10");
    expect_refused(message, "inner.inner.count", "must be from 1 to 9");
}
END_TEST

START_TEST(defaults_bound_what_says_nothing)
{
    rules *message = read_rules("");
    char *long_text = arena_alloc(ctx->arena, 1002);
    int32_t many[101] = {0};

    memset(long_text, 'x', 1000);
    message->usual_length = long_text;
    message->usual_count = many;
    message->n_usual_count = 100;
    ck_assert_int_eq(check(message), ST_OK);
    long_text[1000] = 'x';
    expect_refused(message, "usualLength", "must have at most 1000 characters");
    ctx_forgive(ctx);
    long_text[1000] = '\0';
    message->n_usual_count = 101;
    expect_refused(message, "usualCount", "must have at most 100 entries");
}
END_TEST

START_TEST(text_that_is_not_utf8_is_refused_wherever_it_is)
{
    static char bad[] = "a\xff";
    rules *message = read_rules(",\"named\":{\"a\":{\"quantity\":1}},\"tags\":[\"a\"]");

    message->usual_length = bad;
    expect_refused(message, "usualLength", "is not valid UTF-8");
    ctx_forgive(ctx);
    message->usual_length = NULL;
    message->tags[0] = bad;
    expect_refused(message, "tags[0]", "is not valid UTF-8");
    ctx_forgive(ctx);
    message->n_tags = 0;
    message->named[0]->key = bad;
    expect_refused(message, "named", "has a key that is not valid UTF-8");
    ctx_forgive(ctx);
    message->named[0]->key = (char[]){"k"};
    message->named[0]->value->note = bad;
    expect_refused(message, "named.k.note", "is not valid UTF-8");
}
END_TEST

START_TEST(an_enum_number_that_nobody_named_is_refused)
{
    rules *message = read_rules("");

    message->color = (Test__Kinds__V1__Color)9;
    expect_refused(message, "color", "is no value that we know");
}
END_TEST

START_TEST(a_time_beyond_the_calendar_is_refused)
{
    rules *message = read_rules("");

    message->at->nanos = 1000000000;
    expect_refused(message, "at", "is out of range");
}
END_TEST

START_TEST(at_most_twenty_refusals_are_told)
{
    static char bad_text[] = "\xff";
    char *bad[30];
    int told = 0;

    for (int i = 0; i < 30; i++) {
        bad[i] = bad_text;
    }
    Test__Kinds__V1__Everything lists = TEST__KINDS__V1__EVERYTHING__INIT;
    lists.texts = bad;
    lists.n_texts = 30;
    ck_assert_int_eq(contract_check(ctx, contract, &lists.base), ST_INVALID);
    for (const struct field_error *e = ctx->failure.fields; e; e = e->next) {
        told++;
    }
    ck_assert_int_eq(told, 20);
}
END_TEST

START_TEST(nesting_without_end_is_refused)
{
    Test__Kinds__V1__Everything one = TEST__KINDS__V1__EVERYTHING__INIT;

    one.inner = &one;
    ck_assert_int_eq(contract_check(ctx, contract, &one.base), ST_INVALID);
    ck_assert_str_eq(ctx->failure.fields->message, "is nested too deeply");
}
END_TEST

START_TEST(a_message_of_no_method_is_our_own_mistake)
{
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;

    ck_assert_int_eq(contract_check(ctx, contract, &any.base), ST_INTERNAL);
}
END_TEST

TEST_MAIN_AROUND("contract_check",
                 (&(struct test_around){
                     .start = start, .stop = stop, .before = before, .after = after}),
                 what_keeps_all_rules_passes, what_breaks_a_rule_is_refused_by_its_path,
                 all_that_is_required_is_missed, a_list_is_looked_into_entry_by_entry,
                 a_message_in_a_message_is_checked_too, defaults_bound_what_says_nothing,
                 text_that_is_not_utf8_is_refused_wherever_it_is,
                 an_enum_number_that_nobody_named_is_refused, a_time_beyond_the_calendar_is_refused,
                 at_most_twenty_refusals_are_told, nesting_without_end_is_refused,
                 a_message_of_no_method_is_our_own_mistake)
