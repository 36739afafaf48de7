/* JSON Schemas of messages and fields; see openapi_schema.h. */
#include "gateway/openapi/openapi_schema.h"

#include "common/contract/field_path.h"
#include "common/contract/message_shape.h"
#include "common/json/transcode.h"
#include "common/json/value_text.h"
#include "gateway/openapi/openapi_json.h"

#include <string.h>

#define DURATION_PATTERN "^-?[0-9]+([.][0-9]{1,9})?s$"

enum { LARGEST_SET = 512 };

bool name_is_listed(const char *const *names, const char *name)
{
    for (; names && *names; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_in(const struct schema_set *set, enum direction direction,
                  const ProtobufCMessageDescriptor *type)
{
    for (size_t i = 0; i < set->count[direction]; i++) {
        if (set->types[direction][i] == type) {
            return true;
        }
    }
    return false;
}

static void collect(struct schema_set *set, enum direction direction,
                    const ProtobufCMessageDescriptor *type);

static void collect_fields(struct schema_set *set, enum direction direction,
                           const ProtobufCMessageDescriptor *type)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];

        if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
            continue;
        }
        if (field_is_map(field)) {
            collect_fields(set, direction, field->descriptor);
        } else {
            collect(set, direction, field->descriptor);
        }
    }
}

static void collect(struct schema_set *set, enum direction direction,
                    const ProtobufCMessageDescriptor *type)
{
    if (message_form(type) != FORM_PLAIN || !type->n_fields || is_in(set, direction, type) ||
        set->count[direction] == LARGEST_SET) {
        return;
    }
    set->types[direction][set->count[direction]++] = type;
    collect_fields(set, direction, type);
}

/* The whole request is a component only where no variable of the path is taken out of it. */
struct schema_set schema_set_of(struct arena *arena, const struct contract *contract)
{
    struct schema_set set = {.arena = arena, .contract = contract};

    set.types[SENT_TO_US] = arena_new_array(arena, const ProtobufCMessageDescriptor *, LARGEST_SET);
    set.types[ANSWERED] = arena_new_array(arena, const ProtobufCMessageDescriptor *, LARGEST_SET);
    for (size_t i = 0; i < contract_count(contract); i++) {
        const struct contract_method *method = contract_at(contract, i);

        if (method->verb == VERB_NONE) {
            continue;
        }
        collect(&set, ANSWERED, method->out);
        if (method->body && !strchr(method->template, '{')) {
            collect(&set, SENT_TO_US, method->in);
        } else if (method->body) {
            collect_fields(&set, SENT_TO_US, method->in);
        }
    }
    return set;
}

