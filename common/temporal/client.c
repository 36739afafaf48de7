/* Starting workflows and talking to them. */
#include "common/temporal/call.h"
#include "common/temporal/payload.h"

#include "common/base/uuid.h"

#include <temporal/client.pb-c.h>

/* Short, because a lost answer costs this long; long enough for a slow database. */
enum { TASK_TIMEOUT_MS = 10000 };

/* clang-format off */
static const Temporal__WorkflowIdReusePolicy reuse[] = {
    [TEMPORAL_REUSE_NEVER]  = TEMPORAL__WORKFLOW_ID_REUSE_POLICY__WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
    [TEMPORAL_REUSE_FAILED] = TEMPORAL__WORKFLOW_ID_REUSE_POLICY__WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
    [TEMPORAL_REUSE_ALWAYS] = TEMPORAL__WORKFLOW_ID_REUSE_POLICY__WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
};
static const Temporal__WorkflowIdConflictPolicy conflict[] = {
    [TEMPORAL_CONFLICT_FAIL]    = TEMPORAL__WORKFLOW_ID_CONFLICT_POLICY__WORKFLOW_ID_CONFLICT_POLICY_FAIL,
    [TEMPORAL_CONFLICT_USE]     = TEMPORAL__WORKFLOW_ID_CONFLICT_POLICY__WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
    [TEMPORAL_CONFLICT_REPLACE] = TEMPORAL__WORKFLOW_ID_CONFLICT_POLICY__WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
};
/* clang-format on */

static char *request_id(struct ctx *ctx, const char *given)
{
    char made[ID_TEXT_SIZE];

    if (given) {
        return message_text(given);
    }
    uuid_v7(made);
    return arena_strdup(ctx->arena, made);
}

enum status temporal_start(struct ctx *ctx, struct temporal *temporal,
                           const struct temporal_start *start, struct temporal_run *run)
{
    Temporal__StartWorkflowExecutionRequest in = TEMPORAL__START_WORKFLOW_EXECUTION_REQUEST__INIT;
    Temporal__StartWorkflowExecutionResponse *out;

    in.namespace_ = temporal->namespace_;
    in.identity = temporal->identity;
    in.workflow_id = message_text(start->id);
    in.workflow_type = flow_type_of(ctx->arena, start->type);
    in.task_queue = task_queue_of(ctx->arena, start->task_queue);
    in.input = payloads_json(ctx->arena, start->input);
    in.workflow_execution_timeout = duration_of(ctx->arena, start->timeout_ms);
    in.workflow_run_timeout = duration_of(ctx->arena, start->run_timeout_ms);
    in.workflow_task_timeout = duration_of(ctx->arena, TASK_TIMEOUT_MS);
    in.workflow_start_delay = duration_of(ctx->arena, start->delay_ms);
    in.workflow_id_reuse_policy = reuse[start->reuse];
    in.workflow_id_conflict_policy = conflict[start->conflict];
    in.request_id = request_id(ctx, start->request_id);
    in.memo = memo_of(ctx->arena, start->memo_key, start->memo_json);
    in.header = header_of_trace(ctx);
    TRY(temporal_call(ctx, temporal, "StartWorkflowExecution", &in,
                      &temporal__start_workflow_execution_response__descriptor, &out));
    if (run) {
        *run = (struct temporal_run){out->run_id, out->started};
    }
    return ST_OK;
}

enum status temporal_signal(struct ctx *ctx, struct temporal *temporal, const char *id,
                            const struct temporal_signal *signal)
{
    Temporal__SignalWorkflowExecutionRequest in = TEMPORAL__SIGNAL_WORKFLOW_EXECUTION_REQUEST__INIT;

    in.namespace_ = temporal->namespace_;
    in.identity = temporal->identity;
    in.workflow_execution = execution_of(ctx->arena, id, NULL);
    in.signal_name = message_text(signal->name);
    in.input = payloads_json(ctx->arena, signal->json);
    in.request_id = request_id(ctx, signal->request_id);
    in.header = header_of_trace(ctx);
    return temporal_call(ctx, temporal, "SignalWorkflowExecution", &in,
                         &temporal__signal_workflow_execution_response__descriptor, NULL);
}

/* Temporal compares the id of the whole request, so the signal's is the one that counts. */
enum status temporal_signal_with_start(struct ctx *ctx, struct temporal *temporal,
                                       const struct temporal_start *start,
                                       const struct temporal_signal *signal,
                                       struct temporal_run *run)
{
    Temporal__SignalWithStartWorkflowExecutionRequest in =
        TEMPORAL__SIGNAL_WITH_START_WORKFLOW_EXECUTION_REQUEST__INIT;
    Temporal__SignalWithStartWorkflowExecutionResponse *out;

