/* Bodies larger than most: for those only whom the route is for, and a few at once, since each is
 * held in memory until it was answered. */
#ifndef GATEWAY_EDGE_EDGE_UPLOAD_H
#define GATEWAY_EDGE_EDGE_UPLOAD_H

#include "gateway/exchange.h"

enum { UPLOADS_AT_ONCE = 2 };

/* http_options.allow_body; 'user' is the struct gateway. */
size_t upload_allow(struct ctx *ctx, struct http_request *request, void *user);

/* Of a body that was not read for its size or for want of memory: who may not send it at all is
 * told so, and who came when others were at it is asked to come again. The exchange has its route,
 * and then a failure. */
void upload_refuse(struct exchange *exchange);

#endif
