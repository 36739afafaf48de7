/* Values that JSON, addresses and headers show as text: times, durations, bytes, enums, and the
 * numbers of path and query. What is read must be exact; each refusal is a sentence that goes
 * behind the field's name. */
#ifndef COMMON_JSON_VALUE_TEXT_H
#define COMMON_JSON_VALUE_TEXT_H

#include "common/base/text.h"
#include "common/contract/message_shape.h"

/* Stores the text as a value of the field's type at 'at'. NULL when that went well, else why
 * not. */
const char *value_from_text(struct arena *arena, const ProtobufCFieldDescriptor *field, void *at,
                            const char *text, size_t length);

/* Stores a whole number; NULL, or why it is refused. */
const char *value_from_integer(ProtobufCType type, void *at, int64_t number);

/* What a value of that field has to be: "must be a whole number". */
const char *value_must_be(const ProtobufCFieldDescriptor *field);

bool time_from_text(enum message_form form, const char *text, size_t length,
                    struct seconds_nanos *time);
/* With its quotes; null for a value that is out of range. */
void text_add_time(struct text *text, enum message_form form, const struct seconds_nanos *time);

void text_add_base64(struct text *text, const uint8_t *bytes, size_t count);

/* Any single value as JSON. */
void text_add_value(struct text *text, const ProtobufCFieldDescriptor *field, const void *at);

/* The name that clients see: "placed"; "unknown" for a number without one. */
void text_add_enum(struct text *text, const ProtobufCEnumDescriptor *type, int number);

#endif