    in.namespace_ = temporal->namespace_;
    in.identity = temporal->identity;
    in.workflow_id = message_text(start->id);
    in.workflow_type = flow_type_of(ctx->arena, start->type);
    in.task_queue = task_queue_of(ctx->arena, start->task_queue);
    in.input = payloads_json(ctx->arena, start->input);
    in.workflow_execution_timeout = duration_of(ctx->arena, start->timeout_ms);
    in.workflow_run_timeout = duration_of(ctx->arena, start->run_timeout_ms);
    in.workflow_task_timeout = duration_of(ctx->arena, TASK_TIMEOUT_MS);
    in.workflow_start_delay = duration_of(ctx->arena, start->delay_ms);
    in.workflow_id_reuse_policy = reuse[start->reuse];
    in.workflow_id_conflict_policy = conflict[TEMPORAL_CONFLICT_USE];
    in.signal_name = message_text(signal->name);
    in.signal_input = payloads_json(ctx->arena, signal->json);
    in.request_id = request_id(ctx, signal->request_id);
    in.memo = memo_of(ctx->arena, start->memo_key, start->memo_json);
    in.header = header_of_trace(ctx);
    TRY(temporal_call(ctx, temporal, "SignalWithStartWorkflowExecution", &in,
                      &temporal__signal_with_start_workflow_execution_response__descriptor, &out));
    if (run) {
        *run = (struct temporal_run){out->run_id, out->started};
    }
    return ST_OK;
}

enum status temporal_query(struct ctx *ctx, struct temporal *temporal, const char *id,
                           const char *query, const char *args, const char **json)
{
    Temporal__QueryWorkflowRequest in = TEMPORAL__QUERY_WORKFLOW_REQUEST__INIT;
    Temporal__WorkflowQuery asked = TEMPORAL__WORKFLOW_QUERY__INIT;
    Temporal__QueryWorkflowResponse *out;

    asked.query_type = message_text(query);
    asked.query_args = payloads_json(ctx->arena, args);
    in.namespace_ = temporal->namespace_;
    in.execution = execution_of(ctx->arena, id, NULL);
    in.query = &asked;
    TRY(temporal_call(ctx, temporal, "QueryWorkflow", &in,
                      &temporal__query_workflow_response__descriptor, &out));
    const char *text = payloads_text(ctx->arena, out->query_result);
    *json = text ? text : "null";
    return ST_OK;
}

enum status temporal_cancel(struct ctx *ctx, struct temporal *temporal, const char *id,
                            const char *reason)
{
    Temporal__RequestCancelWorkflowExecutionRequest in =
        TEMPORAL__REQUEST_CANCEL_WORKFLOW_EXECUTION_REQUEST__INIT;

    in.namespace_ = temporal->namespace_;
    in.identity = temporal->identity;
    in.workflow_execution = execution_of(ctx->arena, id, NULL);
    in.request_id = request_id(ctx, NULL);
    in.reason = message_text(reason ? reason : "");
    return temporal_call(ctx, temporal, "RequestCancelWorkflowExecution", &in,
                         &temporal__request_cancel_workflow_execution_response__descriptor, NULL);
}

enum status temporal_count(struct ctx *ctx, struct temporal *temporal, const char *query,
                           int64_t *count)
{
    Temporal__CountWorkflowExecutionsRequest in = TEMPORAL__COUNT_WORKFLOW_EXECUTIONS_REQUEST__INIT;
    Temporal__CountWorkflowExecutionsResponse *out;

    in.namespace_ = temporal->namespace_;
    in.query = message_text(query);
    TRY(temporal_call(ctx, temporal, "CountWorkflowExecutions", &in,
                      &temporal__count_workflow_executions_response__descriptor, &out));
    *count = out->count;
    return ST_OK;
}

enum status temporal_terminate(struct ctx *ctx, struct temporal *temporal, const char *id,
                               const char *reason)
{
    Temporal__TerminateWorkflowExecutionRequest in =
        TEMPORAL__TERMINATE_WORKFLOW_EXECUTION_REQUEST__INIT;

    in.namespace_ = temporal->namespace_;
    in.identity = temporal->identity;
    in.workflow_execution = execution_of(ctx->arena, id, NULL);
    in.reason = message_text(reason ? reason : "");
    return temporal_call(ctx, temporal, "TerminateWorkflowExecution", &in,
                         &temporal__terminate_workflow_execution_response__descriptor, NULL);
}
