/* Reading protobuf-c's descriptors between the lines; see message_shape.h. protoc-c keeps
 * neither a map flag nor well-known types apart, so both go by name and fields. */
#include "common/contract/message_shape.h"

#include <ctype.h>
#include <string.h>

#define WELL_KNOWN "google.protobuf."

enum { NANOS_IN_SECOND = 1000000000 };

static const struct {
    enum message_form form;
    int64_t first_second, last_second;
} ranges[] = {
    {FORM_TIMESTAMP, -62135596800,  253402300799},
    {FORM_DURATION,  -315576000000, 315576000000},
};

enum message_form message_form(const ProtobufCMessageDescriptor *type)
{
    const size_t prefix = sizeof(WELL_KNOWN) - 1;

    if (strncmp(type->name, WELL_KNOWN, prefix) != 0) {
        return FORM_PLAIN;
    }
    const char *name = type->name + prefix;
    size_t length = strlen(name);
    if (strcmp(name, "Timestamp") == 0) {
        return FORM_TIMESTAMP;
    }
    if (strcmp(name, "Duration") == 0) {
        return FORM_DURATION;
    }
    bool wraps = type->n_fields == 1 && length > 5 && strcmp(name + length - 5, "Value") == 0 &&
                 strcmp(type->fields[0].name, "value") == 0;
    return wraps ? FORM_WRAPPER : FORM_PLAIN;
}

bool seconds_nanos_are_valid(enum message_form form, const struct seconds_nanos *value)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (ranges[i].form != form) {
            continue;
        }
        bool signs_agree = form == FORM_TIMESTAMP ? value->nanos >= 0
                                                  : !(value->seconds > 0 && value->nanos < 0) &&
                                                        !(value->seconds < 0 && value->nanos > 0);
        return signs_agree && value->seconds >= ranges[i].first_second &&
               value->seconds <= ranges[i].last_second && value->nanos > -NANOS_IN_SECOND &&
               value->nanos < NANOS_IN_SECOND;
    }
    return true;
}

bool field_is_map(const ProtobufCFieldDescriptor *field)
{
    if (!field_is_list(field) || field->type != PROTOBUF_C_TYPE_MESSAGE) {
        return false;
    }
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    if (entry->n_fields != 2 || strcmp(entry->fields[0].name, "key") != 0 ||
        strcmp(entry->fields[1].name, "value") != 0) {
        return false;
    }
    size_t length = strlen(entry->short_name);
    return length > 5 && strcmp(entry->short_name + length - 5, "Entry") == 0;
}

bool field_has_presence(const ProtobufCFieldDescriptor *field)
{
    return !field_is_list(field) && (field->type == PROTOBUF_C_TYPE_MESSAGE ||
                                     (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0);
}

bool field_is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field_is_list(field)) {
        return *field_count(message, field) > 0;
    }
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        if (*field_case(message, field) != field->id) {
            return false;
        }
    }
    return field->type != PROTOBUF_C_TYPE_MESSAGE ||
           *(ProtobufCMessage *const *)field_at(message, field->offset) != NULL;
}

size_t value_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return sizeof(int32_t);
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return sizeof(int64_t);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    }
    return 0;
}

const char *enum_bare_name(const ProtobufCEnumDescriptor *type, const char *name)
{
    const char *at = name;

    for (const char *t = type->short_name; *t; t++) {
        if (t > type->short_name && isupper((unsigned char)*t) && *at == '_') {
            at++;
        }
        if (*at != toupper((unsigned char)*t)) {
            return name;
        }
        at++;
    }
    return *at == '_' && at[1] ? at + 1 : name;
}
