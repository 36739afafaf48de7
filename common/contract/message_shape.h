/* What protobuf-c's descriptors tell of a message only between the lines: which repeated field is
 * a map, which messages JSON shows in another form, where a value lies in memory, and what an
 * enum value is called outside. */
#ifndef COMMON_CONTRACT_MESSAGE_SHAPE_H
#define COMMON_CONTRACT_MESSAGE_SHAPE_H

#include <protobuf-c/protobuf-c.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum message_form {
    FORM_PLAIN,
    FORM_TIMESTAMP, /* google.protobuf.Timestamp: RFC 3339 text */
    FORM_DURATION,  /* google.protobuf.Duration: "1.5s" */
    FORM_WRAPPER,   /* google.protobuf.Int64Value and its kin: the bare value */
};

enum message_form message_form(const ProtobufCMessageDescriptor *type);

/* Timestamp and Duration lie alike in memory. */
struct seconds_nanos {
    ProtobufCMessage base;
    int64_t seconds;
    int32_t nanos;
};

/* Years 1 to 9999, or the 10,000 years that a Duration may have either way. */
bool seconds_nanos_are_valid(enum message_form form, const struct seconds_nanos *value);

bool field_is_map(const ProtobufCFieldDescriptor *field);

static inline bool field_is_list(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* Whether the message can tell "unset" from "zero": members of a oneof, and messages. */
bool field_has_presence(const ProtobufCFieldDescriptor *field);

/* A oneof member that was chosen, a message that is there, a list that is not empty; a plain
 * scalar is always there. */
bool field_is_present(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

/* Bytes that one value of the type takes in a message or list. */
size_t value_size(ProtobufCType type);

static inline void *field_at(const ProtobufCMessage *message, size_t offset)
{
    return (char *)(uintptr_t)message + offset;
}

/* How many entries a list or map has. */
static inline size_t *field_count(const ProtobufCMessage *message,
                                  const ProtobufCFieldDescriptor *field)
{
    return field_at(message, field->quantifier_offset);
}

static inline uint32_t *field_case(const ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *field)
{
    return field_at(message, field->quantifier_offset);
}

/* "STATUS_PLACED" of enum Status without its prefix: "PLACED". Clients see it in lower case. */
const char *enum_bare_name(const ProtobufCEnumDescriptor *type, const char *name);

#endif
