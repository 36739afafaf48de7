/* Activities that move an order: through the same use cases as everybody else. */
#include "order-service/order/order.h"
#include "order-service/workflow/activities.h"
#include "order-service/workflow/order_news.h"

/* What the input said of payment goes on; the rest is as the database has it now. */
static const char *told(struct ctx *ctx, const struct order_news *before, const struct order *now)
{
    struct order_news news = *before;

    order_news_of(now, &news);
    return order_news_json(ctx->arena, &news);
}

enum status activity_expire_order(struct ctx *ctx, struct flow_task *task, const char *input,
                                  const char **result)
{
    struct order_news news;
    struct order order;
    bool expired;

    TRY(order_news_read(ctx, input, &news));
    TRY(order_expire(ctx, task->service, news.order, &order, &expired));
    *result = told(ctx, &news, &order);
    return ST_OK;
}

enum status activity_stop_order(struct ctx *ctx, struct flow_task *task, const char *input,
                                const char **result)
{
    struct order_news news;
    struct order order;

    TRY(order_news_read(ctx, input, &news));
    enum status st = order_apply(ctx, task->service, news.order, COMMAND_STOP, news.reason, &order);
    if (st != ST_OK && ctx->failure.problem == PROBLEM_ILLEGAL_MOVE) { /* it is over already */
        ctx_forgive(ctx);
        st = order_get(ctx, task->service, news.order, &order);
    }
    TRY(st);
    *result = told(ctx, &news, &order);
    return ST_OK;
}
