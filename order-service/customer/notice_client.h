/* What we promise people to be told of an order: customer-service keeps the promise. */
#ifndef ORDER_SERVICE_CUSTOMER_NOTICE_CLIENT_H
#define ORDER_SERVICE_CUSTOMER_NOTICE_CLIENT_H

#include "order-service/order/order.h"

enum notice_stage { NOTICE_BARISTA_NEW, NOTICE_CUSTOMER_READY, NOTICE_CUSTOMER_CANCELLED };

struct notice_due {
    enum notice_stage stage;
    int64_t seq, at_ms; /* of the change that it tells of */
};

/* ST_OK: sent, or there is nobody to tell. ST_UNAVAILABLE, ST_TIMEOUT: not yet; it may be on its
 * way. */
enum status notice_ensure(struct ctx *ctx, struct service *service, const struct order *order,
                          const struct notice_due *due) MUST_CHECK;

#endif
