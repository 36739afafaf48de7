/* A history that grows: commands become events, and events wait for the next task. */
#include "tests/helpers/temporal/flow_sim.h"

#include "common/temporal/payload.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void *attributes(struct sim *sim, const ProtobufCMessageDescriptor *type)
{
    return temporal_message(sim->ctx->arena, type);
}

static Temporal__HistoryEvent *add(struct sim *sim, Temporal__EventType type)
{
    Temporal__HistoryEvent *event = attributes(sim, &temporal__history_event__descriptor);

    ck_assert_uint_lt(sim->count, SIM_MAX);
    sim->events[sim->count++] = event;
    event->event_id = (int64_t)sim->count;
    event->event_type = type;
    event->event_time = attributes(sim, &temporal__timestamp__descriptor);
    event->event_time->seconds = sim->now_ms / 1000;
    event->event_time->nanos = (int32_t)(sim->now_ms % 1000) * 1000000;
    return event;
}

struct sim *sim_new(flow_main *main, const char *input, int64_t now_ms)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    Temporal__WorkflowExecutionStartedEventAttributes *started;

    ck_assert_ptr_nonnull(sim);
    sim->ctx = ctx_new_system("test");
    sim->main = main;
    sim->now_ms = now_ms;
    sim->has_news = true;
    started = attributes(sim, &temporal__workflow_execution_started_event_attributes__descriptor);
    started->workflow_type = flow_type_of(sim->ctx->arena, "Sim");
    started->input = payloads_json(sim->ctx->arena, input);
    started->original_execution_run_id = message_text("11111111-2222-4333-8444-555555555555");
    add(sim, EVENT(WORKFLOW_EXECUTION_STARTED))->workflow_execution_started_event_attributes =
        started;
    return sim;
}

void sim_free(struct sim *sim)
{
    ctx_free(sim->ctx);
    stacks_free(&sim->stacks);
    free(sim);
}

void sim_signal(struct sim *sim, const char *name, const char *json)
{
    Temporal__WorkflowExecutionSignaledEventAttributes *a =
        attributes(sim, &temporal__workflow_execution_signaled_event_attributes__descriptor);

    a->signal_name = message_text(name);
    a->input = payloads_json(sim->ctx->arena, json);
    add(sim, EVENT(WORKFLOW_EXECUTION_SIGNALED))->workflow_execution_signaled_event_attributes = a;
    sim->has_news = true;
}

void sim_request_cancel(struct sim *sim)
{
    add(sim, EVENT(WORKFLOW_EXECUTION_CANCEL_REQUESTED));
    sim->has_news = true;
}

/* ---- what has ended ----------------------------------------------------------------------- */

static void fire(struct sim *sim, int64_t started)
{
    Temporal__TimerFiredEventAttributes *a =
        attributes(sim, &temporal__timer_fired_event_attributes__descriptor);

    a->started_event_id = started;
    add(sim, EVENT(TIMER_FIRED))->timer_fired_event_attributes = a;
}

static void complete(struct sim *sim, int64_t scheduled, const char *json)
{
    Temporal__ActivityTaskCompletedEventAttributes *a =
        attributes(sim, &temporal__activity_task_completed_event_attributes__descriptor);

    a->scheduled_event_id = scheduled;
    a->result = payloads_json(sim->ctx->arena, json ? json : "null");
    add(sim, EVENT(ACTIVITY_TASK_COMPLETED))->activity_task_completed_event_attributes = a;
}

static void refuse(struct sim *sim, int64_t scheduled, enum status st)
{
    Temporal__ActivityTaskFailedEventAttributes *a =
        attributes(sim, &temporal__activity_task_failed_event_attributes__descriptor);

    a->scheduled_event_id = scheduled;
    a->failure = failure_text(sim->ctx->arena, status_name(st), "played");
    add(sim, EVENT(ACTIVITY_TASK_FAILED))->activity_task_failed_event_attributes = a;
}

static void forget(struct sim *sim, size_t i)
{
    sim->waiting[i] = sim->waiting[--sim->waiting_count];
}

void sim_end(struct sim *sim, size_t i, enum status st, const char *json)
{
    const struct sim_waiting waiting = sim->waiting[i];

    forget(sim, i);
    if (!waiting.name) {
        fire(sim, waiting.event_id);
    } else if (st == ST_OK) {
        complete(sim, waiting.event_id, json);
    } else {
        refuse(sim, waiting.event_id, st);
    }
    sim->has_news = true;
}

/* ---- commands ----------------------------------------------------------------------------- */

static void wait_for(struct sim *sim, const struct sim_waiting *waiting)
{
    ck_assert_uint_lt(sim->waiting_count, SIM_WAITING_MAX);
    sim->waiting[sim->waiting_count++] = *waiting;
}

