/* An order as its protobuf message; for the edges of this folder. */
#ifndef ORDER_SERVICE_ORDER_ORDER_ENCODE_RPC_H
#define ORDER_SERVICE_ORDER_ORDER_ENCODE_RPC_H

#include "coffee/order/v1/order.pb-c.h"
#include "order-service/order/order.h"

/* 'out' is zeroed or initialised; what hangs in it lives in the arena. */
enum status order_encode(struct ctx *ctx, const struct order *order,
                         Coffee__Order__V1__Order *out) MUST_CHECK;
enum status order_encode_all(struct ctx *ctx, const struct order *orders, size_t count,
                             Coffee__Order__V1__Order ***out) MUST_CHECK;
/* From a view that was recorded or published. */
enum status order_encode_view(struct ctx *ctx, const char *view,
                              Coffee__Order__V1__Order *out) MUST_CHECK;

#endif
