/* The shop in PostgreSQL: one row. */
#include "order-service/shop/shop_store.h"

#include "common/db/db.h"
#include "shop_sql.h"

static void read_shop(const struct db_rows *row, struct shop *shop)
{
    *shop = (struct shop){
        .open = db_get_bool(row, 0, "open"),
        .taking_orders = db_get_bool(row, 0, "taking_orders"),
        .paused_until_ms = db_get_time(row, 0, "paused_until"),
        .note = db_get_text(row, 0, "note"),
    };
}

enum status shop_store_get(struct ctx *ctx, struct db_conn *db, struct shop *shop)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_SHOP_GET, DB_NO_ARGS, NULL, &row));
    read_shop(&row, shop);
    return ST_OK;
}

enum status shop_store_put(struct ctx *ctx, struct db_conn *db, const struct shop *wanted,
                           struct shop *shop)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_SHOP_PUT,
               DB_ARGS(db_bool(wanted->open), db_time(ctx->arena, wanted->paused_until_ms),
                       db_text(wanted->note), db_text(ctx->caller.subject)),
               NULL, &row));
    read_shop(&row, shop);
    return ST_OK;
}