static bool short_name_is_taken(const struct schema_set *set,
                                const ProtobufCMessageDescriptor *type)
{
    for (int direction = 0; direction < 2; direction++) {
        for (size_t i = 0; i < set->count[direction]; i++) {
            const ProtobufCMessageDescriptor *other = set->types[direction][i];

            if (other != type && strcmp(other->short_name, type->short_name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static const char *component_name(const struct schema_set *set, enum direction direction,
                                  const ProtobufCMessageDescriptor *type)
{
    const char *name = short_name_is_taken(set, type) ? type->name : type->short_name;
    bool both = direction == SENT_TO_US && is_in(set, ANSWERED, type);

    return both ? arena_printf(set->arena, "%sInput", name) : name;
}

/* POSIX's bracket classes as ECMA 262 writes them; the whole value has to match. */
static const char *ecma_pattern(struct arena *arena, const char *pattern)
{
    static const struct {
        const char *posix, *ecma;
    } classes[] = {
        {"[:space:]", "\\s"             },
        {"[:digit:]", "0-9"             },
        {"[:alpha:]", "a-zA-Z"          },
        {"[:lower:]", "a-z"             },
        {"[:upper:]", "A-Z"             },
        {"[:alnum:]", "a-zA-Z0-9"       },
        {"[:cntrl:]", "\\x00-\\x1f\\x7f"},
    };
    struct text text = text_new(arena, 64);

    text_add(&text, "^(");
    while (*pattern) {
        size_t i = 0;

        while (i < ARRAY_LEN(classes) && !text_starts(pattern, classes[i].posix)) {
            i++;
        }
        if (i < ARRAY_LEN(classes)) {
            text_add(&text, classes[i].ecma);
            pattern += strlen(classes[i].posix);
        } else {
            text_add_char(&text, *pattern++);
        }
    }
    text_add(&text, ")$");
    return text.data;
}

static void put_string_rules(struct text *out, const struct schema_set *set,
                             const struct contract_field *says)
{
    int least = says->required && says->min_length < 1 ? 1 : says->min_length;

    if (least && !says->uuid) {
        put_number(out, "minLength", least);
    }
    if (says->uuid) {
        put_text(out, "format", "uuid");
    } else {
        put_number(out, "maxLength", says->max_length);
    }
    if (says->pattern) {
        put_text(out, "pattern", ecma_pattern(set->arena, says->pattern));
    }
}

static void put_bounds(struct text *out, const struct contract_field *says)
{
    if (says->min == 0 && says->max == 0) {
        return;
    }
    put_number(out, "minimum", says->min);
    if (says->max >= says->min) {
        put_number(out, "maximum", says->max);
    }
}

static void put_enum_values(struct text *out, const struct schema_set *set,
                            enum direction direction, const struct contract_field *says,
                            const ProtobufCEnumDescriptor *type)
{
    put_open(out, "enum", '[');
    for (unsigned i = 0; i < type->n_values; i++) {
        struct text name = text_new(set->arena, 32);

        if (direction == SENT_TO_US && says->required && type->values[i].value == 0) {
            continue;
        }
        text_add_enum(&name, type, type->values[i].value);
        put_text(out, NULL, name.data);
    }
    if (direction == ANSWERED) {
        put_text(out, NULL, "unknown"); /* a value that a later release has */
    }
    put_close(out, ']');
}

struct number_words {
    const char *type, *format;
    bool unsigned_;
};

static struct number_words number_words(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        return (struct number_words){"integer", "int32", false};
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        return (struct number_words){"integer", "int64", true};
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return (struct number_words){"integer", "int64", true};
    case PROTOBUF_C_TYPE_FLOAT:
        return (struct number_words){"number", "float", false};
    case PROTOBUF_C_TYPE_DOUBLE:
        return (struct number_words){"number", "double", false};
    default:
        return (struct number_words){"integer", "int64", false};
    }
}

static void put_number_schema(struct text *out, enum direction direction,
                              const struct contract_field *says, ProtobufCType type)
{
    struct number_words words = number_words(type);
    bool bounded = direction == SENT_TO_US && (says->min || says->max);

    put_text(out, "type", words.type);
    put_text(out, "format", words.format);
    if (bounded) {
        put_bounds(out, says);
    } else if (words.unsigned_) {
        put_number(out, "minimum", 0);
    }
}

/* The members of the schema of one value: the object around them is open. */
static void put_value_members(struct text *out, const struct schema_set *set,
                              enum direction direction, const struct contract_field *says,
                              const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        put_text(out, "type", "boolean");
        return;
    case PROTOBUF_C_TYPE_ENUM:
        put_text(out, "type", "string");
        put_enum_values(out, set, direction, says, field->descriptor);
        return;
    case PROTOBUF_C_TYPE_STRING:
        put_text(out, "type", "string");
        if (direction == SENT_TO_US) {
            put_string_rules(out, set, says);
        }
        return;
    case PROTOBUF_C_TYPE_BYTES:
        put_text(out, "type", "string");
        put_text(out, "contentEncoding", "base64");
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    default:
        put_number_schema(out, direction, says, field->type);
        return;
    }
    const ProtobufCMessageDescriptor *type = field->descriptor;
    switch (message_form(type)) {
    case FORM_TIMESTAMP:
        put_text(out, "type", "string");
        put_text(out, "format", "date-time");
        return;
    case FORM_DURATION:
        put_text(out, "type", "string");
        put_text(out, "pattern", DURATION_PATTERN);
        return;
    case FORM_WRAPPER:
        put_value_members(out, set, direction, says, &type->fields[0]);
        return;
    case FORM_PLAIN:
        put_text(out, "$ref",
                 arena_printf(set->arena, "#/components/schemas/%s",
                              component_name(set, direction, type)));
        return;
    }
}

static void put_list_members(struct text *out, const struct schema_set *set,
                             enum direction direction, const struct contract_field *says,
                             const ProtobufCFieldDescriptor *field)
{
    const ProtobufCMessageDescriptor *entry = field->descriptor;
    struct contract_field of_entries = *says;

    of_entries.required = false; /* that is said of the list */
    if (field_is_map(field)) {
        put_text(out, "type", "object");
        put_open(out, "additionalProperties", '{');
        put_value_members(out, set, direction,
                          contract_field(set->contract, entry, &entry->fields[1]),
                          &entry->fields[1]);
        put_close(out, '}');
        return;
    }
    put_text(out, "type", "array");
    put_open(out, "items", '{');
    put_value_members(out, set, direction, &of_entries, field);
    put_close(out, '}');
    if (direction == SENT_TO_US) {
        if (says->required) {
            put_number(out, "minItems", 1);
        }
        put_number(out, "maxItems", says->max_items);
    }
}

void put_field_schema(struct text *out, const char *key, const struct schema_set *set,
                      enum direction direction, const ProtobufCMessageDescriptor *type,
                      const ProtobufCFieldDescriptor *field)
{
    const struct contract_field *says = contract_field(set->contract, type, field);

    put_open(out, key, '{');
    if (field_is_list(field)) {
        put_list_members(out, set, direction, says, field);
    } else {
        put_value_members(out, set, direction, says, field);
    }
    put_text_if_any(out, "description", says->comment);
    if (says->example && !field_is_list(field)) {
        put_open(out, "examples", '[');
        put_field_example(out, NULL, set, direction, type, field);
        put_close(out, ']');
    }
    put_close(out, '}');
}

/* A number whose bounds leave 0 out cannot be left out either. */
bool field_is_required(const struct contract_field *says, const ProtobufCFieldDescriptor *field)
{
    bool number = !field_has_presence(field) && !field_is_list(field) &&
                  field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_BYTES;
    bool bounded = says->min || says->max;
    bool zero_fits = says->min <= 0 && (says->max < says->min || says->max >= 0);

    return says->required || (number && bounded && !zero_fits);
}

static bool is_always_there(const struct schema_set *set, enum direction direction,
                            const ProtobufCMessageDescriptor *type,
                            const ProtobufCFieldDescriptor *field)
{
    if (direction == ANSWERED) {
        return !field_has_presence(field);
    }
    return field_is_required(contract_field(set->contract, type, field), field);
}

static void put_required(struct text *out, const struct schema_set *set, enum direction direction,
                         const ProtobufCMessageDescriptor *type, const char *const *leave_out)
{
    bool any = false;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];

        if (name_is_listed(leave_out, field->name) ||
            !is_always_there(set, direction, type, field)) {
            continue;
        }
        if (!any) {
            put_open(out, "required", '[');
            any = true;
        }
        put_text(out, NULL, json_name(set->arena, field->name));
    }
    if (any) {
        put_close(out, ']');
    }
}

static void put_object(struct text *out, const char *key, const struct schema_set *set,
                       enum direction direction, const ProtobufCMessageDescriptor *type,
                       const char *const *leave_out)
{
    put_open(out, key, '{');
    put_text(out, "type", "object");
    put_text_if_any(out, "description", contract_comment(set->contract, type->name));
    put_open(out, "properties", '{');
    for (unsigned i = 0; i < type->n_fields; i++) {
        if (!name_is_listed(leave_out, type->fields[i].name)) {
            put_field_schema(out, json_name(set->arena, type->fields[i].name), set, direction, type,
                             &type->fields[i]);
        }
    }
    put_close(out, '}');
    put_required(out, set, direction, type, leave_out);
    if (direction == SENT_TO_US) {
        put_bool(out, "additionalProperties", false);
    }
    put_close(out, '}');
}

void put_object_schema(struct text *out, const char *key, const struct schema_set *set,
                       const ProtobufCMessageDescriptor *type, const char *const *leave_out)
{
    put_object(out, key, set, SENT_TO_US, type, leave_out);
}

void put_message_schema(struct text *out, const char *key, const struct schema_set *set,
                        enum direction direction, const ProtobufCMessageDescriptor *type)
{
    put_reference(out, key, "schemas", component_name(set, direction, type));
}

void put_schemas(struct text *out, const struct schema_set *set)
{
    for (int direction = 0; direction < 2; direction++) {
        for (size_t i = 0; i < set->count[direction]; i++) {
            const ProtobufCMessageDescriptor *type = set->types[direction][i];

            put_object(out, component_name(set, (enum direction)direction, type), set,
                       (enum direction)direction, type, NULL);
        }
    }
}
