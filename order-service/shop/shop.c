/* Opening, closing and pausing; placing looks at the same row in its own statement. */
#include "order-service/shop/shop.h"

#include "common/base/clock.h"
#include "common/db/db.h"
#include "common/obs/log.h"
#include "order-service/service.h"
#include "order-service/shop/shop_store.h"

enum status shop_get(struct ctx *ctx, struct service *service, struct shop *shop)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = shop_store_get(ctx, db, shop);
    db_give_back(&db);
    return st;
}

enum status shop_put(struct ctx *ctx, struct service *service, const struct shop *wanted,
                     struct shop *shop)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(shop_store_put(ctx, db, wanted, shop));
    db_give_back(&db);
    log_info(ctx, "shop changed", log_num("open", shop->open),
             log_num("taking_orders", shop->taking_orders), log_text("by", ctx->caller.subject));
    return ST_OK;
}

enum status shop_must_be_open(struct ctx *ctx, struct service *service)
{
    char until[CLOCK_TEXT_SIZE];
    struct shop shop;

    TRY(shop_get(ctx, service, &shop));
    if (shop.taking_orders) {
        return ST_OK;
    }
    if (!shop.open) {
        return fail_problem(ctx, PROBLEM_SHOP_CLOSED, "The shop is closed. %s", shop.note);
    }
    clock_format(shop.paused_until_ms, until);
    return fail_problem(ctx, PROBLEM_SHOP_CLOSED, "The shop takes no orders until %s. %s", until,
                        shop.note);
}
