/* links: test_contracts */
/* Two properties over generated inputs: any message is the same after a trip through JSON, and
 * our scanner calls JSON exactly what jansson calls JSON. */
#include "common/json/transcode.h"

#include "common/json/message_set.h"
#include "common/json/scan.h"
#include "tests/helpers/house_test.h"

#include "test/kinds/v1/kinds.pb-c.h"

#include <jansson.h>
#include <string.h>

enum { ROUNDS = 800, TEXTS = 16000, DEEPEST = 3 };

static struct ctx *ctx;
static uint64_t seed = 20261121;

static void before(void)
{
    ctx = ctx_new_system("test");
}

static void after(void)
{
    ctx_free(ctx);
}

static uint64_t below(uint64_t bound) /* xorshift64*: the same numbers at each run */
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (seed * 0x2545f4914f6cdd1dULL >> 33) % bound;
}

static int64_t any_integer(void)
{
    static const int64_t edges[] = {
        0, 1, -1, INT32_MAX, INT32_MIN, 9007199254740991, -9007199254740991, 1000000};

    return below(3) ? edges[below(ARRAY_LEN(edges))] : (int64_t)below(1u << 31) * 4096;
}

static const char *any_text(void)
{
    static const char *const parts[] = {
        "a", "Flat White",      "é", "😀", "\"", "\\", "\n", "\x01", "/", "\x7f", "漢字",
        " ", "0123456789abcdef"};
    struct text text = text_new(ctx->arena, 32);

    for (uint64_t i = below(6); i; i--) {
        text_add(&text, parts[below(ARRAY_LEN(parts))]);
    }
    return text.data;
}

static ProtobufCMessage *any_message(const ProtobufCMessageDescriptor *type, int depth);

static ProtobufCMessage *any_time(const ProtobufCMessageDescriptor *type)
{
    struct seconds_nanos *time = (struct seconds_nanos *)message_new(ctx->arena, type);
    bool negative = message_form(type) == FORM_DURATION && below(2);

    time->seconds = (int64_t)below(1u << 31) * 50 + (int64_t)below(1000);
    time->nanos = (int32_t)below(1000000000);
    time->seconds = negative ? -time->seconds : time->seconds;
    time->nanos = negative ? -time->nanos : time->nanos;
    return &time->base;
}

static void put_real(const ProtobufCFieldDescriptor *field, void *at)
{
    double number = (double)any_integer() / (double)(1 + below(1000));

    if (field->type == PROTOBUF_C_TYPE_DOUBLE) {
        *(double *)at = number;
    } else {
        *(float *)at = (float)number;
    }
}

static void put_bytes(void *at)
{
    ProtobufCBinaryData *data = at;

    data->len = below(8);
    data->data = arena_alloc(ctx->arena, data->len + 1);
    for (size_t i = 0; i < data->len; i++) {
        data->data[i] = (uint8_t)below(256);
    }
}

static void put_any(const ProtobufCFieldDescriptor *field, void *at, int depth)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;

    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = (int)below(2);
        return;
    case PROTOBUF_C_TYPE_ENUM:
        *(int *)at = type->values[below(type->n_values)].value;
        return;
    case PROTOBUF_C_TYPE_STRING:
        *(const char **)at = any_text();
        return;
    case PROTOBUF_C_TYPE_BYTES:
        put_bytes(at);
        return;
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        put_real(field, at);
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        *(ProtobufCMessage **)at = any_message(field->descriptor, depth + 1);
        return;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        *(int64_t *)at = any_integer();
        return;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64: {
        int64_t number = any_integer();
        *(uint64_t *)at = (uint64_t)(number < 0 ? -number : number);
        return;
    }
    default:
        *(uint32_t *)at = (uint32_t)any_integer();
        return;
    }
}

static void put_list(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field, int depth)
{
    bool is_map = field_is_map(field);
    uint64_t count = below(is_map ? 2 : 6); /* one entry a map: keys must differ */

    for (uint64_t i = 0; i < count; i++) {
        void *at = list_append(ctx->arena, message, field);
        put_any(field, at, depth);
        if (is_map) {
            ProtobufCMessage *entry = *(ProtobufCMessage **)at;
            const ProtobufCFieldDescriptor *value = &entry->descriptor->fields[1];
            put_any(value, field_at(entry, value->offset), DEEPEST);
        }
    }
}

static ProtobufCMessage *any_message(const ProtobufCMessageDescriptor *type, int depth)
{
    enum message_form form = message_form(type);

    if (form == FORM_TIMESTAMP || form == FORM_DURATION) {
        return any_time(type);
    }
    ProtobufCMessage *message = message_new(ctx->arena, type);
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const char *taken_by;

        if (field->type == PROTOBUF_C_TYPE_MESSAGE && depth >= DEEPEST) {
            continue;
        }
        if (field_is_list(field)) {
            put_list(message, field, depth);
        } else if (below(2) && field_is_free(message, field, &taken_by)) {
            put_any(field, field_at(message, field->offset), depth);
            field_choose(message, field);
        }
    }
    return message;
}

