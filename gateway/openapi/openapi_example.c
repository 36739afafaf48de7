/* Examples of messages: what (everything.field).example says, and where it is silent a value that
 * keeps the rules. An answer shows all that is always written; a request what has an example or
 * must be there. */
#include "gateway/openapi/openapi_schema.h"

#include "common/contract/message_shape.h"
#include "common/json/transcode.h"
#include "common/json/value_text.h"
#include "gateway/openapi/openapi_json.h"

#include <string.h>

#define EXAMPLE_ID   "019aa1f0-5c3e-7000-8000-00000000cafe"
#define EXAMPLE_TIME "2026-11-21T08:15:30Z"

enum { DEEPEST = 4 };

struct example {
    const struct schema_set *set;
    enum direction direction;
    int depth;
};

static void put_message(struct text *out, const char *key, const struct example *example,
                        const ProtobufCMessageDescriptor *type, const char *const *leave_out);

static void put_enum(struct text *out, const char *key, const struct example *example,
                     const struct contract_field *says, const ProtobufCEnumDescriptor *type)
{
    struct text name = text_new(example->set->arena, 32);

    for (unsigned i = 0; i < type->n_values && !name.length; i++) {
        if (type->values[i].value) {
            text_add_enum(&name, type, type->values[i].value);
        }
    }
    put_text(out, key, says->example ? says->example : name.data);
}

static void put_string(struct text *out, const char *key, const struct example *example,
                       const struct contract_field *says)
{
    const char *text = says->required ? "text" : "";

    (void)example;
    text = says->uuid ? EXAMPLE_ID : text;
    put_text(out, key, says->example ? says->example : text);
}

/* One value of the field's type, whatever the list or map around it. */
static void put_value(struct text *out, const char *key, const struct example *example,
                      const struct contract_field *says, const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        put_string(out, key, example, says);
        return;
    case PROTOBUF_C_TYPE_BYTES:
        put_text(out, key, says->example ? says->example : "");
        return;
    case PROTOBUF_C_TYPE_ENUM:
        put_enum(out, key, example, says, field->descriptor);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        put_raw(out, key, says->example ? says->example : "true");
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        break;
    default:
        put_raw(out, key,
                says->example ? says->example
                              : arena_printf(example->set->arena, "%lld", (long long)says->min));
        return;
    }
    const ProtobufCMessageDescriptor *type = field->descriptor;
    switch (message_form(type)) {
    case FORM_TIMESTAMP:
        put_text(out, key, says->example ? says->example : EXAMPLE_TIME);
        return;
    case FORM_DURATION:
        put_text(out, key, says->example ? says->example : "1.5s");
        return;
    case FORM_WRAPPER:
        put_value(out, key, example, says, &type->fields[0]);
        return;
    case FORM_PLAIN:
        put_message(out, key, example, type, NULL);
        return;
    }
}

/* A list has one entry, where its entries have anything to show; a map none. */
static void put_list(struct text *out, const char *key, const struct example *example,
                     const struct contract_field *says, const ProtobufCFieldDescriptor *field)
{
    bool is_map = field_is_map(field);
    bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE;

    put_open(out, key, is_map ? '{' : '[');
    if (!is_map && (says->example || says->required || is_message) && example->depth < DEEPEST) {
        put_value(out, NULL, example, says, field);
    }
    put_close(out, is_map ? '}' : ']');
}

/* Of a oneof only the first member can be shown. */
static bool is_later_of_oneof(const ProtobufCMessageDescriptor *type,
                              const ProtobufCFieldDescriptor *field)
{
    if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)) {
        return false;
    }
    for (const ProtobufCFieldDescriptor *f = type->fields; f < field; f++) {
        if (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
            f->quantifier_offset == field->quantifier_offset) {
            return true;
        }
    }
    return false;
}

/* Times come and go with the state of things, so they are shown only where the proto has one. */
static bool is_shown(const struct example *example, const struct contract_field *says,
                     const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *field)
{
    bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE && !field_is_list(field);

    if ((is_message && example->depth >= DEEPEST) || is_later_of_oneof(type, field)) {
        return false;
    }
    if (example->direction == SENT_TO_US) {
        return says->example || field_is_required(says, field);
    }
    bool is_plain = is_message && message_form(field->descriptor) == FORM_PLAIN;
    return !field_has_presence(field) || says->example || (is_plain && example->depth == 0);
}

static void put_message(struct text *out, const char *key, const struct example *example,
                        const ProtobufCMessageDescriptor *type, const char *const *leave_out)
{
    struct example inner = *example;

    inner.depth++;
    put_open(out, key, '{');
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const struct contract_field *says = contract_field(example->set->contract, type, field);

        if (name_is_listed(leave_out, field->name) || !is_shown(example, says, type, field)) {
            continue;
        }
        const char *name = json_name(example->set->arena, field->name);
        (field_is_list(field) ? put_list : put_value)(out, name, &inner, says, field);
    }
    put_close(out, '}');
}

void put_message_example(struct text *out, const char *key, const struct schema_set *set,
                         enum direction direction, const ProtobufCMessageDescriptor *type,
                         const char *const *leave_out)
{
    const struct example example = {.set = set, .direction = direction};

    put_message(out, key, &example, type, leave_out);
}

void put_field_example(struct text *out, const char *key, const struct schema_set *set,
                       enum direction direction, const ProtobufCMessageDescriptor *type,
                       const ProtobufCFieldDescriptor *field)
{
    const struct example example = {.set = set, .direction = direction, .depth = DEEPEST - 1};

    put_value(out, key, &example, contract_field(set->contract, type, field), field);
}
