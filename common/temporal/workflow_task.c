/* A workflow task: history in, commands out. A task that cannot be done honestly is not answered
 * with half of it: the first attempt tells Temporal why it failed, the later ones are left to their
 * time limit (10 s), since answering them makes a loop that ends in a ten-minute task. */
#include "common/temporal/flow_poller.h"
#include "common/temporal/flow_run.h"
#include "common/temporal/payload.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/obs/span.h"

#include <temporal/client.pb-c.h>

#include <string.h>

#define CAUSE(name) TEMPORAL__WORKFLOW_TASK_FAILED_CAUSE__WORKFLOW_TASK_FAILED_CAUSE_##name

enum {
    ANSWER_WITHIN_MS = 8000, /* after that the task is another worker's */
    FREE_ATTEMPTS = 3,
    FIRST_PAUSE_MS = 50,
    MOST_DOUBLINGS = 6, /* 3.2 s */
};

struct task {
    struct flow_worker *worker;
    Temporal__PollWorkflowTaskQueueResponse *from;
    Temporal__HistoryEvent **events;
    size_t count;
    struct flow *flow;
    int64_t until_ms;
};

flow_main *flow_find(const struct flow_type *flows, const char *name)
{
    while (flows && flows->name && strcmp(flows->name, name) != 0) {
        flows++;
    }
    return flows ? flows->main : NULL;
}

static char *namespace_of(const struct task *task)
{
    return task->worker->options.temporal->namespace_;
}

static char *identity_of(const struct task *task)
{
    return task->worker->options.temporal->identity;
}

static enum status answer(struct ctx *ctx, struct task *task, const char *method, const void *in,
                          const ProtobufCMessageDescriptor *out_type)
{
    const struct insistence insistence = {method, task->until_ms, &task->worker->is_hurrying};

    return temporal_insist(ctx, task->worker->options.temporal, &insistence, in, out_type);
}

/* ---- the whole history -------------------------------------------------------------------- */

static void add_events(struct ctx *ctx, struct task *task, const Temporal__History *history)
{
    if (!history || history->n_events == 0) {
        return;
    }
    size_t total = task->count + history->n_events;
    Temporal__HistoryEvent **all = arena_new_array(ctx->arena, Temporal__HistoryEvent *, total);

    if (task->count) {
        memcpy(all, task->events, task->count * sizeof(all[0]));
    }
    memcpy(all + task->count, history->events, history->n_events * sizeof(all[0]));
    task->events = all;
    task->count = total;
}

static enum status collect_history(struct ctx *ctx, struct task *task)
{
    Temporal__GetWorkflowExecutionHistoryRequest in =
        TEMPORAL__GET_WORKFLOW_EXECUTION_HISTORY_REQUEST__INIT;
    Temporal__GetWorkflowExecutionHistoryResponse *page;

    add_events(ctx, task, task->from->history);
    in.namespace_ = namespace_of(task);
    in.execution = task->from->workflow_execution;
    in.next_page_token = task->from->next_page_token;
    while (in.next_page_token.len > 0) {
        TRY(temporal_call(ctx, task->worker->options.temporal, "GetWorkflowExecutionHistory", &in,
                          &temporal__get_workflow_execution_history_response__descriptor, &page));
        add_events(ctx, task, page->history);
        in.next_page_token = page->next_page_token;
    }
    return ST_OK;
}

/* ---- answers ------------------------------------------------------------------------------ */

static enum status answer_query(struct ctx *ctx, struct task *task, enum status st)
{
    Temporal__RespondQueryTaskCompletedRequest in =
        TEMPORAL__RESPOND_QUERY_TASK_COMPLETED_REQUEST__INIT;
    const Temporal__WorkflowQuery *query = task->from->query;
    const char *refused = ctx->failure.detail ? ctx->failure.detail : "the history does not replay";
    const char *json = st == ST_OK
                           ? flow_ask(task->flow, query->query_type,
                                      payloads_text(ctx->arena, query->query_args), &refused)
                           : NULL;

