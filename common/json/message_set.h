/* Putting values into a protobuf-c message whose type is known only from its descriptor. All
 * memory is the arena's, so such a message must never go to protobuf_c_message_free_unpacked(). */
#ifndef COMMON_JSON_MESSAGE_SET_H
#define COMMON_JSON_MESSAGE_SET_H

#include "common/base/arena.h"
#include "common/contract/message_shape.h"

/* A place for one more value at the end of a list or map. */
void *list_append(struct arena *arena, ProtobufCMessage *message,
                  const ProtobufCFieldDescriptor *field);

/* Where the value of a single field goes. False when another member of its oneof was set: that
 * one's name is then in *taken_by. Nothing is chosen yet. */
bool field_is_free(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                   const char **taken_by);

/* Chooses the member of a oneof, once its value is in; nothing for other fields. */
void field_choose(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

#endif
