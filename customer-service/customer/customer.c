/* People: finding, changing and forgetting what is cached of them. */
#include "customer-service/customer/customer.h"

#include "common/base/auto.h"
#include "common/base/text.h"
#include "common/cache/cache_aside.h"
#include "common/db/db.h"
#include "common/outbox/outbox.h"
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
    TRY(customer_store_set_role(ctx, tx, id, role, changed));
    return outbox_add_drop(ctx, tx, customer_cache_key(ctx, id));
}

const char *customer_cache_key(struct ctx *ctx, struct customer_id id)
{
    return arena_printf(ctx->arena, "customer:profile:%s", id.text);
}

void customer_drop_cached(struct ctx *ctx, struct service *service, struct customer_id id)
{
    if (cache_aside_drop(ctx, service_cache(service), customer_cache_key(ctx, id)) != ST_OK) {
        ctx_forgive(ctx); /* the outbox has a row for it */
    }
}

enum status customer_update(struct ctx *ctx, struct service *service, struct customer_id id,
                            const struct customer_change *change, struct customer *changed)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(customer_store_update(ctx, tx, id, change, changed));
    TRY(outbox_add_drop(ctx, tx, customer_cache_key(ctx, id)));
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    customer_drop_cached(ctx, service, id);
    return ST_OK;
}
