/* Numbers, names and bytes as text; see value_text.h. Times are in time_text.c. */
#include "common/json/value_text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_EXACT \
    9007199254740991LL /* 2^53 - 1: beyond it a JSON number may be read as another */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define WHOLE_32 "must be a whole number from -2147483648 to 2147483647"
#define WHOLE_64 "must be a whole number of at most 9007199254740991 either way"
#define NATURAL  "must be a whole number from 0 to "

static const struct {
    int64_t min, max;
    const char *must;
    bool is_wide;
} integers[] = {
    [PROTOBUF_C_TYPE_INT32] = {INT32_MIN,   INT32_MAX, WHOLE_32, false},
    [PROTOBUF_C_TYPE_SINT32] = {INT32_MIN,   INT32_MAX, WHOLE_32, false},
    [PROTOBUF_C_TYPE_SFIXED32] = {INT32_MIN,           INT32_MAX, WHOLE_32, false},
    [PROTOBUF_C_TYPE_UINT32] = {0,UINT32_MAX, NATURAL "4294967295", false},
    [PROTOBUF_C_TYPE_FIXED32] = {0,      UINT32_MAX, NATURAL "4294967295", false},
    [PROTOBUF_C_TYPE_INT64] = {-LARGEST_EXACT,   LARGEST_EXACT, WHOLE_64, true},
    [PROTOBUF_C_TYPE_SINT64] = {-LARGEST_EXACT,   LARGEST_EXACT, WHOLE_64, true},
    [PROTOBUF_C_TYPE_SFIXED64] = {-LARGEST_EXACT,           LARGEST_EXACT, WHOLE_64, true},
    [PROTOBUF_C_TYPE_UINT64] = {0,  LARGEST_EXACT, NATURAL "9007199254740991", true},
    [PROTOBUF_C_TYPE_FIXED64] = {0,      LARGEST_EXACT, NATURAL "9007199254740991", true},
    [PROTOBUF_C_TYPE_MESSAGE] = {0          },
};

const char *value_must_be(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return "must be a number";
    case PROTOBUF_C_TYPE_BOOL:
        return "must be true or false";
    case PROTOBUF_C_TYPE_ENUM:
    case PROTOBUF_C_TYPE_STRING:
        return "must be a string";
    case PROTOBUF_C_TYPE_BYTES:
        return "must be base64 in a string";
    case PROTOBUF_C_TYPE_MESSAGE:
        switch (message_form(field->descriptor)) {
        case FORM_TIMESTAMP:
            return "must be a time as in RFC 3339: 2026-01-31T08:15:00Z";
        case FORM_DURATION:
            return "must be a duration in seconds: 1.5s";
        case FORM_WRAPPER:
            return value_must_be(((const ProtobufCMessageDescriptor *)field->descriptor)->fields);
        case FORM_PLAIN:
            return "must be an object";
        }
        return "must be an object";
    default:
        return integers[field->type].must;
    }
}

const char *value_from_integer(ProtobufCType type, void *at, int64_t number)
{
    if (number < integers[type].min || number > integers[type].max) {
        return integers[type].must;
    }
    if (integers[type].is_wide) {
        *(int64_t *)at = number;
    } else {
        *(uint32_t *)at = (uint32_t)number;
    }
    return NULL;
}

static bool same_name(const char *name, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!name[i] || tolower((unsigned char)name[i]) != text[i]) {
            return false;
        }
    }
    return name[length] == '\0';
}

static const char *enum_choices(struct arena *arena, const ProtobufCEnumDescriptor *type)
{
    struct text text = text_new(arena, 128);
    const char *between = "must be one of ";

    for (unsigned i = 0; i < type->n_values; i++) {
        if (type->values[i].value) { /* 0 says that it was left out */
            text_add(&text, between);
            text_add_enum(&text, type, type->values[i].value);
            between = ", ";
        }
    }
    return text.data;
}

static const char *enum_from_text(struct arena *arena, const ProtobufCFieldDescriptor *field,
                                  void *at, const char *text, size_t length)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;

    for (unsigned i = 0; i < type->n_values; i++) {
        if (same_name(enum_bare_name(type, type->values[i].name), text, length)) {
            *(int *)at = type->values[i].value;
            return NULL;
        }
    }
    return enum_choices(arena, type);
}

/* Both alphabets are read, padding may be missing; what does not decode to whole bytes is
 * refused. */
