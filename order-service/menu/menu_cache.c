/* The newest menu, kept in this process; whether it still is the newest is asked of Valkey
 * (order:menu:version), else of the database, at most once a second unless somebody said that it
 * changed. What is learned of the version while others change it only counts when it is not older
 * than what they said: in Valkey it never goes back, and a doubt outlives the looks that were under
 * way. A database that is away leaves us the menu we have: placing compares versions in its own
 * statement, so an old menu can show an old price but never sell at one. */
#include "order-service/menu/menu.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/cache/cache_aside.h"
#include "common/db/db.h"
#include "common/obs/log.h"
#include "order-service/menu/menu_store.h"
#include "order-service/service.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { FRESH_MS = 1000, WARM_MS = 2000 };

#define VERSION_KEY   "order:menu:version"
#define VERSION_TTL_S "10"

/* KEYS: the version's. ARGV: what somebody knows it to be, and for how long. */
static const char raise_text[] = "local known = tonumber(redis.call('GET', KEYS[1]))\n"
                                 "if known and known > tonumber(ARGV[1]) then return 0 end\n"
                                 "redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])\n"
                                 "return 1";

struct menu_cache {
    struct cache_script raise;
    pthread_mutex_t lock; /* guards all below */
    struct menu *newest;
    int64_t checked_ms; /* monotonic; 0: look again */
    int64_t doubts;     /* so far */
    int64_t warm_by_ms; /* monotonic; 0: warming has not begun */
    bool warm;
};

/* What a read begins with. */
struct at_hand {
    const struct menu *menu; /* NULL: none yet */
    bool fresh;
    int64_t doubts;
};

struct menu_cache *menu_cache_new(void)
{
    struct menu_cache *cache = calloc(1, sizeof(*cache));

    if (!cache) {
        abort();
    }
    cache_script_init(&cache->raise, raise_text);
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
    cache->doubts++;
    pthread_mutex_unlock(&cache->lock);
}

/* The menu is held until ctx's arena goes. */
static struct at_hand hold_newest(struct ctx *ctx, struct menu_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    struct menu *menu = cache->newest;
    if (menu) {
        atomic_fetch_add(&menu->holders, 1);
    }
    struct at_hand have = {
        .menu = menu,
        .fresh = menu && cache->checked_ms && clock_monotonic_ms() - cache->checked_ms < FRESH_MS,
        .doubts = cache->doubts,
    };
    pthread_mutex_unlock(&cache->lock);
    if (menu) {
        arena_defer(ctx->arena, release, menu);
    }
    return have;
}

/* With the lock held: unless somebody doubted while we looked. */
static void mark_checked(struct menu_cache *cache, int64_t doubts)
{
    if (cache->doubts == doubts) {
        cache->checked_ms = clock_monotonic_ms();
    }
}

/* Takes over the caller's hold. What was read while another put a newer one here comes too late;
 * what was read after the newest was here is what the database has now, also when that is older: it
 * was restored. */
static void keep(struct menu_cache *cache, struct menu *menu, const struct at_hand *before)
{
    struct menu *old = menu;

    pthread_mutex_lock(&cache->lock);
    if (cache->newest == before->menu || cache->newest->version <= menu->version) {
        old = cache->newest;
        cache->newest = menu;
    }
    mark_checked(cache, before->doubts);
    pthread_mutex_unlock(&cache->lock);
    if (old) {
        release(old);
    }
}

void menu_cache_tell(struct ctx *ctx, struct service *service, int64_t version)
{
    const char *const keys[] = {VERSION_KEY};
    const char *const args[] = {arena_printf(ctx->arena, "%lld", (long long)version),
                                VERSION_TTL_S};
    const struct cache_call call = {
        .keys = keys, .key_count = ARRAY_LEN(keys), .args = args, .arg_count = ARRAY_LEN(args)};
    struct cache_reply reply;

    if (cache_eval(ctx, service_cache(service), &service_menu_cache(service)->raise, &call,
                   &reply) != ST_OK) {
        ctx_forgive(ctx); /* what Valkey has of an older one ends with VERSION_TTL_S */
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
    menu_cache_tell(ctx, service, *version);
    return ST_OK;
}

enum status menu_reload(struct ctx *ctx, struct service *service, const struct menu **menu)
{
    struct menu_cache *cache = service_menu_cache(service);
    struct at_hand before = hold_newest(ctx, cache);
    struct db_conn *db = NULL;
    struct menu *loaded = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = menu_store_load(ctx, db, &loaded);
    db_give_back(&db);
    TRY(st);
    keep(cache, loaded, &before);
    *menu = hold_newest(ctx, cache).menu;
    return ST_OK;
}

/* Whether what is at hand is the newest. */
static enum status look(struct ctx *ctx, struct service *service, const struct at_hand *have,
                        bool *newest)
{
    struct menu_cache *cache = service_menu_cache(service);
    int64_t version;

    *newest = have->fresh;
    if (have->fresh) {
        return ST_OK;
    }
    TRY(newest_version(ctx, service, &version));
    *newest = have->menu && have->menu->version == version;
    if (*newest) {
        pthread_mutex_lock(&cache->lock);
        mark_checked(cache, have->doubts);
        pthread_mutex_unlock(&cache->lock);
    }
    return ST_OK;
}

enum status menu_current(struct ctx *ctx, struct service *service, const struct menu **menu)
{
    struct at_hand have = hold_newest(ctx, service_menu_cache(service));
    bool hit;
    enum status st = look(ctx, service, &have, &hit);

    cache_count("menu", hit);
    *menu = have.menu;
    if (hit) {
        return ST_OK;
    }
    if (st != ST_OK || menu_reload(ctx, service, menu) != ST_OK) {
        if (!have.menu) {
            return ctx->failure.status;
        }
        ctx_forgive(ctx); /* yesterday's menu is better than none */
        *menu = have.menu;
    }
    return ST_OK;
}

/* True when it was so before, or it is now too late. */
static bool warming_is_over(struct menu_cache *cache, int64_t *by_ms)
{
    int64_t now_ms = clock_monotonic_ms();

    pthread_mutex_lock(&cache->lock);
    if (!cache->warm_by_ms) {
        cache->warm_by_ms = now_ms + WARM_MS;
    }
    *by_ms = cache->warm_by_ms;
    bool over = cache->warm || now_ms >= cache->warm_by_ms;
    bool gives_up = over && !cache->warm;
    cache->warm = over;
    pthread_mutex_unlock(&cache->lock);
    if (gives_up) {
        log_warn(NULL, "serving with a cold menu", log_num("tried_ms", WARM_MS));
    }
    return over;
}

bool menu_warm(struct service *service)
{
    struct menu_cache *cache = service_menu_cache(service);
    int64_t began_ms = clock_monotonic_ms(), by_ms;
    const struct menu *menu;

    if (warming_is_over(cache, &by_ms)) {
        return true;
    }
    struct ctx *ctx = ctx_new_system("order-service");
    ctx->deadline_ms = by_ms;
    bool loaded = menu_reload(ctx, service, &menu) == ST_OK;
    if (loaded) {
        log_info(ctx, "the menu is warm", log_num("drinks", (int64_t)menu->count),
                 log_num("version", menu->version),
                 log_num("took_ms", clock_monotonic_ms() - began_ms));
        pthread_mutex_lock(&cache->lock);
        cache->warm = true;
        pthread_mutex_unlock(&cache->lock);
    }
    ctx_free(ctx);
    return loaded || warming_is_over(cache, &by_ms);
}
