/* A job names an order: what is open of it is sent. */
#include "customer-service/notify/notify_jobs.h"

#include "customer-service/notify/notify.h"

static void answer(struct ctx *ctx, enum status st, const char *waits, struct job_outcome *outcome)
{
    outcome->status = st == ST_OK && waits ? ST_UNAVAILABLE : st;
    outcome->error = st == ST_OK ? waits : job_reason(ctx);
}

void notify_jobs_send(struct ctx *ctx, void *service, const struct job *jobs, size_t count,
                      struct job_outcome *outcomes)
{
    const char **orders = arena_new_array(ctx->arena, const char *, count);
    const char **waits = arena_new_array(ctx->arena, const char *, count);

    for (size_t i = 0; i < count; i++) {
        orders[i] = jobs[i].payload;
    }
    enum status st = notify_deliver(ctx, service, orders, count, waits);
    for (size_t i = 0; i < count; i++) {
        answer(ctx, st, waits[i], &outcomes[i]);
    }
}