    in.namespace_ = namespace_of(task);
    in.task_token = task->from->task_token;
    in.completed_type = json ? TEMPORAL__QUERY_RESULT_TYPE__QUERY_RESULT_TYPE_ANSWERED
                             : TEMPORAL__QUERY_RESULT_TYPE__QUERY_RESULT_TYPE_FAILED;
    in.query_result = payloads_json(ctx->arena, json);
    in.error_message = message_text(json ? "" : refused);
    atomic_fetch_add(&task->worker->counters.queries, 1);
    return answer(ctx, task, "RespondQueryTaskCompleted", &in,
                  &temporal__respond_query_task_completed_response__descriptor);
}

static Temporal__WorkflowQueryResult *ask(struct ctx *ctx, struct task *task,
                                          const Temporal__WorkflowQuery *query)
{
    Temporal__WorkflowQueryResult *result =
        temporal_message(ctx->arena, &temporal__workflow_query_result__descriptor);
    const char *refused = "";
    const char *json = flow_ask(task->flow, query->query_type,
                                payloads_text(ctx->arena, query->query_args), &refused);

    result->result_type = json ? TEMPORAL__QUERY_RESULT_TYPE__QUERY_RESULT_TYPE_ANSWERED
                               : TEMPORAL__QUERY_RESULT_TYPE__QUERY_RESULT_TYPE_FAILED;
    result->answer = payloads_json(ctx->arena, json);
    result->error_message = message_text(refused);
    atomic_fetch_add(&task->worker->counters.queries, 1);
    return result;
}

/* Queries that came with a task. */
static void answer_queries(struct ctx *ctx, struct task *task,
                           Temporal__RespondWorkflowTaskCompletedRequest *to)
{
    size_t count = task->from->n_queries;

    to->query_results = arena_new_array(
        ctx->arena, Temporal__RespondWorkflowTaskCompletedRequest__QueryResultsEntry *, count + 1);
    for (size_t i = 0; i < count; i++) {
        to->query_results[i] = temporal_message(
            ctx->arena,
            &temporal__respond_workflow_task_completed_request__query_results_entry__descriptor);
        to->query_results[i]->key = task->from->queries[i]->key;
        to->query_results[i]->value = ask(ctx, task, task->from->queries[i]->value);
    }
    to->n_query_results = count;
}

static const char *closed_as(const struct flow *flow)
{
    switch ((int)flow->closed_by) {
    case COMMAND(COMPLETE_WORKFLOW_EXECUTION):
        return "completed";
    case COMMAND(CANCEL_WORKFLOW_EXECUTION):
        return "cancelled";
    case COMMAND(CONTINUE_AS_NEW_WORKFLOW_EXECUTION):
        return "continued";
    default:
        return "failed";
    }
}

/* ---- its trace ---------------------------------------------------------------------------- */

/* The run is one span, which the request's is above and those of tasks and activities are below: it
 * is told of by whoever closed it. */
static void trace_run(const struct ctx *ctx, const struct task *task)
{
    int64_t started_us = temporal_time_ms(task->events[0]->event_time) * 1000;
    struct span span = span_of(ctx, clock_monotonic_us() - (clock_wall_us() - started_us));

    span_end(&span, SPAN_INTERNAL, task->flow->type,
             log_text("temporal.workflow_id", task->flow->id),
             log_text("temporal.outcome", closed_as(task->flow)));
}

static void trace_task(const struct ctx *ctx, const struct task *task, enum status st,
                       int64_t began_us)
{
    struct span span;

    span_begin(&span, ctx);
    span.began_us = began_us; /* the trace was not known before the history was */
    span_failed(&span, ctx, st);
    span_end(&span, SPAN_CONSUMER, "workflow task",
             log_text("temporal.workflow", task->from->workflow_type->name),
             log_text("temporal.workflow_id", task->from->workflow_execution->workflow_id),
             log_num("temporal.attempt", task->from->attempt));
}

/* ---- answers to tasks --------------------------------------------------------------------- */

/* Newer events came while we worked (a signal, mostly), or the task was given up: Temporal makes a
 * new task of it, with those events. */
