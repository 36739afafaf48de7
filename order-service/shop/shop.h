/* Whether the shop takes orders: open, closed, or paused until a moment. */
#ifndef ORDER_SERVICE_SHOP_SHOP_H
#define ORDER_SERVICE_SHOP_SHOP_H

#include "common/base/ctx.h"

struct service;

struct shop {
    bool open, taking_orders;
    int64_t paused_until_ms; /* 0: not paused */
    const char *note;
};

enum status shop_get(struct ctx *ctx, struct service *service, struct shop *shop) MUST_CHECK;
enum status shop_put(struct ctx *ctx, struct service *service, const struct shop *wanted,
                     struct shop *shop) MUST_CHECK;
/* PROBLEM_SHOP_CLOSED, with the reason and when it opens again. */
enum status shop_must_be_open(struct ctx *ctx, struct service *service) MUST_CHECK;

#endif
