/* Growing lists and choosing members of a oneof; see message_set.h. */
#include "common/json/message_set.h"

#include <string.h>

enum { FIRST_ROOM = 4 };

/* The room is no field of the message: it is the next power of two, from FIRST_ROOM on. */
void *list_append(struct arena *arena, ProtobufCMessage *message,
                  const ProtobufCFieldDescriptor *field)
{
    size_t *count = field_count(message, field), size = value_size(field->type);
    char **values = field_at(message, field->offset);
    bool full = *count == 0 || (*count >= FIRST_ROOM && (*count & (*count - 1)) == 0);

    if (full) {
        char *more = arena_alloc_array(arena, *count ? *count * 2 : FIRST_ROOM, size);

        if (*count) {
            memcpy(more, *values, *count * size);
        }
        *values = more;
    }
    return *values + (*count)++ * size;
}

bool field_is_free(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                   const char **taken_by)
{
    if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)) {
        return true;
    }
    uint32_t chosen = *field_case(message, field);
    if (!chosen || chosen == field->id) {
        return true;
    }
    const ProtobufCFieldDescriptor *other =
        protobuf_c_message_descriptor_get_field(message->descriptor, chosen);
    *taken_by = other ? other->name : "another";
    return false;
}

void field_choose(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
    if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
        *field_case(message, field) = field->id;
    }
}
