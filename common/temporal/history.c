/* Reading single events: which command one came from, and what one settles. Knows nothing of the
 * run; replay.c brings both together. */
#include "common/temporal/flow_run.h"
#include "common/temporal/payload.h"

#include <string.h>

static bool expect(struct flow_expected *expected, Temporal__CommandType type, const char *id,
                   const char *name)
{
    *expected = (struct flow_expected){.type = type, .id = id, .name = name};
    return true;
}

static bool expect_about(struct flow_expected *expected, Temporal__CommandType type, int64_t about)
{
    *expected = (struct flow_expected){.type = type, .about = about};
    return true;
}

static const char *patch_of(struct arena *arena,
                            const Temporal__MarkerRecordedEventAttributes *marker)
{
    for (size_t i = 0; strcmp(marker->marker_name, FLOW_MARKER) == 0 && i < marker->n_details;
         i++) {
        if (strcmp(marker->details[i]->key, FLOW_MARKER_KEY) == 0) {
            const char *json = payloads_text(arena, marker->details[i]->value);

            return json ? json : "";
        }
    }
    return "";
}

static bool expected_close(Temporal__EventType type, struct flow_expected *expected)
{
    switch ((int)type) {
    case EVENT(WORKFLOW_EXECUTION_COMPLETED):
        return expect(expected, COMMAND(COMPLETE_WORKFLOW_EXECUTION), NULL, NULL);
    case EVENT(WORKFLOW_EXECUTION_FAILED):
        return expect(expected, COMMAND(FAIL_WORKFLOW_EXECUTION), NULL, NULL);
    case EVENT(WORKFLOW_EXECUTION_CANCELED):
        return expect(expected, COMMAND(CANCEL_WORKFLOW_EXECUTION), NULL, NULL);
    case EVENT(WORKFLOW_EXECUTION_CONTINUED_AS_NEW):
        return expect(expected, COMMAND(CONTINUE_AS_NEW_WORKFLOW_EXECUTION), NULL, NULL);
    case EVENT(UPSERT_WORKFLOW_SEARCH_ATTRIBUTES): /* of commands that only other SDKs give */
    case EVENT(WORKFLOW_PROPERTIES_MODIFIED):
    case EVENT(NEXUS_OPERATION_SCHEDULED):
    case EVENT(NEXUS_OPERATION_CANCEL_REQUESTED):
        return expect(expected, COMMAND(UNSPECIFIED), NULL, NULL);
    default:
        return false;
    }
}

static bool expected_other(const Temporal__HistoryEvent *event, struct flow_expected *expected)
{
    const Temporal__StartChildWorkflowExecutionInitiatedEventAttributes *child =
        event->start_child_workflow_execution_initiated_event_attributes;
    const Temporal__SignalExternalWorkflowExecutionInitiatedEventAttributes *signal =
        event->signal_external_workflow_execution_initiated_event_attributes;
    const Temporal__RequestCancelExternalWorkflowExecutionInitiatedEventAttributes *cancel =
        event->request_cancel_external_workflow_execution_initiated_event_attributes;

    switch ((int)event->event_type) {
    case EVENT(START_CHILD_WORKFLOW_EXECUTION_INITIATED):
        return expect(expected, COMMAND(START_CHILD_WORKFLOW_EXECUTION), child->workflow_id,
                      child->workflow_type->name);
    case EVENT(SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED):
        return expect(expected, COMMAND(SIGNAL_EXTERNAL_WORKFLOW_EXECUTION),
                      signal->workflow_execution->workflow_id, signal->signal_name);
    case EVENT(REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED):
        return expect(expected, COMMAND(REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION),
                      cancel->workflow_execution->workflow_id, NULL);
    default:
        return expected_close(event->event_type, expected);
    }
}

bool flow_expected_of(struct arena *arena, const Temporal__HistoryEvent *event,
                      struct flow_expected *expected)
{
    const Temporal__ActivityTaskScheduledEventAttributes *activity =
        event->activity_task_scheduled_event_attributes;

    switch ((int)event->event_type) {
    case EVENT(ACTIVITY_TASK_SCHEDULED):
        return expect(expected, COMMAND(SCHEDULE_ACTIVITY_TASK), activity->activity_id,
                      activity->activity_type->name);
    case EVENT(ACTIVITY_TASK_CANCEL_REQUESTED):
        return expect_about(
            expected, COMMAND(REQUEST_CANCEL_ACTIVITY_TASK),
            event->activity_task_cancel_requested_event_attributes->scheduled_event_id);
    case EVENT(TIMER_STARTED):
        return expect(expected, COMMAND(START_TIMER),
                      event->timer_started_event_attributes->timer_id, NULL);
    case EVENT(TIMER_CANCELED):
        return expect(expected, COMMAND(CANCEL_TIMER),
                      event->timer_canceled_event_attributes->timer_id, NULL);
    case EVENT(MARKER_RECORDED):
        return expect(expected, COMMAND(RECORD_MARKER),
                      patch_of(arena, event->marker_recorded_event_attributes), NULL);
    default:
        return expected_other(event, expected);
    }
}

