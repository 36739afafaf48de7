/* The variables of a route's or Location's template: "/orders/{id}" has "id". */
#ifndef COMMON_CONTRACT_TEMPLATE_H
#define COMMON_CONTRACT_TEMPLATE_H

#include <protobuf-c/protobuf-c.h>

#include <stdbool.h>
#include <stddef.h>

struct template_variable {
    const char *name; /* in the template, not terminated */
    size_t length;
};

/* Steps to the next variable after *at and moves *at behind it; false when there is none. */
bool template_next(const char **at, struct template_variable *variable);

/* Braces pair up, each variable is a whole segment and has a name. */
bool template_is_valid(const char *text);

/* Both match the same paths: "/orders/{id}" and "/orders/{order_id}". */
bool template_same_shape(const char *a, const char *b);

/* The field that a dotted name means, through singular messages; NULL when there is none. */
const ProtobufCFieldDescriptor *template_field(const ProtobufCMessageDescriptor *type,
                                               const char *name, size_t length);

#endif
