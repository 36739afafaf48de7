/* The problems that a route may answer: those of every route, those that its kind brings along, and
 * its own. */
#ifndef GATEWAY_OPENAPI_OPENAPI_PROBLEMS_H
#define GATEWAY_OPENAPI_OPENAPI_PROBLEMS_H

#include "common/base/text.h"
#include "common/contract/contract.h"

enum { MOST_PROBLEM_SETS = 256 };

/* The sets of problems that share a status: most routes answer with the same, so each is a
 * component of the document once, and the routes refer to it. */
struct problem_sets {
    uint64_t sets[MOST_PROBLEM_SETS]; /* bits 1 << problem */
    size_t count;
};

/* A response for each HTTP status, as members of "responses", which is open. */
void put_problem_responses(struct text *out, struct problem_sets *sets,
                           const struct contract_method *method);

/* The same for a route that is no RPC. */
void put_stream_problem_responses(struct text *out, struct problem_sets *sets, bool signed_in,
                                  bool has_variable);

/* The components that the routes referred to, as members of an object that is open. */
void put_problem_components(struct text *out, const struct problem_sets *sets);

/* The schema of problem+json, as a member of "schemas", which is open. */
void put_problem_schema(struct text *out);

#endif
