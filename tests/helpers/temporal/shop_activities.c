/* The activities: each tells a file what it did, so that tests see what happened and when. */
#include "tests/helpers/temporal/shop_flows.h"

#include "common/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void note(const struct flow_task *task, const char *what)
{
    FILE *file = task->service ? fopen(task->service, "ae") : NULL;

    if (file) {
        fprintf(file, "%s %s %d %" PRId64 "\n", task->flow_id, what, task->attempt,
                clock_wall_ms());
        fclose(file);
    }
}

static enum status done(struct ctx *ctx, struct flow_task *task, const char *input,
                        const char **result)
{
    (void)input;
    note(task, task->name);
    *result = arena_printf(ctx->arena, "\"%s done\"", task->name);
    return ST_OK;
}

static enum status notify_barista(struct ctx *ctx, struct flow_task *task, const char *input,
                                  const char **result)
{
    if (task->attempt <= shop_number(input, "failures", 0)) {
        note(task, task->name);
        return fail_with(ctx, ST_UNAVAILABLE, "", "push answered 503");
    }
    return done(ctx, task, input, result);
}

static enum status count_orders(struct ctx *ctx, struct flow_task *task, const char *input,
                                const char **result)
{
    (void)ctx;
    (void)input;
    note(task, task->name);
    *result = "42";
    return ST_OK;
}

static enum status sum_revenue(struct ctx *ctx, struct flow_task *task, const char *input,
                               const char **result)
{
    (void)ctx;
    (void)input;
    note(task, task->name);
    *result = "123.5";
    return ST_OK;
}

static enum status echo(struct ctx *ctx, struct flow_task *task, const char *input,
                        const char **result)
{
    (void)ctx;
    (void)task;
    *result = input;
    return ST_OK;
}

/* Fails as the input says: {"status":14} with a gRPC code, or {"sleep_ms":..}. */
static enum status fail_as_told(struct ctx *ctx, struct flow_task *task, const char *input,
                                const char **result)
{
    enum status st = (enum status)shop_number(input, "status", 0);
    int64_t sleep_ms = shop_number(input, "sleep_ms", 0);

    note(task, task->name);
    *result = arena_printf(ctx->arena, "%" PRId64, ctx_left_ms(ctx));
    clock_pause_ms(sleep_ms);
    return st == ST_OK ? ST_OK : fail_with(ctx, st, "", "as told");
}

static enum status tell_trace(struct ctx *ctx, struct flow_task *task, const char *input,
                              const char **result)
{
    (void)task;
    (void)input;
    *result = arena_printf(ctx->arena, "\"%s\"", ctx->trace_id);
    return ST_OK;
}

static enum status grind(struct ctx *ctx, struct flow_task *task, const char *input,
                         const char **result)
{
    int64_t steps = shop_number(input, "steps", 100);

    note(task, "Grind");
    for (int64_t i = 0; i < steps; i++) {
        if (!flow_heartbeat(ctx, task, arena_printf(ctx->arena, "{\"step\":%" PRId64 "}", i))) {
            note(task, "GrindStopped");
            return ST_CANCELLED;
        }
        clock_pause_ms(100);
    }
    note(task, "GrindDone");
    *result = "\"ground\"";
    return ST_OK;
}

const struct flow_activity_type *shop_activities(void)
{
    static const struct flow_activity_type table[] = {
        {"NotifyBarista",   notify_barista},
        {"MarkPreparing",                 done},
        {"NotifyReady",done},
        {"Complete",     done},
        {"CancelAndRefund",                 done},
        {"CountOrders",         count_orders},
        {"SumRevenue", sum_revenue},
        {"Echo",                 echo},
        {"Fail",fail_as_told},
        {"TellTrace",      tell_trace},
        {"Grind",                 grind},
        {0},
    };

    return table;
}
