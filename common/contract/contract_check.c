/* A request against what its fields must be. It runs on each call, so the rules were laid
 * out beforehand: one walk over fields and values, a checker a type, no look-up by name. */
#include "common/contract/contract_parts.h"

#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/contract/field_path.h"

#include <string.h>

enum { MOST_REFUSED = 20, DEEPEST = 32 };

struct check {
    struct ctx *ctx;
    int refused;
    int depth;
};

/* One value, where it stands, and whether it was sent rather than left out. */
struct value {
    const struct field_rule *rule;
    const ProtobufCFieldDescriptor *field; /* the rule's, or the inside of a wrapper */
    const void *at;
    const struct field_path *path;
    bool sent;
};

static void check_message(struct check *check, const struct message_rules *rules,
                          const ProtobufCMessage *message, const struct field_path *up);

__attribute__((format(printf, 3, 4))) static void
refuse(struct check *check, const struct field_path *path, const char *fmt, ...)
{
    va_list ap;

    if (check->refused++ >= MOST_REFUSED) {
        return;
    }
    va_start(ap, fmt);
    refuse_field(check->ctx, field_path_text(check->ctx->arena, path), "%s",
                 arena_vprintf(check->ctx->arena, fmt, ap));
    va_end(ap);
}

static void check_range(struct check *check, const struct value *value, int64_t number)
{
    const struct contract_field *says = &value->rule->says;
    bool has_max = says->max >= says->min;

    if ((says->min == 0 && says->max == 0) ||
        (number >= says->min && (!has_max || number <= says->max))) {
        return;
    }
    if (has_max) {
        refuse(check, value->path, "must be from %lld to %lld", (long long)says->min,
               (long long)says->max);
    } else {
        refuse(check, value->path, "must be at least %lld", (long long)says->min);
    }
}

static void check_int32(struct check *check, const struct value *value)
{
    check_range(check, value, *(const int32_t *)value->at);
}

static void check_uint32(struct check *check, const struct value *value)
{
    check_range(check, value, *(const uint32_t *)value->at);
}

static void check_int64(struct check *check, const struct value *value)
{
    check_range(check, value, *(const int64_t *)value->at);
}

static void check_uint64(struct check *check, const struct value *value)
{
    uint64_t number = *(const uint64_t *)value->at;

    check_range(check, value, number > INT64_MAX ? INT64_MAX : (int64_t)number);
}

static void check_real(struct check *check, const struct value *value)
{
    const struct contract_field *says = &value->rule->says;
    double number = value->field->type == PROTOBUF_C_TYPE_FLOAT ? (double)*(const float *)value->at
                                                                : *(const double *)value->at;
    bool fits = number >= (double)says->min && number <= (double)says->max;

    if ((says->min || says->max) && !fits) {
        refuse(check, value->path, "must be from %lld to %lld", (long long)says->min,
               (long long)says->max);
    }
}

static void check_enum(struct check *check, const struct value *value)
{
    int number = *(const int *)value->at;

    if (!protobuf_c_enum_descriptor_get_value(value->field->descriptor, number)) {
        refuse(check, value->path, "is no value that we know");
    } else if (value->rule->says.required && number == 0) {
        refuse(check, value->path, "is required");
    }
}

static size_t characters(const char *s)
{
    size_t count = 0;

    for (; *s; s++) {
        count += ((unsigned char)*s & 0xc0) != 0x80;
    }
    return count;
}

/* The shortest bounds first: most values need not be counted. */
static bool length_fits(const struct contract_field *says, const char *s, size_t size)
{
    size_t most = (size_t)says->max_length, least = (size_t)says->min_length;

    if (size <= most && !least) {
        return true;
    }
    size_t count = characters(s);
    return count >= least && count <= most;
}

