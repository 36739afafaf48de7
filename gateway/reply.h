/* What the replies of exchange.h are counted in. */
#ifndef GATEWAY_REPLY_H
#define GATEWAY_REPLY_H

#include "common/http/http_server.h"

struct http_metrics;
struct gateway;

/* Registers the gateway's metrics; the server's load is read when somebody looks. */
struct http_metrics *http_metrics_new(struct gateway *gateway);
void http_metrics_free(struct http_metrics *metrics); /* NULL is fine */

#endif
