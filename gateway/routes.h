/* The route table: the (google.api.http) options of the contract, and the few routes that are no
 * RPC. A literal segment beats a variable; HEAD is GET. */
#ifndef GATEWAY_ROUTES_H
#define GATEWAY_ROUTES_H

#include "common/contract/contract.h"
#include "gateway/backend.h"
#include "gateway/exchange.h"
#include "gateway/extra/extra_routes.h"

#include <stdio.h>

struct route_segment {
    const char *text; /* of a literal, or the name of a variable */
    bool is_variable;
};

struct route {
    enum http_verb verb;
    const char *template;
    const char *label; /* "POST /orders/{id}/accept": in metrics and logs */
    struct route_segment segments[ROUTE_MAX_SEGMENTS];
    size_t count;
    unsigned roles;
    const char *limit; /* rate class; NULL: none */
    bool step_up;
    const struct contract_method *method; /* or NULL: extra */
    enum backend_id backend;
    const struct extra_route *extra;
};

struct routes;

/* NULL, with the reasons on 'complaints', when two routes claim the same requests, or a method's
 * service has no backend. Lives in the arena. */
struct routes *routes_new(struct arena *arena, const struct contract *contract,
                          const struct extra_route *extra, FILE *complaints);
size_t routes_count(const struct routes *routes);
const struct route *routes_at(const struct routes *routes, size_t i);

/* "GET"; VERB_GET for "HEAD" too; VERB_NONE when no route can have it. */
enum http_verb verb_parse(const char *method);
const char *verb_name(enum http_verb verb);

struct route_match {
    const struct route *route;              /* NULL: none for this verb */
    const char *values[ROUTE_MAX_SEGMENTS]; /* of the variables, in the template's order */
    unsigned verbs; /* bits 1 << verb that the path takes; 0: there is no such path */
};

/* The path is decoded segment by segment: an escaped slash separates nothing. A segment that is not
 * UTF-8 matches nothing. */
void routes_match(struct arena *arena, const struct routes *routes, enum http_verb verb,
                  const char *path, struct route_match *match);

/* "GET, HEAD, POST": for Allow. */
const char *verbs_text(struct arena *arena, unsigned verbs);

#endif
