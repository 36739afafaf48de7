/* A job names an order: what is open of it is sent. */
#include "customer-service/notify/notify_jobs.h"

#include "customer-service/notify/notify.h"

/* What only waits its turn did not fail: two jobs of one order meet, one sends for both. */
static void answer(struct ctx *ctx, enum status st, const struct notify_wait *wait,
                   struct job_outcome *outcome)
{
    outcome->status = st != ST_OK    ? st
                      : !wait->why   ? ST_OK
                      : wait->failed ? ST_UNAVAILABLE
                                     : ST_RETRY;
    outcome->error = st == ST_OK ? wait->why : job_reason(ctx);
    outcome->pause_ms = wait->pause_ms;
}

void notify_jobs_send(struct ctx *ctx, void *service, const struct job *jobs, size_t count,
                      struct job_outcome *outcomes)
{
    const char **orders = arena_new_array(ctx->arena, const char *, count);
    struct notify_wait *waits = arena_new_array(ctx->arena, struct notify_wait, count);

    for (size_t i = 0; i < count; i++) {
        orders[i] = jobs[i].payload;
    }
    enum status st = notify_deliver(ctx, service, orders, count, waits);
    for (size_t i = 0; i < count; i++) {
        answer(ctx, st, &waits[i], &outcomes[i]);
    }
}