static size_t packed(const ProtobufCMessage *message, uint8_t **bytes)
{
    *bytes = arena_alloc(ctx->arena, protobuf_c_message_get_packed_size(message) + 1);
    return protobuf_c_message_pack(message, *bytes);
}

START_TEST(any_message_is_the_same_after_a_trip_through_json)
{
    const ProtobufCMessageDescriptor *type = &test__kinds__v1__everything__descriptor;

    for (int i = 0; i < ROUNDS; i++) {
        struct text json = text_new(ctx->arena, 256);
        ProtobufCMessage *sent = any_message(type, 0), *got = message_new(ctx->arena, type);
        uint8_t *a, *b;

        message_to_json(&json, sent);
        enum status st = json_to_message(ctx, json.data, json.length, got);
        ck_assert_msg(st == ST_OK, "%s\n%s", ctx->failure.message, json.data);
        size_t size = packed(sent, &a);
        ck_assert_msg(packed(got, &b) == size && memcmp(a, b, size) == 0, "%s", json.data);
        after();
        before();
    }
}
END_TEST

START_TEST(what_we_write_jansson_reads)
{
    for (int i = 0; i < ROUNDS / 4; i++) {
        struct text json = text_new(ctx->arena, 256);

        message_to_json(&json, any_message(&test__kinds__v1__everything__descriptor, 0));
        json_t *tree = json_loadb(json.data, json.length, JSON_REJECT_DUPLICATES, NULL);
        ck_assert_msg(tree != NULL, "%s", json.data);
        json_decref(tree);
        after();
        before();
    }
}
END_TEST

static void add_any_json(struct text *text, int depth)
{
    static const char *const leaves[] = {
        "null",
        "true",
        "false",
        "0",
        "-1.5e+3",
        "12",
        "\"\"",
        "\"a\\u00e9\\n\"",
        "\"é😀\"",
        "\"\\ud83d\\ude00\"",
        "1E2",
        "-0",
        "\"0123456789\\\"0123\"",
    };
    uint64_t kind = depth >= 5 ? 2 : below(4);

    if (kind > 1) {
        text_add(text, leaves[below(ARRAY_LEN(leaves))]);
        return;
    }
    text_add_char(text, kind ? '[' : '{');
    for (uint64_t i = below(4), first = 1; i; i--, first = 0) {
        text_add(text, first ? "" : below(3) ? "," : " ,\n\t");
        if (!kind) {
            text_printf(text, "\"k%d\" : ", (int)i);
        }
        add_any_json(text, depth + 1);
    }
    text_add_char(text, kind ? ']' : '}');
}

/* Some bytes are changed, taken out or doubled. */
static void spoil(struct text *text)
{
    static const char bytes[] = "{}[]\",:\\u0d8efE-+. \n\x01\x7f\xc3\xa9\xed\xa0\xf0\x9f";

    for (uint64_t i = below(4); i && text->length > 1; i--) {
        size_t at = below(text->length);

        switch (below(3)) {
        case 0:
            text->data[at] = bytes[below(sizeof(bytes) - 1)];
            break;
        case 1:
            memmove(text->data + at, text->data + at + 1, text->length - at);
            text->length--;
            break;
        default:
            text_add_char(text, '?');
            memmove(text->data + at + 1, text->data + at, text->length - at - 1);
            break;
        }
    }
}

/* What jansson does not take though it is JSON: numbers beyond its types, NUL in a name. */
static bool is_jansson_limit(const json_error_t *error)
{
    return strstr(error->text, "too big") || strstr(error->text, "overflow") ||
           strstr(error->text, "NUL byte in object key");
}

START_TEST(jansson_and_we_agree_on_what_is_json) /* SEC-09 */
{
    int good = 0;

    for (int i = 0; i < TEXTS; i++) {
        struct text json = text_new(ctx->arena, 256);
        Google__Protobuf__Empty empty = GOOGLE__PROTOBUF__EMPTY__INIT;
        json_error_t error;

        text_add(&json, "{\"x\":");
        add_any_json(&json, 0);
        text_add_char(&json, '}');
        spoil(&json);
        json_t *tree = json_loadb(json.data, json.length, JSON_ALLOW_NUL, &error);
        bool taken = json_is_object(tree);
        json_decref(tree);
        enum status st = json_to_message(ctx, json.data, json.length, &empty.base);
        bool ours = st == ST_OK || ctx->failure.problem != PROBLEM_BAD_REQUEST;
        ck_assert_msg(ours == taken || is_jansson_limit(&error), "%s\njansson: %s\nwe: %s",
                      json.data, taken ? "good" : error.text, ours ? "good" : ctx->failure.message);
        good += ours;
        after();
        before();
    }
    ck_assert_int_gt(good, TEXTS / 10);
    ck_assert_int_lt(good, TEXTS * 9 / 10);
}
END_TEST

TEST_MAIN_AROUND("round_trip", (&(struct test_around){.before = before, .after = after}),
                 any_message_is_the_same_after_a_trip_through_json, what_we_write_jansson_reads,
                 jansson_and_we_agree_on_what_is_json)
