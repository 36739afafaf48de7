/* Drops of what cache-aside keeps: the row's key is Valkey's. */
#include "common/base/clock.h"
#include "common/cache/cache_aside.h"
#include "common/outbox/outbox.h"

#define SINK "drop"

/* After the first that fails nothing more is tried: Valkey is away. */
static void send_rows(struct ctx *ctx, void *user, struct outbox_row *rows, size_t count,
                      int deadline_ms)
{
    enum status st = ST_OK;

    ctx->deadline_ms = clock_monotonic_ms() + deadline_ms;
    for (size_t i = 0; i < count; i++) {
        if (st == ST_OK) {
            st = cache_aside_drop(ctx, user, rows[i].key);
        }
        rows[i].outcome = st == ST_OK ? ST_OK : ST_UNAVAILABLE;
    }
    ctx->deadline_ms = 0; /* what follows is the relay's */
}

enum status outbox_add_drop(struct ctx *ctx, struct db_conn *tx, const char *key)
{
    return outbox_add(
        ctx, tx, &(struct outbox_row){.sink = SINK, .topic = "valkey", .key = key, .payload = ""});
}

struct outbox_sink outbox_drop_sink(struct cache *cache)
{
    return (struct outbox_sink){.name = SINK, .send = send_rows, .user = cache};
}
