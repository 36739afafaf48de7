/* An order as its workflow knows it: what starts the workflow, what each signal carries, and what
 * its activities answer. It says the whole of where the order stands, so that whoever has the
 * newest needs none of the others: signals may come twice, late and in any order. */
#ifndef ORDER_SERVICE_WORKFLOW_ORDER_NEWS_H
#define ORDER_SERVICE_WORKFLOW_ORDER_NEWS_H

#include "order-service/order/order.h"

struct order_news {
    struct order_id order;
    int64_t seq; /* of the change that made it so */
    enum order_status status;
    int64_t at_ms, accept_by_ms,
        collect_by_ms;      /* 0: none. Business times, by the database's clock */
    const char *reason;     /* why it was cancelled; "" else */
    bool pays;              /* there is a payment to capture and to return */
    bool keeps_uncollected; /* what nobody collects is paid all the same */
};

/* Where the order stands; what it says of payment stays as it is. */
void order_news_of(const struct order *order, struct order_news *news);

/* JSON in the arena. */
const char *order_news_json(struct arena *arena, const struct order_news *news);
/* Fields that it does not know are passed over. ST_INVALID. */
enum status order_news_read(struct ctx *ctx, const char *json, struct order_news *news) MUST_CHECK;

/* A new order's time is the database's: its row is these two around the order's view, and becomes
 * news when it is read. */
const char *order_news_before_view(struct arena *arena, const struct order_news *news,
                                   int64_t accept_within_ms);
#define ORDER_NEWS_AFTER_VIEW "}"
enum status order_news_read_placed(struct ctx *ctx, const char *json,
                                   struct order_news *news) MUST_CHECK;

#endif
