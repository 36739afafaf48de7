/* Activities that move money: until there is a definite answer. What both are asked for a second
 * time, they find done. */
#include "common/base/text.h"
#include "common/obs/log.h"
#include "order-service/payment/payment.h"
#include "order-service/workflow/activities.h"
#include "order-service/workflow/order_news.h"

/* What nobody collected is sold all the same, where the shop keeps such payments. */
static bool is_to_be_paid(const struct order_news *news, const struct order *order)
{
    return order->status != ORDER_CANCELLED ||
           (news->keeps_uncollected && text_equal(order->cancel_reason, ORDER_NOT_COLLECTED));
}

/* Looks at the order at each attempt: while the provider is away it may be cancelled, and then the
 * hold is given back instead. */
enum status activity_capture_payment(struct ctx *ctx, struct flow_task *task, const char *input,
                                     const char **result)
{
    struct order_news news;
    struct order order;

    TRY(order_news_read(ctx, input, &news));
    TRY(order_get(ctx, task->service, news.order, &order));
    if (!is_to_be_paid(&news, &order)) {
        *result = "\"not needed\"";
        return ST_OK;
    }
    TRY(payment_capture(ctx, task->service, news.order));
    *result = "\"captured\"";
    return ST_OK;
}

/* The coffee is drunk: the order says that it is not paid, its history when that was found, and the
 * staff are told. What was held is given back by then, so that nothing is owed the other way. */
static enum status find_unpaid(struct ctx *ctx, struct service *service, struct order_id id)
{
    struct order order;

    TRY(order_apply(ctx, service, id, COMMAND_FIND_UNPAID, NULL, &order));
    log_error(ctx, "sold, but the payment was refused: the shop is not paid",
              log_text("order", id.text), log_num("total_cents", order.total_cents));
    return ST_OK;
}

enum status activity_return_payment(struct ctx *ctx, struct flow_task *task, const char *input,
                                    const char **result)
{
    static const char *const names[] = {[PAYMENT_NOTHING_TO_RETURN] = "nothing",
                                        [PAYMENT_WAS_VOIDED] = "voided",
                                        [PAYMENT_WAS_REFUNDED] = "refunded"};
    enum payment_returned what = PAYMENT_NOTHING_TO_RETURN;
    struct order_news news;
    int64_t cents = 0;

    TRY(order_news_read(ctx, input, &news));
    enum status st = payment_return(ctx, task->service, news.order, &what, &cents);
    if (st == ST_CONFLICT) {
        log_error(ctx, "money cannot be given back: a person must",
                  log_text("order", news.order.text));
    }
    TRY(st);
    if (news.status == ORDER_COMPLETED) {
        TRY(find_unpaid(ctx, task->service, news.order));
    }
    *result =
        arena_printf(ctx->arena, "{\"what\":\"%s\",\"cents\":%lld}", names[what], (long long)cents);
    return ST_OK;
}
