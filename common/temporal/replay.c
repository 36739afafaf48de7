/* Calls a workflow's function and feeds it the history. The code runs where the history says that a
 * worker ran it: at each WorkflowTaskStarted that was completed, and at the one in hand. The events
 * that commands became must be, one by one, the commands that the code gives now; where they are
 * not, code and history disagree, and nothing of it may reach the server. */
#include "common/temporal/flow_run.h"
#include "common/temporal/payload.h"

#include "common/base/text.h"
#include "common/obs/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct flow *flow_new(struct ctx *ctx, const struct flow_start *start)
{
    struct flow *flow = arena_new_struct(ctx->arena, struct flow);

    *flow = (struct flow){.ctx = ctx,
                          .id = start->id,
                          .run_id = start->run_id,
                          .type = start->type,
                          .task_queue = start->task_queue,
                          .namespace_ = start->namespace_,
                          .main = start->main,
                          .stacks = start->stacks,
                          .is_replaying = true};
    flow->commands_end = &flow->commands;
    flow->signals_end = &flow->signals;
    return flow;
}

static enum status mismatch(struct flow *flow, int64_t event, const char *what)
{
    return fail_with(flow->ctx, ST_CONFLICT, "", "[TMPRL1100] event %" PRId64 ": %s", event, what);
}

static const char *describe(struct flow *flow, const struct flow_command *command)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &temporal__command_type__descriptor, (int)command->type);

    return arena_printf(flow->ctx->arena, "%s %s '%s'", value ? value->name + 13 : "?",
                        command->op ? command->op->id : "",
                        command->op     ? command->op->name
                        : command->json ? command->json
                                        : "");
}

static bool fits(const struct flow_command *command, const struct flow_expected *expected)
{
    const char *id = command->op                               ? command->op->id
                     : command->type == COMMAND(RECORD_MARKER) ? command->json
                                                               : NULL;

    return command->type == expected->type && (!expected->id || text_equal(id, expected->id)) &&
           (!expected->name || (command->op && text_equal(command->op->name, expected->name))) &&
           (!expected->about || (command->op && command->op->event_id == expected->about));
}

static enum status match(struct flow *flow, const Temporal__HistoryEvent *event,
                         const struct flow_expected *expected)
{
    struct flow_command *command = flow->commands;

    if (command && fits(command, expected)) {
        if (command->op && !command->op->event_id) {
            command->op->event_id = event->event_id;
        }
        flow->commands = command->next;
        if (!flow->commands) {
            flow->commands_end = &flow->commands;
        }
        return ST_OK;
    }
    if (expected->type == COMMAND(RECORD_MARKER) && *expected->id) {
        return ST_OK; /* of a flow_version() that has left the code, which changes nothing */
    }
    const ProtobufCEnumValue *had = protobuf_c_enum_descriptor_get_value(
        &temporal__event_type__descriptor, (int)event->event_type);
    return mismatch(flow, event->event_id,
                    arena_printf(flow->ctx->arena, "the history has %s %s '%s', the code gives %s",
                                 had ? had->name + 11 : "?", expected->id ? expected->id : "",
                                 expected->name ? expected->name : "",
                                 command ? describe(flow, command) : "nothing"));
}

/* ---- events ------------------------------------------------------------------------------- */

/* The same trace and span at every replay: the run is one span below the request's. */
static void take_trace(struct flow *flow, const Temporal__Header *header)
{
    struct ctx *ctx = flow->ctx;
    const char *traceparent = header_traceparent(ctx->arena, header);
    struct trace_parent parent;

    if (traceparent && trace_parse(traceparent, &parent)) {
        text_copy(ctx->trace_id, sizeof(ctx->trace_id), parent.trace_id);
        text_copy(ctx->parent_id, sizeof(ctx->parent_id), parent.span_id);
        ctx->sampled = parent.sampled;
        snprintf(ctx->span_id, sizeof(ctx->span_id), "%016" PRIx64, flow->random | 1);
    }
}

static void close_with(struct flow *flow, enum status st, const char *result)
{
    Temporal__CommandType type = flow->is_continued ? COMMAND(CONTINUE_AS_NEW_WORKFLOW_EXECUTION)
                                 : st == ST_OK      ? COMMAND(COMPLETE_WORKFLOW_EXECUTION)
                                 : st == ST_CANCELLED && flow->is_cancelled
                                     ? COMMAND(CANCEL_WORKFLOW_EXECUTION)
                                     : COMMAND(FAIL_WORKFLOW_EXECUTION);
    struct flow_command *command = flow_command_new(flow, type, NULL);

    command->json = flow->is_continued ? flow->input : result;
    command->failure = type == COMMAND(FAIL_WORKFLOW_EXECUTION) ? failure_of(flow->ctx, st) : NULL;
    flow->closed_by = type;
    flow->is_closed = true;
}

static void run_main(struct flow *flow, void *user)
{
    const char *result = NULL;
    enum status st = flow->main(flow, user, &result);

    close_with(flow, st, result);
}

static uint64_t seed_of(const char *run_id) /* FNV-1a */
{
    uint64_t seed = 1469598103934665603u;

    for (const char *p = run_id; *p; p++) {
        seed = (seed ^ (uint8_t)*p) * 1099511628211u;
    }
    return seed;
}

