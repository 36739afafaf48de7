/* What order-service knows of an order. */
#ifndef CUSTOMER_SERVICE_NOTIFY_ORDER_CLIENT_H
#define CUSTOMER_SERVICE_NOTIFY_ORDER_CLIENT_H

#include "common/base/ctx.h"

struct service;

/* ST_NOT_FOUND: there is none of that id, or it is another's, also where the caller may see it.
 * Asks for a second at most; ST_UNAVAILABLE while order-service is away: nobody else knows. */
enum status order_must_be_callers(struct ctx *ctx, struct service *service,
                                  const char *order) MUST_CHECK;

#endif
