/* Rows of orders to Temporal: "placed" starts the workflow, every other row is a signal that starts
 * it, should it not run. Sent twice is done once, by Temporal's own memory of ids; what comes to a
 * workflow that has completed is done. */
#include "order-service/workflow/workflow_sink.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "common/obs/trace.h"
#include "common/temporal/temporal.h"
#include "order-service/workflow/coffee_order.h"
#include "order-service/workflow/order_news.h"

enum { CALL_MS = 5000 };

static const struct metric_def told_metric = {
    METRIC_COUNTER, "workflow_told_total", "Starts and signals taken by Temporal", {"what"}};

static enum status start(struct ctx *ctx, struct temporal *temporal,
                         const struct temporal_start *flow)
{
    struct temporal_run run;
    struct temporal_start fresh = *flow;

    fresh.conflict = TEMPORAL_CONFLICT_FAIL;
    return temporal_start(ctx, temporal, &fresh, &run);
}

/* ST_EXISTS: there was one, and it is over, or runs already: nothing is left to do. */
static enum status tell(struct ctx *ctx, struct temporal *temporal, const struct outbox_row *row)
{
    bool is_new = text_equal(row->topic, WORKFLOW_PLACED);
    struct order_news news;

    TRY(is_new ? order_news_read_placed(ctx, row->payload, &news)
               : order_news_read(ctx, row->payload, &news));
    const char *json = order_news_json(ctx->arena, &news);
    /* A run that somebody terminated left work behind; one that ended as cancelled did not. */
    bool may_begin_again = !is_new && !text_equal(news.reason, ORDER_WORKFLOW_CANCELLED);
    const struct temporal_start flow = {
        .type = COFFEE_ORDER,
        .id = arena_printf(ctx->arena, "order-%s", news.order.text),
        .task_queue = COFFEE_ORDER_QUEUE,
        .input = json,
        .reuse = may_begin_again ? TEMPORAL_REUSE_FAILED : TEMPORAL_REUSE_NEVER,
        .conflict = TEMPORAL_CONFLICT_USE,
        .request_id = arena_printf(ctx->arena, "%s-%lld", row->topic, (long long)news.seq),
    };
    const struct temporal_signal signal = {row->topic, json, flow.request_id};

    enum status st = is_new ? start(ctx, temporal, &flow)
                            : temporal_signal_with_start(ctx, temporal, &flow, &signal, NULL);
    if (st == ST_EXISTS) {
        ctx_forgive(ctx);
        st = ST_OK;
    }
    return st;
}

/* The failure of a row that can never be told stays in the batch's ctx, as its cause of death. */
static enum status settled(struct ctx *batch, struct ctx *ctx, const struct outbox_row *row,
                           enum status st)
{
    if (st == ST_OK) {
        metric_add(METRIC_SERIES(metric_register(&told_metric), row->topic), 1);
        return ST_OK;
    }
    if (st == ST_INVALID) {
        ctx_take_failure(batch, ctx);
        return ST_INVALID;
    }
    log_debug(ctx, "temporal was not told", log_text("order", row->key),
              log_text("event", row->topic), log_text("status", status_name(st)),
              log_text("why", ctx->failure.detail));
    return st;
}

/* With a ctx of its own: a batch may be long, and each row has a trace. */
static enum status send_row(struct ctx *batch, void *temporal, const struct outbox_row *row,
                            int64_t end_ms)
{
    struct ctx *ctx = ctx_new_system("order-service");
    int64_t call_end_ms = clock_monotonic_ms() + CALL_MS;

    trace_join(ctx, row->traceparent);
    trace_correlation(ctx, row->correlation_id);
    ctx->deadline_ms = call_end_ms < end_ms ? call_end_ms : end_ms;
    enum status st = settled(batch, ctx, row, tell(ctx, temporal, row));
    ctx_free(ctx);
    return st;
}

static bool is_behind_a_failure(const struct outbox_row *rows, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (rows[i].outcome == ST_UNAVAILABLE && text_equal(rows[i].key, rows[at].key)) {
            return true;
        }
    }
    return false;
}

/* A workflow that is busy keeps back its own rows only, since the order of a key must hold; two
 * keys in a row that fail are Temporal's fault, and nothing more is tried. */
void workflow_send_rows(struct ctx *ctx, const struct workflow_sender *sender,
                        struct outbox_row *rows, size_t count, int deadline_ms)
{
    int64_t end_ms = clock_monotonic_ms() + deadline_ms;
    bool is_away = false, failed_before = false, failed_any = false;

    for (size_t i = 0; i < count; i++) {
        rows[i].outcome = ST_UNAVAILABLE;
        is_away = is_away || clock_monotonic_ms() >= end_ms;
        if (is_away || (failed_any && is_behind_a_failure(rows, i))) {
            continue;
        }
        enum status st = sender->send(ctx, sender->user, &rows[i], end_ms);
        bool failed = st != ST_OK && st != ST_INVALID;

        rows[i].outcome = failed ? ST_UNAVAILABLE : st;
        is_away = st == ST_UNAVAILABLE || (failed && failed_before);
        failed_before = failed;
        failed_any = failed_any || failed;
    }
}

static void send_rows(struct ctx *ctx, void *user, struct outbox_row *rows, size_t count,
                      int deadline_ms)
{
    workflow_send_rows(ctx, &(struct workflow_sender){send_row, user}, rows, count, deadline_ms);
}

struct outbox_sink workflow_sink(struct temporal *temporal)
{
    return (struct outbox_sink){.name = WORKFLOW_SINK, .send = send_rows, .user = temporal};
}
