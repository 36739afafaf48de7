/* Look, else load, then fill. Before it loads, one leaves a lease in Valkey, beside the key; a
 * fill is taken only while that lease is there. A drop takes the lease along; so does whatever
 * makes Valkey forget.
 *
 * A load under way is a flight in a list. Who comes later waits for its end, but what it read may
 * have been changed before they came: so one of them flies once more, for all who wait by then. */
#include "common/cache/cache_aside.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/uuid.h"
#include "common/obs/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LEASE_S = 30 }; /* who loads for longer does not fill */

/* KEYS: the key and its lease's. ARGV: our lease, the value, and for how long it is kept. */
static const char fill_text[] = "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end\n"
                                "redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])\n"
                                "return redis.call('DEL', KEYS[2])";

struct flight {
    struct flight *next;
    char *key;
    int waiting; /* the last to leave frees it */
    bool over, loaded;
    char *value; /* NULL: there is none */
    size_t size;
};

struct cache_aside {
    struct cache *cache;
    int ttl_s;
    struct cache_script fill;
    struct metric_series *hits, *misses;
    pthread_mutex_t lock; /* guards the flights */
    pthread_cond_t landed;
    struct flight *flights; /* under way */
};

static const struct metric_def hits_def = {
    METRIC_COUNTER, "cache_hits_total", "Looks that found the key.", {"cache"}};
static const struct metric_def misses_def = {METRIC_COUNTER,
                                             "cache_misses_total",
                                             "Looks that did not, with Valkey there or not.",
                                             {"cache"}};

void cache_count(const char *name, bool hit)
{
    metric_add(METRIC_SERIES(metric_register(hit ? &hits_def : &misses_def), name), 1);
}

struct cache_aside *cache_aside_new(struct cache *cache, const char *name, int ttl_s)
{
    struct cache_aside *aside = calloc(1, sizeof(*aside));

    if (!aside) {
        abort();
    }
    aside->cache = cache;
    aside->ttl_s = ttl_s;
    cache_script_init(&aside->fill, fill_text);
    aside->hits = METRIC_SERIES(metric_register(&hits_def), name);
    aside->misses = METRIC_SERIES(metric_register(&misses_def), name);
    pthread_mutex_init(&aside->lock, NULL);
    cond_init(&aside->landed);
    return aside;
}

void cache_aside_free(struct cache_aside *aside)
{
    if (aside) {
        pthread_cond_destroy(&aside->landed);
        pthread_mutex_destroy(&aside->lock);
        free(aside);
    }
}

/* The next three with the lock held. */
static struct flight *find_flight(struct cache_aside *aside, const char *key)
{
    struct flight *flight = aside->flights;

    while (flight && strcmp(flight->key, key) != 0) {
        flight = flight->next;
    }
    return flight;
}

static struct flight *start_flight(struct cache_aside *aside, const char *key)
{
    struct flight *flight = calloc(1, sizeof(*flight));

    if (!flight || !(flight->key = strdup(key))) {
        abort();
    }
    flight->next = aside->flights;
    aside->flights = flight;
    return flight;
}

static void free_when_left(struct flight *flight)
{
    if (flight->over && !flight->waiting) {
        free(flight->key);
        free(flight->value);
        free(flight);
    }
}

static void unlink_flight(struct cache_aside *aside, struct flight *flight)
{
    struct flight **link = &aside->flights;

    while (*link != flight) {
        link = &(*link)->next;
    }
    *link = flight->next;
}

/* Keeps a copy only for those who wait: most flights have nobody. */
static void end_flight(struct cache_aside *aside, struct flight *flight, bool loaded,
                       const struct cache_reply *value)
{
    pthread_mutex_lock(&aside->lock);
    unlink_flight(aside, flight);
    flight->over = true;
    flight->loaded = loaded;
    if (loaded && value->text && flight->waiting) {
        flight->size = value->size;
        flight->value = malloc(value->size + 1);
        if (!flight->value) {
            abort();
        }
        memcpy(flight->value, value->text, value->size);
    }
    pthread_cond_broadcast(&aside->landed);
    free_when_left(flight);
    pthread_mutex_unlock(&aside->lock);
}

static void read_flight(struct ctx *ctx, const struct flight *flight, struct cache_reply *value)
{
    *value = (struct cache_reply){.kind = CACHE_NIL};
    if (flight->value) {
        char *copy = arena_alloc(ctx->arena, flight->size + 1);

        memcpy(copy, flight->value, flight->size);
        *value = (struct cache_reply){.kind = CACHE_TEXT, .text = copy, .size = flight->size};
    }
}

