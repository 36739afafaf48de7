/* Devices in PostgreSQL: one function per statement, no rules. */
#include "customer-service/notify/device_store.h"

#include "common/base/text.h"
#include "common/base/uuid.h"
#include "customer-service/notify/notify.h"
#include "device_sql.h"

static const struct db_constraint constraints[] = {
    {"devices_customer_id_fkey", PROBLEM_CONFLICT, "This account is gone."},
    {0  },
};

enum status device_store_register(struct ctx *ctx, struct db_conn *tx, struct customer_id who,
                                  const struct device_wish *wish, struct device *device)
{
    char id[ID_TEXT_SIZE];
    struct db_rows row;

    uuid_v7(id);
    TRY(db_one(ctx, tx, &SQL_DEVICE_REGISTER,
               DB_ARGS(db_text(id), db_text(who.text), db_text(wish->channel),
                       db_text(wish->address), db_text(wish->environment), db_text(wish->p256dh),
                       db_text(wish->secret),
                       db_text(*ctx->caller.session ? ctx->caller.session : NULL)),
               constraints, &row));
    text_copy(device->id, sizeof(device->id), db_get_text(&row, 0, "id"));
    device->channel = arena_strdup(ctx->arena, db_get_text(&row, 0, "channel"));
    device->created_ms = db_get_time(&row, 0, "created_at");
    return ST_OK;
}

enum status device_store_trim(struct ctx *ctx, struct db_conn *tx, struct customer_id who)
{
    return db_exec(ctx, tx, &SQL_DEVICE_TRIM, DB_ARGS(db_text(who.text), db_int(DEVICES_MAX)),
                   NULL);
}

enum status device_store_remove(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                const char *id)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_DEVICE_REMOVE, DB_ARGS(db_text(id), db_text(who.text)), &rows));
    return rows.count ? ST_OK
                      : fail_with(ctx, ST_NOT_FOUND, "", "device %s is not the caller's", id);
}

enum status device_forget_sessions(struct ctx *ctx, struct db_conn *tx, const char *const *sessions,
                                   size_t count)
{
    return db_exec(ctx, tx, &SQL_DEVICE_FORGET_SESSIONS,
                   DB_ARGS(db_text_array(ctx->arena, sessions, count)), NULL);
}

enum status device_forget_early(struct ctx *ctx, struct db_conn *tx, struct customer_id owner)
{
    return db_exec(ctx, tx, &SQL_DEVICE_FORGET_EARLY, DB_ARGS(db_text(owner.text)), NULL);
}

enum status device_store_gone(struct ctx *ctx, struct db_conn *db, const char *id,
                              int64_t before_ms)
{
    return db_exec(ctx, db, &SQL_DEVICE_GONE, DB_ARGS(db_text(id), db_time(ctx->arena, before_ms)),
                   NULL);
}

enum status device_store_forget_activity(struct ctx *ctx, struct db_conn *db, const char *id,
                                         const char *token)
{
    return db_exec(ctx, db, &SQL_DEVICE_FORGET_ACTIVITY, DB_ARGS(db_text(id), db_text(token)),
                   NULL);
}

enum status device_store_waits(struct ctx *ctx, struct db_conn *db, const char *id, int64_t wait_ms)
{
    return db_exec(ctx, db, &SQL_DEVICE_WAITS, DB_ARGS(db_text(id), db_int(wait_ms)), NULL);
}

enum status device_store_activity_waits(struct ctx *ctx, struct db_conn *db, const char *id,
                                        const char *token, int64_t wait_ms)
{
    return db_exec(ctx, db, &SQL_DEVICE_ACTIVITY_WAITS,
                   DB_ARGS(db_text(id), db_text(token), db_int(wait_ms)), NULL);
}

enum status device_store_live_activity(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                       const struct live_activity_wish *wish, char id[ID_TEXT_SIZE])
{
    char made[ID_TEXT_SIZE];
    struct db_rows row;

    uuid_v7(made);
    TRY(db_one(ctx, db, &SQL_DEVICE_LIVE_ACTIVITY,
               DB_ARGS(db_text(made), db_text(wish->device), db_text(who.text),
                       db_text(wish->order), db_text(wish->token)),
               NULL, &row));
    text_copy(id, ID_TEXT_SIZE, db_get_text(&row, 0, "id"));
    return ST_OK;
}

enum status notify_purge_devices(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_DEVICE_PURGE);
}

enum status notify_purge_activities(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_DEVICE_PURGE_ACTIVITIES);
}

enum status device_store_shift_on(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                  int64_t *since_ms)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_DEVICE_SHIFT_ON, DB_ARGS(db_text(who.text)), NULL, &row));
    *since_ms = db_get_time(&row, 0, "since");
    return ST_OK;
}

enum status device_store_shift_off(struct ctx *ctx, struct db_conn *db, struct customer_id who)
{
    return db_exec(ctx, db, &SQL_DEVICE_SHIFT_OFF, DB_ARGS(db_text(who.text)), NULL);
}

enum status device_store_preferences(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                     struct device_preferences *preferences)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_DEVICE_PREFERENCES, DB_ARGS(db_text(who.text)), &rows));
    *preferences = (struct device_preferences){.orders = true}; /* who never chose */
    if (rows.count) {
        preferences->orders = db_get_bool(&rows, 0, "orders");
        preferences->promotions = db_get_bool(&rows, 0, "promotions");
    }
    return ST_OK;
}

enum status device_store_prefer(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                const struct device_preferences *preferences)
{
    return db_exec(
        ctx, db, &SQL_DEVICE_PREFER,
        DB_ARGS(db_text(who.text), db_bool(preferences->orders), db_bool(preferences->promotions)),
        NULL);
}
