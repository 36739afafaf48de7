/* The pool: a few connections, handed out one command long. When Valkey does not answer, the pool
 * is away: everybody fails at once but one, each second, who tries again for all. */
#include "common/cache/cache.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/cache/cache_conn.h"
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "common/obs/span.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEFAULT_MAX = 4, RETRY_MS = 1000 };

struct cache {
    struct cache_options options;
    int max;
    struct metric *seconds;
    struct metric_series *up;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t freed; /* a connection came back, or Valkey went away */
    bool away;
    int64_t next_try_ms; /* while away */
    int open;            /* connections, idle and in use */
    int idle_count;
    struct cache_conn *idle; /* room for max; the last used is taken first */
};

static const struct metric_def up_def = {METRIC_GAUGE, "valkey_up", "Whether Valkey answers.", {0}};
static const struct metric_def seconds_def = {
    METRIC_HISTOGRAM, "cache_command_seconds", "Time of a Valkey command.", {"command"}};

struct cache *cache_new(const struct cache_options *options)
{
    struct cache *cache = calloc(1, sizeof(*cache));
    int max = options->max ? options->max : DEFAULT_MAX;
    struct cache_conn *idle = calloc((size_t)max, sizeof(*idle));

    if (!cache || !idle) {
        abort();
    }
    cache->options = cache_options_copy(options);
    cache->max = max;
    cache->idle = idle;
    cache->seconds = metric_register(&seconds_def);
    cache->up = METRIC_SERIES(metric_register(&up_def), NULL);
    pthread_mutex_init(&cache->lock, NULL);
    cond_init(&cache->freed);
    return cache;
}

/* With the lock held. */
static void close_idle(struct cache *cache)
{
    cache->open -= cache->idle_count;
    while (cache->idle_count) {
        cache_conn_close(&cache->idle[--cache->idle_count]);
    }
}

void cache_free(struct cache *cache)
{
    if (!cache) {
        return;
    }
    close_idle(cache);
    pthread_cond_destroy(&cache->freed);
    pthread_mutex_destroy(&cache->lock);
    cache_options_free(&cache->options);
    free(cache->idle);
    free(cache);
}

static void set_up(struct cache *cache, bool up, const char *why)
{
    pthread_mutex_lock(&cache->lock);
    bool changed = cache->away == up;
    cache->away = !up;
    if (!up) {
        cache->next_try_ms = clock_monotonic_ms() + RETRY_MS;
        close_idle(cache);
        pthread_cond_broadcast(&cache->freed);
    }
    pthread_mutex_unlock(&cache->lock);

    metric_set(cache->up, up);
    if (changed && up) {
        log_info(NULL, "valkey is back", log_text("host", cache->options.host));
    } else if (changed) {
        log_warn(NULL, "valkey is away", log_text("host", cache->options.host),
                 log_text("why", why));
    }
}

static bool wait_for_free(struct cache *cache, int64_t until_ms)
{
    struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

    return pthread_cond_timedwait(&cache->freed, &cache->lock, &until) != ETIMEDOUT;
}

/* With the lock held: the right to use a connection, which is in '*conn' when an idle one was
 * left. */
static const char *reserve(struct cache *cache, int64_t until_ms, struct cache_conn *conn)
{
    for (;;) {
        int64_t now = clock_monotonic_ms();

        if (cache->away && now < cache->next_try_ms) {
            return "valkey is away";
        }
        if (cache->away) {
            cache->next_try_ms = now + RETRY_MS; /* we try, for all */
        }
        if (cache->idle_count) {
            *conn = cache->idle[--cache->idle_count];
            return NULL;
        }
        if (cache->open < cache->max) {
            cache->open++;
            return NULL;
        }
        if (!wait_for_free(cache, until_ms)) {
            return "all connections are in use";
        }
    }
}

static void give_back(struct cache *cache, struct cache_conn *conn)
{
    pthread_mutex_lock(&cache->lock);
    if (conn->redis && !cache->away) {
        cache->idle[cache->idle_count++] = *conn;
    } else {
        cache_conn_close(conn);
        cache->open--;
    }
    pthread_cond_signal(&cache->freed);
    pthread_mutex_unlock(&cache->lock);
}

