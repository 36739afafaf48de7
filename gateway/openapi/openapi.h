/* The contract as an OpenAPI 3.1 document: what /openapi.json serves and /docs shows. Routes,
 * words, schemas, rules, examples and problems come from the protos and from status.h, so that the
 * document cannot say another thing than the gateway does. */
#ifndef GATEWAY_OPENAPI_OPENAPI_H
#define GATEWAY_OPENAPI_OPENAPI_H

#include "common/contract/contract.h"

/* The document as JSON. Building takes about three times its size in the arena: use one of its own,
 * and keep the text alone. */
const char *openapi_document(struct arena *arena, const struct contract *contract,
                             const char *server_url);

#endif
