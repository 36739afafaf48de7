/* Rows to whoever is looking now, over Valkey pub/sub: the topic is the channel. */
#include "common/base/clock.h"
#include "common/cache/cache.h"
#include "common/outbox/outbox.h"

enum { LIVE_PACE_MS = 10 }; /* people are looking */

/* After the first that fails nothing more is tried: Valkey is away, and the order must hold. */
static void send_rows(struct ctx *ctx, void *user, struct outbox_row *rows, size_t count,
                      int deadline_ms)
{
    enum status st = ST_OK;

    ctx->deadline_ms = clock_monotonic_ms() + deadline_ms;
    for (size_t i = 0; i < count; i++) {
        if (st == ST_OK) {
            st = cache_publish(ctx, user, rows[i].topic, rows[i].payload);
        }
        rows[i].outcome = st == ST_OK ? ST_OK : ST_UNAVAILABLE;
    }
    ctx->deadline_ms = 0; /* what follows is the relay's */
}

struct outbox_sink outbox_live_sink(struct cache *cache)
{
    return (struct outbox_sink){
        .name = "live", .send = send_rows, .user = cache, .pace_ms = LIVE_PACE_MS};
}
