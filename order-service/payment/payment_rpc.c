/* The gRPC face of payments: decode, call, encode. */
#include "order-service/payment/payment_rpc.h"

#include "coffee/payment/v1/payment.pb-c.h"
#include "common/base/text.h"
#include "common/json/timestamp.h"
#include "order-service/payment/payment.h"

static void encode(struct ctx *ctx, const struct payment *payment,
                   Coffee__Payment__V1__Payment *out)
{
    out->order_id = arena_strdup(ctx->arena, payment->order.text);
    out->state = (Coffee__Payment__V1__State)payment->state;
    out->amount_cents = payment->amount_cents;
    out->captured_cents = payment->captured_cents;
    out->refunded_cents = payment->refunded_cents;
    out->currency = arena_strdup(ctx->arena, payment->currency);
    out->created_at = timestamp(ctx, payment->created_ms);
    out->changed_at = timestamp(ctx, payment->changed_ms);
    out->seq = payment->version;
}

enum status payment_rpc_get(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Payment__V1__GetPaymentRequest *request = in;
    struct order_id order;
    struct payment found;

    text_copy(order.text, sizeof(order.text), request->order_id);
    TRY(payment_get(ctx, service, order, &found));
    encode(ctx, &found, out);
    return ST_OK;
}

enum status payment_rpc_list(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Payment__V1__ListPaymentsRequest *request = in;
    Coffee__Payment__V1__ListPaymentsResponse *response = out;
    struct payment_page page;

    TRY(payment_list(ctx, service, request->page_size, request->page_token, &page));
    response->n_payments = page.count;
    response->payments = arena_new_array(ctx->arena, Coffee__Payment__V1__Payment *, page.count);
    for (size_t i = 0; i < page.count; i++) {
        response->payments[i] = arena_new_struct(ctx->arena, Coffee__Payment__V1__Payment);
        coffee__payment__v1__payment__init(response->payments[i]);
        encode(ctx, &page.payments[i], response->payments[i]);
    }
    response->next_page_token = arena_strdup(ctx->arena, page.next_token);
    return ST_OK;
}
