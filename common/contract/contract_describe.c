/* One file of the descriptor set against what protoc-c told us: options and comments of our
 * services, messages and fields. Comments stand apart from what they are about, under a path
 * of field numbers and indices (descriptor.proto, SourceCodeInfo). */
#include "common/contract/contract_parts.h"

#include "common/base/text.h"

#include <ctype.h>
#include <string.h>

typedef Google__Protobuf__FileDescriptorProto proto_file;
typedef Google__Protobuf__DescriptorProto proto_message;
typedef Google__Protobuf__SourceCodeInfo__Location proto_location;

enum { LONGEST_PATH = 32 };

/* Field numbers of descriptor.proto that such paths are made of. */
enum {
    PATH_FILE_MESSAGE = 4,
    PATH_FILE_SERVICE = 6,
    PATH_FILE_SYNTAX = 12,
    PATH_MESSAGE_FIELD = 2,
    PATH_MESSAGE_NESTED = 3,
    PATH_SERVICE_METHOD = 2,
};

struct place {
    struct contract_draft *draft;
    const proto_file *file;
    int32_t path[LONGEST_PATH];
    size_t length;
};

static struct place deeper(const struct place *place, int32_t number, size_t index)
{
    struct place inner = *place;

    if (inner.length + 2 <= LONGEST_PATH) {
        inner.path[inner.length++] = number;
        inner.path[inner.length++] = (int32_t)index;
    }
    return inner;
}

/* The words without the indentation and line breaks of the source. */
static void add_words(struct text *text, const char *words)
{
    for (const char *w = words ? words : ""; *w; w++) {
        bool blank = isspace((unsigned char)*w) != 0;

        if (!blank) {
            text_add_char(text, *w);
        } else if (text->length && text->data[text->length - 1] != ' ') {
            text_add_char(text, ' ');
        }
    }
}

static const char *comment_at(const struct place *place)
{
    const Google__Protobuf__SourceCodeInfo *info = place->file->source_code_info;

    for (size_t i = 0; info && i < info->n_location; i++) {
        const proto_location *location = info->location[i];

        if (location->n_path != place->length ||
            memcmp(location->path, place->path, place->length * sizeof(*place->path)) != 0) {
            continue;
        }
        struct text text = text_new(place->draft->contract->arena, 64);
        add_words(&text, location->leading_comments);
        if (text.length && location->trailing_comments) {
            text_add_char(&text, ' ');
        }
        add_words(&text, location->trailing_comments);
        while (text.length && text.data[text.length - 1] == ' ') {
            text.data[--text.length] = '\0';
        }
        return text.data;
    }
    return "";
}

static void keep_comment(struct contract_draft *draft, const char *name, const char *comment)
{
    struct contract *contract = draft->contract;

    if (!*comment) {
        return;
    }
    if (contract->comment_count == draft->comment_room) {
        draft->comment_room = draft->comment_room ? draft->comment_room * 2 : 32;
        struct named_comment *more =
            arena_new_array(contract->arena, struct named_comment, draft->comment_room);
        if (contract->comment_count) {
            memcpy(more, contract->comments, contract->comment_count * sizeof(*more));
        }
        contract->comments = more;
    }
    contract->comments[contract->comment_count++] =
        (struct named_comment){.name = name, .text = comment};
}

const char *contract_comment(const struct contract *contract, const char *name)
{
    for (size_t i = 0; i < contract->comment_count; i++) {
        if (strcmp(contract->comments[i].name, name) == 0) {
            return contract->comments[i].text;
        }
    }
    return "";
}

static struct message_rules *rules_named(struct contract_draft *draft, const char *scope,
                                         const char *name)
{
    size_t length = strlen(scope);

    for (struct message_rules *r = draft->messages; r; r = r->next) {
        const char *full = r->type->name;

        if (strncmp(full, scope, length) == 0 && full[length] == '.' &&
            strcmp(full + length + 1, name) == 0) {
            return r;
        }
    }
    return NULL;
}

