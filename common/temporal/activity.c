/* An activity task: find the function, call it with a deadline and the trace of the workflow, tell
 * Temporal how it ended. */
#include "common/temporal/flow_poller.h"
#include "common/temporal/payload.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/obs/span.h"
#include "common/obs/trace.h"

#include <string.h>

enum { ANSWER_AT_LEAST_MS = 5000, MAX_HEARTBEAT_GAP_MS = 20000, HEARTBEAT_CALL_MS = 5000 };

/* Heartbeats of one attempt. */
struct flow_heart {
    struct flow_worker *worker;
    const Temporal__PollActivityTaskQueueResponse *from;
    int64_t gap_ms, next_ms; /* not sent before then (monotonic) */
    bool must_stop, was_cancelled;
};

static flow_activity_main *find(const struct flow_activity_type *activities, const char *name)
{
    while (activities->name && strcmp(activities->name, name) != 0) {
        activities++;
    }
    return activities->main;
}

/* ---- heartbeats --------------------------------------------------------------------------- */

static void send_heartbeat(struct ctx *ctx, struct flow_heart *heart, const char *details)
{
    struct temporal *temporal = heart->worker->options.temporal;
    const struct long_poll call = {temporal->client, "RecordActivityTaskHeartbeat",
                                   HEARTBEAT_CALL_MS};
    Temporal__RecordActivityTaskHeartbeatRequest in =
        TEMPORAL__RECORD_ACTIVITY_TASK_HEARTBEAT_REQUEST__INIT;
    Temporal__RecordActivityTaskHeartbeatResponse *out = NULL;

    in.namespace_ = temporal->namespace_;
    in.identity = temporal->identity;
    in.task_token = heart->from->task_token;
    in.details = payloads_json(ctx->arena, details);
    enum status st = temporal_poll(
        ctx, &call, &in, &temporal__record_activity_task_heartbeat_response__descriptor, &out);

    atomic_fetch_add(&heart->worker->counters.heartbeats, 1);
    if (st == ST_OK && out->cancel_requested) {
        heart->was_cancelled = true;
    }
    /* not found: the workflow is closed, or the attempt was given up */
    heart->must_stop = heart->must_stop || heart->was_cancelled || st == ST_NOT_FOUND;
    if (st != ST_OK) {
        ctx_forgive(ctx); /* the next one may get through */
    }
}

bool flow_heartbeat(struct ctx *ctx, struct flow_task *task, const char *details)
{
    struct flow_heart *heart = task->heart;
    int64_t now = clock_monotonic_ms();

    if (!heart->must_stop && now >= heart->next_ms) {
        heart->next_ms = now + heart->gap_ms;
        send_heartbeat(ctx, heart, details);
    }
    return !heart->must_stop && !atomic_load(&heart->worker->is_hurrying);
}

/* ---- answers ------------------------------------------------------------------------------ */

static enum status insist(struct ctx *ctx, const struct flow_heart *heart, const char *method,
                          const void *in, const ProtobufCMessageDescriptor *out_type)
{
    int64_t soon = clock_monotonic_ms() + ANSWER_AT_LEAST_MS;
    const struct insistence insistence = {method, ctx->deadline_ms > soon ? ctx->deadline_ms : soon,
                                          &heart->worker->is_hurrying};

    ctx->deadline_ms = 0; /* it was the activity's, not the answer's */
    return temporal_insist(ctx, heart->worker->options.temporal, &insistence, in, out_type);
}

static enum status answer_done(struct ctx *ctx, const struct flow_heart *heart, const char *result)
{
    Temporal__RespondActivityTaskCompletedRequest in =
        TEMPORAL__RESPOND_ACTIVITY_TASK_COMPLETED_REQUEST__INIT;

    in.namespace_ = heart->worker->options.temporal->namespace_;
    in.identity = heart->worker->options.temporal->identity;
    in.task_token = heart->from->task_token;
    in.result = payloads_json(ctx->arena, result ? result : "null");
    return insist(ctx, heart, "RespondActivityTaskCompleted", &in,
                  &temporal__respond_activity_task_completed_response__descriptor);
}

static enum status answer_cancelled(struct ctx *ctx, const struct flow_heart *heart)
{
    Temporal__RespondActivityTaskCanceledRequest in =
        TEMPORAL__RESPOND_ACTIVITY_TASK_CANCELED_REQUEST__INIT;

    in.namespace_ = heart->worker->options.temporal->namespace_;
    in.identity = heart->worker->options.temporal->identity;
    in.task_token = heart->from->task_token;
    return insist(ctx, heart, "RespondActivityTaskCanceled", &in,
                  &temporal__respond_activity_task_canceled_response__descriptor);
}

static enum status answer_failed(struct ctx *ctx, const struct flow_heart *heart, enum status st)
{
    Temporal__RespondActivityTaskFailedRequest in =
        TEMPORAL__RESPOND_ACTIVITY_TASK_FAILED_REQUEST__INIT;

    in.namespace_ = heart->worker->options.temporal->namespace_;
    in.identity = heart->worker->options.temporal->identity;
    in.task_token = heart->from->task_token;
    in.failure = failure_of(ctx, st);
    ctx_forgive(ctx);
    return insist(ctx, heart, "RespondActivityTaskFailed", &in,
                  &temporal__respond_activity_task_failed_response__descriptor);
}

