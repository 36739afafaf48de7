/* Devices, Live Activities, preferences and shifts: each is one statement, or two in one
 * transaction. */
#include "customer-service/notify/device.h"

#include "customer-service/auth/auth.h"
#include "customer-service/notify/device_store.h"
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

enum status device_live_activity(struct ctx *ctx, struct service *service,
                                 const struct live_activity_wish *wish, char id[ID_TEXT_SIZE])
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    return device_store_live_activity(ctx, db, customer_caller(ctx), wish, id);
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