/* protobuf-c sorts fields by number, the file has them as written: they meet by name. */
static void describe_fields(const struct place *place, struct message_rules *rules,
                            const proto_message *message)
{
    for (size_t i = 0; i < message->n_field; i++) {
        const ProtobufCFieldDescriptor *field =
            protobuf_c_message_descriptor_get_field_by_name(rules->type, message->field[i]->name);

        if (!field) {
            contract_complain(place->draft, rules->type->name, "has no field %s in C",
                              message->field[i]->name);
            continue;
        }
        struct field_rule *rule = &rules->fields[field - rules->type->fields];
        struct place at = deeper(place, PATH_MESSAGE_FIELD, i);
        const Google__Protobuf__FieldOptions *options = message->field[i]->options;
        contract_read_field(place->draft, rule, options ? &options->base : NULL);
        rule->says.comment = comment_at(&at);
    }
}

static void describe_message(const struct place *place, const char *scope,
                             const proto_message *message)
{
    struct message_rules *rules = rules_named(place->draft, scope, message->name);

    if (rules) {
        rules->is_map_entry = message->options && message->options->map_entry;
        keep_comment(place->draft, rules->type->name, comment_at(place));
        describe_fields(place, rules, message);
    }
    if (!message->n_nested_type) {
        return;
    }
    const char *inner =
        arena_printf(place->draft->scratch.allocator_data, "%s.%s", scope, message->name);
    for (size_t i = 0; i < message->n_nested_type; i++) {
        struct place at = deeper(place, PATH_MESSAGE_NESTED, i);
        describe_message(&at, inner, message->nested_type[i]);
    }
}

static void describe_method(const struct place *place, const char *path,
                            const Google__Protobuf__MethodDescriptorProto *from)
{
    struct contract *contract = place->draft->contract;

    for (size_t i = 0; i < contract->method_count; i++) {
        struct contract_method *method = &contract->methods[i];

        if (strcmp(method->path, path) != 0) {
            continue;
        }
        place->draft->described[i] = true;
        method->client_streams = from->client_streaming;
        method->server_streams = from->server_streaming;
        method->comment = comment_at(place);
        const ProtobufCMessage *options = from->options ? &from->options->base : NULL;
        contract_read_call(place->draft, method, options);
        contract_read_http(place->draft, method, options);
    }
}

/* A service without words of its own has those at the top of its file. */
static void comment_service(const struct place *place, const char *name)
{
    const char *comment = comment_at(place);
    struct place top = *place;

    top.path[0] = PATH_FILE_SYNTAX;
    top.length = 1;
    for (const ProtobufCServiceDescriptor *const *s = place->draft->services; *s; s++) {
        if (strcmp((*s)->name, name) == 0) {
            keep_comment(place->draft, (*s)->name, *comment ? comment : comment_at(&top));
        }
    }
}

void contract_describe(struct contract_draft *draft, const proto_file *file)
{
    const struct place root = {.draft = draft, .file = file};
    const char *package = file->package ? file->package : "";
    struct arena *scratch = draft->scratch.allocator_data;

    for (size_t i = 0; i < file->n_message_type; i++) {
        struct place at = deeper(&root, PATH_FILE_MESSAGE, i);
        describe_message(&at, package, file->message_type[i]);
    }
    for (size_t i = 0; i < file->n_service; i++) {
        const Google__Protobuf__ServiceDescriptorProto *service = file->service[i];
        struct place at = deeper(&root, PATH_FILE_SERVICE, i);

        comment_service(&at, arena_printf(scratch, "%s.%s", package, service->name));
        for (size_t m = 0; m < service->n_method; m++) {
            struct place method = deeper(&at, PATH_SERVICE_METHOD, m);
            describe_method(&method,
                            arena_printf(scratch, "/%s.%s/%s", package, service->name,
                                         service->method[m]->name),
                            service->method[m]);
        }
    }
}
