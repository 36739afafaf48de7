/* One walk over the wire format by the message's descriptor, with a stack of its own instead of
 * recursion. It reads tags and lengths exactly as protobuf-c does, so that both see the same
 * strings. */
#include "common/rpc/rpc_scan.h"

#include "common/contract/field_path.h"
#include "common/contract/message_shape.h"

#include <string.h>

enum { TAG_BYTES = 5, LENGTH_BYTES = 5, VARINT_BYTES = 10 };

/* A message that is being walked, and the field of it that is looked at. */
struct frame {
    const ProtobufCMessageDescriptor *type;
    const uint8_t *start, *at, *end;
    const ProtobufCFieldDescriptor *field;
    const uint8_t *field_at;
};

struct wire_field {
    uint32_t number;
    unsigned form; /* ProtobufCWireType */
    const uint8_t *data;
    size_t size;
};

static bool read_varint(const uint8_t **at, const uint8_t *end, int most, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < most && *at < end; i++) {
        uint8_t byte = *(*at)++;

        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            return true;
        }
    }
    return false;
}

/* How many bytes follow the tag (and the length, where there is one). */
static bool read_size(const uint8_t **at, const uint8_t *end, unsigned form, uint64_t *size)
{
    switch (form) {
    case PROTOBUF_C_WIRE_TYPE_VARINT: {
        uint64_t value;

        *size = 0;
        return read_varint(at, end, VARINT_BYTES, &value);
    }
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        return read_varint(at, end, LENGTH_BYTES, size);
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        *size = 8;
        return true;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        *size = 4;
        return true;
    default: /* groups: proto3 has none */
        return false;
    }
}

/* Steps over one field; false when the bytes are none. */
static bool next_field(const uint8_t **at, const uint8_t *end, struct wire_field *found)
{
    uint64_t tag, size;

    if (!read_varint(at, end, TAG_BYTES, &tag)) {
        return false;
    }
    found->number = (uint32_t)(tag >> 3);
    found->form = (unsigned)(tag & 7);
    if (!read_size(at, end, found->form, &size) || size > (size_t)(end - *at)) {
        return false;
    }
    found->data = *at;
    found->size = (size_t)size;
    *at += size;
    return true;
}

/* Which entry of its list the field is: how often it came before. */
static size_t index_of(const struct frame *frame)
{
    const uint8_t *at = frame->start;
    struct wire_field one;
    size_t before = 0;

    while (at < frame->field_at && next_field(&at, frame->end, &one)) {
        before += one.number == frame->field->id;
    }
    return before;
}

/* The fields of all frames, from the outermost in. */
static enum status refuse(struct ctx *ctx, const struct frame *frames, size_t count,
                          const char *message)
{
    struct field_path paths[2 * RPC_DEEPEST];
    const struct field_path *up = NULL;
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        const ProtobufCFieldDescriptor *field = frames[i].field;

        paths[used] =
            (struct field_path){.up = up, .name = field->name, .length = strlen(field->name)};
        up = &paths[used++];
        if (field_is_list(field)) {
            paths[used] = (struct field_path){.up = up, .index = index_of(&frames[i])};
            up = &paths[used++];
        }
    }
    refuse_field(ctx, field_path_text(ctx->arena, up), "%s", message);
    return ctx_refused(ctx);
}

static struct frame frame_of(const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
                             size_t size)
{
    return (struct frame){.type = type, .start = bytes, .at = bytes, .end = bytes + size};
}

enum status rpc_scan(struct ctx *ctx, const ProtobufCMessageDescriptor *type, const void *bytes,
                     size_t size)
{
    struct frame frames[RPC_DEEPEST];
    struct wire_field found;
    size_t count = 1; /* the last one is being walked */

    frames[0] = frame_of(type, bytes, size);
    while (count) {
        struct frame *frame = &frames[count - 1];

        if (frame->at == frame->end) {
            count--;
            continue;
        }
        frame->field_at = frame->at;
        if (!next_field(&frame->at, frame->end, &found)) {
            return fail_with(ctx, ST_INVALID, "", "malformed message");
        }
        frame->field = protobuf_c_message_descriptor_get_field(frame->type, found.number);
        if (!frame->field || found.form != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            continue;
        }
        if (frame->field->type == PROTOBUF_C_TYPE_STRING && memchr(found.data, 0, found.size)) {
            return refuse(ctx, frames, count, "must not hold a NUL");
        }
        if (frame->field->type != PROTOBUF_C_TYPE_MESSAGE) {
            continue;
        }
        if (count == RPC_DEEPEST) {
            return refuse(ctx, frames, count, "is nested too deeply");
        }
        frames[count++] = frame_of(frame->field->descriptor, found.data, found.size);
    }
    return ST_OK;
}
