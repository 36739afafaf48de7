/* The problems that a route may answer: those of every route, those that its kind brings along, and
 * its own. */
#ifndef GATEWAY_OPENAPI_PROBLEMS_H
#define GATEWAY_OPENAPI_PROBLEMS_H

#include "common/base/text.h"
#include "common/contract/contract.h"

/* A response for each HTTP status, as members of "responses", which is open. */
void put_problem_responses(struct text *out, const struct contract_method *method);

/* The same for a route that is no RPC. */
void put_stream_problem_responses(struct text *out, bool signed_in, bool has_variable);

/* The schema of problem+json, as a member of "schemas", which is open. */
void put_problem_schema(struct text *out);

#endif