/* The run id of the beginning: a run that an operator reset has another, and the same history. */
static void apply_started(struct flow *flow,
                          const Temporal__WorkflowExecutionStartedEventAttributes *started)
{
    const char *input = payloads_text(flow->ctx->arena, started->input);

    flow->random = seed_of(started->original_execution_run_id);
    take_trace(flow, started->header);
    flow_branch_new(flow, run_main, message_text(input ? input : "null"));
}

static void apply_signal(struct flow *flow, const Temporal__HistoryEvent *event)
{
    const Temporal__WorkflowExecutionSignaledEventAttributes *from =
        event->workflow_execution_signaled_event_attributes;
    struct flow_arrival *arrival = arena_new_struct(flow->ctx->arena, struct flow_arrival);

    arrival->signal.name = from->signal_name;
    arrival->signal.json = payloads_text(flow->ctx->arena, from->input);
    arrival->signal.at_ms = temporal_time_ms(event->event_time);
    *flow->signals_end = arrival;
    flow->signals_end = &arrival->next;
}

static struct flow_op *op_of(const struct flow *flow, int64_t event_id)
{
    struct flow_op *op = flow->ops;

    while (op && op->event_id != event_id) {
        op = op->next;
    }
    return op;
}

static void apply_settled(struct flow *flow, const struct flow_settled *settled)
{
    struct flow_op *op = op_of(flow, settled->about);

    if (op && !op->is_done) {
        op->is_done = true;
        op->st = settled->st;
        op->json = settled->json;
        op->message = settled->message;
    }
}

static void apply(struct flow *flow, const Temporal__HistoryEvent *event)
{
    struct flow_settled settled;
    struct flow_op *op = NULL;

    switch ((int)event->event_type) {
    case EVENT(WORKFLOW_EXECUTION_STARTED):
        apply_started(flow, event->workflow_execution_started_event_attributes);
        break;
    case EVENT(WORKFLOW_EXECUTION_SIGNALED):
        apply_signal(flow, event);
        break;
    case EVENT(WORKFLOW_EXECUTION_CANCEL_REQUESTED):
        flow->is_cancelled = true;
        break;
    case EVENT(TIMER_FIRED):
        op = op_of(flow, event->timer_fired_event_attributes->started_event_id);
        break;
    case EVENT(CHILD_WORKFLOW_EXECUTION_STARTED):
        op = op_of(flow,
                   event->child_workflow_execution_started_event_attributes->initiated_event_id);
        break;
    default: /* the rest is news to nobody, or of kinds that are newer than we */
        if (flow_settled_by(flow->ctx->arena, event, &settled)) {
            apply_settled(flow, &settled);
        }
        break;
    }
    if (op && event->event_type == EVENT(TIMER_FIRED)) {
        op->is_done = true;
    } else if (op) {
        op->is_started = true;
    }
}

/* ---- the history -------------------------------------------------------------------------- */

static void collect_markers(struct flow *flow, Temporal__HistoryEvent *const *events, size_t count)
{
    struct flow_expected expected;

    for (size_t i = 0; i < count; i++) {
        if (events[i]->event_type == EVENT(MARKER_RECORDED) &&
            flow_expected_of(flow->ctx->arena, events[i], &expected)) {
            struct flow_marker *marker = arena_new_struct(flow->ctx->arena, struct flow_marker);

            *marker = (struct flow_marker){flow->markers, expected.id};
            flow->markers = marker;
        }
    }
}

/* All commands of the run before must have become events by now. */
static enum status check_all_matched(struct flow *flow, int64_t event_id)
{
    return flow->commands ? mismatch(flow, event_id,
                                     arena_printf(flow->ctx->arena,
                                                  "the history lacks what the code gives: %s",
                                                  describe(flow, flow->commands)))
                          : ST_OK;
}

static enum status run_task(struct flow *flow, const Temporal__HistoryEvent *event, int64_t current)
{
    TRY(check_all_matched(flow, event->event_id));
    flow->is_replaying = event->event_id != current;
    flow->now_ms = temporal_time_ms(event->event_time);
    flow->events = event->event_id;
    flow->is_long = event->workflow_task_started_event_attributes->suggest_continue_as_new;
    flow_go_on(flow);
    return ST_OK;
}

enum status flow_feed(struct flow *flow, Temporal__HistoryEvent *const *events, size_t count,
                      int64_t current)
{
    struct flow_expected expected;
    bool has_current = current == 0;

    if (count == 0 || events[0]->event_type != EVENT(WORKFLOW_EXECUTION_STARTED)) {
        return fail_with(flow->ctx, ST_INTERNAL, "", "the history has no beginning");
    }
    collect_markers(flow, events, count);
    for (size_t i = 0; i < count; i++) {
        const Temporal__HistoryEvent *event = events[i];
        bool was_completed =
            i + 1 < count && events[i + 1]->event_type == EVENT(WORKFLOW_TASK_COMPLETED);

        if (event->event_type == EVENT(WORKFLOW_TASK_STARTED)) {
            bool is_current = event->event_id == current;

            has_current = has_current || is_current;
            TRY(was_completed || is_current ? run_task(flow, event, current) : ST_OK);
        } else if (flow_expected_of(flow->ctx->arena, event, &expected)) {
            TRY(match(flow, event, &expected));
        } else {
            apply(flow, event);
        }
    }
    if (!has_current) {
        return fail_with(flow->ctx, ST_INTERNAL, "", "the history has no end");
    }
    return current ? ST_OK : check_all_matched(flow, events[count - 1]->event_id);
}
