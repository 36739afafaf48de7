/* How many workflows are open: only Temporal knows, as no worker sees those that wait for a timer.
 * One of the threads that poll for workflow tasks asks, between two polls; it needs none of its
 * own. A poll lasts up to POLL_MS, so that the answer is that much older when all is quiet. */
#include "common/temporal/flow_poller.h"

#include "common/base/clock.h"

enum { COUNT_EVERY_MS = 15000, COUNT_LIMIT_MS = 1000 };

static bool is_due(struct flow_worker *worker)
{
    int64_t now = clock_monotonic_ms();
    long long due = atomic_load(&worker->count_due_ms);

    return now >= due &&
           atomic_compare_exchange_strong(&worker->count_due_ms, &due, now + COUNT_EVERY_MS);
}

void flow_count_open(struct flow_worker *worker)
{
    if (!is_due(worker)) {
        return;
    }
    for (const struct flow_type *flow = worker->options.flows; flow->name; flow++) {
        struct ctx *ctx = ctx_new_system(worker->options.daemon);
        int64_t count;

        ctx->deadline_ms = clock_monotonic_ms() + COUNT_LIMIT_MS;
        const char *query = arena_printf(
            ctx->arena, "WorkflowType = '%s' AND ExecutionStatus = 'Running'", flow->name);
        if (temporal_count(ctx, worker->options.temporal, query, &count) == ST_OK) {
            metric_set(METRIC_SERIES(worker->flows_open, flow->name), count);
        }
        ctx_free(ctx);
    }
}