/* ---- what settles ------------------------------------------------------------------------- */

static bool settle(struct flow_settled *settled, int64_t about, enum status st, const char *json,
                   const char *message)
{
    *settled = (struct flow_settled){.about = about, .st = st, .json = json, .message = message};
    return true;
}

static bool settled_activity(struct arena *arena, const Temporal__HistoryEvent *event,
                             struct flow_settled *settled)
{
    const Temporal__ActivityTaskCompletedEventAttributes *done =
        event->activity_task_completed_event_attributes;
    const Temporal__ActivityTaskFailedEventAttributes *failed =
        event->activity_task_failed_event_attributes;
    const Temporal__ActivityTaskTimedOutEventAttributes *late =
        event->activity_task_timed_out_event_attributes;

    switch ((int)event->event_type) {
    case EVENT(ACTIVITY_TASK_COMPLETED):
        return settle(settled, done->scheduled_event_id, ST_OK, payloads_text(arena, done->result),
                      NULL);
    case EVENT(ACTIVITY_TASK_FAILED):
        return settle(settled, failed->scheduled_event_id, failure_told(failed->failure).st, NULL,
                      failure_told(failed->failure).message);
    case EVENT(ACTIVITY_TASK_TIMED_OUT):
        return settle(settled, late->scheduled_event_id, ST_TIMEOUT, NULL,
                      failure_told(late->failure).message);
    case EVENT(ACTIVITY_TASK_CANCELED):
        return settle(settled, event->activity_task_canceled_event_attributes->scheduled_event_id,
                      ST_CANCELLED, NULL, NULL);
    default:
        return false;
    }
}

static bool settled_child(struct arena *arena, const Temporal__HistoryEvent *event,
                          struct flow_settled *settled)
{
    const Temporal__ChildWorkflowExecutionCompletedEventAttributes *done =
        event->child_workflow_execution_completed_event_attributes;
    const Temporal__ChildWorkflowExecutionFailedEventAttributes *failed =
        event->child_workflow_execution_failed_event_attributes;

    switch ((int)event->event_type) {
    case EVENT(CHILD_WORKFLOW_EXECUTION_COMPLETED):
        return settle(settled, done->initiated_event_id, ST_OK, payloads_text(arena, done->result),
                      NULL);
    case EVENT(CHILD_WORKFLOW_EXECUTION_FAILED):
        return settle(settled, failed->initiated_event_id, failure_told(failed->failure).st, NULL,
                      failure_told(failed->failure).message);
    case EVENT(CHILD_WORKFLOW_EXECUTION_CANCELED):
        return settle(settled,
                      event->child_workflow_execution_canceled_event_attributes->initiated_event_id,
                      ST_CANCELLED, NULL, NULL);
    case EVENT(CHILD_WORKFLOW_EXECUTION_TIMED_OUT):
        return settle(
            settled, event->child_workflow_execution_timed_out_event_attributes->initiated_event_id,
            ST_TIMEOUT, NULL, NULL);
    case EVENT(CHILD_WORKFLOW_EXECUTION_TERMINATED):
        return settle(
            settled,
            event->child_workflow_execution_terminated_event_attributes->initiated_event_id,
            ST_INTERNAL, NULL, "terminated");
    case EVENT(START_CHILD_WORKFLOW_EXECUTION_FAILED):
        return settle(
            settled,
            event->start_child_workflow_execution_failed_event_attributes->initiated_event_id,
            ST_EXISTS, NULL, "the id is in use");
    default:
        return false;
    }
}

bool flow_settled_by(struct arena *arena, const Temporal__HistoryEvent *event,
                     struct flow_settled *settled)
{
    switch ((int)event->event_type) {
    case EVENT(EXTERNAL_WORKFLOW_EXECUTION_SIGNALED):
        return settle(
            settled,
            event->external_workflow_execution_signaled_event_attributes->initiated_event_id, ST_OK,
            NULL, NULL);
    case EVENT(SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED):
        return settle(
            settled,
            event->signal_external_workflow_execution_failed_event_attributes->initiated_event_id,
            ST_NOT_FOUND, NULL, "no such workflow runs");
    default:
        return settled_activity(arena, event, settled) || settled_child(arena, event, settled);
    }
}
