/* A run's commands as Temporal's messages. Strings and payloads stay where they are: the arena. */
#include "common/temporal/flow_run.h"
#include "common/temporal/payload.h"

#define SET(to, field, from) \
    ((to)->attributes_case = TEMPORAL__COMMAND__ATTRIBUTES_##field##_COMMAND_ATTRIBUTES, (from))

typedef void encode_command(struct flow *flow, const struct flow_command *from,
                            Temporal__Command *to);

static Temporal__RetryPolicy *retry_of(struct arena *arena, const struct flow_retry *retry)
{
    Temporal__RetryPolicy *policy = temporal_message(arena, &temporal__retry_policy__descriptor);

    policy->initial_interval = duration_of(arena, retry->first_ms > 0 ? retry->first_ms : 1000);
    policy->backoff_coefficient = retry->factor >= 1 ? retry->factor : 2;
    policy->maximum_interval = duration_of(arena, retry->most_ms);
    policy->maximum_attempts = retry->attempts;
    return policy;
}

static void schedule_activity(struct flow *flow, const struct flow_command *from,
                              Temporal__Command *to)
{
    struct arena *arena = flow->ctx->arena;
    const struct flow_op *op = from->op;
    const struct flow_activity *options = &op->activity;
    Temporal__ScheduleActivityTaskCommandAttributes *a =
        temporal_message(arena, &temporal__schedule_activity_task_command_attributes__descriptor);

    a->activity_id = message_text(op->id);
    a->activity_type = temporal_message(arena, &temporal__activity_type__descriptor);
    a->activity_type->name = message_text(op->name);
    a->task_queue =
        task_queue_of(arena, options->task_queue ? options->task_queue : flow->task_queue);
    a->header = header_of_trace(flow->ctx);
    a->input = payloads_json(arena, op->input);
    a->start_to_close_timeout = duration_of(arena, options->start_to_close_ms);
    a->schedule_to_close_timeout = duration_of(arena, options->schedule_to_close_ms);
    a->schedule_to_start_timeout = duration_of(arena, options->schedule_to_start_ms);
    a->heartbeat_timeout = duration_of(arena, options->heartbeat_ms);
    a->retry_policy = retry_of(arena, &options->retry);
    to->schedule_activity_task_command_attributes = SET(to, SCHEDULE_ACTIVITY_TASK, a);
}

static void cancel_activity(struct flow *flow, const struct flow_command *from,
                            Temporal__Command *to)
{
    Temporal__RequestCancelActivityTaskCommandAttributes *a = temporal_message(
        flow->ctx->arena, &temporal__request_cancel_activity_task_command_attributes__descriptor);

    a->scheduled_event_id = from->op->event_id;
    to->request_cancel_activity_task_command_attributes = SET(to, REQUEST_CANCEL_ACTIVITY_TASK, a);
}

static void start_timer(struct flow *flow, const struct flow_command *from, Temporal__Command *to)
{
    Temporal__StartTimerCommandAttributes *a =
        temporal_message(flow->ctx->arena, &temporal__start_timer_command_attributes__descriptor);

    a->timer_id = message_text(from->op->id);
    a->start_to_fire_timeout = duration_of(flow->ctx->arena, from->op->ms);
    to->start_timer_command_attributes = SET(to, START_TIMER, a);
}

static void cancel_timer(struct flow *flow, const struct flow_command *from, Temporal__Command *to)
{
    Temporal__CancelTimerCommandAttributes *a =
        temporal_message(flow->ctx->arena, &temporal__cancel_timer_command_attributes__descriptor);

    a->timer_id = message_text(from->op->id);
    to->cancel_timer_command_attributes = SET(to, CANCEL_TIMER, a);
}

static Temporal__ParentClosePolicy policy_of(enum flow_when_parent_ends when)
{
    switch (when) {
    case FLOW_CHILD_TERMINATES:
        return TEMPORAL__PARENT_CLOSE_POLICY__PARENT_CLOSE_POLICY_TERMINATE;
    case FLOW_CHILD_LIVES_ON:
        return TEMPORAL__PARENT_CLOSE_POLICY__PARENT_CLOSE_POLICY_ABANDON;
    case FLOW_CHILD_IS_CANCELLED:
        return TEMPORAL__PARENT_CLOSE_POLICY__PARENT_CLOSE_POLICY_REQUEST_CANCEL;
    }
    return TEMPORAL__PARENT_CLOSE_POLICY__PARENT_CLOSE_POLICY_TERMINATE;
}

static void start_child(struct flow *flow, const struct flow_command *from, Temporal__Command *to)
{
    struct arena *arena = flow->ctx->arena;
    const struct flow_op *op = from->op;
    Temporal__StartChildWorkflowExecutionCommandAttributes *a = temporal_message(
        arena, &temporal__start_child_workflow_execution_command_attributes__descriptor);

    a->namespace_ = message_text(flow->namespace_);
    a->workflow_id = message_text(op->id);
    a->workflow_type = flow_type_of(arena, op->name);
    a->task_queue =
        task_queue_of(arena, op->child.task_queue ? op->child.task_queue : flow->task_queue);
    a->header = header_of_trace(flow->ctx);
    a->input = payloads_json(arena, op->input);
    a->workflow_execution_timeout = duration_of(arena, op->child.timeout_ms);
    a->parent_close_policy = policy_of(op->child.when_parent_ends);
    a->workflow_id_reuse_policy =
        TEMPORAL__WORKFLOW_ID_REUSE_POLICY__WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE;
    to->start_child_workflow_execution_command_attributes =
        SET(to, START_CHILD_WORKFLOW_EXECUTION, a);
}

static void cancel_child(struct flow *flow, const struct flow_command *from, Temporal__Command *to)
{
    Temporal__RequestCancelExternalWorkflowExecutionCommandAttributes *a = temporal_message(
        flow->ctx->arena,
        &temporal__request_cancel_external_workflow_execution_command_attributes__descriptor);

    a->namespace_ = message_text(flow->namespace_);
    a->workflow_id = message_text(from->op->id);
    a->child_workflow_only = true;
    a->reason = message_text("its parent was cancelled");
    to->request_cancel_external_workflow_execution_command_attributes =
        SET(to, REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION, a);
}

static void signal_other(struct flow *flow, const struct flow_command *from, Temporal__Command *to)
{
    struct arena *arena = flow->ctx->arena;
    Temporal__SignalExternalWorkflowExecutionCommandAttributes *a = temporal_message(
        arena, &temporal__signal_external_workflow_execution_command_attributes__descriptor);

    a->namespace_ = message_text(flow->namespace_);
    a->execution = execution_of(arena, from->op->id, NULL);
    a->signal_name = message_text(from->op->name);
    a->input = payloads_json(arena, from->op->input);
    a->header = header_of_trace(flow->ctx);
    to->signal_external_workflow_execution_command_attributes =
        SET(to, SIGNAL_EXTERNAL_WORKFLOW_EXECUTION, a);
}

static void record_marker(struct flow *flow, const struct flow_command *from, Temporal__Command *to)
{
    struct arena *arena = flow->ctx->arena;
    Temporal__RecordMarkerCommandAttributes *a =
        temporal_message(arena, &temporal__record_marker_command_attributes__descriptor);
    Temporal__RecordMarkerCommandAttributes__DetailsEntry *detail = temporal_message(
        arena, &temporal__record_marker_command_attributes__details_entry__descriptor);

    detail->key = message_text(FLOW_MARKER_KEY);
    detail->value = payloads_json(arena, from->json);
    a->marker_name = message_text(FLOW_MARKER);
    a->details = arena_new_array(arena, Temporal__RecordMarkerCommandAttributes__DetailsEntry *, 1);
    a->details[0] = detail;
    a->n_details = 1;
    to->record_marker_command_attributes = SET(to, RECORD_MARKER, a);
}

/* ---- what closes a run -------------------------------------------------------------------- */

static void complete(struct flow *flow, const struct flow_command *from, Temporal__Command *to)
{
    Temporal__CompleteWorkflowExecutionCommandAttributes *a = temporal_message(
        flow->ctx->arena, &temporal__complete_workflow_execution_command_attributes__descriptor);

    a->result = payloads_json(flow->ctx->arena, from->json ? from->json : "null");
    to->complete_workflow_execution_command_attributes = SET(to, COMPLETE_WORKFLOW_EXECUTION, a);
}

static void fail_run(struct flow *flow, const struct flow_command *from, Temporal__Command *to)
{
    Temporal__FailWorkflowExecutionCommandAttributes *a = temporal_message(
        flow->ctx->arena, &temporal__fail_workflow_execution_command_attributes__descriptor);

    a->failure = from->failure;
    to->fail_workflow_execution_command_attributes = SET(to, FAIL_WORKFLOW_EXECUTION, a);
}

static void cancel_run(struct flow *flow, const struct flow_command *from, Temporal__Command *to)
{
    Temporal__CancelWorkflowExecutionCommandAttributes *a = temporal_message(
        flow->ctx->arena, &temporal__cancel_workflow_execution_command_attributes__descriptor);

    a->details = payloads_json(flow->ctx->arena, from->json);
    to->cancel_workflow_execution_command_attributes = SET(to, CANCEL_WORKFLOW_EXECUTION, a);
}

static void continue_as_new(struct flow *flow, const struct flow_command *from,
                            Temporal__Command *to)
{
    struct arena *arena = flow->ctx->arena;
    Temporal__ContinueAsNewWorkflowExecutionCommandAttributes *a = temporal_message(
        arena, &temporal__continue_as_new_workflow_execution_command_attributes__descriptor);

    a->workflow_type = flow_type_of(arena, flow->type);
    a->task_queue = task_queue_of(arena, flow->task_queue);
    a->input = payloads_json(arena, from->json);
    a->header = header_of_trace(flow->ctx);
    to->continue_as_new_workflow_execution_command_attributes =
        SET(to, CONTINUE_AS_NEW_WORKFLOW_EXECUTION, a);
}

/* clang-format off */
static encode_command *const encoders[] = {
    [COMMAND(SCHEDULE_ACTIVITY_TASK)]                     = schedule_activity,
    [COMMAND(REQUEST_CANCEL_ACTIVITY_TASK)]               = cancel_activity,
    [COMMAND(START_TIMER)]                                = start_timer,
    [COMMAND(CANCEL_TIMER)]                               = cancel_timer,
    [COMMAND(START_CHILD_WORKFLOW_EXECUTION)]             = start_child,
    [COMMAND(REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION)] = cancel_child,
    [COMMAND(SIGNAL_EXTERNAL_WORKFLOW_EXECUTION)]         = signal_other,
    [COMMAND(RECORD_MARKER)]                              = record_marker,
    [COMMAND(COMPLETE_WORKFLOW_EXECUTION)]                = complete,
    [COMMAND(FAIL_WORKFLOW_EXECUTION)]                    = fail_run,
    [COMMAND(CANCEL_WORKFLOW_EXECUTION)]                  = cancel_run,
    [COMMAND(CONTINUE_AS_NEW_WORKFLOW_EXECUTION)]         = continue_as_new,
};
/* clang-format on */

Temporal__Command **flow_encode(struct flow *flow, size_t *count)
{
    size_t total = 0;

    for (const struct flow_command *c = flow->commands; c; c = c->next) {
        total++;
    }
    Temporal__Command **list = arena_new_array(flow->ctx->arena, Temporal__Command *, total + 1);
    total = 0;
    for (const struct flow_command *c = flow->commands; c; c = c->next) {
        list[total] = temporal_message(flow->ctx->arena, &temporal__command__descriptor);
        list[total]->command_type = c->type;
        encoders[c->type](flow, c, list[total]);
        total++;
    }
    *count = total;
    return list;
}