static void refuse_length(struct check *check, const struct value *value, const char *unit)
{
    const struct contract_field *says = &value->rule->says;

    if (!says->max_length) {
        refuse(check, value->path, "must have at least %d %s", says->min_length, unit);
    } else if (says->min_length) {
        refuse(check, value->path, "must have %d to %d %s", says->min_length, says->max_length,
               unit);
    } else {
        refuse(check, value->path, "must have at most %d %s", says->max_length, unit);
    }
}

static void check_string(struct check *check, const struct value *value)
{
    const struct contract_field *says = &value->rule->says;
    const char *s = *(const char *const *)value->at;
    size_t size = s ? strlen(s) : 0;
    char parsed[ID_TEXT_SIZE];

    if (!size && says->required) {
        refuse(check, value->path, "is required");
        return;
    }
    if (!size && !value->sent) {
        return;
    }
    s = s ? s : "";
    if (!text_is_utf8(s, size)) {
        refuse(check, value->path, "is not valid UTF-8");
    } else if (!length_fits(says, s, size)) {
        refuse_length(check, value, "characters");
    } else if (says->uuid && !uuid_parse(s, parsed)) {
        refuse(check, value->path, "must be a UUID");
    } else if (value->rule->regex && regexec(value->rule->regex, s, 0, NULL, 0) != 0) {
        refuse(check, value->path, "has not the form %s", says->pattern);
    }
}

static void check_bytes(struct check *check, const struct value *value)
{
    const struct contract_field *says = &value->rule->says;
    const ProtobufCBinaryData *data = value->at;

    if (!data->len) {
        if (says->required || (value->sent && says->min_length)) {
            refuse(check, value->path, "is required");
        }
        return;
    }
    if ((says->max_length && data->len > (size_t)says->max_length) ||
        data->len < (size_t)says->min_length) {
        refuse_length(check, value, "bytes");
    }
}

static void check_nested(struct check *check, const struct value *value);

typedef void checker(struct check *check, const struct value *value);

/* clang-format off */
static checker *const checkers[] = {
    [PROTOBUF_C_TYPE_INT32] = check_int32,    [PROTOBUF_C_TYPE_SINT32] = check_int32,
    [PROTOBUF_C_TYPE_SFIXED32] = check_int32, [PROTOBUF_C_TYPE_INT64] = check_int64,
    [PROTOBUF_C_TYPE_SINT64] = check_int64,   [PROTOBUF_C_TYPE_SFIXED64] = check_int64,
    [PROTOBUF_C_TYPE_UINT32] = check_uint32,  [PROTOBUF_C_TYPE_FIXED32] = check_uint32,
    [PROTOBUF_C_TYPE_UINT64] = check_uint64,  [PROTOBUF_C_TYPE_FIXED64] = check_uint64,
    [PROTOBUF_C_TYPE_FLOAT] = check_real,     [PROTOBUF_C_TYPE_DOUBLE] = check_real,
    [PROTOBUF_C_TYPE_BOOL] = NULL,            [PROTOBUF_C_TYPE_ENUM] = check_enum,
    [PROTOBUF_C_TYPE_STRING] = check_string,  [PROTOBUF_C_TYPE_BYTES] = check_bytes,
    [PROTOBUF_C_TYPE_MESSAGE] = check_nested,
};
/* clang-format on */

static void check_value(struct check *check, const struct value *value)
{
    if (checkers[value->field->type]) {
        checkers[value->field->type](check, value);
    }
}

static void check_nested(struct check *check, const struct value *value)
{
    const ProtobufCMessage *message = *(const ProtobufCMessage *const *)value->at;
    const struct message_rules *rules = value->rule->nested;

    if (!message) {
        return;
    }
    switch (rules->form) {
    case FORM_TIMESTAMP:
    case FORM_DURATION:
        if (!seconds_nanos_are_valid(rules->form, (const struct seconds_nanos *)message)) {
            refuse(check, value->path, "is out of range");
        }
        return;
    case FORM_WRAPPER: { /* the rules of the field are meant for what is inside */
        struct value inside = *value;

        inside.field = &rules->type->fields[0];
        inside.at = field_at(message, inside.field->offset);
        check_value(check, &inside);
        return;
    }
    case FORM_PLAIN:
        check_message(check, rules, message, value->path);
        return;
    }
}

