/* JSON straight into a message, in one pass and without a tree in between. What is no JSON
 * ends it (scan.h); a field that does not fit is refused by its path and stepped over, so that
 * a client hears of all its mistakes at once. */
#include "common/json/transcode.h"

#include "common/contract/field_path.h"
#include "common/json/message_set.h"
#include "common/json/scan.h"
#include "common/json/value_text.h"

#include <string.h>

enum { MOST_REFUSED = 20, MOST_LIST_ENTRIES = 10000, MOST_MAP_ENTRIES = 1000 };

struct reader {
    struct scan scan;
    bool skips_unknown;
    int refused;
};

/* What one value is read for. */
struct target {
    const ProtobufCFieldDescriptor *field;
    void *at;
    const struct field_path *path;
};

typedef enum status read_function(struct reader *reader, const struct target *target);

static enum status read_value(struct reader *reader, const struct target *target);

ProtobufCMessage *message_new(struct arena *arena, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = arena_alloc(arena, type->sizeof_message);

    protobuf_c_message_init(type, message);
    return message;
}

const char *json_name(struct arena *arena, const char *field_name)
{
    struct text text = text_new(arena, strlen(field_name) + 1);

    text_add_camel(&text, field_name, strlen(field_name));
    return text.data;
}

__attribute__((format(printf, 3, 4))) static void
refuse(struct reader *reader, const struct field_path *path, const char *fmt, ...)
{
    struct arena *arena = reader->scan.ctx->arena;
    va_list ap;

    if (reader->refused++ >= MOST_REFUSED) {
        return;
    }
    va_start(ap, fmt);
    refuse_field(reader->scan.ctx, field_path_text(arena, path), "%s",
                 arena_vprintf(arena, fmt, ap));
    va_end(ap);
}

/* A value of another kind than the field's. */
static enum status refuse_kind(struct reader *reader, const struct target *target)
{
    refuse(reader, target->path, "%s", value_must_be(target->field));
    return scan_skip(&reader->scan);
}

static bool at_number(struct reader *reader)
{
    char c = scan_peek(&reader->scan);

    return c == '-' || (c >= '0' && c <= '9');
}

static enum status read_integer(struct reader *reader, const struct target *target)
{
    struct scan_number number;

    if (!at_number(reader)) {
        return refuse_kind(reader, target);
    }
    TRY(scan_number(&reader->scan, &number));
    const char *why = number.fits
                          ? value_from_integer(target->field->type, target->at, number.value)
                          : value_must_be(target->field);
    if (why) {
        refuse(reader, target->path, "%s", why);
    }
    return ST_OK;
}

static enum status read_real(struct reader *reader, const struct target *target)
{
    struct scan_number number;

    if (!at_number(reader)) {
        return refuse_kind(reader, target);
    }
    TRY(scan_number(&reader->scan, &number));
    const char *why = value_from_text(reader->scan.ctx->arena, target->field, target->at,
                                      number.data, number.length);
    if (why) {
        refuse(reader, target->path, "is too large a number");
    }
    return ST_OK;
}

static enum status read_bool(struct reader *reader, const struct target *target)
{
    char c = scan_peek(&reader->scan);

    if (c != 't' && c != 'f') {
        return refuse_kind(reader, target);
    }
    *(protobuf_c_boolean *)target->at = c == 't';
    return scan_word(&reader->scan, c == 't' ? "true" : "false");
}

static enum status read_string(struct reader *reader, const struct target *target)
{
    struct scan_text text;

    if (scan_peek(&reader->scan) != '"') {
        return refuse_kind(reader, target);
    }
    TRY(scan_string(&reader->scan, &text));
    if (text.has_nul) {
        refuse(reader, target->path, "must not hold a NUL character");
        return ST_OK;
    }
    *(char **)target->at = scan_keep(&reader->scan, &text);
    return ST_OK;
}

/* Enums, bytes, times. */
static enum status read_as_text(struct reader *reader, const struct target *target)
{
    struct scan_text text;

    if (scan_peek(&reader->scan) != '"') {
        return refuse_kind(reader, target);
    }
    TRY(scan_string(&reader->scan, &text));
    const char *why =
        value_from_text(reader->scan.ctx->arena, target->field, target->at, text.data, text.length);
    if (why) {
        refuse(reader, target->path, "%s", why);
    }
    return ST_OK;
}

/* Keys come in the order of the fields more often than not: 'from' is where the last one was. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
                                                  unsigned from, const struct scan_text *name)
{
    for (unsigned i = 0, at = from; i < type->n_fields; i++, at++) {
        at = at >= type->n_fields ? 0 : at;
        if (camel_equal(type->fields[at].name, name->data, name->length)) {
            return &type->fields[at];
        }
    }
    return NULL;
}

/* Null stands for what is not there, which in a list or map nothing can be. */
static enum status read_entry(struct reader *reader, const struct target *target)
{
    if (scan_peek(&reader->scan) == 'n') {
        refuse(reader, target->path, "must not be null");
        return scan_word(&reader->scan, "null");
    }
    return read_value(reader, target);
}

