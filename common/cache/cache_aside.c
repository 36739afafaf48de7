/* Look, else load once, then fill. A load under way is a flight in a list: who comes later waits
 * for its end and takes a copy. A flight that failed is no answer: the next who waits flies
 * itself. */
#include "common/cache/cache_aside.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/obs/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static enum status fly(struct ctx *ctx, struct cache_aside *aside, struct flight *flight,
                       cache_load *load, void *user, struct cache_reply *value)
{
    struct cache_reply loaded = {.kind = CACHE_NIL};
    enum status st = load(ctx, user, &loaded.text, &loaded.size);

    if (st == ST_OK && loaded.text) {
        loaded.kind = CACHE_TEXT;
        if (cache_put(ctx, aside->cache, flight->key, loaded.text, loaded.size, aside->ttl_s) !=
            ST_OK) {
            ctx_forgive(ctx); /* kept next time; the caller has what it wants */
        }
    }
    end_flight(aside, flight, st == ST_OK, &loaded);
    TRY(st);
    *value = loaded;
    return ST_OK;
}

static enum status load_once(struct ctx *ctx, struct cache_aside *aside, const char *key,
                             cache_load *load, void *user, struct cache_reply *value)
{
    for (;;) {
        pthread_mutex_lock(&aside->lock);
        struct flight *flight = find_flight(aside, key);
        if (!flight) {
            flight = start_flight(aside, key);
            pthread_mutex_unlock(&aside->lock);
            return fly(ctx, aside, flight, load, user, value);
        }
        bool over = wait_for_landing(ctx, aside, flight);
        bool loaded = over && flight->loaded;
        if (loaded) {
            read_flight(ctx, flight, value);
        }
        free_when_left(flight);
        pthread_mutex_unlock(&aside->lock);
        if (loaded) {
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
    return load_once(ctx, aside, key, load, user, value);
}