static bool is_overtaken(const struct ctx *ctx, enum status st)
{
    return st == ST_NOT_FOUND || (st == ST_INVALID && ctx->failure.detail &&
                                  strstr(ctx->failure.detail, "UnhandledCommand"));
}

/* A command that Temporal does not take (a name that is empty, a payload that is too large) comes
 * again at once with the next attempt: the later ones are slowed down, within the task's time. */
static void slow_down(const struct task *task)
{
    int late = task->from->attempt - FREE_ATTEMPTS;

    if (late > 0) {
        clock_pause_ms(late < MOST_DOUBLINGS ? FIRST_PAUSE_MS << late
                                             : FIRST_PAUSE_MS << MOST_DOUBLINGS);
    }
}

static enum status answer_task(struct ctx *ctx, struct task *task)
{
    Temporal__RespondWorkflowTaskCompletedRequest in =
        TEMPORAL__RESPOND_WORKFLOW_TASK_COMPLETED_REQUEST__INIT;

    in.namespace_ = namespace_of(task);
    in.identity = identity_of(task);
    in.task_token = task->from->task_token;
    answer_queries(ctx, task, &in);
    slow_down(task);
    in.commands = flow_encode(task->flow, &in.n_commands);
    enum status st = answer(ctx, task, "RespondWorkflowTaskCompleted", &in,
                            &temporal__respond_workflow_task_completed_response__descriptor);
    atomic_fetch_add(&task->worker->counters.tasks_refused, st != ST_OK);
    if (is_overtaken(ctx, st)) {
        log_debug(ctx, "workflow task overtaken", log_text("workflow", task->flow->id),
                  log_text("why", ctx->failure.detail));
        ctx_forgive(ctx);
        return ST_OK;
    }
    TRY(st);
    if (task->flow->is_closed) {
        trace_run(ctx, task);
        metric_add(
            METRIC_SERIES(task->worker->flows_closed, task->flow->type, closed_as(task->flow)), 1);
    }
    return ST_OK;
}

static enum status answer_failed(struct ctx *ctx, struct task *task, enum status st)
{
    Temporal__RespondWorkflowTaskFailedRequest in =
        TEMPORAL__RESPOND_WORKFLOW_TASK_FAILED_REQUEST__INIT;
    const char *why = ctx->failure.detail ? ctx->failure.detail : "";

    atomic_fetch_add(&task->worker->counters.tasks_failed, 1);
    log_warn(ctx, "workflow task failed",
             log_text("workflow", task->from->workflow_execution->workflow_id),
             log_num("attempt", task->from->attempt), log_text("why", why));
    if (task->from->attempt > 1) {
        return ST_OK;
    }
    in.namespace_ = namespace_of(task);
    in.identity = identity_of(task);
    in.task_token = task->from->task_token;
    in.failure = failure_text(
        ctx->arena, st == ST_CONFLICT ? "NonDeterministicError" : "WorkflowTaskError", why);
    in.cause = st == ST_CONFLICT ? CAUSE(NON_DETERMINISTIC_ERROR)
                                 : CAUSE(WORKFLOW_WORKER_UNHANDLED_FAILURE);
    ctx_forgive(ctx);
    st = answer(ctx, task, "RespondWorkflowTaskFailed", &in,
                &temporal__respond_workflow_task_failed_response__descriptor);
    return is_overtaken(ctx, st) ? ST_OK : st;
}

/* ---- a task ------------------------------------------------------------------------------- */

static enum status replay(struct ctx *ctx, struct task *task, struct stacks *stacks)
{
    const struct flow_worker_options *options = &task->worker->options;
    const struct flow_start start = {
        .id = task->from->workflow_execution->workflow_id,
        .run_id = task->from->workflow_execution->run_id,
        .type = task->from->workflow_type->name,
        .task_queue = options->task_queue,
        .namespace_ = options->temporal->namespace_,
        .main = flow_find(options->flows, task->from->workflow_type->name),
        .stacks = stacks,
    };

