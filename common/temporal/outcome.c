/* Looking at workflows: how one stands, how one ended, and its whole history. */
#include "common/temporal/call.h"
#include "common/temporal/payload.h"

#include "common/base/clock.h"

#include <temporal/client.pb-c.h>

#include <string.h>

enum { AWAIT_MS = 70000 /* Temporal answers after 60 s with nothing */ };

#define EVENT(name) TEMPORAL__EVENT_TYPE__EVENT_TYPE_##name

static const char *const names[] = {
    [TEMPORAL_RUNNING] = "running",       [TEMPORAL_COMPLETED] = "completed",
    [TEMPORAL_FAILED] = "failed",         [TEMPORAL_CANCELLED] = "cancelled",
    [TEMPORAL_TERMINATED] = "terminated", [TEMPORAL_CONTINUED] = "continued",
    [TEMPORAL_TIMED_OUT] = "timed out",   [TEMPORAL_PAUSED] = "paused",
};

const char *temporal_state_name(enum temporal_state state)
{
    return names[state];
}

/* Ours has Temporal's order, which begins with 1. */
static enum temporal_state state_of(Temporal__WorkflowExecutionStatus status)
{
    return status >= 1 && (size_t)status <= ARRAY_LEN(names) ? (enum temporal_state)(status - 1)
                                                             : TEMPORAL_RUNNING;
}

/* ---- describe ----------------------------------------------------------------------------- */

static void read_pending(struct ctx *ctx, const Temporal__DescribeWorkflowExecutionResponse *out,
                         struct temporal_info *info)
{
    struct temporal_pending *list =
        arena_new_array(ctx->arena, struct temporal_pending, out->n_pending_activities + 1);

    for (size_t i = 0; i < out->n_pending_activities; i++) {
        const Temporal__PendingActivityInfo *from = out->pending_activities[i];

        list[i] = (struct temporal_pending){
            .name = from->activity_type->name,
            .id = from->activity_id,
            .attempt = from->attempt,
            .running =
                from->state == TEMPORAL__PENDING_ACTIVITY_STATE__PENDING_ACTIVITY_STATE_STARTED,
            .last_failure = from->last_failure ? failure_told(from->last_failure).message : NULL,
            .details = payloads_text(ctx->arena, from->heartbeat_details),
        };
    }
    info->pending = list;
    info->pending_count = out->n_pending_activities;
}

enum status temporal_describe(struct ctx *ctx, struct temporal *temporal, const char *id,
                              struct temporal_info *info)
{
    Temporal__DescribeWorkflowExecutionRequest in =
        TEMPORAL__DESCRIBE_WORKFLOW_EXECUTION_REQUEST__INIT;
    Temporal__DescribeWorkflowExecutionResponse *out;

    in.namespace_ = temporal->namespace_;
    in.execution = execution_of(ctx->arena, id, NULL);
    TRY(temporal_call(ctx, temporal, "DescribeWorkflowExecution", &in,
                      &temporal__describe_workflow_execution_response__descriptor, &out));
    const Temporal__WorkflowExecutionInfo *from = out->workflow_execution_info;

    *info = (struct temporal_info){
        .state = state_of(from->status),
        .type = from->type->name,
        .run_id = from->execution->run_id,
        .started_ms = temporal_time_ms(from->start_time),
        .closed_ms = temporal_time_ms(from->close_time),
        .events = from->history_length,
        .attempt = out->pending_workflow_task ? out->pending_workflow_task->attempt : 0,
    };
    read_pending(ctx, out, info);
    return ST_OK;
}

/* ---- await -------------------------------------------------------------------------------- */

/* The close event of a run, or none after a minute: the token asks on. */
static enum status wait_for_close(struct ctx *ctx, struct temporal *temporal,
                                  Temporal__GetWorkflowExecutionHistoryRequest *in,
                                  int64_t until_ms, Temporal__HistoryEvent **event)
{
    Temporal__GetWorkflowExecutionHistoryResponse *out;

    do {
        int64_t left = until_ms - clock_monotonic_ms();
        struct long_poll call = {temporal->client, "GetWorkflowExecutionHistory",
                                 left < AWAIT_MS ? (int)left : AWAIT_MS};

        if (left <= 0) {
            return fail_with(ctx, ST_TIMEOUT, "", "the workflow is still running");
        }
        TRY(temporal_poll(ctx, &call, in,
                          &temporal__get_workflow_execution_history_response__descriptor, &out));
        in->next_page_token = out->next_page_token;
    } while (!out->history || out->history->n_events == 0);
    *event = out->history->events[out->history->n_events - 1];
    return ST_OK;
}

