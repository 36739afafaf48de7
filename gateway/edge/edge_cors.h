/* Pages of other sites that may call us: off unless CORS_ORIGINS names them. */
#ifndef GATEWAY_EDGE_EDGE_CORS_H
#define GATEWAY_EDGE_EDGE_CORS_H

#include "gateway/exchange.h"

/* Adds the headers that let the page of this origin read the reply. */
void cors_add_headers(struct exchange *exchange);
/* What a browser asks before it calls, and any other OPTIONS: answered with the verbs of the
 * path. */
void cors_answer_options(struct exchange *exchange, const char *verbs);

#endif
