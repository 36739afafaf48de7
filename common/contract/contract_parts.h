/* What the files of this folder share behind contract.h. */
#ifndef COMMON_CONTRACT_CONTRACT_PARTS_H
#define COMMON_CONTRACT_CONTRACT_PARTS_H

#include "common/contract/contract.h"
#include "common/contract/message_shape.h"

#include "google/protobuf/descriptor.pb-c.h"

#include <regex.h>
#include <stdio.h>

struct message_rules;

struct field_rule {
    struct contract_field says;
    const ProtobufCFieldDescriptor *field;
    const struct message_rules *nested; /* of a message field */
    const regex_t *regex;               /* NULL: any value */
    bool idle;                          /* nothing to check: the walk steps over it */
};

/* The rules of one message type, aligned with the descriptor's fields. */
struct message_rules {
    struct message_rules *next;
    const ProtobufCMessageDescriptor *type;
    struct field_rule *fields;
    enum message_form form;
    bool is_map_entry;
    bool idle; /* neither it nor what it holds needs a check */
};

struct named_comment {
    const char *name; /* "coffee.order.v1.OrderService" */
    const char *text;
};

struct symbol {
    const char *name;
    size_t file;
};

struct contract {
    struct arena *arena; /* it lives in it itself */
    struct contract_method *methods;
    size_t method_count;
    const struct contract_method **by_path; /* sorted */
    const struct message_rules **messages;  /* sorted by the address of their type */
    size_t message_count;
    struct contract_file *files;
    size_t file_count;
    struct symbol *symbols; /* sorted by name */
    size_t symbol_count;
    struct named_comment *comments;
    size_t comment_count;
};

/* While it is made. */
struct contract_draft {
    struct contract *contract;
    const ProtobufCServiceDescriptor *const *services;
    struct message_rules *messages; /* every type that a method takes or answers */
    bool *described;                /* for each method: the descriptor set has it */
    ProtobufCAllocator scratch;     /* of the file that is being read */
    FILE *complaints;
    int faults;
    size_t symbol_room, comment_room;
};

void contract_complain(struct contract_draft *draft, const char *who, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* contract_files.c: one file of the set after the other, each with its own short-lived memory. */
void contract_read_files(struct contract_draft *draft, const void *set, size_t size);
void contract_finish_files(struct contract_draft *draft);

/* contract_describe.c: what one file says about our methods, messages and fields. */
void contract_describe(struct contract_draft *draft,
                       const Google__Protobuf__FileDescriptorProto *file);

/* contract_options.c: the options that protobuf-c keeps as unknown fields. */
void contract_read_call(struct contract_draft *draft, struct contract_method *method,
                        const ProtobufCMessage *options);
void contract_read_http(struct contract_draft *draft, struct contract_method *method,
                        const ProtobufCMessage *options);
void contract_read_field(struct contract_draft *draft, struct field_rule *rule,
                         const ProtobufCMessage *options);

bool contract_knows_limit(const char *limit);

/* contract_rules.c */
void contract_collect_messages(struct contract_draft *draft);
void contract_finish_rules(struct contract_draft *draft);
const struct message_rules *contract_rules(const struct contract *contract,
                                           const ProtobufCMessageDescriptor *type);

/* contract_faults.c: complains about everything that must not start. */
void contract_find_faults(struct contract_draft *draft);

#endif
