/* What must not start: a method that nobody may call, a route that could mean two methods,
 * a name that is no field. Every fault is told, not the first one only. */
#include "common/contract/contract_parts.h"

#include "common/contract/template.h"

#include <string.h>

static bool may_stand_in_path(const ProtobufCFieldDescriptor *field)
{
    return field && !field_is_list(field) && field->type != PROTOBUF_C_TYPE_MESSAGE &&
           field->type != PROTOBUF_C_TYPE_BYTES;
}

static void check_variables(struct contract_draft *draft, const struct contract_method *method,
                            const char *text, const ProtobufCMessageDescriptor *type)
{
    struct template_variable variable;
    const char *at = text;

    if (!template_is_valid(text)) {
        contract_complain(draft, method->path, "\"%s\" is no path that we serve", text);
        return;
    }
    while (template_next(&at, &variable)) {
        if (!may_stand_in_path(template_field(type, variable.name, variable.length))) {
            contract_complain(draft, method->path,
                              "\"%s\": %.*s is no field of %s that may stand in "
                              "a path",
                              text, (int)variable.length, variable.name, type->name);
        }
    }
}

static void check_route(struct contract_draft *draft, const struct contract_method *method)
{
    if (method->verb == VERB_NONE) {
        return;
    }
    check_variables(draft, method, method->template, method->in);
    if (method->client_streams || method->server_streams) {
        contract_complain(draft, method->path, "streams, so it can have no REST route");
    }
    if (method->verb == VERB_GET && method->body) {
        contract_complain(draft, method->path, "is a GET and has a body");
    }
    if (method->body && strcmp(method->body, "*") != 0) {
        const ProtobufCFieldDescriptor *body =
            template_field(method->in, method->body, strlen(method->body));

        if (!body || field_is_list(body) || body->type != PROTOBUF_C_TYPE_MESSAGE) {
            contract_complain(draft, method->path, "body \"%s\" is no message in %s", method->body,
                              method->in->name);
        }
    }
}

static void check_twins(struct contract_draft *draft, size_t of)
{
    const struct contract *contract = draft->contract;
    const struct contract_method *method = &contract->methods[of];

    for (size_t i = 0; i < of && method->verb != VERB_NONE; i++) {
        const struct contract_method *other = &contract->methods[i];

        if (other->verb == method->verb && template_same_shape(other->template, method->template)) {
            contract_complain(draft, method->path, "\"%s\" is also the route of %s",
                              method->template, other->path);
        }
    }
}

/* A raw body is HTTP's: who sends one says which kinds there are. */
static void check_raw(struct contract_draft *draft, const struct contract_method *method)
{
    const struct contract_call *call = &method->call;

    if (!method->raw_body == !!*call->body_types) {
        contract_complain(draft, method->path,
                          "body_types go with a body that is a google.api.HttpBody");
    }
    if (!method->raw_body && call->max_body > CONTRACT_MAX_BODY) {
        contract_complain(draft, method->path, "only a raw body may have more than %d bytes",
                          CONTRACT_MAX_BODY);
    }
    if ((method->raw_answer && method->verb != VERB_NONE) != !!*call->answer_types) {
        contract_complain(draft, method->path,
                          "answer_types go with an answer that is a google.api.HttpBody");
    }
    if (call->immutable && (method->verb != VERB_GET || call->etag || call->own_data)) {
        contract_complain(draft, method->path, "only what anybody may GET can be immutable");
    }
}

static void check_answer(struct contract_draft *draft, const struct contract_method *method)
{
    const struct contract_call *call = &method->call;

    if (call->location) {
        check_variables(draft, method, call->location, method->out);
    }
    if (call->etag &&
        !may_stand_in_path(template_field(method->out, call->etag, strlen(call->etag)))) {
        contract_complain(draft, method->path, "etag \"%s\" is no field of %s that has a text",
                          call->etag, method->out->name);
    }
}

static void check_call(struct contract_draft *draft, const struct contract_method *method)
{
    const struct contract_call *call = &method->call;

    if (!call->roles) {
        contract_complain(draft, method->path, "names no role that may call it");
    }
    if (!contract_knows_limit(call->limit)) {
        contract_complain(draft, method->path, "rate class \"%s\" is unknown", call->limit);
    }
    if (call->success < 200 || call->success > 299) {
        contract_complain(draft, method->path, "success %d is no status of success", call->success);
    }
    if (call->deadline_ms < 0) {
        contract_complain(draft, method->path, "deadline_ms is negative");
    }
    for (const char *const *code = call->problems; *code; code++) {
        if (problem_parse(*code) == PROBLEM_NONE) {
            contract_complain(draft, method->path, "problem \"%s\" is not in status.h", *code);
        }
    }
}

/* A number that was not sent cannot be told from 0, so "required" would promise too much. */
static void check_fields(struct contract_draft *draft)
{
    for (const struct message_rules *r = draft->messages; r; r = r->next) {
        for (unsigned i = 0; i < r->type->n_fields; i++) {
            const ProtobufCFieldDescriptor *field = &r->type->fields[i];
            bool has_empty = field_is_list(field) || field_has_presence(field) ||
                             field->type == PROTOBUF_C_TYPE_STRING ||
                             field->type == PROTOBUF_C_TYPE_BYTES ||
                             field->type == PROTOBUF_C_TYPE_ENUM;

            if (r->fields[i].says.required && !has_empty) {
                contract_complain(draft, r->type->name,
                                  "field %s: a plain number cannot be required; give it a min, or "
                                  "a oneof of its own",
                                  field->name);
            }
        }
    }
}

void contract_find_faults(struct contract_draft *draft)
{
    const struct contract *contract = draft->contract;

    for (size_t i = 0; i < contract->method_count; i++) {
        const struct contract_method *method = &contract->methods[i];

        if (!draft->described[i]) {
            contract_complain(draft, method->path, "is not in the descriptor set");
            continue;
        }
        check_call(draft, method);
        check_route(draft, method);
        check_raw(draft, method);
        check_twins(draft, i);
        check_answer(draft, method);
    }
    check_fields(draft);
}