static void schedule(struct sim *sim, const struct flow_op *op)
{
    Temporal__ActivityTaskScheduledEventAttributes *a =
        attributes(sim, &temporal__activity_task_scheduled_event_attributes__descriptor);
    struct flow_activity *options = arena_new_struct(sim->ctx->arena, struct flow_activity);
    Temporal__HistoryEvent *event = add(sim, EVENT(ACTIVITY_TASK_SCHEDULED));

    *options = op->activity;
    a->activity_id = arena_strdup(sim->ctx->arena, op->id);
    a->activity_type = attributes(sim, &temporal__activity_type__descriptor);
    a->activity_type->name = arena_strdup(sim->ctx->arena, op->name);
    event->activity_task_scheduled_event_attributes = a;
    wait_for(sim, &(struct sim_waiting){.event_id = event->event_id,
                                        .at_ms = sim->now_ms,
                                        .name = a->activity_type->name,
                                        .input = arena_strdup(sim->ctx->arena, op->input),
                                        .options = options,
                                        .attempt = 1});
}

static void start_timer(struct sim *sim, const struct flow_op *op)
{
    Temporal__TimerStartedEventAttributes *a =
        attributes(sim, &temporal__timer_started_event_attributes__descriptor);
    Temporal__HistoryEvent *event = add(sim, EVENT(TIMER_STARTED));

    a->timer_id = arena_strdup(sim->ctx->arena, op->id);
    event->timer_started_event_attributes = a;
    wait_for(sim,
             &(struct sim_waiting){.event_id = event->event_id, .at_ms = sim->now_ms + op->ms});
}

static size_t waiting_at(const struct sim *sim, int64_t event_id)
{
    size_t i = 0;

    while (i < sim->waiting_count && sim->waiting[i].event_id != event_id) {
        i++;
    }
    return i;
}

/* Timers started in this very task have no event id in the code's eyes yet: by id. */
static int64_t timer_event(const struct sim *sim, const char *id)
{
    for (size_t i = sim->count; i-- > 0;) {
        const Temporal__HistoryEvent *event = sim->events[i];

        if (event->event_type == EVENT(TIMER_STARTED) &&
            strcmp(event->timer_started_event_attributes->timer_id, id) == 0) {
            return event->event_id;
        }
    }
    return 0;
}

static void cancel_timer(struct sim *sim, const struct flow_op *op)
{
    Temporal__TimerCanceledEventAttributes *a =
        attributes(sim, &temporal__timer_canceled_event_attributes__descriptor);

    a->timer_id = arena_strdup(sim->ctx->arena, op->id);
    a->started_event_id = timer_event(sim, op->id);
    size_t i = waiting_at(sim, a->started_event_id);
    ck_assert_uint_lt(i, sim->waiting_count);
    forget(sim, i);
    add(sim, EVENT(TIMER_CANCELED))->timer_canceled_event_attributes = a;
}

/* The activity is not told, and its end not waited for: as one that does not heartbeat. */
static void cancel_activity(struct sim *sim, const struct flow_op *op)
{
    Temporal__ActivityTaskCancelRequestedEventAttributes *a =
        attributes(sim, &temporal__activity_task_cancel_requested_event_attributes__descriptor);

    a->scheduled_event_id = op->event_id;
    add(sim, EVENT(ACTIVITY_TASK_CANCEL_REQUESTED))
        ->activity_task_cancel_requested_event_attributes = a;
}

static void become_event(struct sim *sim, const struct flow_command *command)
{
    switch ((int)command->type) {
    case COMMAND(SCHEDULE_ACTIVITY_TASK):
        schedule(sim, command->op);
        break;
    case COMMAND(REQUEST_CANCEL_ACTIVITY_TASK):
        cancel_activity(sim, command->op);
        break;
    case COMMAND(START_TIMER):
        start_timer(sim, command->op);
        break;
    case COMMAND(CANCEL_TIMER):
        cancel_timer(sim, command->op);
        break;
    default: /* the run is over */
        sim->closed_by = command->type;
        sim->result = command->json ? arena_strdup(sim->ctx->arena, command->json) : "";
        break;
    }
}

bool sim_work(struct sim *sim)
{
    struct ctx *ctx;
    const struct flow_start start = {.id = "sim",
                                     .run_id = "run",
                                     .type = "Sim",
                                     .task_queue = "queue",
                                     .namespace_ = "default",
                                     .main = sim->main,
                                     .stacks = &sim->stacks};

    if (!sim->has_news || sim->closed_by) {
        return false;
    }
    sim->has_news = false;
    add(sim, EVENT(WORKFLOW_TASK_SCHEDULED));
    add(sim, EVENT(WORKFLOW_TASK_STARTED))->workflow_task_started_event_attributes =
        attributes(sim, &temporal__workflow_task_started_event_attributes__descriptor);
    ctx = ctx_new_system("test");
    struct flow *flow = flow_new(ctx, &start);
    enum status st = flow_feed(flow, sim->events, sim->count, (int64_t)sim->count);

    ck_assert_msg(st == ST_OK, "%s", ctx->failure.detail ? ctx->failure.detail : "");
    add(sim, EVENT(WORKFLOW_TASK_COMPLETED));
    for (const struct flow_command *c = flow->commands; c && !sim->closed_by; c = c->next) {
        become_event(sim, c);
    }
    ctx_free(ctx);
    return true;
}