static const char *continued_as(const Temporal__HistoryEvent *event)
{
    return event->event_type == EVENT(WORKFLOW_EXECUTION_CONTINUED_AS_NEW)
               ? event->workflow_execution_continued_as_new_event_attributes->new_execution_run_id
               : NULL;
}

static void read_outcome(struct ctx *ctx, const Temporal__HistoryEvent *event,
                         struct temporal_outcome *outcome)
{
    const Temporal__WorkflowExecutionCompletedEventAttributes *completed =
        event->workflow_execution_completed_event_attributes;
    const Temporal__WorkflowExecutionCanceledEventAttributes *cancelled =
        event->workflow_execution_canceled_event_attributes;
    const Temporal__WorkflowExecutionFailedEventAttributes *failed =
        event->workflow_execution_failed_event_attributes;

    *outcome = (struct temporal_outcome){.state = TEMPORAL_TERMINATED, .message = ""};
    switch ((int)event->event_type) {
    case EVENT(WORKFLOW_EXECUTION_COMPLETED):
        outcome->state = TEMPORAL_COMPLETED;
        outcome->json = payloads_text(ctx->arena, completed->result);
        break;
    case EVENT(WORKFLOW_EXECUTION_CANCELED):
        outcome->state = TEMPORAL_CANCELLED;
        outcome->json = payloads_text(ctx->arena, cancelled->details);
        break;
    case EVENT(WORKFLOW_EXECUTION_FAILED):
        outcome->state = TEMPORAL_FAILED;
        outcome->failure = failure_told(failed->failure).st;
        outcome->message = failure_told(failed->failure).message;
        break;
    case EVENT(WORKFLOW_EXECUTION_TIMED_OUT):
        outcome->state = TEMPORAL_TIMED_OUT;
        break;
    default: /* terminated */
        break;
    }
}

enum status temporal_await(struct ctx *ctx, struct temporal *temporal, const char *id,
                           int64_t timeout_ms, struct temporal_outcome *outcome)
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    Temporal__HistoryEvent *event = NULL;
    const char *run_id = "";

    while (run_id) {
        Temporal__GetWorkflowExecutionHistoryRequest in =
            TEMPORAL__GET_WORKFLOW_EXECUTION_HISTORY_REQUEST__INIT;

        in.namespace_ = temporal->namespace_;
        in.execution = execution_of(ctx->arena, id, run_id);
        in.wait_new_event = true;
        in.history_event_filter_type =
            TEMPORAL__HISTORY_EVENT_FILTER_TYPE__HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT;
        TRY(wait_for_close(ctx, temporal, &in, until_ms, &event));
        run_id = continued_as(event);
    }
    read_outcome(ctx, event, outcome);
    return ST_OK;
}

/* ---- history ------------------------------------------------------------------------------ */

/* Pages after each other are one packed History: repeated fields add up. */
static void append(struct ctx *ctx, const Temporal__History *page, struct temporal_bytes *all)
{
    size_t size = page ? temporal__history__get_packed_size(page) : 0;
    uint8_t *bytes = arena_alloc(ctx->arena, all->size + size + 1);

    if (all->size) {
        memcpy(bytes, all->bytes, all->size);
    }
    if (size) {
        temporal__history__pack(page, bytes + all->size);
    }
    *all = (struct temporal_bytes){bytes, all->size + size};
}

enum status temporal_history(struct ctx *ctx, struct temporal *temporal, const char *id,
                             struct temporal_bytes *history)
{
    Temporal__GetWorkflowExecutionHistoryRequest in =
        TEMPORAL__GET_WORKFLOW_EXECUTION_HISTORY_REQUEST__INIT;
    Temporal__GetWorkflowExecutionHistoryResponse *out;
    struct temporal_bytes all = {NULL, 0};

    in.namespace_ = temporal->namespace_;
    in.execution = execution_of(ctx->arena, id, NULL);
    do {
        TRY(temporal_call(ctx, temporal, "GetWorkflowExecutionHistory", &in,
                          &temporal__get_workflow_execution_history_response__descriptor, &out));
        append(ctx, out->history, &all);
        in.next_page_token = out->next_page_token;
    } while (in.next_page_token.len > 0);
    *history = all;
    return ST_OK;
}