/* With the lock held; true when the flight is over. */
static bool wait_for_landing(struct ctx *ctx, struct cache_aside *aside, struct flight *flight)
{
    int64_t until_ms = clock_monotonic_ms() + ctx_left_ms(ctx);
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

    flight->waiting++;
    while (!flight->over && pthread_cond_timedwait(&aside->landed, &aside->lock, &until) == 0) {
    }
    flight->waiting--;
    return flight->over;
}

static const char *lease_key(struct ctx *ctx, const char *key)
{
    return arena_printf(ctx->arena, "%s:lease", key);
}

static bool take_lease(struct ctx *ctx, struct cache_aside *aside, const char *key,
                       char lease[ID_TEXT_SIZE])
{
    uuid_v7(lease);
    if (cache_put(ctx, aside->cache, lease_key(ctx, key), lease, strlen(lease), LEASE_S) == ST_OK) {
        return true;
    }
    ctx_forgive(ctx);
    return false;
}

/* Unless the lease is gone. */
static void fill(struct ctx *ctx, struct cache_aside *aside, const char *key, const char *lease,
                 const struct cache_reply *value)
{
    const char *const keys[] = {key, lease_key(ctx, key)};
    const char *const args[] = {lease, value->text, arena_printf(ctx->arena, "%d", aside->ttl_s)};
    const size_t sizes[] = {strlen(lease), value->size, strlen(args[2])};
    const struct cache_call call = {.keys = keys,
                                    .key_count = ARRAY_LEN(keys),
                                    .args = args,
                                    .arg_count = ARRAY_LEN(args),
                                    .arg_sizes = sizes};
    struct cache_reply reply;

    if (cache_eval(ctx, aside->cache, &aside->fill, &call, &reply) != ST_OK) {
        ctx_forgive(ctx); /* kept next time; the caller has what it wants */
    }
}

static enum status fly(struct ctx *ctx, struct cache_aside *aside, struct flight *flight,
                       cache_load *load, void *user, struct cache_reply *value)
{
    struct cache_reply loaded = {.kind = CACHE_NIL};
    char lease[ID_TEXT_SIZE];
    bool is_leased = take_lease(ctx, aside, flight->key, lease);
    enum status st = load(ctx, user, &loaded.text, &loaded.size);

    if (st == ST_OK && loaded.text) {
        loaded.kind = CACHE_TEXT;
        if (is_leased) {
            fill(ctx, aside, flight->key, lease, &loaded);
        }
    }
    end_flight(aside, flight, st == ST_OK, &loaded);
    TRY(st);
    *value = loaded;
    return ST_OK;
}

static enum status load_together(struct ctx *ctx, struct cache_aside *aside, const char *key,
                                 cache_load *load, void *user, struct cache_reply *value)
{
    for (bool began_after_us = false;; began_after_us = true) {
        pthread_mutex_lock(&aside->lock);
        struct flight *flight = find_flight(aside, key);
        if (!flight) {
            flight = start_flight(aside, key);
            pthread_mutex_unlock(&aside->lock);
            return fly(ctx, aside, flight, load, user, value);
        }
        bool over = wait_for_landing(ctx, aside, flight);
        bool answers = over && flight->loaded && began_after_us;
        if (answers) {
            read_flight(ctx, flight, value);
        }
        free_when_left(flight);
        pthread_mutex_unlock(&aside->lock);
        if (answers) {
            return ST_OK;
        }
        if (!over) {
            return fail_with(ctx, ST_TIMEOUT, "", "another loads %s for too long", key);
        }
    }
}

enum status cache_aside_get(struct ctx *ctx, struct cache_aside *aside, const char *key,
                            cache_load *load, void *user, struct cache_reply *value)
{
    struct cache_reply found = {.kind = CACHE_NIL};

    if (CACHE_COMMAND(ctx, aside->cache, &found, "GET", key) != ST_OK) {
        ctx_forgive(ctx);
        found.kind = CACHE_NIL;
    }
    metric_add(found.kind == CACHE_TEXT ? aside->hits : aside->misses, 1);
    if (found.kind == CACHE_TEXT) {
        *value = found;
        return ST_OK;
    }
    return load_together(ctx, aside, key, load, user, value);
}

enum status cache_aside_drop(struct ctx *ctx, struct cache *cache, const char *key)
{
    struct cache_reply reply;

    return CACHE_COMMAND(ctx, cache, &reply, "UNLINK", key, lease_key(ctx, key));
}
