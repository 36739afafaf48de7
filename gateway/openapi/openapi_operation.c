/* One route of the contract as an OpenAPI operation: its words, parameters, body and answers. */
#include "gateway/openapi/openapi_parts.h"

#include "common/contract/message_shape.h"
#include "common/contract/template.h"
#include "common/json/transcode.h"

#include <string.h>

enum { MOST_VARIABLES = 8, DEEPEST_PARAMETER = 3 };

static const char *const verbs[] = {
    [VERB_GET] = "get",     [VERB_POST] = "post",     [VERB_PUT] = "put",
    [VERB_PATCH] = "patch", [VERB_DELETE] = "delete",
};

/* A request split as google.api.http does: variables of the path, and the rest. */
struct split {
    const char *variables[MOST_VARIABLES + 1];
    size_t count;
};

static struct split split_of(struct arena *arena, const struct contract_method *method)
{
    struct template_variable variable;
    const char *at = method->template;
    struct split split = {0};

    while (split.count < MOST_VARIABLES && template_next(&at, &variable)) {
        split.variables[split.count++] =
            arena_printf(arena, "%.*s", (int)variable.length, variable.name);
    }
    return split;
}

static const char *outer_name(struct arena *arena, const char *dotted)
{
    return json_name(arena, dotted); /* a dot stays a dot */
}

const char *openapi_path(struct arena *arena, const char *template)
{
    struct text path = text_new(arena, 64);
    struct template_variable variable;
    const char *at = template, *done = template;

    while (template_next(&at, &variable)) {
        text_add_bytes(&path, done, (size_t)(variable.name - done));
        text_add(&path, outer_name(arena, arena_printf(arena, "%.*s", (int)variable.length,
                                                       variable.name)));
        text_add_char(&path, '}');
        done = at;
    }
    text_add(&path, done);
    return path.data;
}

const char *openapi_tag(struct arena *arena, const char *service)
{
    static const char suffix[] = "Service";
    const char *dot = strrchr(service, '.');
    const char *name = dot ? dot + 1 : service;
    size_t length = strlen(name);

    if (length > sizeof(suffix) - 1 && strcmp(name + length - (sizeof(suffix) - 1), suffix) == 0) {
        length -= sizeof(suffix) - 1;
    }
    return arena_printf(arena, "%.*s", (int)length, name);
}

void put_who(struct text *out, unsigned roles)
{
    put_open(out, "security", '[');
    if (!(roles & ROLE_ANYONE)) {
        put_raw(out, NULL, "{\"bearer\":[]}");
    }
    put_close(out, ']');
    put_open(out, "x-roles", '[');
    for (unsigned bit = 1; bit <= ROLE_ANYONE; bit <<= 1) {
        if (roles & bit) {
            put_text(out, NULL, role_name((enum role)bit));
        }
    }
    put_close(out, ']');
}

static void put_parameter(struct text *out, const struct schema_set *set, const char *in,
                          const char *name, const ProtobufCMessageDescriptor *type,
                          const ProtobufCFieldDescriptor *field)
{
    const struct contract_field *says = contract_field(set->contract, type, field);
    bool is_path = strcmp(in, "path") == 0;

    put_open(out, NULL, '{');
    put_text(out, "name", outer_name(set->arena, name));
    put_text(out, "in", in);
    put_text_if_any(out, "description", says->comment);
    if (is_path || field_is_required(says, field)) {
        put_bool(out, "required", true);
    }
    put_field_schema(out, "schema", set, SENT_TO_US, type, field);
    if (is_path) {
        put_field_example(out, "example", set, SENT_TO_US, type, field);
    }
    put_close(out, '}');
}

static const ProtobufCMessageDescriptor *owner_of(const ProtobufCMessageDescriptor *type,
                                                  const char *dotted)
{
    const char *dot = strrchr(dotted, '.');
    const ProtobufCFieldDescriptor *outer =
        dot ? template_field(type, dotted, (size_t)(dot - dotted)) : NULL;

    return outer ? outer->descriptor : type;
}

static void put_path_parameters(struct text *out, const struct schema_set *set,
                                const struct contract_method *method, const struct split *split)
{
    for (size_t i = 0; i < split->count; i++) {
        const char *name = split->variables[i];

        put_parameter(out, set, "path", name, owner_of(method->in, name),
                      template_field(method->in, name, strlen(name)));
    }
}

/* What is neither in the path nor in a body; dots lead into messages. */
static void put_query_parameters(struct text *out, const struct schema_set *set,
                                 const ProtobufCMessageDescriptor *type, const char *up,
                                 const struct split *split, int depth)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        const char *name = arena_printf(set->arena, "%s%s", up, field->name);
        bool plain =
            field->type == PROTOBUF_C_TYPE_MESSAGE && message_form(field->descriptor) == FORM_PLAIN;

        if (name_is_listed(split->variables, name) || (plain && field_is_list(field))) {
            continue;
        }
        if (!plain) {
            put_parameter(out, set, "query", name, type, field);
        } else if (depth < DEEPEST_PARAMETER) {
            put_query_parameters(out, set, field->descriptor, arena_printf(set->arena, "%s.", name),
                                 split, depth + 1);
        }
    }
}

static bool has_version(const struct contract_method *method)
{
    return method->call.etag || method->raw_answer;
}

