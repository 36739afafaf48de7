/* Calls to order-service, as the caller: it shows them what they may see. An order is asked for
 * where it is, since its event may not have come here yet. */
#include "customer-service/notify/order_client.h"

#include "coffee/order/v1/order.pb-c.h"
#include "common/base/text.h"
#include "common/rpc/rpc_client.h"
#include "customer-service/service.h"

enum { OWNER_MS = 1000 };

static enum status get_order(struct ctx *ctx, struct service *service, const char *id,
                             const Coffee__Order__V1__Order **order)
{
    Coffee__Order__V1__GetOrderRequest request = COFFEE__ORDER__V1__GET_ORDER_REQUEST__INIT;
    const char *key = ctx->idempotency_key;
    ProtobufCMessage *answer = NULL;

    request.id = (char *)id;     /* protobuf-c only reads it */
    ctx->idempotency_key = NULL; /* of the request that asks, not of this question */
    enum status st =
        rpc_call(ctx, service_orders(service), "/coffee.order.v1.OrderService/GetOrder",
                 &request.base, &coffee__order__v1__order__descriptor, OWNER_MS, &answer);
    ctx->idempotency_key = key;
    *order = (const void *)answer;
    return st;
}

enum status order_must_be_callers(struct ctx *ctx, struct service *service, const char *id)
{
    const Coffee__Order__V1__Order *order = NULL;
    enum status st = get_order(ctx, service, id, &order);

    if (st == ST_OK && !text_equal(order->customer_id, ctx->caller.subject)) {
        return fail_with(ctx, ST_NOT_FOUND, "There is no such order.", "order=%s is not of %s", id,
                         ctx->caller.subject);
    }
    return st == ST_TIMEOUT ? fail_with(ctx, ST_UNAVAILABLE, "", "order-service took too long")
                            : st;
}
