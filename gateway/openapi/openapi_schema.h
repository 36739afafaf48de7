/* Messages and fields as JSON Schema, the form that OpenAPI 3.1 takes. A message that clients send
 * is strict and carries its rules; one that they get says what is always there. */
#ifndef GATEWAY_OPENAPI_OPENAPI_SCHEMA_H
#define GATEWAY_OPENAPI_OPENAPI_SCHEMA_H

#include "common/base/text.h"
#include "common/contract/contract.h"

enum direction { SENT_TO_US, ANSWERED };

/* The message types that are components of the document, for one direction each. */
struct schema_set {
    struct arena *arena;
    const struct contract *contract;
    const ProtobufCMessageDescriptor **types[2]; /* by enum direction */
    size_t count[2];
};

/* Collects what the routes take and answer. */
struct schema_set schema_set_of(struct arena *arena, const struct contract *contract);

/* Every component, as members of an object that is open. */
void put_schemas(struct text *out, const struct schema_set *set);

/* What a field is, alone: for parameters, and for members of an object. */
void put_field_schema(struct text *out, const char *key, const struct schema_set *set,
                      enum direction direction, const ProtobufCMessageDescriptor *type,
                      const ProtobufCFieldDescriptor *field);

/* An object of the fields that 'leave_out' (names of the proto, ends with NULL) does not name. */
void put_object_schema(struct text *out, const char *key, const struct schema_set *set,
                       const ProtobufCMessageDescriptor *type, const char *const *leave_out);

/* A reference to the component, or the schema itself where JSON has a form for the type. */
void put_message_schema(struct text *out, const char *key, const struct schema_set *set,
                        enum direction direction, const ProtobufCMessageDescriptor *type);

bool field_is_required(const struct contract_field *says, const ProtobufCFieldDescriptor *field);

/* openapi_example.c: a value that keeps all rules, from (everything.field).example where it has
 * one. */
void put_message_example(struct text *out, const char *key, const struct schema_set *set,
                         enum direction direction, const ProtobufCMessageDescriptor *type,
                         const char *const *leave_out);
/* A single value, never a list of them. */
void put_field_example(struct text *out, const char *key, const struct schema_set *set,
                       enum direction direction, const ProtobufCMessageDescriptor *type,
                       const ProtobufCFieldDescriptor *field);

bool name_is_listed(const char *const *names, const char *name); /* NULL: an empty list */

#endif
