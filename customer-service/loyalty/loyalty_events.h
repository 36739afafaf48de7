/* What statistics and points hear of orders. */
#ifndef CUSTOMER_SERVICE_LOYALTY_LOYALTY_EVENTS_H
#define CUSTOMER_SERVICE_LOYALTY_LOYALTY_EVENTS_H

#include "common/events/event.h"

enum status loyalty_on_order_placed(struct ctx *ctx, void *service, const struct event *event);
enum status loyalty_on_order_completed(struct ctx *ctx, void *service, const struct event *event);
enum status loyalty_on_order_cancelled(struct ctx *ctx, void *service, const struct event *event);

#endif
