/* A message as JSON, written straight into a text: no tree, one pass. */
#include "common/json/transcode.h"

#include "common/contract/field_path.h"
#include "common/json/value_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST_NAME = 96 };

typedef void write_function(struct text *out, const ProtobufCFieldDescriptor *field,
                            const void *at);

static void add_number(struct text *out, bool negative, uint64_t number)
{
    char buffer[24], *end = buffer + sizeof(buffer), *p = end;

    do {
        *--p = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    if (negative) {
        *--p = '-';
    }
    text_add_bytes(out, p, (size_t)(end - p));
}

static void add_signed(struct text *out, int64_t number)
{
    add_number(out, number < 0, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
}

static void write_int32(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    add_signed(out, *(const int32_t *)at);
}

static void write_uint32(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    add_number(out, false, *(const uint32_t *)at);
}

static void write_int64(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    add_signed(out, *(const int64_t *)at);
}

static void write_uint64(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    add_number(out, false, *(const uint64_t *)at);
}

/* As few digits as read back as the same number; JSON has no word for what is none. */
static void write_real(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    bool wide = field->type == PROTOBUF_C_TYPE_DOUBLE;
    double number = wide ? *(const double *)at : (double)*(const float *)at;
    char buffer[40];

    if (!isfinite(number)) {
        text_add(out, "null");
        return;
    }
    snprintf(buffer, sizeof(buffer), "%.*g", wide ? 15 : 6, number);
    bool exact = wide ? strtod(buffer, NULL) == number : strtof(buffer, NULL) == (float)number;
    if (!exact) {
        snprintf(buffer, sizeof(buffer), "%.*g", wide ? 17 : 9, number);
    }
    text_add(out, buffer);
}

static void write_bool(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    if (*(const protobuf_c_boolean *)at) {
        text_add_bytes(out, "true", 4);
    } else {
        text_add_bytes(out, "false", 5);
    }
}

static void write_enum(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    text_add_char(out, '"');
    text_add_enum(out, field->descriptor, *(const int *)at);
    text_add_char(out, '"');
}

static void write_string(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    const char *s = *(const char *const *)at;

    (void)field;
    text_add_json(out, s ? s : "");
}

static void write_bytes(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    const ProtobufCBinaryData *data = at;

    (void)field;
    text_add_base64(out, data->data, data->len);
}

static void write_message(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    (void)field;
    message_to_json(out, *(const ProtobufCMessage *const *)at);
}

/* clang-format off */
static write_function *const writers[] = {
    [PROTOBUF_C_TYPE_INT32] = write_int32,    [PROTOBUF_C_TYPE_SINT32] = write_int32,
    [PROTOBUF_C_TYPE_SFIXED32] = write_int32, [PROTOBUF_C_TYPE_INT64] = write_int64,
    [PROTOBUF_C_TYPE_SINT64] = write_int64,   [PROTOBUF_C_TYPE_SFIXED64] = write_int64,
    [PROTOBUF_C_TYPE_UINT32] = write_uint32,  [PROTOBUF_C_TYPE_FIXED32] = write_uint32,
    [PROTOBUF_C_TYPE_UINT64] = write_uint64,  [PROTOBUF_C_TYPE_FIXED64] = write_uint64,
    [PROTOBUF_C_TYPE_FLOAT] = write_real,     [PROTOBUF_C_TYPE_DOUBLE] = write_real,
    [PROTOBUF_C_TYPE_BOOL] = write_bool,      [PROTOBUF_C_TYPE_ENUM] = write_enum,
    [PROTOBUF_C_TYPE_STRING] = write_string,  [PROTOBUF_C_TYPE_BYTES] = write_bytes,
    [PROTOBUF_C_TYPE_MESSAGE] = write_message,
};
/* clang-format on */

void text_add_value(struct text *out, const ProtobufCFieldDescriptor *field, const void *at)
{
    writers[field->type](out, field, at);
}

/* {"  or ,"  then the name in lowerCamelCase and  ": */
static void add_name(struct text *out, const char *name, bool first)
{
    char buffer[LONGEST_NAME + 8];
    size_t length = 0;

    buffer[length++] = first ? '{' : ',';
    buffer[length++] = '"';
    for (; *name && length < LONGEST_NAME; name++) {
        bool upper = false;

        while (*name == '_') {
            upper = true;
            name++;
        }
        if (!*name) {
            break;
        }
        buffer[length++] = (char)(upper ? capital_of(*name) : *name);
    }
    buffer[length++] = '"';
    buffer[length++] = ':';
    text_add_bytes(out, buffer, length);
}

static void write_list(struct text *out, const ProtobufCFieldDescriptor *field,
                       const ProtobufCMessage *message)
{
    size_t count = *field_count(message, field), size = value_size(field->type);
    const char *values = *(char *const *)field_at(message, field->offset);

    text_add_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        if (i) {
            text_add_char(out, ',');
        }
        text_add_value(out, field, values + i * size);
    }
    text_add_char(out, ']');
}

static void write_map(struct text *out, const ProtobufCFieldDescriptor *field,
                      const ProtobufCMessage *message)
{
    ProtobufCMessage *const *entries =
        *(ProtobufCMessage *const *const *)field_at(message, field->offset);

    text_add_char(out, '{');
    for (size_t i = 0; i < *field_count(message, field); i++) {
        const ProtobufCFieldDescriptor *key = &entries[i]->descriptor->fields[0], *value = key + 1;
        bool quoted = key->type == PROTOBUF_C_TYPE_STRING;

        text_add(out, i ? "," : "");
        text_add(out, quoted ? "" : "\"");
        text_add_value(out, key, field_at(entries[i], key->offset));
        text_add(out, quoted ? ":" : "\":");
        const void *at = field_at(entries[i], value->offset);
        bool missing = value->type == PROTOBUF_C_TYPE_MESSAGE && !*(void *const *)at;
        if (missing) { /* a peer may leave it out: the default, then */
            text_add(out, "{}");
        } else {
            text_add_value(out, value, at);
        }
    }
    text_add_char(out, '}');
}

static void write_fields(struct text *out, const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    bool first = true;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];

        if (!field_is_list(field) && !field_is_present(message, field)) {
            continue;
        }
        add_name(out, field->name, first);
        first = false;
        if (!field_is_list(field)) {
            text_add_value(out, field, field_at(message, field->offset));
        } else if (field_is_map(field)) {
            write_map(out, field, message);
        } else {
            write_list(out, field, message);
        }
    }
    text_add(out, first ? "{}" : "}");
}

void message_to_json(struct text *out, const ProtobufCMessage *message)
{
    enum message_form form = message_form(message->descriptor);

    switch (form) {
    case FORM_TIMESTAMP:
    case FORM_DURATION:
        text_add_time(out, form, (const struct seconds_nanos *)message);
        return;
    case FORM_WRAPPER:
        text_add_value(out, &message->descriptor->fields[0],
                       field_at(message, message->descriptor->fields[0].offset));
        return;
    case FORM_PLAIN:
        write_fields(out, message);
        return;
    }
}
