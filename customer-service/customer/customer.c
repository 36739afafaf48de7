/* People: finding, changing and forgetting what is cached of them. */
#include "customer-service/customer/customer.h"

#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/obs/log.h"
#include "customer-service/customer/customer_store.h"
#include "customer-service/service.h"

struct customer_id customer_caller(const struct ctx *ctx)
{
    struct customer_id id;

    text_copy(id.text, sizeof(id.text), ctx->caller.subject);
    return id;
}

enum status customer_create(struct ctx *ctx, struct db_conn *tx, const struct customer *customer)
{
    return customer_store_insert(ctx, tx, customer, false);
}

enum status customer_create_once(struct ctx *ctx, struct db_conn *tx,
                                 const struct customer *customer)
{
    return customer_store_insert(ctx, tx, customer, true);
}

enum status customer_get(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                         struct customer *found)
{
    return customer_store_by_id(ctx, db, id, found);
}

enum status customer_by_login(struct ctx *ctx, struct db_conn *db, const char *login,
                              struct customer *found)
{
    return customer_store_by_login(ctx, db, login, found);
}

enum status customer_hold(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                          struct customer *found)
{
    return customer_store_hold(ctx, tx, id, found);
}

enum status customer_set_role(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                              enum role role, struct customer *changed)
{
    return customer_store_set_role(ctx, tx, id, role, changed);
}

const char *customer_cache_key(struct ctx *ctx, struct customer_id id)
{
    return arena_printf(ctx->arena, "customer:profile:%s", id.text);
}

void customer_drop_cached(struct ctx *ctx, struct service *service, struct customer_id id)
{
    if (cache_drop(ctx, service_cache(service), customer_cache_key(ctx, id)) != ST_OK) {
        log_warn(ctx, "profile stays cached", log_text("customer", id.text));
        ctx_forgive(ctx);
    }
}

enum status customer_update(struct ctx *ctx, struct service *service, struct customer_id id,
                            const struct customer_change *change, struct customer *changed)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = customer_store_update(ctx, db, id, change, changed);
    db_give_back(&db);
    TRY(st);
    customer_drop_cached(ctx, service, id);
    return ST_OK;
}
