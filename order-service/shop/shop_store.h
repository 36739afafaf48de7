/* The shop in PostgreSQL. Included from its own folder only. */
#ifndef ORDER_SERVICE_SHOP_SHOP_STORE_H
#define ORDER_SERVICE_SHOP_SHOP_STORE_H

#include "order-service/shop/shop.h"

struct db_conn;

enum status shop_store_get(struct ctx *ctx, struct db_conn *db, struct shop *shop) MUST_CHECK;
enum status shop_store_put(struct ctx *ctx, struct db_conn *db, const struct shop *wanted,
                           struct shop *shop) MUST_CHECK;

#endif