static enum status answer(struct ctx *ctx, const struct flow_heart *heart, enum status st,
                          const char *result)
{
    if (st == ST_OK) {
        return answer_done(ctx, heart, result);
    }
    if (st == ST_CANCELLED && heart->was_cancelled) {
        return answer_cancelled(ctx, heart);
    }
    return answer_failed(ctx, heart, st);
}

/* ---- an attempt --------------------------------------------------------------------------- */

/* When Temporal gives the attempt up, by the server's own clock: only differences are used. */
static int64_t left_ms(const Temporal__PollActivityTaskQueueResponse *from)
{
    int64_t attempt = duration_ms(from->start_to_close_timeout);
    int64_t all = duration_ms(from->schedule_to_close_timeout);
    int64_t gone = temporal_time_ms(from->started_time) - temporal_time_ms(from->scheduled_time);
    int64_t rest = all - gone > 0 ? all - gone : 1;

    return all > 0 && (attempt <= 0 || rest < attempt) ? rest : attempt;
}

static void tell(struct ctx *ctx, struct flow_worker *worker, const struct flow_task *task,
                 enum status st, int64_t began_us)
{
    double seconds = (double)(clock_monotonic_us() - began_us) / 1e6;
    struct span span = span_of(ctx, began_us);

    span_failed(&span, ctx, st);
    span_end(&span, SPAN_CONSUMER, task->name, log_text("temporal.workflow", task->flow_type),
             log_text("temporal.workflow_id", task->flow_id),
             log_num("temporal.attempt", task->attempt));
    atomic_fetch_add(&worker->counters.activities, 1);
    metric_observe(METRIC_SERIES(worker->activity_seconds, task->name, status_name(st)), seconds,
                   ctx->trace_id);
    if (st != ST_OK) {
        atomic_fetch_add(&worker->counters.activities_failed, 1);
        log_warn(ctx, "activity failed", log_text("activity", task->name),
                 log_text("workflow", task->flow_id), log_num("attempt", task->attempt),
                 log_text("status", status_name(st)), log_text("why", ctx->failure.detail));
    }
}

static enum status run(struct ctx *ctx, struct flow_task *task, const char **result)
{
    const struct flow_heart *heart = task->heart;
    flow_activity_main *main = find(heart->worker->options.activities, task->name);
    const char *input = payloads_text(ctx->arena, heart->from->input);
    int64_t left = left_ms(heart->from);
    int64_t began_us = clock_monotonic_us();

    if (!main) { /* perhaps a newer worker knows it */
        return fail_with(ctx, ST_INTERNAL, "", "activity %s is not known here", task->name);
    }
    trace_begin(ctx, header_traceparent(ctx->arena, heart->from->header));
    ctx->deadline_ms = left > 0 ? clock_monotonic_ms() + left : 0;
    enum status st = main(ctx, task, input ? input : "null", result);
    tell(ctx, heart->worker, task, st, began_us);
    return st;
}

static void work(struct ctx *ctx, struct flow_worker *worker,
                 const Temporal__PollActivityTaskQueueResponse *from)
{
    int64_t gap = duration_ms(from->heartbeat_timeout) / 2;
    struct flow_heart heart = {.worker = worker,
                               .from = from,
                               .gap_ms = gap < MAX_HEARTBEAT_GAP_MS ? gap : MAX_HEARTBEAT_GAP_MS};
    struct flow_task task = {
        .service = worker->options.service,
        .name = from->activity_type->name,
        .id = from->activity_id,
        .flow_id = from->workflow_execution->workflow_id,
        .run_id = from->workflow_execution->run_id,
        .flow_type = from->workflow_type->name,
        .attempt = from->attempt,
        .details = payloads_text(ctx->arena, from->heartbeat_details),
        .heart = &heart,
    };
    const char *result = NULL;
    enum status st = run(ctx, &task, &result);

    st = answer(ctx, &heart, st, result);
    if (st == ST_NOT_FOUND) { /* nobody waits for it any more */
        log_debug(ctx, "activity came too late", log_text("activity", task.name),
                  log_text("workflow", task.flow_id));
    } else if (st != ST_OK) {
        log_failure(ctx, "activity task");
    }
}

enum status flow_poll_activities(struct ctx *ctx, struct flow_poller *poller)
{
    struct flow_worker *worker = poller->worker;
    const struct long_poll poll = {worker->polls, "PollActivityTaskQueue", worker->options.poll_ms};
    Temporal__PollActivityTaskQueueRequest in = TEMPORAL__POLL_ACTIVITY_TASK_QUEUE_REQUEST__INIT;
    Temporal__PollActivityTaskQueueResponse *task = NULL;

    in.namespace_ = worker->options.temporal->namespace_;
    in.identity = worker->options.temporal->identity;
    in.task_queue = task_queue_of(ctx->arena, worker->options.task_queue);
    TRY(temporal_poll(ctx, &poll, &in, &temporal__poll_activity_task_queue_response__descriptor,
                      &task));
    if (task->task_token.len > 0) {
        work(ctx, worker, task);
    }
    return ST_OK;
}
