/* Devices, Live Activities, preferences and shifts: each is one statement, or a few in one
 * transaction. */
#include "customer-service/notify/device.h"

#include "common/jobs/jobs.h"
#include "customer-service/auth/auth.h"
#include "customer-service/notify/device_store.h"
#include "customer-service/notify/notice_store.h"
#include "customer-service/service.h"

enum status device_register(struct ctx *ctx, struct service *service,
                            const struct device_wish *wish, struct device *device)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    struct customer_id who = customer_caller(ctx);

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(auth_hold_session(ctx, tx));
    TRY(device_store_register(ctx, tx, who, wish, device));
    TRY(device_store_trim(ctx, tx, who));
    return db_commit(ctx, &tx);
}

enum status device_remove(struct ctx *ctx, struct service *service, const char *id)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    return device_store_remove(ctx, db, customer_caller(ctx), id);
}

/* Its order may have moved on, or ended, before the phone had a token for it. */
static enum status catch_up(struct ctx *ctx, struct db_conn *tx, const char *activity)
{
    const char *order = NULL;

    TRY(notice_store_catch_up(ctx, tx, activity, &order));
    return order ? job_enqueue(ctx, tx, &(struct job_request){.kind = NOTIFY_JOB, .payload = order},
                               NULL, NULL)
                 : ST_OK;
}

enum status device_live_activity(struct ctx *ctx, struct service *service,
                                 const struct live_activity_wish *wish, char id[ID_TEXT_SIZE])
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    if (wish->order) {
        TRY(notice_store_lock(ctx, tx, wish->order));
    }
    TRY(device_store_live_activity(ctx, tx, customer_caller(ctx), wish, id));
    if (wish->order) {
        TRY(catch_up(ctx, tx, id));
    }
    TRY(db_commit(ctx, &tx));
    service_wake_jobs(service);
    return ST_OK;
}

enum status device_set_shift(struct ctx *ctx, struct service *service, bool on_shift,
                             int64_t *since_ms)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    if (on_shift) {
        return device_store_shift_on(ctx, db, customer_caller(ctx), since_ms);
    }
    *since_ms = 0;
    return device_store_shift_off(ctx, db, customer_caller(ctx));
}

enum status device_preferences_get(struct ctx *ctx, struct service *service,
                                   struct device_preferences *preferences)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    return device_store_preferences(ctx, db, customer_caller(ctx), preferences);
}

enum status device_preferences_set(struct ctx *ctx, struct service *service,
                                   const struct device_preferences *preferences)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    return device_store_prefer(ctx, db, customer_caller(ctx), preferences);
}
