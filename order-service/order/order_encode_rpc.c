/* An order as its protobuf message. The lines were frozen as JSON at placing, in the shape of the
 * message's own items: the transcoder puts them back. */
#include "order-service/order/order_encode_rpc.h"

#include "common/json/timestamp.h"
#include "common/json/transcode.h"

#include <string.h>

typedef Coffee__Order__V1__Order order_message;

static char *shared(const char *text)
{
    return (char *)(text ? text
                         : ""); /* protobuf-c wants char *, and only reads it when it packs */
}

enum status order_encode_view(struct ctx *ctx, const char *view, order_message *out)
{
    coffee__order__v1__order__init(out);
    return json_to_message_of_ours(ctx, view, strlen(view), &out->base);
}

enum status order_encode(struct ctx *ctx, const struct order *order, order_message *out)
{
    const char *items = arena_printf(ctx->arena, "{\"items\":%s}", order->lines);

    TRY(order_encode_view(ctx, items, out));
    out->id = arena_strdup(ctx->arena, order->id.text);
    out->number = order->number;
    out->status = (Coffee__Order__V1__Status)order->status;
    out->customer_id = arena_strdup(ctx->arena, order_customer(order));
    out->total_cents = order->total_cents;
    out->currency = shared(order->currency);
    out->note = shared(order->note);
    out->channel = (Coffee__Order__V1__Channel)order->channel;
    out->bucket = (Coffee__Order__V1__Bucket)order_bucket(order->status);
    out->placed_at = timestamp(ctx, order->placed_ms);
    out->accepted_at = timestamp(ctx, order->accepted_ms);
    out->preparing_at = timestamp(ctx, order->preparing_ms);
    out->ready_at = timestamp(ctx, order->ready_ms);
    out->completed_at = timestamp(ctx, order->completed_ms);
    out->cancelled_at = timestamp(ctx, order->cancelled_ms);
    out->cancel_reason = shared(order->cancel_reason);
    out->queue_position = order->queue_position;
    out->eta_seconds = order->eta_seconds;
    out->seq = order->seq;
    out->barista_id = shared(order->barista_id);
    out->pickup_name = shared(order->pickup_name);
    out->unpaid = order_is_unpaid(order);
    return ST_OK;
}

enum status order_encode_all(struct ctx *ctx, const struct order *orders, size_t count,
                             order_message ***out)
{
    order_message *made = arena_new_array(ctx->arena, order_message, count);

    *out = arena_new_array(ctx->arena, order_message *, count);
    for (size_t i = 0; i < count; i++) {
        TRY(order_encode(ctx, &orders[i], &made[i]));
        (*out)[i] = &made[i];
    }
    return ST_OK;
}