/* A refused entry stays in the list as an empty one: nobody will look at it. */
static enum status read_list_entry(struct reader *reader, ProtobufCMessage *message,
                                   const ProtobufCFieldDescriptor *field,
                                   const struct field_path *entry)
{
    struct arena *arena = reader->scan.ctx->arena;

    if (entry->index >= MOST_LIST_ENTRIES) {
        if (entry->index == MOST_LIST_ENTRIES) {
            refuse(reader, entry->up, "must have at most %d entries", MOST_LIST_ENTRIES);
        }
        return scan_skip(&reader->scan);
    }
    const struct target target = {
        .field = field, .at = list_append(arena, message, field), .path = entry};
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        *(const char **)target.at = protobuf_c_empty_string;
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        *(ProtobufCMessage **)target.at = NULL;
    }
    return read_entry(reader, &target);
}

static enum status read_list(struct reader *reader, ProtobufCMessage *message,
                             const ProtobufCFieldDescriptor *field, const struct field_path *path)
{
    struct scan *scan = &reader->scan;
    struct field_path entry = {.up = path};
    bool first = true, more;

    if (scan_peek(scan) != '[') {
        refuse(reader, path, "must be a list");
        return scan_skip(scan);
    }
    TRY(scan_open(scan));
    for (;; entry.index++) {
        TRY(scan_more(scan, ']', &first, &more));
        if (!more) {
            return ST_OK;
        }
        TRY(read_list_entry(reader, message, field, &entry));
    }
}

static bool same_key(const ProtobufCFieldDescriptor *key, const ProtobufCMessage *a,
                     const ProtobufCMessage *b)
{
    const void *x = field_at(a, key->offset), *y = field_at(b, key->offset);

    if (key->type == PROTOBUF_C_TYPE_STRING) {
        return strcmp(*(char *const *)x, *(char *const *)y) == 0;
    }
    return memcmp(x, y, value_size(key->type)) == 0;
}

static bool key_is_new(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       const ProtobufCMessage *entry)
{
    ProtobufCMessage *const *entries =
        *(ProtobufCMessage *const *const *)field_at(message, field->offset);

    for (size_t i = 0; i < *field_count(message, field); i++) {
        if (same_key(&entry->descriptor->fields[0], entries[i], entry)) {
            return false;
        }
    }
    return true;
}

static enum status read_map_entry(struct reader *reader, ProtobufCMessage *message,
                                  const ProtobufCFieldDescriptor *field,
                                  const struct field_path *path)
{
    struct scan *scan = &reader->scan;
    ProtobufCMessage *entry = message_new(scan->ctx->arena, field->descriptor);
    const ProtobufCFieldDescriptor *key = &entry->descriptor->fields[0], *value = key + 1;
    const char *start = scan->at;
    struct scan_text name;

    TRY(scan_name(scan, &name));
    struct field_path at = {
        .up = path, .name = name.data, .length = name.length, .as_written = true};
    const char *why = name.has_nul
                          ? "has a key with a NUL character"
                          : value_from_text(scan->ctx->arena, key, field_at(entry, key->offset),
                                            name.data, name.length);
    if (why) {
        refuse(reader, name.has_nul ? path : &at, name.has_nul ? "%s" : "its name %s", why);
        return scan_skip(scan);
    }
    if (!key_is_new(message, field, entry)) {
        return scan_bad(scan, start, "this name is there twice");
    }
    if (*field_count(message, field) == MOST_MAP_ENTRIES) {
        refuse(reader, path, "must have at most %d entries", MOST_MAP_ENTRIES);
        return scan_skip(scan);
    }
    *(ProtobufCMessage **)list_append(scan->ctx->arena, message, field) = entry;
    const struct target target = {
        .field = value, .at = field_at(entry, value->offset), .path = &at};
    return read_entry(reader, &target);
}

static enum status read_map(struct reader *reader, ProtobufCMessage *message,
                            const ProtobufCFieldDescriptor *field, const struct field_path *path)
{
    struct scan *scan = &reader->scan;
    bool first = true, more;

    if (scan_peek(scan) != '{') {
        refuse(reader, path, "must be an object");
        return scan_skip(scan);
    }
    TRY(scan_open(scan));
    for (;;) {
        TRY(scan_more(scan, '}', &first, &more));
        if (!more) {
            return ST_OK;
        }
        TRY(read_map_entry(reader, message, field, path));
    }
}

static enum status read_single(struct reader *reader, ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field, const struct field_path *path)
{
    const char *taken_by;
    const struct target target = {
        .field = field, .at = field_at(message, field->offset), .path = path};

    if (!field_is_free(message, field, &taken_by)) {
        refuse(reader, path, "cannot be given together with %s",
               json_name(reader->scan.ctx->arena, taken_by));
        return scan_skip(&reader->scan);
    }
    int refused = reader->refused;
    TRY(read_value(reader, &target));
    if (reader->refused == refused) {
        field_choose(message, field);
    }
    return ST_OK;
}

