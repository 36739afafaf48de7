/* The chain that each request passes, in order: trace, route, address limit, who, subject limit,
 * roles, handler. */
#ifndef GATEWAY_EDGE_EDGE_H
#define GATEWAY_EDGE_EDGE_H

#include "common/http/http_server.h"

/* http_options.handle; 'user' is the struct gateway. */
void edge_handle(struct ctx *ctx, struct http_request *request, void *user);

#endif
