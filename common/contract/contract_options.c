/* google.api.http, (everything.call) and (everything.field). protobuf-c keeps extensions as
 * unknown fields, so each is found by its number and unpacked here; then come the defaults
 * that options.proto names. */
#include "common/contract/contract_parts.h"

#include "common/base/text.h"

#include "everything/options.pb-c.h"
#include "google/api/http.pb-c.h"
#include "google/api/httpbody.pb-c.h"

#include <string.h>

enum {
    OPTION_HTTP = 72295728,
    OPTION_CALL = 50001,
    OPTION_FIELD = 50002,
    DEFAULT_SUCCESS = 200,
    DEFAULT_DEADLINE_MS = 2000,
    DEFAULT_MAX_LENGTH = 1000,
    DEFAULT_MAX_ITEMS = 100,
};

static const char *const limits[] = {"read", "write", "auth", "image"};

static const unsigned role_bits[] = {
    [EVERYTHING__ROLE__ROLE_ANYONE] = ROLE_ANYONE,
    [EVERYTHING__ROLE__ROLE_CUSTOMER] = ROLE_CUSTOMER,
    [EVERYTHING__ROLE__ROLE_BARISTA] = ROLE_BARISTA,
    [EVERYTHING__ROLE__ROLE_ADMIN] = ROLE_ADMIN,
    [EVERYTHING__ROLE__ROLE_DRIVER] = ROLE_DRIVER,
    [EVERYTHING__ROLE__ROLE_SYSTEM] = ROLE_SYSTEM,
};

bool contract_knows_limit(const char *limit)
{
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        if (strcmp(limits[i], limit) == 0) {
            return true;
        }
    }
    return false;
}

/* NULL when the option is not there, or is no message of that type. */
static void *option_of(struct contract_draft *draft, const ProtobufCMessage *options,
                       uint32_t number, const ProtobufCMessageDescriptor *type)
{
    for (unsigned i = 0; options && i < options->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field = &options->unknown_fields[i];
        size_t start = 0;

        if (field->tag != number || field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
            continue;
        }
        while (start < field->len && field->data[start] & 0x80) {
            start++; /* the data begins with its own length */
        }
        start++;
        if (start > field->len) {
            return NULL;
        }
        return protobuf_c_message_unpack(type, &draft->scratch, field->len - start,
                                         field->data + start);
    }
    return NULL;
}

/* Kept in the contract's memory; NULL for what was left empty. */
static const char *keep(struct contract_draft *draft, const char *s)
{
    return s && *s ? arena_strdup(draft->contract->arena, s) : NULL;
}

static const char *const *keep_all(struct contract_draft *draft, char *const *from, size_t count)
{
    const char **list = arena_new_array(draft->contract->arena, const char *, count + 1);

    for (size_t i = 0; i < count; i++) {
        list[i] = arena_strdup(draft->contract->arena, from[i]);
    }
    return list;
}

void contract_read_call(struct contract_draft *draft, struct contract_method *method,
                        const ProtobufCMessage *options)
{
    const Everything__Call *read =
        option_of(draft, options, OPTION_CALL, &everything__call__descriptor);
    struct contract_call *call = &method->call;

    if (!read) {
        contract_complain(draft, method->path, "has no (everything.call): who may call it?");
        call->problems = call->body_types = call->answer_types = keep_all(draft, NULL, 0);
        call->limit = limits[0];
        return;
    }
    for (size_t i = 0; i < read->n_roles; i++) {
        unsigned role = (unsigned)read->roles[i];
        unsigned bit = role < ARRAY_LEN(role_bits) ? role_bits[role] : 0;

        if (!bit) {
            contract_complain(draft, method->path, "names role %u, which is unknown", role);
        }
        call->roles |= bit;
    }
    const char *limit = keep(draft, read->limit);
    const char *summary = keep(draft, read->summary);
    *call = (struct contract_call){
        .roles = call->roles,
        .limit = limit ? limit : limits[0],
        .success = read->success ? read->success : DEFAULT_SUCCESS,
        .location = keep(draft, read->location),
        .etag = keep(draft, read->etag),
        .step_up = read->step_up,
        .idempotent = read->idempotent,
        .own_data = read->own_data,
        .probe = read->probe,
        .deadline_ms = read->deadline_ms ? read->deadline_ms : DEFAULT_DEADLINE_MS,
        .problems = keep_all(draft, read->problems, read->n_problems),
        .body_types = keep_all(draft, read->body_types, read->n_body_types),
        .answer_types = keep_all(draft, read->answer_types, read->n_answer_types),
        .max_body = read->max_body > 0 ? (size_t)read->max_body : CONTRACT_MAX_BODY,
        .immutable = read->immutable,
        .if_match = read->if_match,
        .summary = summary ? summary : "",
    };
}

/* Descriptors are the linker's: one type has one address. */
static bool is_raw(const void *type)
{
    return type == &google__api__http_body__descriptor;
}

void contract_read_http(struct contract_draft *draft, struct contract_method *method,
                        const ProtobufCMessage *options)
{
    static const enum http_verb verbs[] = {
        [GOOGLE__API__HTTP_RULE__PATTERN_GET] = VERB_GET,
        [GOOGLE__API__HTTP_RULE__PATTERN_PUT] = VERB_PUT,
        [GOOGLE__API__HTTP_RULE__PATTERN_POST] = VERB_POST,
        [GOOGLE__API__HTTP_RULE__PATTERN_DELETE] = VERB_DELETE,
        [GOOGLE__API__HTTP_RULE__PATTERN_PATCH] = VERB_PATCH,
    };
    const Google__Api__HttpRule *rule =
        option_of(draft, options, OPTION_HTTP, &google__api__http_rule__descriptor);

    if (!rule) {
        return;
    }
    size_t pattern = (size_t)rule->pattern_case;
    method->verb = pattern < ARRAY_LEN(verbs) ? verbs[pattern] : VERB_NONE;
    if (method->verb == VERB_NONE || rule->n_additional_bindings) {
        contract_complain(draft, method->path,
                          "its google.api.http is more than we serve: "
                          "one of get, put, post, delete, patch");
        return;
    }
    method->template = arena_strdup(draft->contract->arena, rule->get); /* all share a union */
    method->body = keep(draft, rule->body);
    if (method->body) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(method->in, method->body);

        method->raw_body = field && is_raw(field->descriptor) ? field : NULL;
    }
    method->raw_answer = is_raw(method->out);
}

void contract_read_field(struct contract_draft *draft, struct field_rule *rule,
                         const ProtobufCMessage *options)
{
    const Everything__Field *read =
        option_of(draft, options, OPTION_FIELD, &everything__field__descriptor);
    struct contract_field *says = &rule->says;

    if (read) {
        says->required = read->required;
        says->uuid = read->uuid;
        says->min = read->min;
        says->max = read->max;
        says->min_length = read->min_length;
        says->max_length = read->max_length;
        says->max_items = read->max_items;
        says->example = keep(draft, read->example);
        says->pattern = keep(draft, read->pattern);
    }
    if (rule->field->type == PROTOBUF_C_TYPE_STRING && !says->max_length) {
        says->max_length = DEFAULT_MAX_LENGTH;
    }
    if (field_is_list(rule->field) && !says->max_items) {
        says->max_items = DEFAULT_MAX_ITEMS;
    }
}
