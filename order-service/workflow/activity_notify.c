/* Activities that wait until somebody was told. The notice itself is customer-service's, made from
 * the order's event or by this, whichever comes first, and once in either case. */
#include "order-service/customer/notice_client.h"
#include "order-service/workflow/activities.h"
#include "order-service/workflow/order_news.h"

static enum status notify(struct ctx *ctx, struct service *service, const struct order_news *news,
                          enum notice_stage stage)
{
    struct order order;

    TRY(order_get(ctx, service, news->order, &order));
    return notice_ensure(ctx, service, &order, &(struct notice_due){stage, news->seq, news->at_ms});
}

enum status activity_notify_barista(struct ctx *ctx, struct flow_task *task, const char *input,
                                    const char **result)
{
    struct order_news news;

    (void)result;
    TRY(order_news_read(ctx, input, &news));
    news.seq = 1; /* it is of the new order, whatever was heard since */
    return notify(ctx, task->service, &news, NOTICE_BARISTA_NEW);
}

/* Several signals in one task: the news may be newer than what the notice was meant to tell, and
 * then the order has moved on and there is nothing to say. */
enum status activity_notify_customer(struct ctx *ctx, struct flow_task *task, const char *input,
                                     const char **result)
{
    struct order_news news;

    (void)result;
    TRY(order_news_read(ctx, input, &news));
    if (news.status != ORDER_READY && news.status != ORDER_CANCELLED) {
        return ST_OK;
    }
    return notify(ctx, task->service, &news,
                  news.status == ORDER_READY ? NOTICE_CUSTOMER_READY : NOTICE_CUSTOMER_CANCELLED);
}
