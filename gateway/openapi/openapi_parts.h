/* What the files of the OpenAPI document share. */
#ifndef GATEWAY_OPENAPI_OPENAPI_PARTS_H
#define GATEWAY_OPENAPI_OPENAPI_PARTS_H

#include "gateway/openapi/openapi_json.h"
#include "gateway/openapi/openapi_problems.h"
#include "gateway/openapi/openapi_schema.h"

/* openapi_extra.c: the routes that are no RPC, as members of "paths", which is open. */
void put_extra_paths(struct text *out, struct problem_sets *problems);

/* openapi_operation.c: one method, as the member of its path. */
void put_operation(struct text *out, const struct schema_set *set, struct problem_sets *problems,
                   const struct contract_method *method);

/* "/orders/{order_id}" as clients see it: "/orders/{orderId}". */
const char *openapi_path(struct arena *arena, const char *template);

/* "coffee.order.v1.OrderService" as the heading that its routes stand under: "Order". */
const char *openapi_tag(struct arena *arena, const char *service);

/* "security" and who may call, as members of an operation. */
void put_who(struct text *out, unsigned roles);

#endif
