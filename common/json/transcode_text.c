/* Single fields as text: path variables and query parameters going in, Location and ETag
 * coming out. */
#include "common/json/transcode.h"

#include "common/contract/field_path.h"
#include "common/json/message_set.h"
#include "common/json/value_text.h"

#include <string.h>

/* One name of a dotted path, in the proto's spelling or in the client's. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
                                                  const char *name, size_t length)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const char *known = type->fields[i].name;

        if (camel_equal(known, name, length) ||
            (strlen(known) == length && memcmp(known, name, length) == 0)) {
            return &type->fields[i];
        }
    }
    return NULL;
}

static enum status refuse(struct ctx *ctx, const struct field_path *path, const char *why)
{
    refuse_field(ctx, field_path_text(ctx->arena, path), "%s", why);
    return ctx_refused(ctx);
}

/* A plain scalar cannot tell a 0 that was given from none: "a=0&a=1" passes, and means 1. */
static bool is_given(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    static const char nothing[sizeof(ProtobufCBinaryData)];
    const void *at = field_at(message, field->offset);

    if (field_has_presence(field)) {
        return field_is_present(message, field);
    }
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        return *(const char *const *)at != protobuf_c_empty_string;
    }
    return memcmp(at, nothing, value_size(field->type)) != 0;
}

static enum status set_field(struct ctx *ctx, ProtobufCMessage *message,
                             const ProtobufCFieldDescriptor *field, const char *value,
                             const struct field_path *path)
{
    ProtobufCBinaryData room = {0}; /* as wide as the widest type */
    const char *taken_by;

    if (field_is_map(field)) {
        return refuse(ctx, path, "cannot be given as text");
    }
    if (!field_is_list(field) && is_given(message, field)) {
        return refuse(ctx, path, "is given twice");
    }
    if (!field_is_list(field) && !field_is_free(message, field, &taken_by)) {
        return refuse(ctx, path,
                      arena_printf(ctx->arena, "cannot be given together with %s",
                                   json_name(ctx->arena, taken_by)));
    }
    const char *why = value_from_text(ctx->arena, field, &room, value, strlen(value));
    if (why) {
        return refuse(ctx, path, why);
    }
    void *at = field_is_list(field) ? list_append(ctx->arena, message, field)
                                    : field_at(message, field->offset);
    memcpy(at, &room, value_size(field->type));
    if (!field_is_list(field)) {
        field_choose(message, field);
    }
    return ST_OK;
}

static ProtobufCMessage *step_into(struct ctx *ctx, ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *field)
{
    ProtobufCMessage **inner = field_at(message, field->offset);
    const char *taken_by;

    if (field->type != PROTOBUF_C_TYPE_MESSAGE || field_is_list(field) ||
        message_form(field->descriptor) != FORM_PLAIN ||
        !field_is_free(message, field, &taken_by)) {
        return NULL;
    }
    if (!field_is_present(message, field)) {
        *inner = message_new(ctx->arena, field->descriptor);
        field_choose(message, field);
    }
    return *inner;
}

static enum status set_at(struct ctx *ctx, ProtobufCMessage *message, const char *path,
                          const char *value, const struct field_path *up)
{
    size_t length = strcspn(path, ".");
    struct field_path here = {.up = up, .name = path, .length = length, .as_written = true};
    const ProtobufCFieldDescriptor *field = find_field(message->descriptor, path, length);

    if (!field) {
        return refuse(ctx, &here, "is not known");
    }
    here = (struct field_path){.up = up, .name = field->name, .length = strlen(field->name)};
    if (path[length] == '\0') {
        return set_field(ctx, message, field, value, &here);
    }
    ProtobufCMessage *inner = step_into(ctx, message, field);
    return inner ? set_at(ctx, inner, path + length + 1, value, &here)
                 : refuse(ctx, &here, "has nothing inside that can be set");
}

enum status text_to_field(struct ctx *ctx, ProtobufCMessage *message, const char *path,
                          const char *value)
{
    if (!text_is_utf8(path, strlen(path))) {
        return fail_problem(ctx, PROBLEM_BAD_REQUEST, "The name of a parameter is not UTF-8");
    }
    return set_at(ctx, message, path, value, NULL);
}

static const char *scalar_text(struct arena *arena, const ProtobufCFieldDescriptor *field,
                               const void *at)
{
    struct text text = text_new(arena, 40);

    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *s = *(const char *const *)at;

        return s && *s ? s : NULL;
    }
    if (field->type == PROTOBUF_C_TYPE_ENUM) {
        text_add_enum(&text, field->descriptor, *(const int *)at);
        return text.data;
    }
    text_add_value(&text, field, at);
    return text.data;
}

const char *message_field_text(struct arena *arena, const ProtobufCMessage *message,
                               const char *field_name)
{
    for (;;) {
        size_t length = strcspn(field_name, ".");
        const ProtobufCFieldDescriptor *field = find_field(message->descriptor, field_name, length);

        if (!field || field_is_list(field) || field->type == PROTOBUF_C_TYPE_BYTES ||
            !field_is_present(message, field)) {
            return NULL;
        }
        const void *at = field_at(message, field->offset);
        if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
            return field_name[length] ? NULL : scalar_text(arena, field, at);
        }
        if (!field_name[length]) {
            return NULL;
        }
        message = *(ProtobufCMessage *const *)at;
        field_name += length + 1;
    }
}
