/* What notices hear of orders. */
#ifndef CUSTOMER_SERVICE_NOTIFY_NOTIFY_EVENTS_H
#define CUSTOMER_SERVICE_NOTIFY_NOTIFY_EVENTS_H

#include "common/events/event.h"

/* Of audit.events, which has every step of an order, in its order. */
enum status notify_on_audit(struct ctx *ctx, void *service, const struct event *event);

#endif
