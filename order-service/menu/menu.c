/* What may be done to the menu. Every change bumps its version (a trigger), tells the other
 * replicas after the commit, and is an event: menu.updated. */
#include "order-service/menu/menu.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/cache/cache.h"
#include "common/db/db.h"
#include "common/db/idempotency.h"
#include "common/events/event.h"
#include "common/outbox/outbox.h"
#include "order-service/menu/menu_store.h"
#include "order-service/service.h"

#include <ctype.h>
#include <string.h>

const struct menu_item *menu_find(const struct menu *menu, const char *id)
{
    for (size_t i = 0; i < menu->count; i++) {
        if (strcmp(menu->items[i].id, id) == 0) {
            return &menu->items[i];
        }
    }
    return NULL;
}

const struct menu_customization *menu_item_allows(const struct menu_item *item, const char *id)
{
    for (size_t i = 0; i < item->customization_count; i++) {
        if (strcmp(item->customizations[i].id, id) == 0) {
            return &item->customizations[i];
        }
    }
    return NULL;
}

bool menu_item_in_season(const struct menu_item *item, int64_t now_ms)
{
    return (!item->valid_from_ms || item->valid_from_ms <= now_ms) &&
           (!item->valid_to_ms || now_ms < item->valid_to_ms);
}

const char *menu_edition(struct arena *arena, const struct menu *menu, const char *currency,
                         int64_t now_ms)
{
    int turns = 0;

    for (size_t i = 0; i < menu->count; i++) {
        const struct menu_item *item = &menu->items[i];

        turns += item->valid_from_ms && item->valid_from_ms <= now_ms;
        turns += item->valid_to_ms && item->valid_to_ms <= now_ms;
    }
    return arena_printf(arena, "%lld.%d.%s", (long long)menu->version, turns, currency);
}

/* "Iced Café Latte" becomes "iced-caf-latte": what is no ASCII letter or digit parts words. */
static const char *id_from_name(struct ctx *ctx, const char *name)
{
    struct text id = text_new(ctx->arena, MENU_ID_SIZE);

    for (const char *c = name; *c && id.length < MENU_ID_SIZE - 2; c++) {
        if (isalnum((unsigned char)*c)) {
            text_add_char(&id, (char)tolower((unsigned char)*c));
        } else if (id.length && id.data[id.length - 1] != '-') {
            text_add_char(&id, '-');
        }
    }
    while (id.length && id.data[id.length - 1] == '-') {
        id.data[--id.length] = '\0';
    }
    return id.length ? id.data : NULL;
}

/* The event, in the transaction of the change. */
static enum status announce(struct ctx *ctx, struct db_conn *tx, const char *id, int64_t *version)
{
    struct event_draft draft = {
        .type = "MenuUpdated",
        .subject = "menuItemId",
        .subject_id = id,
        .at_ms = clock_wall_ms(),
        .actor = &ctx->caller,
    };
    struct text data = text_new(ctx->arena, 128);

    TRY(menu_store_version(ctx, tx, version));
    uuid_v7(draft.id);
    text_add(&data, "{\"ids\":[");
    text_add_json(&data, id);
    text_printf(&data, "],\"version\":%lld}", (long long)*version);
    draft.seq = *version;
    draft.data = data.data;
    return outbox_add(ctx, tx,
                      &(struct outbox_row){.sink = "kafka",
                                           .topic = "menu.updated",
                                           .key = id,
                                           .payload = event_envelope(ctx->arena, &draft)});
}

static enum status commit_change(struct ctx *ctx, struct service *service, struct db_conn **tx,
                                 const char *id)
{
    int64_t version;

    TRY(announce(ctx, *tx, id, &version));
    TRY(db_commit(ctx, tx));
    outbox_wake(service_outbox(service));
    menu_cache_tell(ctx, service, version); /* first: whoever doubts asks Valkey next */
    menu_cache_doubt(service_menu_cache(service));
    if (cache_publish(ctx, service_cache(service), "order:pub:menu", id) != ST_OK) {
        ctx_forgive(ctx); /* the others see it when what they know is old */
    }
    return ST_OK;
}

enum status menu_create(struct ctx *ctx, struct service *service, const struct menu_change *drink,
                        const char **id)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct menu_change made = *drink;
    struct idempotency_answer before;
    struct db_conn *db;

    made.id = id_from_name(ctx, drink->name);
    if (!made.id) {
        refuse_field(ctx, "name", "must have a letter or digit from A to Z");
        return ctx_refused(ctx);
    }
    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(idempotency_claim(ctx, tx, "CreateMenuItem", &before));
    *id = made.id;
    if (before.found) { /* the name makes the id: the same request makes the same one */
        return db_commit(ctx, &tx);
    }
    TRY(menu_store_insert(ctx, tx, &made));
    TRY(menu_store_set_pairs(ctx, tx, made.id, made.customizations, made.customization_count));
    TRY(idempotency_keep(ctx, tx, "CreateMenuItem", 201, made.id, strlen(made.id)));
    TRY(commit_change(ctx, service, &tx, made.id));
    return ST_OK;
}

/* A season that began or ended meanwhile is nobody's change: what is before the edition's dot
 * counts. */
static enum status check_seen(struct ctx *ctx, struct db_conn *tx, const char *id)
{
    int64_t version;

    if (!*ctx->if_match) {
        return ST_OK;
    }
    TRY(menu_store_hold(ctx, tx, id, &version));
    const char *now = arena_printf(ctx->arena, "%lld.", (long long)version);
    return strncmp(ctx->if_match, now, strlen(now)) == 0
               ? ST_OK
               : fail_problem(ctx, PROBLEM_PRECONDITION_FAILED,
                              "The menu was changed meanwhile: read it again.");
}

enum status menu_update(struct ctx *ctx, struct service *service, const struct menu_change *change)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(check_seen(ctx, tx, change->id));
    TRY(menu_store_update(ctx, tx, change));
    if (change->customizations) {
        TRY(menu_store_set_pairs(ctx, tx, change->id, change->customizations,
                                 change->customization_count));
    }
    return commit_change(ctx, service, &tx, change->id);
}

enum status menu_remove(struct ctx *ctx, struct service *service, const char *id)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(check_seen(ctx, tx, id));
    TRY(menu_store_remove(ctx, tx, id));
    return commit_change(ctx, service, &tx, id);
}

enum status menu_set_customization(struct ctx *ctx, struct service *service, const char *id,
                                   bool available)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(menu_store_customization(ctx, tx, id, available));
    return commit_change(ctx, service, &tx, id);
}

enum status menu_commit(struct ctx *ctx, struct service *service, struct db_conn **tx,
                        const char *id)
{
    return commit_change(ctx, service, tx, id);
}
