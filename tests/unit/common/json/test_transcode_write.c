/* links: test_contracts */
/* Messages as JSON: what is written, what is left out, and the text of single fields. */
#include "common/json/transcode.h"

#include "tests/helpers/house_test.h"

#include "test/kinds/v1/kinds.pb-c.h"

#include <math.h>
#include <string.h>

typedef Test__Kinds__V1__Everything everything;

static struct ctx *ctx;

static void before(void)
{
    ctx = ctx_new_system("test");
}

static void after(void)
{
    ctx_free(ctx);
}

static everything *fresh(void)
{
    return (everything *)message_new(ctx->arena, &test__kinds__v1__everything__descriptor);
}

static const char *written(const ProtobufCMessage *message)
{
    struct text text = text_new(ctx->arena, 64);

    message_to_json(&text, message);
    return text.data;
}

START_TEST(scalars_and_lists_are_always_written_and_the_rest_is_absent)
{
    ck_assert_str_eq(
        written(&fresh()->base),
        "{\"id\":\"\",\"aBool\":false,\"anInt32\":0,\"aSint32\":0,\"aSfixed32\":0,\"aUint32\":0,"
        "\"aFixed32\":0,\"anInt64\":0,\"aSint64\":0,\"aSfixed64\":0,\"aUint64\":0,\"aFixed64\":0,"
        "\"aFloat\":0,\"aDouble\":0,\"someBytes\":\"\",\"color\":\"unspecified\",\"texts\":[],"
        "\"numbers\":[],\"colors\":[],\"inners\":[],\"blobs\":[],\"flags\":[],\"reals\":[],"
        "\"times\":[],\"labels\":{},\"counts\":{},\"byBool\":{},\"palette\":{}}");
}
END_TEST

START_TEST(an_empty_message_is_an_empty_object)
{
    Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;

    ck_assert_str_eq(written(&empty.base), "{}");
}
END_TEST

START_TEST(an_unknown_enum_number_is_unknown)
{
    everything *m = fresh();

    m->color = (Test__Kinds__V1__Color)77;
    ck_assert_ptr_nonnull(strstr(written(&m->base), "\"color\":\"unknown\""));
}
END_TEST

/* GW-14: what a newer daemon adds is a field of an unknown number to this build */
START_TEST(a_field_of_a_newer_build_changes_nothing)
{
    static const uint8_t known[] = {0x0a, 2, 'i', 'd'};             /* id = 1 */
    static const uint8_t newer[] = {0x0a, 2,    'i', 'd',           /* id = 1 */
                                    0xba, 0x3e, 3,   'n', 'e', 'w', /* string 999 */
                                    0xc0, 0x3e, 0x07};              /* number 1000 */
    const ProtobufCMessageDescriptor *type = &test__kinds__v1__everything__descriptor;
    ProtobufCMessage *today = protobuf_c_message_unpack(type, NULL, sizeof(known), known);
    ProtobufCMessage *later = protobuf_c_message_unpack(type, NULL, sizeof(newer), newer);

    ck_assert_ptr_nonnull(later);
    ck_assert_uint_eq(later->n_unknown_fields, 2);
    ck_assert_str_eq(written(later), written(today));
    protobuf_c_message_free_unpacked(today, NULL);
    protobuf_c_message_free_unpacked(later, NULL);
}
END_TEST

START_TEST(text_is_escaped_and_utf8_stays)
{
    everything *m = fresh();

    m->id = (char[]){"a\"\\\n\x01é😀"};
    ck_assert_ptr_nonnull(strstr(written(&m->base), "\"id\":\"a\\\"\\\\\\n\\u0001é😀\""));
}
END_TEST

START_TEST(the_ends_of_the_number_types_are_written_whole)
{
    everything *m = fresh();

    m->an_int64 = INT64_MIN;
    m->a_uint64 = UINT64_MAX;
    m->an_int32 = INT32_MIN;
    m->a_fixed32 = UINT32_MAX;
    const char *json = written(&m->base);
    ck_assert_ptr_nonnull(strstr(json, "\"anInt64\":-9223372036854775808,"));
    ck_assert_ptr_nonnull(strstr(json, "\"aUint64\":18446744073709551615,"));
    ck_assert_ptr_nonnull(strstr(json, "\"anInt32\":-2147483648,"));
    ck_assert_ptr_nonnull(strstr(json, "\"aFixed32\":4294967295,"));
}
END_TEST

START_TEST(what_is_no_number_is_null)
{
    everything *m = fresh();

    m->a_double = NAN;
    m->a_float = -INFINITY;
    ck_assert_ptr_nonnull(strstr(written(&m->base), "\"aFloat\":null,\"aDouble\":null"));
}
END_TEST

START_TEST(times_and_wrappers_have_their_own_form)
{
    everything *m = fresh();
    Google__Protobuf__Timestamp at = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Int64Value number = GOOGLE__PROTOBUF__INT64_VALUE__INIT;

    at.seconds = 1795248930;
    number.value = 5;
    m->at = &at;
    m->maybe_number = &number;
    const char *json = written(&m->base);
    ck_assert_ptr_nonnull(strstr(json, "\"at\":\"2026-11-21T08:15:30Z\""));
    ck_assert_ptr_nonnull(strstr(json, "\"maybeNumber\":5}"));
}
END_TEST

START_TEST(a_field_name_is_shown_in_camel_case)
{
    ck_assert_str_eq(json_name(ctx->arena, "menu_item_id"), "menuItemId");
    ck_assert_str_eq(json_name(ctx->arena, "id"), "id");
    ck_assert_str_eq(json_name(ctx->arena, "p256_dh_2"), "p256Dh2");
}
END_TEST

START_TEST(one_field_reads_as_text)
{
    everything *m = fresh();

    m->id = (char[]){"o1"};
    m->an_int64 = -7;
    m->color = TEST__KINDS__V1__COLOR__COLOR_DARK_RED;
    m->inner = fresh();
    m->inner->a_bool = 1;
    ck_assert_str_eq(message_field_text(ctx->arena, &m->base, "id"), "o1");
    ck_assert_str_eq(message_field_text(ctx->arena, &m->base, "an_int64"), "-7");
    ck_assert_str_eq(message_field_text(ctx->arena, &m->base, "anInt64"), "-7");
    ck_assert_str_eq(message_field_text(ctx->arena, &m->base, "color"), "dark_red");
    ck_assert_str_eq(message_field_text(ctx->arena, &m->base, "inner.a_bool"), "true");
}
END_TEST

START_TEST(a_field_without_a_text_has_none)
{
    static const char *const names[] = {"nothing", "inner",    "inner.id", "texts",     "labels",
                                        "at",      "inner.at", "id",       "some_bytes"};
    everything *m = fresh();

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ck_assert_msg(!message_field_text(ctx->arena, &m->base, names[i]), "%s", names[i]);
    }
    m->inner = fresh();
    ck_assert_ptr_null(message_field_text(ctx->arena, &m->base, "inner"));
}
END_TEST

TEST_MAIN_AROUND("transcode_write", (&(struct test_around){.before = before, .after = after}),
                 scalars_and_lists_are_always_written_and_the_rest_is_absent,
                 an_empty_message_is_an_empty_object, an_unknown_enum_number_is_unknown,
                 a_field_of_a_newer_build_changes_nothing, text_is_escaped_and_utf8_stays,
                 the_ends_of_the_number_types_are_written_whole, what_is_no_number_is_null,
                 times_and_wrappers_have_their_own_form, a_field_name_is_shown_in_camel_case,
                 one_field_reads_as_text, a_field_without_a_text_has_none)
