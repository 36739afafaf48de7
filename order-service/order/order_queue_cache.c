/* Three keys: the queue, a mark that it is whole, and a count of its changes. The mark goes with a
 * flush, and by itself after a minute, so that the queue is read from the table again. Whoever
 * reads the table notes the count before and writes only if nothing changed meanwhile. */
#include "order-service/order/order_queue_cache.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "order-service/order/order_store.h"
#include "order-service/service.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE   "order:queue"
#define WHOLE   "order:queue:whole"
#define CHANGES "order:queue:changes"
#define ORDERS  "order:pub:orders" /* the channel whose messages are views of orders */

/* ARGV: the id, and when it was placed, or "" when it is open no more. */
static const char change_text[] = "if ARGV[2] == '' then redis.call('ZREM', KEYS[1], ARGV[1])\n"
                                  "else redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1]) end\n"
                                  "return redis.call('INCR', KEYS[2])\n";

/* ARGV: the count as it was, for how long the queue is whole, then time and id of each open
 * order. */
static const char mend_text[] =
    "if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return 0 end\n"
    "redis.call('DEL', KEYS[1])\n"
    "for i = 3, #ARGV, 2 do redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1]) end\n"
    "redis.call('SET', KEYS[3], '1', 'EX', ARGV[2])\n"
    "return 1\n";

static const char *const keys[] = {QUEUE, CHANGES, WHOLE};

struct order_queue_cache {
    struct cache *cache;
    struct outbox_sink live;
    struct cache_script change, mend;
};

static enum status keep(struct ctx *ctx, struct order_queue_cache *queue, const char *view)
{
    struct order_glance glance;
    struct cache_reply reply;

    if (!order_view_glance(view, &glance)) {
        return ST_OK; /* no order of ours */
    }
    const char *placed = order_is_final(glance.status)
                             ? ""
                             : arena_printf(ctx->arena, "%lld", (long long)glance.placed_ms);
    const char *args[] = {glance.id.text, placed};
    const struct cache_call call = {
        .keys = keys, .key_count = ARRAY_LEN(keys), .args = args, .arg_count = ARRAY_LEN(args)};

    return cache_eval(ctx, queue->cache, &queue->change, &call, &reply);
}

/* Up to the first that fails; the sink holds the others of that key back as well. */
static void send_rows(struct ctx *ctx, void *user, struct outbox_row *rows, size_t count,
                      int deadline_ms)
{
    struct order_queue_cache *queue = user;
    int64_t end_ms = clock_monotonic_ms() + deadline_ms;
    size_t kept = 0;

    ctx->deadline_ms = end_ms;
    while (kept < count && (strcmp(rows[kept].topic, ORDERS) != 0 ||
                            keep(ctx, queue, rows[kept].payload) == ST_OK)) {
        kept++;
    }
    for (size_t i = kept; i < count; i++) {
        rows[i].outcome = ST_UNAVAILABLE;
    }
    ctx->deadline_ms = 0;
    int64_t left_ms = end_ms - clock_monotonic_ms();
    queue->live.send(ctx, queue->live.user, rows, kept, left_ms > 1 ? (int)left_ms : 1);
}

static enum status read_table(struct ctx *ctx, struct service *service, const char *const **args,
                              size_t *count)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = order_store_queue_entries(ctx, db, args, count);
    db_give_back(&db);
    return st;
}

static enum status try_mend(struct ctx *ctx, struct service *service,
                            struct order_queue_cache *queue, bool *whole)
{
    enum { WHOLE_S = 60, FIRST = 2 };
    const char *mark, *changes, *const *entries;
    struct cache_reply reply;
    size_t size, count;

    TRY(cache_get(ctx, queue->cache, WHOLE, &mark, &size));
    *whole = mark != NULL;
    if (*whole) {
        return ST_OK;
    }
    TRY(cache_get(ctx, queue->cache, CHANGES, &changes, &size));
    TRY(read_table(ctx, service, &entries, &count));
    const char **args = arena_new_array(ctx->arena, const char *, count + FIRST);
    args[0] = changes ? changes : "";
    args[1] = arena_printf(ctx->arena, "%d", WHOLE_S);
    for (size_t i = 0; i < count; i++) {
        args[FIRST + i] = entries[i];
    }
    const struct cache_call call = {
        .keys = keys, .key_count = ARRAY_LEN(keys), .args = args, .arg_count = count + FIRST};
    TRY(cache_eval(ctx, queue->cache, &queue->mend, &call, &reply));
    *whole = reply.number == 1;
    return ST_OK;
}

enum status order_queue_cache_mend(struct ctx *ctx, struct service *service,
                                   struct order_queue_cache *queue)
{
    enum { TRIES = 8, PAUSE_MS = 100 };
    bool whole = false;

    for (int i = 0; i < TRIES && !whole; i++) { /* a change that came between makes it fail */
        if (i) {
            clock_pause_ms(PAUSE_MS);
        }
        TRY(try_mend(ctx, service, queue, &whole));
    }
    return whole ? ST_OK : ST_UNAVAILABLE;
}

struct order_queue_cache *order_queue_cache_new(struct cache *cache)
{
    struct order_queue_cache *queue = calloc(1, sizeof(*queue));

    if (!queue) {
        abort();
    }
    queue->cache = cache;
    queue->live = outbox_live_sink(cache);
    cache_script_init(&queue->change, change_text);
    cache_script_init(&queue->mend, mend_text);
    return queue;
}

void order_queue_cache_free(struct order_queue_cache *queue)
{
    free(queue);
}

struct outbox_sink order_queue_cache_sink(struct order_queue_cache *queue)
{
    return (struct outbox_sink){
        .name = queue->live.name, .send = send_rows, .user = queue, .pace_ms = queue->live.pace_ms};
}
