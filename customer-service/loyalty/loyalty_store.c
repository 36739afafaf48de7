/* Points and statistics in PostgreSQL: one function per statement, no rules. */
#include "customer-service/loyalty/loyalty_store.h"

#include "common/base/uuid.h"
#include "loyalty_sql.h"

#define CONSUMER "customer-service"

enum status loyalty_store_count(struct ctx *ctx, struct db_conn *tx,
                                const struct loyalty_change *change, bool *earned)
{
    char id[ID_TEXT_SIZE];
    struct db_rows row;

    uuid_v7(id);
    TRY(db_one(ctx, tx, &SQL_LOYALTY_COUNT,
               DB_ARGS(db_text(CONSUMER), db_text(change->event_id), db_text(change->customer.text),
                       db_int(change->placed), db_int(change->completed), db_int(change->cancelled),
                       db_int(change->spent_cents), db_time(ctx->arena, change->last_order_ms),
                       db_text(id), db_int(change->points), db_text(change->order_id),
                       db_text(ctx->caller.subject)),
               NULL, &row));
    *earned = db_get_bool(&row, 0, "earned");
    return ST_OK;
}

enum status loyalty_store_points(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 int64_t *points)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_LOYALTY_POINTS, DB_ARGS(db_text(id.text)), NULL, &row));
    *points = db_get_int(&row, 0, "points");
    return ST_OK;
}

enum status loyalty_store_ledger(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 struct loyalty_account *account)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_LOYALTY_LEDGER, DB_ARGS(db_text(id.text), db_int(LEDGER_SHOWN)),
                &rows));
    struct loyalty_entry *list =
        arena_new_array(ctx->arena, struct loyalty_entry, (size_t)rows.count);
    for (int i = 0; i < rows.count; i++) {
        const char *order = db_get_text(&rows, i, "order_id");

        list[i].id = arena_strdup(ctx->arena, db_get_text(&rows, i, "id"));
        list[i].reason = arena_strdup(ctx->arena, db_get_text(&rows, i, "reason"));
        list[i].order_id = arena_strdup(ctx->arena, order ? order : "");
        list[i].delta = db_get_int(&rows, i, "delta");
        list[i].at_ms = db_get_time(&rows, i, "at");
    }
    account->ledger = list;
    account->count = (size_t)rows.count;
    return ST_OK;
}

enum status loyalty_store_stats(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                struct loyalty_stats *stats)
{
    struct loyalty_stats found = {0};
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_LOYALTY_STATS, DB_ARGS(db_text(id.text)), &rows));
    if (rows.count) {
        found.orders_placed = db_get_int(&rows, 0, "orders_placed");
        found.orders_completed = db_get_int(&rows, 0, "orders_completed");
        found.orders_cancelled = db_get_int(&rows, 0, "orders_cancelled");
        found.spent_cents = db_get_int(&rows, 0, "spent_cents");
        found.last_order_ms = db_get_time(&rows, 0, "last_order_at");
    }
    *stats = found;
    return ST_OK;
}

enum status loyalty_purge(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_LOYALTY_PURGE);
}

const struct sql *const *loyalty_store_sql(size_t *count)
{
    *count = ARRAY_LEN(loyalty_statements);
    return loyalty_statements;
}