static void put_parameters(struct text *out, const struct schema_set *set,
                           const struct contract_method *method, const struct split *split)
{
    put_open(out, "parameters", '[');
    put_path_parameters(out, set, method, split);
    if (!method->body) {
        put_query_parameters(out, set, method->in, "", split, 0);
    }
    if (method->call.idempotent) {
        put_reference(out, NULL, "parameters", "IdempotencyKey");
    }
    if (method->call.if_match) {
        put_reference(out, NULL, "parameters", "IfMatch");
    }
    if (has_version(method) && method->verb == VERB_GET) {
        put_reference(out, NULL, "parameters", "IfNoneMatch");
    }
    put_close(out, ']');
}

static bool must_have_body(const struct schema_set *set, const ProtobufCMessageDescriptor *type,
                           const struct split *split)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];

        if (!name_is_listed(split->variables, field->name) &&
            field_is_required(contract_field(set->contract, type, field), field)) {
            return true;
        }
    }
    return false;
}

static void put_raw_content(struct text *out, const char *const *types)
{
    put_open(out, "content", '{');
    for (; *types; types++) {
        put_raw(out, *types, "{\"schema\":{\"type\":\"string\",\"format\":\"binary\"}}");
    }
    put_close(out, '}');
}

/* Who leaves it to us to find out what it is may say so. */
static void put_raw_body(struct text *out, struct arena *arena, const struct contract_call *call)
{
    size_t count = 0;

    while (call->body_types[count]) {
        count++;
    }
    const char **types = arena_new_array(arena, const char *, count + 2);

    memcpy(types, call->body_types, count * sizeof(*types));
    types[count] = "application/octet-stream";
    put_open(out, "requestBody", '{');
    put_text(out, "description",
             arena_printf(arena, "The bytes as they are, at most %zu KiB", call->max_body / 1024));
    put_bool(out, "required", true);
    put_raw_content(out, types);
    put_close(out, '}');
}

static void put_body(struct text *out, const struct schema_set *set,
                     const struct contract_method *method, const struct split *split)
{
    const ProtobufCMessageDescriptor *type = method->in;
    static const struct split nothing;

    if (!method->body) {
        return;
    }
    if (method->raw_body) {
        put_raw_body(out, set->arena, &method->call);
        return;
    }
    if (strcmp(method->body, "*") != 0) {
        type = template_field(type, method->body, strlen(method->body))->descriptor;
        split = &nothing;
    }
    put_open(out, "requestBody", '{');
    put_bool(out, "required", must_have_body(set, type, split));
    put_open(out, "content", '{');
    put_open(out, "application/json", '{');
    if (split->count || !type->n_fields) {
        put_object_schema(out, "schema", set, type, split->variables);
    } else {
        put_message_schema(out, "schema", set, SENT_TO_US, type);
    }
    put_message_example(out, "example", set, SENT_TO_US, type, split->variables);
    put_close(out, '}');
    put_close(out, '}');
    put_close(out, '}');
}

static void put_answer_headers(struct text *out, const struct contract_method *method)
{
    put_open(out, "headers", '{');
    put_reference(out, "x-correlation-id", "headers", "CorrelationId");
    if (method->call.location) {
        put_reference(out, "Location", "headers", "Location");
    }
    if (has_version(method)) {
        put_reference(out, "ETag", "headers", "ETag");
    }
    put_close(out, '}');
}

static void put_answer(struct text *out, const struct schema_set *set,
                       const struct contract_method *method)
{
    const int success = method->call.success;

    put_open(out, arena_printf(set->arena, "%d", success), '{');
    put_text(out, "description",
             success == 201   ? "It was made"
             : success == 202 ? "It was taken, and is being worked on"
             : success == 204 ? "Done; there is nothing to say"
                              : "The answer");
    put_answer_headers(out, method);
    if (method->raw_answer) {
        put_raw_content(out, method->call.answer_types);
    } else if (success != 204) {
        put_open(out, "content", '{');
        put_open(out, "application/json", '{');
        if (method->out->n_fields) {
            put_message_schema(out, "schema", set, ANSWERED, method->out);
        } else {
            put_raw(out, "schema", "{\"type\":\"object\"}");
        }
        put_message_example(out, "example", set, ANSWERED, method->out, NULL);
        put_close(out, '}');
        put_close(out, '}');
    }
    put_close(out, '}');
    if (has_version(method) && method->verb == VERB_GET) {
        put_raw(out, "304", "{\"description\":\"It is still what If-None-Match names\"}");
    }
}

/* "PlaceOrder" as "placeOrder". */
static const char *operation_id(struct arena *arena, const char *name)
{
    char *id = arena_strdup(arena, name);

    id[0] = (char)(id[0] >= 'A' && id[0] <= 'Z' ? id[0] - 'A' + 'a' : id[0]);
    return id;
}

void put_operation(struct text *out, const struct schema_set *set, struct problem_sets *problems,
                   const struct contract_method *method)
{
    const struct contract_call *call = &method->call;
    const struct split split = split_of(set->arena, method);

    put_open(out, verbs[method->verb], '{');
    put_text(out, "operationId", operation_id(set->arena, method->name));
    put_open(out, "tags", '[');
    put_text(out, NULL, openapi_tag(set->arena, method->service));
    put_close(out, ']');
    put_text(out, "summary", *call->summary ? call->summary : method->name);
    put_text_if_any(out, "description", method->comment);
    put_who(out, call->roles);
    put_text(out, "x-rate-class", call->limit);
    put_number(out, "x-deadline-ms", call->deadline_ms);
    if (call->step_up) {
        put_bool(out, "x-step-up", true);
    }
    put_parameters(out, set, method, &split);
    put_body(out, set, method, &split);
    put_open(out, "responses", '{');
    put_answer(out, set, method);
    put_problem_responses(out, problems, method);
    put_close(out, '}');
    put_close(out, '}');
}
