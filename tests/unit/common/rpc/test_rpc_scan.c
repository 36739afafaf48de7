/* links: test_contracts */
/* Raw bytes as no protobuf library of ours would write them. */
#include "common/rpc/rpc_scan.h"
#include "tests/helpers/house_test.h"

#include "test/kinds/v1/kinds.pb-c.h"

#include <string.h>

/* Tags of test.kinds.v1.Everything: field number << 3 | 2, as a varint. */
#define ID     "\x0a"
#define INNER  "\x9a\x01"
#define TEXTS  "\xa2\x01"
#define INNERS "\xba\x01"
#define LABELS "\xe2\x01"
#define MAYBE  "\xaa\x02"

static struct ctx *ctx;

static void before(void)
{
    ctx = ctx_new_system("test");
}

static void after(void)
{
    ctx_free(ctx);
}

static enum status scan(const void *bytes, size_t size)
{
    return rpc_scan(ctx, &test__kinds__v1__everything__descriptor, bytes, size);
}

#define SCAN(literal) scan(literal, sizeof(literal) - 1)

static void check_refused(enum status st, const char *field, const char *message)
{
    ck_assert_int_eq(st, ST_INVALID);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_INVALID_FIELDS);
    ck_assert_ptr_nonnull(ctx->failure.fields);
    ck_assert_str_eq(ctx->failure.fields->field, field);
    ck_assert_str_eq(ctx->failure.fields->message, message);
    ctx_forgive(ctx);
}

START_TEST(a_nul_in_a_string_is_refused_wherever_it_stands)
{
    const char *why = "must not hold a NUL";

    check_refused(SCAN(ID "\x03"
                          "a\0b"),
                  "id", why);
    check_refused(SCAN(ID "\x01\0"), "id", why);
    check_refused(SCAN(TEXTS "\x01x" TEXTS "\x02y\0"), "texts[1]", why);
    check_refused(SCAN(INNER "\x04" ID "\x02\0z"), "inner.id", why);
    check_refused(SCAN(INNERS "\x00" INNERS "\x05" TEXTS "\x02\0z"), "inners[1].texts[0]", why);
    check_refused(SCAN(LABELS "\x03" ID "\x01\0"), "labels[0].key", why);
    check_refused(SCAN(MAYBE "\x03" ID "\x01\0"), "maybeText.value", why);
}
END_TEST

START_TEST(a_string_that_a_later_one_replaces_is_looked_at_too)
{
    check_refused(SCAN(ID "\x01\0" ID "\x01x"), "id", "must not hold a NUL");
}
END_TEST

START_TEST(bytes_numbers_and_unknown_fields_may_hold_what_they_like)
{
    ck_assert_int_eq(SCAN(""), ST_OK);
    ck_assert_int_eq(SCAN("\x7a\x02\0\0"), ST_OK);                     /* some_bytes */
    ck_assert_int_eq(SCAN("\x18\0"), ST_OK);                           /* an_int32 */
    ck_assert_int_eq(SCAN("\x65\0\0\0\0\x59\0\0\0\0\0\0\0\0"), ST_OK); /* unknown: 12, 11 */
    ck_assert_int_eq(SCAN("\xfa\x3e\x02\0\0"), ST_OK);                 /* 1007, of length 2 */
    ck_assert_int_eq(SCAN("\xfa\xff\xff\xff\x0f\x01\0"), ST_OK);       /* the largest number */
}
END_TEST

/* 'levels' messages within the outermost one, each the first field of the one around it. */
static size_t nest(uint8_t *buffer, size_t room, int levels)
{
    uint8_t *at = buffer + room;
    size_t size = 0;

    for (int i = 0; i < levels; i++) {
        *--at = (uint8_t)(size >> 7);
        *--at = (uint8_t)(size & 0x7f) | 0x80;
        *--at = 0x01;
        *--at = 0x9a;
        size += 4;
    }
    memmove(buffer, at, size);
    return size;
}

START_TEST(messages_nest_only_so_deep)
{
    uint8_t bytes[16000];

    ck_assert_int_eq(scan(bytes, nest(bytes, sizeof(bytes), RPC_DEEPEST - 1)), ST_OK);
    enum status st = scan(bytes, nest(bytes, sizeof(bytes), RPC_DEEPEST));
    ck_assert_int_eq(st, ST_INVALID);
    ck_assert_str_eq(ctx->failure.fields->message, "is nested too deeply");
    ctx_forgive(ctx);
    ck_assert_int_eq(scan(bytes, nest(bytes, sizeof(bytes), 3900)), ST_INVALID);
}
END_TEST

START_TEST(bytes_that_are_no_message_name_no_field)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"\x0a",                                         1 }, /* no length */
        {"\x0a\x05x",                                    3 }, /* longer than there is */
        {"\x0a\xff\xff\xff\xff\x0f",                     6 }, /* 4 GiB */
        {"\x0a\xff\xff\xff\xff\xff\x01",                 7 }, /* a length of six bytes */
        {"\xff\xff\xff\xff\xff\xff",                     6 }, /* a tag without an end */
        {"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11}, /* a number of eleven */
        {"\x0b\x0c",                                     2 }, /* a group */
        {"\x0f",                                         1 }, /* form 7 */
        {"\x59\0\0\0",                                   4 }, /* half a fixed64 */
        {"\x9a\x01\x02\x0a\x01",                         5 }, /* inside */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(scan(cases[i].bytes, cases[i].size), ST_INVALID);
        ck_assert_ptr_null(ctx->failure.fields);
        ctx_forgive(ctx);
    }
}
END_TEST

TEST_MAIN_AROUND("rpc scan", (&(struct test_around){.before = before, .after = after}),
                 a_nul_in_a_string_is_refused_wherever_it_stands,
                 a_string_that_a_later_one_replaces_is_looked_at_too,
                 bytes_numbers_and_unknown_fields_may_hold_what_they_like,
                 messages_nest_only_so_deep, bytes_that_are_no_message_name_no_field)