    if (!start.main) {
        return fail_with(ctx, ST_UNIMPLEMENTED, "", "workflow %s is not known here", start.type);
    }
    task->flow = flow_new(ctx, &start);
    atomic_fetch_add(&task->worker->counters.events, (long long)task->count);
    return flow_feed(task->flow, task->events, task->count,
                     task->from->query ? 0 : task->from->started_event_id);
}

static enum status work(struct ctx *ctx, struct task *task, struct stacks *stacks)
{
    int64_t began_us = clock_monotonic_us();

    atomic_fetch_add(&task->worker->counters.tasks, 1);
    TRY(collect_history(ctx, task)); /* not had: no answer, and Temporal gives it out again */
    enum status st = replay(ctx, task, stacks);

    metric_add(METRIC_SERIES(task->worker->tasks_seen, task->from->workflow_type->name,
                             st == ST_OK ? "ok" : "failed"),
               1);
    if (task->from->query) {
        return answer_query(ctx, task, st);
    }
    st = st == ST_OK ? answer_task(ctx, task) : answer_failed(ctx, task, st);
    trace_task(ctx, task, st, began_us);
    return st;
}

enum status flow_poll_tasks(struct ctx *ctx, struct flow_poller *poller)
{
    struct flow_worker *worker = poller->worker;
    const struct long_poll poll = {worker->polls, "PollWorkflowTaskQueue", worker->options.poll_ms};
    Temporal__PollWorkflowTaskQueueRequest in = TEMPORAL__POLL_WORKFLOW_TASK_QUEUE_REQUEST__INIT;
    struct task task = {.worker = worker};

    in.namespace_ = worker->options.temporal->namespace_;
    in.identity = worker->options.temporal->identity;
    in.task_queue = task_queue_of(ctx->arena, worker->options.task_queue);
    TRY(temporal_poll(ctx, &poll, &in, &temporal__poll_workflow_task_queue_response__descriptor,
                      &task.from));
    if (task.from->task_token.len == 0) {
        return ST_OK; /* nothing to do in all that time */
    }
    task.until_ms = clock_monotonic_ms() + ANSWER_WITHIN_MS;
    if (work(ctx, &task, &poller->stacks) != ST_OK) {
        log_failure(ctx, "workflow task");
    }
    return ST_OK;
}

/* ---- recorded histories ------------------------------------------------------------------- */

static enum status replay_recorded(struct ctx *ctx, const struct flow_type *flows,
                                   const Temporal__History *history, struct stacks *stacks)
{
    const Temporal__HistoryEvent *first = history->n_events ? history->events[0] : NULL;

    if (!first || !first->workflow_execution_started_event_attributes) {
        return fail_with(ctx, ST_INVALID, "", "no history");
    }
    const Temporal__WorkflowExecutionStartedEventAttributes *started =
        first->workflow_execution_started_event_attributes;
    const struct flow_start start = {
        .id = started->workflow_id,
        .run_id = started->original_execution_run_id,
        .type = started->workflow_type->name,
        .task_queue = "replayed",
        .namespace_ = "replayed",
        .main = flow_find(flows, started->workflow_type->name),
        .stacks = stacks,
    };
    if (!start.main) {
        return fail_with(ctx, ST_UNIMPLEMENTED, "", "workflow %s is not known here", start.type);
    }
    return flow_feed(flow_new(ctx, &start), history->events, history->n_events, 0);
}

/* In a ctx of its own: the stacks go with it. */
enum status flow_replay(struct ctx *ctx, const struct flow_type *flows, const void *history,
                        size_t size)
{
    Temporal__History *unpacked = temporal__history__unpack(NULL, size, history);
    struct stacks stacks = {.count = 0};
    struct ctx *inner = ctx_new_system("replay");
    enum status st = unpacked ? replay_recorded(inner, flows, unpacked, &stacks)
                              : fail_with(inner, ST_INVALID, "", "no history");

    if (st != ST_OK) {
        fail_with(ctx, st, "", "%s", inner->failure.detail ? inner->failure.detail : "");
    }
    ctx_free(inner);
    stacks_free(&stacks);
    if (unpacked) {
        temporal__history__free_unpacked(unpacked, NULL);
    }
    return st;
}