static enum status read_field(struct reader *reader, ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field, const struct field_path *path)
{
    if (scan_peek(&reader->scan) == 'n') {
        return scan_word(&reader->scan, "null");
    }
    if (!field_is_list(field)) {
        return read_single(reader, message, field, path);
    }
    return field_is_map(field) ? read_map(reader, message, field, path)
                               : read_list(reader, message, field, path);
}

static enum status read_member(struct reader *reader, ProtobufCMessage *message,
                               const struct field_path *up, uint64_t *seen, unsigned *next)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const char *start = reader->scan.at;
    struct scan_text name;

    TRY(scan_name(&reader->scan, &name));
    const ProtobufCFieldDescriptor *field = find_field(type, *next, &name);
    if (!field && reader->skips_unknown) {
        return scan_skip(&reader->scan);
    }
    if (!field) {
        struct field_path path = {
            .up = up, .name = name.data, .length = name.length, .as_written = true};

        refuse(reader, name.has_nul ? up : &path,
               name.has_nul ? "has a name with a NUL character" : "is not known");
        return scan_skip(&reader->scan);
    }
    unsigned index = (unsigned)(field - type->fields);
    if (seen[index / 64] >> index % 64 & 1) {
        return scan_bad(&reader->scan, start, "this name is there twice");
    }
    seen[index / 64] |= 1ULL << index % 64;
    *next = index + 1;
    const struct field_path path = {.up = up, .name = field->name, .length = strlen(field->name)};
    return read_field(reader, message, field, &path);
}

static enum status read_object(struct reader *reader, ProtobufCMessage *message,
                               const struct field_path *path)
{
    struct scan *scan = &reader->scan;
    uint64_t *seen =
        arena_new_array(scan->ctx->arena, uint64_t, message->descriptor->n_fields / 64 + 1);
    unsigned next = 0;
    bool first = true, more;

    TRY(scan_open(scan));
    for (;;) {
        TRY(scan_more(scan, '}', &first, &more));
        if (!more) {
            return ST_OK;
        }
        TRY(read_member(reader, message, path, seen, &next));
    }
}

static enum status read_message(struct reader *reader, const struct target *target)
{
    const ProtobufCMessageDescriptor *type = target->field->descriptor;
    enum message_form form = message_form(type);

    if (form == FORM_TIMESTAMP || form == FORM_DURATION) {
        return read_as_text(reader, target);
    }
    if (form == FORM_PLAIN && scan_peek(&reader->scan) != '{') {
        return refuse_kind(reader, target);
    }
    ProtobufCMessage *message = message_new(reader->scan.ctx->arena, type);
    *(ProtobufCMessage **)target->at = message;
    if (form == FORM_PLAIN) {
        return read_object(reader, message, target->path);
    }
    const struct target inside = {.field = &type->fields[0],
                                  .at = field_at(message, type->fields[0].offset),
                                  .path = target->path};
    return read_value(reader, &inside);
}

/* clang-format off */
static read_function *const readers[] = {
    [PROTOBUF_C_TYPE_INT32] = read_integer,    [PROTOBUF_C_TYPE_SINT32] = read_integer,
    [PROTOBUF_C_TYPE_SFIXED32] = read_integer, [PROTOBUF_C_TYPE_INT64] = read_integer,
    [PROTOBUF_C_TYPE_SINT64] = read_integer,   [PROTOBUF_C_TYPE_SFIXED64] = read_integer,
    [PROTOBUF_C_TYPE_UINT32] = read_integer,   [PROTOBUF_C_TYPE_FIXED32] = read_integer,
    [PROTOBUF_C_TYPE_UINT64] = read_integer,   [PROTOBUF_C_TYPE_FIXED64] = read_integer,
    [PROTOBUF_C_TYPE_FLOAT] = read_real,       [PROTOBUF_C_TYPE_DOUBLE] = read_real,
    [PROTOBUF_C_TYPE_BOOL] = read_bool,        [PROTOBUF_C_TYPE_ENUM] = read_as_text,
    [PROTOBUF_C_TYPE_STRING] = read_string,    [PROTOBUF_C_TYPE_BYTES] = read_as_text,
    [PROTOBUF_C_TYPE_MESSAGE] = read_message,
};
/* clang-format on */

static enum status read_value(struct reader *reader, const struct target *target)
{
    return readers[target->field->type](reader, target);
}

static enum status read_all(struct reader *reader, ProtobufCMessage *message)
{
    if (scan_peek(&reader->scan) != '{') {
        return scan_bad(&reader->scan, reader->scan.at, "an object is expected here");
    }
    TRY(read_object(reader, message, NULL));
    TRY(scan_end(&reader->scan));
    return ctx_refused(reader->scan.ctx);
}

enum status json_to_message(struct ctx *ctx, const char *json, size_t size,
                            ProtobufCMessage *message)
{
    struct reader reader = {.scan = scan_begin(ctx, json, size)};

    return read_all(&reader, message);
}

enum status json_to_message_of_ours(struct ctx *ctx, const char *json, size_t size,
                                    ProtobufCMessage *message)
{
    struct reader reader = {.scan = scan_begin(ctx, json, size), .skips_unknown = true};

    return read_all(&reader, message);
}
