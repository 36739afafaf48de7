/* Making events as the server would. */
#include "tests/helpers/temporal/history_made.h"

#include "common/base/text.h"
#include "common/temporal/payload.h"

#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Temporal__HistoryEvent *last(struct made *made)
{
    return made->events[made->count - 1];
}

int64_t made_event(struct made *made, Temporal__EventType type)
{
    Temporal__HistoryEvent *event =
        temporal_message(made->ctx->arena, &temporal__history_event__descriptor);

    ck_assert_uint_lt(made->count, MADE_MAX);
    made->events[made->count++] = event;
    event->event_id = (int64_t)made->count;
    event->event_type = type;
    event->event_time = temporal_message(made->ctx->arena, &temporal__timestamp__descriptor);
    event->event_time->seconds = MADE_TIME_S + event->event_id;
    return event->event_id;
}

static void *attributes(struct made *made, const ProtobufCMessageDescriptor *type)
{
    return temporal_message(made->ctx->arena, type);
}

struct made *made_new(const char *input)
{
    struct made *made = calloc(1, sizeof(*made));
    Temporal__WorkflowExecutionStartedEventAttributes *started;

    ck_assert_ptr_nonnull(made);
    made->ctx = ctx_new_system("test");
    made_event(made, EVENT(WORKFLOW_EXECUTION_STARTED));
    started = attributes(made, &temporal__workflow_execution_started_event_attributes__descriptor);
    started->workflow_type = flow_type_of(made->ctx->arena, "Made");
    started->input = payloads_json(made->ctx->arena, input);
    started->original_execution_run_id = message_text("11111111-2222-4333-8444-555555555555");
    last(made)->workflow_execution_started_event_attributes = started;
    return made;
}

void made_free(struct made *made)
{
    ctx_free(made->ctx); /* gives the stacks back */
    stacks_free(&made->stacks);
    free(made);
}

int64_t made_open_task(struct made *made)
{
    made_event(made, EVENT(WORKFLOW_TASK_SCHEDULED));
    made_event(made, EVENT(WORKFLOW_TASK_STARTED));
    last(made)->workflow_task_started_event_attributes =
        attributes(made, &temporal__workflow_task_started_event_attributes__descriptor);
    return (int64_t)made->count;
}

int64_t made_task(struct made *made)
{
    made_open_task(made);
    return made_event(made, EVENT(WORKFLOW_TASK_COMPLETED));
}

int64_t made_activity(struct made *made, const char *id, const char *name)
{
    Temporal__ActivityTaskScheduledEventAttributes *a =
        attributes(made, &temporal__activity_task_scheduled_event_attributes__descriptor);

    a->activity_id = message_text(id);
    a->activity_type = attributes(made, &temporal__activity_type__descriptor);
    a->activity_type->name = message_text(name);
    made_event(made, EVENT(ACTIVITY_TASK_SCHEDULED));
    last(made)->activity_task_scheduled_event_attributes = a;
    return (int64_t)made->count;
}

void made_activity_done(struct made *made, int64_t scheduled, const char *json)
{
    Temporal__ActivityTaskCompletedEventAttributes *a =
        attributes(made, &temporal__activity_task_completed_event_attributes__descriptor);

    a->scheduled_event_id = scheduled;
    a->result = payloads_json(made->ctx->arena, json);
    made_event(made, EVENT(ACTIVITY_TASK_COMPLETED));
    last(made)->activity_task_completed_event_attributes = a;
}

int64_t made_timer(struct made *made, const char *id)
{
    Temporal__TimerStartedEventAttributes *a =
        attributes(made, &temporal__timer_started_event_attributes__descriptor);

    a->timer_id = message_text(id);
    made_event(made, EVENT(TIMER_STARTED));
    last(made)->timer_started_event_attributes = a;
    return (int64_t)made->count;
}

void made_timer_fired(struct made *made, int64_t started)
{
    Temporal__TimerFiredEventAttributes *a =
        attributes(made, &temporal__timer_fired_event_attributes__descriptor);

    a->started_event_id = started;
    made_event(made, EVENT(TIMER_FIRED));
    last(made)->timer_fired_event_attributes = a;
}

void made_signal(struct made *made, const char *name, const char *json)
{
    Temporal__WorkflowExecutionSignaledEventAttributes *a =
        attributes(made, &temporal__workflow_execution_signaled_event_attributes__descriptor);

    a->signal_name = message_text(name);
    a->input = payloads_json(made->ctx->arena, json);
    made_event(made, EVENT(WORKFLOW_EXECUTION_SIGNALED));
    last(made)->workflow_execution_signaled_event_attributes = a;
}

void made_marker(struct made *made, const char *json)
{
    Temporal__MarkerRecordedEventAttributes *a =
        attributes(made, &temporal__marker_recorded_event_attributes__descriptor);

    a->marker_name = message_text(FLOW_MARKER);
    a->details = arena_new_array(made->ctx->arena,
                                 Temporal__MarkerRecordedEventAttributes__DetailsEntry *, 1);
    a->details[0] =
        attributes(made, &temporal__marker_recorded_event_attributes__details_entry__descriptor);
    a->details[0]->key = message_text(FLOW_MARKER_KEY);
    a->details[0]->value = payloads_json(made->ctx->arena, json);
    a->n_details = 1;
    made_event(made, EVENT(MARKER_RECORDED));
    last(made)->marker_recorded_event_attributes = a;
}

enum status made_feed(struct made *made, flow_main *main, int64_t current)
{
    const struct flow_start start = {.id = "made",
                                     .run_id = "run",
                                     .type = "Made",
                                     .task_queue = "queue",
                                     .namespace_ = "default",
                                     .main = main,
                                     .stacks = &made->stacks};

    ctx_forgive(made->ctx);
    made->flow = flow_new(made->ctx, &start);
    return flow_feed(made->flow, made->events, made->count, current);
}

const char *made_commands(struct made *made)
{
    struct text list = text_new(made->ctx->arena, 128);

    for (const struct flow_command *c = made->flow->commands; c; c = c->next) {
        const char *name =
            protobuf_c_enum_descriptor_get_value(&temporal__command_type__descriptor, (int)c->type)
                ->name;

        text_printf(&list, "%s(%s %s) ", name + strlen("COMMAND_TYPE_"), c->op ? c->op->id : "",
                    c->op     ? c->op->name
                    : c->json ? c->json
                              : "");
    }
    return list.data;
}

static int nibble(int c)
{
    return isdigit(c) ? c - '0' : c - 'a' + 10;
}

struct temporal_bytes history_read(struct ctx *ctx, const char *name)
{
    return history_read_from(ctx, "tests/unit/common/temporal/histories", name);
}

struct temporal_bytes history_read_from(struct ctx *ctx, const char *folder, const char *name)
{
    FILE *file = fopen(arena_printf(ctx->arena, "%s/%s/%s.hex", SOURCE_DIR, folder, name), "re");
    struct text bytes = text_new(ctx->arena, 4096);

    ck_assert_msg(file != NULL, "there is no history %s", name);
    for (int high = fgetc(file); high != EOF; high = fgetc(file)) {
        if (isxdigit(high)) {
            text_add_char(&bytes, (char)(nibble(high) << 4 | nibble(fgetc(file))));
        }
    }
    fclose(file);
    return (struct temporal_bytes){bytes.data, bytes.length};
}
