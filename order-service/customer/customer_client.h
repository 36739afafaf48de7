/* What we ask of customer-service, on the caller's behalf. */
#ifndef ORDER_SERVICE_CUSTOMER_CUSTOMER_CLIENT_H
#define ORDER_SERVICE_CUSTOMER_CUSTOMER_CLIENT_H

#include "order-service/order/order.h"

/* The caller's usual as a line of quantity 1. PROBLEM_NO_USUAL; ST_UNAVAILABLE, ST_TIMEOUT. */
enum status customer_get_usual(struct ctx *ctx, struct service *service,
                               struct order_line *line) MUST_CHECK;

#endif