static bool base64_from_text(struct arena *arena, const char *text, size_t length,
                             ProtobufCBinaryData *data)
{
    uint32_t bits = 0;
    int have = 0;
    size_t padding = 0;

    while (padding < 2 && length && text[length - 1] == '=') {
        length--;
        padding++;
    }
    if (length % 4 == 1 || (padding && (length + padding) % 4 != 0)) {
        return false;
    }
    data->data = arena_alloc(arena, length / 4 * 3 + 3);
    data->len = 0;
    for (size_t i = 0; i < length; i++) {
        char c = (char)(text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
        const char *digit = c ? strchr(alphabet, c) : NULL;

        if (!digit) {
            return false;
        }
        bits = bits << 6 | (uint32_t)(digit - alphabet);
        have += 6;
        if (have >= 8) {
            have -= 8;
            data->data[data->len++] = (uint8_t)(bits >> have);
        }
    }
    return (bits & ((1u << have) - 1)) == 0;
}

void text_add_base64(struct text *text, const uint8_t *bytes, size_t count)
{
    text_add_char(text, '"');
    for (size_t i = 0; i < count; i += 3) {
        size_t left = count - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        char four[4] = {alphabet[three >> 18], alphabet[three >> 12 & 63],
                        (char)(left > 1 ? alphabet[three >> 6 & 63] : '='),
                        (char)(left > 2 ? alphabet[three & 63] : '=')};
        text_add_bytes(text, four, sizeof(four));
    }
    text_add_char(text, '"');
}

void text_add_enum(struct text *text, const ProtobufCEnumDescriptor *type, int number)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);
    char buffer[64];
    size_t length = 0;

    if (!value) {
        text_add(text, "unknown");
        return;
    }
    for (const char *c = enum_bare_name(type, value->name); *c && length < sizeof(buffer); c++) {
        buffer[length++] = (char)tolower((unsigned char)*c);
    }
    text_add_bytes(text, buffer, length);
}

/* JSON's grammar of numbers was checked before, or is checked here by what strtod() leaves. */
static bool real_from_text(const char *text, ProtobufCType type, void *at)
{
    char *end;

    if (!isdigit((unsigned char)text[0]) && !(text[0] == '-' && isdigit((unsigned char)text[1]))) {
        return false;
    }
    double number = strtod(text, &end);
    if (*end || strpbrk(text, "xX") || !isfinite(number)) {
        return false;
    }
    if (type == PROTOBUF_C_TYPE_DOUBLE) {
        *(double *)at = number;
        return true;
    }
    *(float *)at = (float)number;
    return isfinite((float)number);
}

static const char *scalar_from_text(struct arena *arena, const ProtobufCFieldDescriptor *field,
                                    void *at, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    int64_t number;

    memcpy(copy, text, length);
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        *(char **)at = copy;
        return text_is_utf8(text, length) ? NULL : "is not valid UTF-8";
    case PROTOBUF_C_TYPE_BOOL:
        *(protobuf_c_boolean *)at = strcmp(copy, "true") == 0;
        return strcmp(copy, "true") == 0 || strcmp(copy, "false") == 0 ? NULL
                                                                       : value_must_be(field);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return real_from_text(copy, field->type, at) ? NULL : value_must_be(field);
    default:
        return text_parse_int(copy, INT64_MIN, INT64_MAX, &number)
                   ? value_from_integer(field->type, at, number)
                   : value_must_be(field);
    }
}

static const char *message_from_text(struct arena *arena, const ProtobufCFieldDescriptor *field,
                                     void *at, const char *text, size_t length)
{
    const ProtobufCMessageDescriptor *type = field->descriptor;
    enum message_form form = message_form(type);

    if (form == FORM_PLAIN) {
        return "cannot be given as text";
    }
    ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);
    protobuf_c_message_init(type, message);
    *(ProtobufCMessage **)at = message;
    if (form == FORM_WRAPPER) {
        return value_from_text(arena, &type->fields[0], field_at(message, type->fields[0].offset),
                               text, length);
    }
    return time_from_text(form, text, length, (struct seconds_nanos *)message)
               ? NULL
               : value_must_be(field);
}

const char *value_from_text(struct arena *arena, const ProtobufCFieldDescriptor *field, void *at,
                            const char *text, size_t length)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_ENUM:
        return enum_from_text(arena, field, at, text, length);
    case PROTOBUF_C_TYPE_BYTES:
        return base64_from_text(arena, text, length, at) ? NULL : value_must_be(field);
    case PROTOBUF_C_TYPE_MESSAGE:
        return message_from_text(arena, field, at, text, length);
    default:
        return scalar_from_text(arena, field, at, text, length);
    }
}