/* The key names the entry in the path, where it can be shown. */
static void check_entry(struct check *check, const struct value *value)
{
    const ProtobufCMessage *entry = *(const ProtobufCMessage *const *)value->at;
    const struct message_rules *rules = value->rule->nested;
    const ProtobufCFieldDescriptor *key = &rules->type->fields[0];
    struct field_path path = {.up = value->path->up};

    if (key->type == PROTOBUF_C_TYPE_STRING) {
        const char *s = *(const char *const *)field_at(entry, key->offset);

        path.name = s ? s : "";
        path.length = strlen(path.name);
        path.as_written = true;
        if (!text_is_utf8(path.name, path.length)) {
            refuse(check, value->path->up, "has a key that is not valid UTF-8");
            return;
        }
    }
    struct value held = {.rule = &rules->fields[1],
                         .field = rules->fields[1].field,
                         .at = field_at(entry, rules->fields[1].field->offset),
                         .path = path.name ? &path : value->path,
                         .sent = true};
    check_value(check, &held);
}

static void check_list(struct check *check, const struct field_rule *rule,
                       const ProtobufCMessage *message, const struct field_path *path)
{
    size_t count = *field_count(message, rule->field), size = value_size(rule->field->type);
    const char *values = *(char *const *)field_at(message, rule->field->offset);
    bool is_map = rule->nested && rule->nested->is_map_entry;

    if (!count && rule->says.required) {
        refuse(check, path, "is required");
    }
    if (count > (size_t)rule->says.max_items) {
        refuse(check, path, "must have at most %d entries", rule->says.max_items);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct field_path entry = {.up = path, .index = i};
        struct value value = {.rule = rule,
                              .field = rule->field,
                              .at = values + i * size,
                              .path = &entry,
                              .sent = true};

        (is_map ? check_entry : check_value)(check, &value);
    }
}

static void check_field(struct check *check, const struct field_rule *rule,
                        const ProtobufCMessage *message, const struct field_path *path)
{
    const ProtobufCFieldDescriptor *field = rule->field;

    if (field_is_list(field)) {
        check_list(check, rule, message, path);
        return;
    }
    bool has_presence = field_has_presence(field);
    if (has_presence && !field_is_present(message, field)) {
        if (rule->says.required) {
            refuse(check, path, "is required");
        }
        return;
    }
    const struct value value = {.rule = rule,
                                .field = field,
                                .at = field_at(message, field->offset),
                                .path = path,
                                .sent = has_presence};
    check_value(check, &value);
}

static void check_message(struct check *check, const struct message_rules *rules,
                          const ProtobufCMessage *message, const struct field_path *up)
{
    if (rules->idle) {
        return;
    }
    if (check->depth == DEEPEST) {
        refuse(check, up, "is nested too deeply");
        return;
    }
    check->depth++;
    for (unsigned i = 0; i < rules->type->n_fields; i++) {
        const struct field_rule *rule = &rules->fields[i];

        if (rule->idle) {
            continue;
        }
        struct field_path path = {
            .up = up, .name = rule->field->name, .length = strlen(rule->field->name)};
        check_field(check, rule, message, &path);
    }
    check->depth--;
}

enum status contract_check(struct ctx *ctx, const struct contract *contract,
                           const ProtobufCMessage *request)
{
    const struct message_rules *rules = contract_rules(contract, request->descriptor);
    struct check check = {.ctx = ctx};

    if (!rules) {
        return fail_with(ctx, ST_INTERNAL, "", "%s is in no method of the contract",
                         request->descriptor->name);
    }
    check_message(&check, rules, request, NULL);
    return ctx_refused(ctx);
}
