/* The newest menu, kept in this process; whether it still is the newest is asked of Valkey
 * (order:menu:version), else of the database, at most once a second unless somebody said that it
 * changed. A database that is away leaves us the menu we have: placing compares versions in its own
 * statement, so an old menu can show an old price but never sell at one. */
#include "order-service/menu/menu.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/cache/cache_aside.h"
#include "common/db/db.h"
#include "order-service/menu/menu_store.h"
#include "order-service/service.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FRESH_MS = 1000, VERSION_TTL_S = 10 };

#define VERSION_KEY "order:menu:version"

struct menu_cache {
    pthread_mutex_t lock; /* guards the two below */
    struct menu *newest;
    int64_t checked_ms; /* monotonic; 0: look again */
};

struct menu_cache *menu_cache_new(void)
{
    struct menu_cache *cache = calloc(1, sizeof(*cache));

    if (!cache) {
        abort();
    }
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

static void release(void *held)
{
    struct menu *menu = held;

    if (atomic_fetch_sub(&menu->holders, 1) == 1) {
        arena_free(menu->arena);
    }
}

void menu_cache_free(struct menu_cache *cache)
{
    if (!cache) {
        return;
    }
    if (cache->newest) {
        release(cache->newest);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

void menu_cache_doubt(struct menu_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->checked_ms = 0;
    pthread_mutex_unlock(&cache->lock);
}

/* Held until ctx's arena goes; NULL when there is none yet. */
static const struct menu *hold_newest(struct ctx *ctx, struct menu_cache *cache, bool *fresh)
{
    pthread_mutex_lock(&cache->lock);
    struct menu *menu = cache->newest;
    if (menu) {
        atomic_fetch_add(&menu->holders, 1);
    }
    *fresh = menu && cache->checked_ms && clock_monotonic_ms() - cache->checked_ms < FRESH_MS;
    pthread_mutex_unlock(&cache->lock);
    if (menu) {
        arena_defer(ctx->arena, release, menu);
    }
    return menu;
}

static void mark_checked(struct menu_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->checked_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&cache->lock);
}

/* Takes over the caller's hold. An older snapshot never replaces a newer one. */
static void keep(struct menu_cache *cache, struct menu *menu)
{
    struct menu *old = menu;

    pthread_mutex_lock(&cache->lock);
    if (!cache->newest || cache->newest->version <= menu->version) {
        old = cache->newest;
        cache->newest = menu;
    }
    cache->checked_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&cache->lock);
    if (old) {
        release(old);
    }
}

static enum status newest_version(struct ctx *ctx, struct service *service, int64_t *version)
{
    struct db_conn *db = NULL;
    const char *text = NULL;
    size_t size;

    if (cache_get(ctx, service_cache(service), VERSION_KEY, &text, &size) == ST_OK && text &&
        text_parse_int(text, 0, INT64_MAX, version)) {
        return ST_OK;
    }
    ctx_forgive(ctx);
    TRY(service_db(ctx, service, &db));
    enum status st = menu_store_version(ctx, db, version);
    db_give_back(&db);
    TRY(st);
    text = arena_printf(ctx->arena, "%lld", (long long)*version);
    if (cache_put(ctx, service_cache(service), VERSION_KEY, text, strlen(text), VERSION_TTL_S) !=
        ST_OK) {
        ctx_forgive(ctx); /* Valkey is away: the database answers until it is back */
    }
    return ST_OK;
}

enum status menu_reload(struct ctx *ctx, struct service *service, const struct menu **menu)
{
    struct menu_cache *cache = service_menu_cache(service);
    struct db_conn *db = NULL;
    struct menu *loaded = NULL;
    bool fresh;

    TRY(service_db(ctx, service, &db));
    enum status st = menu_store_load(ctx, db, &loaded);
    db_give_back(&db);
    TRY(st);
    keep(cache, loaded);
    *menu = hold_newest(ctx, cache, &fresh);
    return ST_OK;
}

enum status menu_current(struct ctx *ctx, struct service *service, const struct menu **menu)
{
    struct menu_cache *cache = service_menu_cache(service);
    int64_t version;
    bool fresh;

    *menu = hold_newest(ctx, cache, &fresh);
    if (fresh) {
        cache_count("menu", true);
        return ST_OK;
    }
    enum status st = newest_version(ctx, service, &version);
    if (st == ST_OK && *menu && (*menu)->version >= version) {
        mark_checked(cache);
        cache_count("menu", true);
        return ST_OK;
    }
    cache_count("menu", false);
    const struct menu *old = *menu;
    if (st != ST_OK || menu_reload(ctx, service, menu) != ST_OK) {
        if (!old) {
            return ctx->failure.status;
        }
        ctx_forgive(ctx); /* yesterday's menu is better than none */
        *menu = old;
    }
    return ST_OK;
}
