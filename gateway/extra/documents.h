/* /openapi.json. */
#ifndef GATEWAY_EXTRA_DOCUMENTS_H
#define GATEWAY_EXTRA_DOCUMENTS_H

#include "gateway/exchange.h"

struct documents;
struct contract;

/* Made once, at start: the document is the same for all. */
struct documents *documents_new(const struct contract *contract, const char *public_url);
void documents_free(struct documents *documents); /* NULL is fine */

void documents_openapi(struct exchange *exchange);

#endif
