/* Keeping, removing and finding favourites. */
#include "customer-service/favourite/favourite.h"

#include "common/base/auto.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/cache/cache_aside.h"
#include "common/db/idempotency.h"
#include "common/outbox/outbox.h"
#include "customer-service/favourite/favourite_store.h"
#include "customer-service/service.h"

#include <stdlib.h>
#include <string.h>

enum { HTTP_CREATED = 201 };

#define METHOD_ADD "AddFavorite"

const char *favourite_cache_key(struct ctx *ctx, struct customer_id id)
{
    return arena_printf(ctx->arena, "customer:fav:%s", id.text);
}

static void drop_cached(struct ctx *ctx, struct service *service, struct customer_id id)
{
    if (cache_aside_drop(ctx, service_cache(service), favourite_cache_key(ctx, id)) != ST_OK) {
        ctx_forgive(ctx); /* the outbox has a row for it */
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted and each once, so that oat milk with syrup is what syrup with oat milk is. */
static struct favourite from_wish(struct ctx *ctx, const struct favourite_wish *wish)
{
    size_t count = wish->customization_count, kept = 0;
    const char **ids = arena_new_array(ctx->arena, const char *, count);
    struct favourite made = {.menu_item_id = wish->menu_item_id, .is_usual = wish->is_usual};

    if (count) {
        memcpy(ids, wish->customization_ids, count * sizeof(*ids));
        qsort(ids, count, sizeof(*ids), by_text);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || strcmp(ids[kept - 1], ids[i]) != 0) {
            ids[kept++] = ids[i];
        }
    }
    uuid_v7(made.id);
    made.customization_ids = ids;
    made.customization_count = kept;
    return made;
}

static enum status keep(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                        const struct favourite *wanted, struct favourite *kept)
{
    int64_t count;

    TRY(favourite_store_lock(ctx, tx, id));
    if (wanted->is_usual) {
        TRY(favourite_store_no_usual(ctx, tx, id));
    }
    TRY(favourite_store_insert(ctx, tx, id, wanted, kept));
    TRY(outbox_add_drop(ctx, tx, favourite_cache_key(ctx, id)));
    TRY(favourite_store_count(ctx, tx, id, &count)); /* who makes one the usual may have all */
    return count <= FAVOURITES_MAX
               ? ST_OK
               : fail_with(ctx, ST_CONFLICT, "You have 100 favourites; remove one first.",
                           "customer=%s", id.text);
}

static enum status add_once(struct ctx *ctx, struct db_conn **tx, const struct favourite *wanted,
                            favourite_encode *encode, const void *user,
                            struct favourite_answer *answer)
{
    struct idempotency_answer before;
    struct favourite kept;

    TRY(idempotency_claim(ctx, *tx, METHOD_ADD, &before));
    if (before.found) {
        *answer = (struct favourite_answer){before.bytes, before.size};
        return ST_OK;
    }
    TRY(keep(ctx, *tx, customer_caller(ctx), wanted, &kept));
    *answer = encode(ctx, &kept, user);
    TRY(idempotency_keep(ctx, *tx, METHOD_ADD, HTTP_CREATED, answer->bytes, answer->size));
    return db_commit(ctx, tx);
}

enum status favourite_add(struct ctx *ctx, struct service *service,
                          const struct favourite_wish *wish, favourite_encode *encode,
                          const void *user, struct favourite_answer *answer)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct favourite wanted = from_wish(ctx, wish);
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(add_once(ctx, &tx, &wanted, encode, user, answer));
    drop_cached(ctx, service, customer_caller(ctx));
    return ST_OK;
}

enum status favourite_remove(struct ctx *ctx, struct service *service, const char *id)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct customer_id caller = customer_caller(ctx);
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(favourite_store_delete(ctx, tx, caller, id));
    TRY(outbox_add_drop(ctx, tx, favourite_cache_key(ctx, caller)));
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    drop_cached(ctx, service, caller);
    return ST_OK;
}

enum status favourite_list(struct ctx *ctx, struct service *service, struct customer_id id,
                           const struct favourite **list, size_t *count)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = favourite_store_list(ctx, db, id, list, count);
    db_give_back(&db);
    return st;
}

enum status favourite_usual(struct ctx *ctx, struct service *service, struct customer_id id,
                            struct favourite *usual)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = favourite_store_usual(ctx, db, id, usual);
    db_give_back(&db);
    if (st == ST_NOT_FOUND) {
        return fail_problem(ctx, PROBLEM_NO_USUAL, "You have not set a usual yet.");
    }
    return st;
}

enum status favourite_seed_demo(struct ctx *ctx, struct service *service, struct customer_id id)
{
    static const char *const oat_milk[] = {"oat-milk"};
    struct favourite flat_white = {
        .menu_item_id = "flat-white", .customization_ids = oat_milk, .customization_count = 1};
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;

    uuid_v7(flat_white.id);
    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(favourite_store_seed(ctx, tx, id, &flat_white));
    TRY(outbox_add_drop(ctx, tx, favourite_cache_key(ctx, id)));
    return db_commit(ctx, &tx);
}
