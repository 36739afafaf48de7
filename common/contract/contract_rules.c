/* The rules of each message type that a method takes or answers: collected over protoc-c's
 * descriptors, filled from the set, then boiled down so that a check steps over all that
 * needs none. */
#include "common/contract/contract_parts.h"

#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>

static struct message_rules *find_draft(const struct contract_draft *draft,
                                        const ProtobufCMessageDescriptor *type)
{
    for (struct message_rules *r = draft->messages; r; r = r->next) {
        if (r->type == type) {
            return r;
        }
    }
    return NULL;
}

static struct message_rules *collect(struct contract_draft *draft,
                                     const ProtobufCMessageDescriptor *type)
{
    struct message_rules *rules = find_draft(draft, type);

    if (rules) {
        return rules;
    }
    rules = arena_new_struct(draft->contract->arena, struct message_rules);
    *rules = (struct message_rules){
        .next = draft->messages,
        .type = type,
        .form = message_form(type),
        .fields = arena_new_array(draft->contract->arena, struct field_rule, type->n_fields),
    };
    draft->messages = rules;
    draft->contract->message_count++;
    for (unsigned i = 0; i < type->n_fields; i++) {
        rules->fields[i].field = &type->fields[i];
        rules->fields[i].says.comment = "";
        if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE) {
            rules->fields[i].nested = collect(draft, type->fields[i].descriptor);
        }
    }
    return rules;
}

void contract_collect_messages(struct contract_draft *draft)
{
    const struct contract *contract = draft->contract;

    for (size_t i = 0; i < contract->method_count; i++) {
        collect(draft, contract->methods[i].in);
        collect(draft, contract->methods[i].out);
    }
}

static void release_regex(void *regex)
{
    regfree(regex);
}

static void compile_pattern(struct contract_draft *draft, const struct message_rules *rules,
                            struct field_rule *rule)
{
    struct arena *arena = draft->contract->arena;

    if (!rule->says.pattern) {
        return;
    }
    regex_t *regex = arena_new_struct(arena, regex_t);
    const char *whole = arena_printf(arena, "^(%s)$", rule->says.pattern);
    if (regcomp(regex, whole, REG_EXTENDED | REG_NOSUB) != 0) {
        contract_complain(draft, rules->type->name,
                          "field %s: its pattern is no regular expression", rule->field->name);
        return;
    }
    arena_defer(arena, release_regex, regex);
    rule->regex = regex;
}

/* Strings always have their UTF-8 looked at, enums their number, lists their length. */
static bool is_idle(const struct field_rule *rule)
{
    const struct contract_field *says = &rule->says;

    if (field_is_list(rule->field) || says->required || says->min || says->max) {
        return false;
    }
    switch (rule->field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_ENUM:
        return false;
    case PROTOBUF_C_TYPE_BYTES:
        return !says->max_length && !says->min_length;
    case PROTOBUF_C_TYPE_MESSAGE:
        return rule->nested->idle;
    default:
        return true;
    }
}

/* A message is idle when all its fields are; types that contain each other settle after as
 * many rounds as they are deep. All begin as idle, and only ever stop being it. */
static bool settle_message(struct message_rules *rules)
{
    bool was_idle = rules->idle;

    for (unsigned i = 0; i < rules->type->n_fields; i++) {
        rules->fields[i].idle = is_idle(&rules->fields[i]);
        rules->idle = rules->idle && rules->fields[i].idle;
    }
    return rules->idle != was_idle;
}

static void settle_idle(struct contract_draft *draft)
{
    bool changed = true;

    for (struct message_rules *r = draft->messages; r; r = r->next) {
        r->idle = r->form != FORM_TIMESTAMP && r->form != FORM_DURATION;
    }
    while (changed) {
        changed = false;
        for (struct message_rules *r = draft->messages; r; r = r->next) {
            changed = settle_message(r) || changed;
        }
    }
}

static int by_type(const void *a, const void *b)
{
    const struct message_rules *const *x = a, *const *y = b;
    uintptr_t p = (uintptr_t)(*x)->type, q = (uintptr_t)(*y)->type;

    return p < q ? -1 : p > q;
}

void contract_finish_rules(struct contract_draft *draft)
{
    struct contract *contract = draft->contract;
    size_t count = 0;

    contract->messages =
        arena_new_array(contract->arena, const struct message_rules *, contract->message_count + 1);
    for (struct message_rules *r = draft->messages; r; r = r->next) {
        for (unsigned i = 0; i < r->type->n_fields; i++) {
            compile_pattern(draft, r, &r->fields[i]);
        }
        contract->messages[count++] = r;
    }
    settle_idle(draft);
    qsort(contract->messages, count, sizeof(void *), by_type);
}

const struct message_rules *contract_rules(const struct contract *contract,
                                           const ProtobufCMessageDescriptor *type)
{
    size_t low = 0, high = contract->message_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct message_rules *rules = contract->messages[middle];

        if (rules->type == type) {
            return rules;
        }
        if ((uintptr_t)rules->type < (uintptr_t)type) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

const struct contract_field *contract_field(const struct contract *contract,
                                            const ProtobufCMessageDescriptor *message,
                                            const ProtobufCFieldDescriptor *field)
{
    const struct message_rules *rules = contract_rules(contract, message);

    return rules ? &rules->fields[field - message->fields].says : NULL;
}