/* How long one step may take: short of the deadline, and never without limit. */
static int limit_of(const struct ctx *ctx, int limit_ms)
{
    int64_t left = ctx_left_ms(ctx);

    return left < limit_ms ? (int)left : limit_ms;
}

static enum status take(struct ctx *ctx, struct cache *cache, struct cache_conn *conn)
{
    int limit_ms = limit_of(ctx, CACHE_LIMIT_MS);
    char why[128];

    *conn = (struct cache_conn){0};
    if (limit_ms <= 0) {
        return fail_with(ctx, ST_TIMEOUT, "", "no time left to ask valkey");
    }
    pthread_mutex_lock(&cache->lock);
    const char *refused = reserve(cache, clock_monotonic_ms() + limit_ms, conn);
    pthread_mutex_unlock(&cache->lock);
    if (refused) {
        return fail_with(ctx, ST_UNAVAILABLE, "", "%s", refused);
    }
    if (conn->redis && cache_conn_is_usable(conn)) {
        return ST_OK;
    }
    cache_conn_close(conn); /* Valkey ended it while it was idle */
    if (cache_conn_open(conn, &cache->options, CACHE_LIMIT_MS, why)) {
        set_up(cache, true, NULL);
        return ST_OK;
    }
    set_up(cache, false, why);
    give_back(cache, conn);
    return fail_with(ctx, ST_UNAVAILABLE, "", "valkey: %s", why);
}

static struct cache_reply converted(struct arena *arena, const redisReply *from)
{
    static const enum cache_kind kinds[] = {
        [REDIS_REPLY_STRING] = CACHE_TEXT, [REDIS_REPLY_STATUS] = CACHE_TEXT,
        [REDIS_REPLY_ERROR] = CACHE_ERROR, [REDIS_REPLY_INTEGER] = CACHE_INT,
        [REDIS_REPLY_ARRAY] = CACHE_LIST,  [REDIS_REPLY_NIL] = CACHE_NIL,
    };
    struct cache_reply to = {.kind = kinds[from->type], .number = from->integer};

    if (from->str) {
        char *text = arena_alloc(arena, from->len + 1);

        to.text = memcpy(text, from->str, from->len);
        to.size = from->len;
    }
    if (from->elements) {
        struct cache_reply *items = arena_new_array(arena, struct cache_reply, from->elements);

        for (size_t i = 0; i < from->elements; i++) { /* hiredis nests seven deep at most */
            items[i] = converted(arena, from->element[i]);
        }
        to.items = items;
        to.count = from->elements;
    }
    return to;
}

/* What a Valkey that starts, is full or runs a long script says: that is away, not wrong. */
static bool is_passing(const char *error)
{
    static const char *const passing[] = {"LOADING ",  "BUSY ",       "OOM ",
                                          "READONLY ", "MASTERDOWN ", "TRYAGAIN "};

    for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
        if (strncmp(error, passing[i], strlen(passing[i])) == 0) {
            return true;
        }
    }
    return false;
}

/* One that only our caller's short deadline cut says nothing about Valkey. */
static enum status connection_lost(struct ctx *ctx, struct cache *cache, struct cache_conn *conn,
                                   bool full_limit)
{
    bool timed_out = cache_conn_timed_out(conn);
    const char *why = arena_strdup(ctx->arena, conn->redis->errstr);

    cache_conn_close(conn);
    if (timed_out && full_limit) {
        set_up(cache, false, "no answer in time");
    }
    give_back(cache, conn);
    return fail_with(ctx, ST_UNAVAILABLE, "", "valkey: %s", why);
}

static enum status run_untraced(struct ctx *ctx, struct cache *cache,
                                const struct cache_words *words, int most_ms,
                                struct cache_reply *reply)
{
    int64_t started = clock_monotonic_us();
    struct cache_conn conn;

