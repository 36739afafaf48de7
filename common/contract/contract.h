/* What the protos say: every service, method, its HTTP rule, its (everything.call)
 * options, and what each request field must be. Read once, from the descriptor set that
 * is embedded in each daemon; the gateway's routes, the daemons' roles, reflection and
 * OpenAPI all come from here. */
#ifndef COMMON_CONTRACT_CONTRACT_H
#define COMMON_CONTRACT_CONTRACT_H

#include "common/base/ctx.h"

#include <protobuf-c/protobuf-c.h>

struct contract; /* read-only once made: any thread may use it */

enum { CONTRACT_MAX_BODY = 64 * 1024 }; /* of a body, where a method does not say */

enum http_verb { VERB_NONE, VERB_GET, VERB_POST, VERB_PUT, VERB_PATCH, VERB_DELETE };

struct contract_call { /* (everything.call), with its defaults filled in */
    unsigned roles;    /* bits of enum role; ROLE_ANYONE: no sign-in */
    const char *limit; /* rate class: "read", "write", "auth", "image" */
    int success;
    const char *location; /* "/orders/{id}" or NULL */
    const char *etag;     /* field name or NULL */
    bool step_up, idempotent, own_data;
    bool if_match;  /* heeds the version that the caller saw */
    bool probe;     /* about health: daemons answer it without an identity */
    bool immutable; /* what this address answered never changes */
    int deadline_ms;
    const char *const *body_types;   /* of a raw body; ends with NULL, as do the next two */
    const char *const *answer_types; /* of a raw answer */
    const char *const *problems;
    size_t max_body; /* bytes */
    const char *summary;
};

struct contract_method {
    const char *path;    /* "/coffee.order.v1.OrderService/PlaceOrder" */
    const char *service; /* "coffee.order.v1.OrderService" */
    const char *name;    /* "PlaceOrder" */
    const ProtobufCMessageDescriptor *in, *out;
    bool client_streams, server_streams;
    enum http_verb verb;  /* VERB_NONE: no REST route */
    const char *template; /* "/orders/{id}" */
    const char *body;     /* "*", a field name, or NULL */
    struct contract_call call;
    const char *comment; /* the proto's own words; "" when there are none */
    /* A google.api.HttpBody: the field that takes the body as it is, or NULL; the answer is one. */
    const ProtobufCFieldDescriptor *raw_body;
    bool raw_answer;
};

/* Reads the embedded descriptor set. 'services' are protoc-c's descriptors of the services
 * this process serves or calls, ending with NULL. NULL, with the reasons on 'complaints' (a FILE),
 * when a method has no (everything.call), two methods claim one route, a template names an unknown
 * field, and so on: such a daemon must not start. */
struct contract *contract_new(const ProtobufCServiceDescriptor *const *services, void *complaints);
/* The same from bytes that are not the embedded ones: for tests that add a route at run time. */
struct contract *contract_new_from(const void *descriptor_set, size_t size,
                                   const ProtobufCServiceDescriptor *const *services,
                                   void *complaints);
void contract_free(struct contract *contract);

/* The methods of those services, in the order of the protos. */
size_t contract_count(const struct contract *contract);
const struct contract_method *contract_at(const struct contract *contract, size_t i);
const struct contract_method *contract_find(const struct contract *contract, const char *path);

/* Checks a request against its (everything.field) options, UTF-8 and NUL included, deep down.
 * ST_INVALID with one refused field for each fault, in lowerCamelCase paths:
 * "items[0].quantity". */
enum status contract_check(struct ctx *ctx, const struct contract *contract,
                           const ProtobufCMessage *request) MUST_CHECK;

/* Files of the set, for reflection: serialized FileDescriptorProto by file name or by any symbol in
 * it. */
struct contract_file {
    const char *name;
    const uint8_t *bytes;
    size_t size;
};
const struct contract_file *contract_file_named(const struct contract *contract, const char *name);
const struct contract_file *contract_file_of(const struct contract *contract, const char *symbol);

/* What one field is, beyond protobuf-c's own descriptor: its rules and its comment. */
struct contract_field {
    bool required, uuid;
    int64_t min, max;                      /* both 0: unbounded; max below min: no upper bound */
    int min_length, max_length, max_items; /* the defaults of options.proto are filled in */
    const char *example, *pattern;         /* NULL: none */
    const char *comment;                   /* "": none */
};
const struct contract_field *contract_field(const struct contract *contract,
                                            const ProtobufCMessageDescriptor *message,
                                            const ProtobufCFieldDescriptor *field);

/* The proto's words about one of the services, or a message that a method takes or answers,
 * by its full name; "" when there are none. */
const char *contract_comment(const struct contract *contract, const char *name);

#endif
