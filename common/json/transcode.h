/* proto3 JSON to protobuf-c messages and back, driven by protoc-c's descriptors: there is
 * no code for any one message. The dialect is that of ADR 0004: lowerCamelCase names, enum
 * values in lower case without their prefix, int64 as numbers, times in RFC 3339, scalars and
 * lists always written, unset messages and times absent, null in means absent, unknown fields
 * refused, presence by one-field oneof. */
#ifndef COMMON_JSON_TRANSCODE_H
#define COMMON_JSON_TRANSCODE_H

#include "common/base/ctx.h"
#include "common/base/text.h"

#include <protobuf-c/protobuf-c.h>

enum { JSON_MAX_DEPTH = 16 };

/* A zeroed message of that type, in the arena. */
ProtobufCMessage *message_new(struct arena *arena, const ProtobufCMessageDescriptor *type);

/* Parses an object into 'message' (made by message_new; everything it points to is the arena's).
 * PROBLEM_BAD_REQUEST when it is no JSON, too deep or not UTF-8; PROBLEM_INVALID_FIELDS, with a
 * path for each, when a field is unknown, of another type, or out of its type's range. */
enum status json_to_message(struct ctx *ctx, const char *json, size_t size,
                            ProtobufCMessage *message) MUST_CHECK;

/* The same for what a daemon of ours wrote, which may be newer than this one while it is rolled
 * out, or before it was rolled back: fields that are not known are skipped. */
enum status json_to_message_of_ours(struct ctx *ctx, const char *json, size_t size,
                                    ProtobufCMessage *message) MUST_CHECK;

/* Sets one field, dots for nesting, from text: a path variable or a query parameter. Repeated
 * parameters add up in repeated fields and are refused in others. */
enum status text_to_field(struct ctx *ctx, ProtobufCMessage *message, const char *path,
                          const char *value) MUST_CHECK;

/* Appends the message as JSON. */
void message_to_json(struct text *out, const ProtobufCMessage *message);

/* "menu_item_id" as "menuItemId"; the name that clients see. */
const char *json_name(struct arena *arena, const char *field_name);

/* The value of one field as text, for Location and ETag; NULL when it is unset or no scalar. */
const char *message_field_text(struct arena *arena, const ProtobufCMessage *message,
                               const char *field_name);

#endif