    TRY(take(ctx, cache, &conn));
    int limit_ms = limit_of(ctx, most_ms);
    AUTO(redis_reply) redisReply *raw = cache_conn_run(&conn, words, limit_ms > 0 ? limit_ms : 1);
    if (!raw) {
        return connection_lost(ctx, cache, &conn, limit_ms == most_ms);
    }
    give_back(cache, &conn);
    metric_observe(METRIC_SERIES(cache->seconds, words->words[0]),
                   (double)(clock_monotonic_us() - started) / 1e6,
                   ctx->sampled ? ctx->trace_id : NULL);
    *reply = converted(ctx->arena, raw);
    if (reply->kind != CACHE_ERROR) {
        return ST_OK;
    }
    const char *why = reply->text ? reply->text : "";
    return fail_with(ctx, is_passing(why) ? ST_UNAVAILABLE : ST_INTERNAL, "",
                     "valkey refused %s: %s", words->words[0], why);
}

/* By the command's name: keys and values are somebody's. */
static enum status run(struct ctx *ctx, struct cache *cache, const struct cache_words *words,
                       int most_ms, struct cache_reply *reply)
{
    bool is_look = strcmp(words->words[0], "GET") == 0;
    struct span span;

    *reply = (struct cache_reply){0};
    span_begin(&span, ctx);
    enum status st = run_untraced(ctx, cache, words, most_ms, reply);
    bool is_hit = st == ST_OK && reply->kind != CACHE_NIL;
    span_failed(&span, ctx, st);
    span_end(&span, SPAN_CLIENT, words->words[0], log_text("db.system", "valkey"),
             log_text("cache.hit", !is_look ? ""
                                   : is_hit ? "true"
                                            : "false"));
    return st;
}

bool cache_is_up(struct cache *cache)
{
    struct ctx *ctx = ctx_new_system("health");
    struct cache_reply pong;
    bool up = CACHE_COMMAND(ctx, cache, &pong, "PING") == ST_OK;

    ctx_free(ctx);
    return up;
}

enum status cache_command_waiting(struct ctx *ctx, struct cache *cache, const char *const *words,
                                  size_t count, int wait_ms, struct cache_reply *reply)
{
    struct cache_words command = {.words = words, .count = count};

    return run(ctx, cache, &command, wait_ms + CACHE_LIMIT_MS, reply);
}

enum status cache_command(struct ctx *ctx, struct cache *cache, const char *const *words,
                          size_t count, struct cache_reply *reply)
{
    return cache_command_waiting(ctx, cache, words, count, 0, reply);
}

enum status cache_command_sized(struct ctx *ctx, struct cache *cache,
                                const struct cache_words *words, struct cache_reply *reply)
{
    return run(ctx, cache, words, CACHE_LIMIT_MS, reply);
}

enum status cache_get(struct ctx *ctx, struct cache *cache, const char *key, const char **value,
                      size_t *size)
{
    struct cache_reply reply = {0};

    TRY(CACHE_COMMAND(ctx, cache, &reply, "GET", key));
    *value = reply.text;
    *size = reply.size;
    return ST_OK;
}

enum status cache_put(struct ctx *ctx, struct cache *cache, const char *key, const char *value,
                      size_t size, int ttl_s)
{
    char ttl[16];
    const char *words[] = {"SET", key, value, "EX", ttl};
    const size_t sizes[] = {3, strlen(key), size, 2,
                            (size_t)snprintf(ttl, sizeof(ttl), "%d", ttl_s)};
    struct cache_words command = {.words = words, .sizes = sizes, .count = ttl_s > 0 ? 5 : 3};
    struct cache_reply reply;

    return cache_command_sized(ctx, cache, &command, &reply);
}

enum status cache_drop(struct ctx *ctx, struct cache *cache, const char *key)
{
    struct cache_reply reply;

    return CACHE_COMMAND(ctx, cache, &reply, "UNLINK", key);
}

enum status cache_publish(struct ctx *ctx, struct cache *cache, const char *channel,
                          const char *message)
{
    struct cache_reply reply;

    return CACHE_COMMAND(ctx, cache, &reply, "PUBLISH", channel, message);
}
