/* Rows for Valkey. Live ones go to whoever is looking now, over pub/sub: the topic is the channel.
 * Drops are of what cache-aside keeps: the row's key is Valkey's. */
#include "common/base/clock.h"
#include "common/cache/cache.h"
#include "common/cache/cache_aside.h"
#include "common/outbox/outbox.h"

enum { LIVE_PACE_MS = 10 }; /* people are looking */

#define DROP "drop"

typedef enum status send_row(struct ctx *ctx, struct cache *cache, const struct outbox_row *row);

/* After the first that fails nothing more is tried: Valkey is away, and the order must hold. */
static void send_in_order(struct ctx *ctx, struct cache *cache, struct outbox_row *rows,
                          size_t count, int deadline_ms, send_row *send)
{
    enum status st = ST_OK;

    ctx->deadline_ms = clock_monotonic_ms() + deadline_ms;
    for (size_t i = 0; i < count; i++) {
        if (st == ST_OK) {
            st = send(ctx, cache, &rows[i]);
        }
        rows[i].outcome = st == ST_OK ? ST_OK : ST_UNAVAILABLE;
    }
    ctx->deadline_ms = 0; /* what follows is the relay's */
}

static enum status publish(struct ctx *ctx, struct cache *cache, const struct outbox_row *row)
{
    return cache_publish(ctx, cache, row->topic, row->payload);
}

static void send_live(struct ctx *ctx, void *user, struct outbox_row *rows, size_t count,
                      int deadline_ms)
{
    send_in_order(ctx, user, rows, count, deadline_ms, publish);
}

struct outbox_sink outbox_live_sink(struct cache *cache)
{
    return (struct outbox_sink){
        .name = "live", .send = send_live, .user = cache, .pace_ms = LIVE_PACE_MS};
}

static enum status drop(struct ctx *ctx, struct cache *cache, const struct outbox_row *row)
{
    return cache_aside_drop(ctx, cache, row->key);
}

static void send_drops(struct ctx *ctx, void *user, struct outbox_row *rows, size_t count,
                       int deadline_ms)
{
    send_in_order(ctx, user, rows, count, deadline_ms, drop);
}

enum status outbox_add_drop(struct ctx *ctx, struct db_conn *tx, const char *key)
{
    return outbox_add(
        ctx, tx, &(struct outbox_row){.sink = DROP, .topic = "valkey", .key = key, .payload = ""});
}

struct outbox_sink outbox_drop_sink(struct cache *cache)
{
    return (struct outbox_sink){.name = DROP, .send = send_drops, .user = cache};
}
