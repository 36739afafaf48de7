/* Schedules: workflows that Temporal starts by the clock. */
#include "common/temporal/call.h"
#include "common/temporal/payload.h"

#include "common/base/uuid.h"

#include <temporal/schedule.pb-c.h>

/* clang-format off */
static const Temporal__ScheduleOverlapPolicy overlaps[] = {
    [TEMPORAL_OVERLAP_SKIP] = TEMPORAL__SCHEDULE_OVERLAP_POLICY__SCHEDULE_OVERLAP_POLICY_SKIP,
    [TEMPORAL_OVERLAP_WAIT] = TEMPORAL__SCHEDULE_OVERLAP_POLICY__SCHEDULE_OVERLAP_POLICY_BUFFER_ONE,
    [TEMPORAL_OVERLAP_BOTH] = TEMPORAL__SCHEDULE_OVERLAP_POLICY__SCHEDULE_OVERLAP_POLICY_ALLOW_ALL,
};
/* clang-format on */

static Temporal__ScheduleSpec *spec_of(struct ctx *ctx, const struct temporal_schedule *schedule)
{
    Temporal__ScheduleSpec *spec =
        temporal_message(ctx->arena, &temporal__schedule_spec__descriptor);

    if (schedule->cron) {
        spec->cron_string = arena_new_array(ctx->arena, char *, 1);
        spec->cron_string[0] = message_text(schedule->cron);
        spec->n_cron_string = 1;
    } else {
        Temporal__IntervalSpec *every =
            temporal_message(ctx->arena, &temporal__interval_spec__descriptor);

        every->interval = duration_of(ctx->arena, schedule->every_ms);
        spec->interval = arena_new_array(ctx->arena, Temporal__IntervalSpec *, 1);
        spec->interval[0] = every;
        spec->n_interval = 1;
    }
    spec->timezone_name = message_text(schedule->time_zone ? schedule->time_zone : "");
    return spec;
}

static Temporal__ScheduleAction *action_of(struct ctx *ctx, const struct temporal_start *start)
{
    Temporal__ScheduleAction *action =
        temporal_message(ctx->arena, &temporal__schedule_action__descriptor);
    Temporal__NewWorkflowExecutionInfo *flow =
        temporal_message(ctx->arena, &temporal__new_workflow_execution_info__descriptor);

    flow->workflow_id = message_text(start->id);
    flow->workflow_type = flow_type_of(ctx->arena, start->type);
    flow->task_queue = task_queue_of(ctx->arena, start->task_queue);
    flow->input = payloads_json(ctx->arena, start->input);
    flow->workflow_execution_timeout = duration_of(ctx->arena, start->timeout_ms);
    flow->workflow_run_timeout = duration_of(ctx->arena, start->run_timeout_ms);
    flow->memo = memo_of(ctx->arena, start->memo_key, start->memo_json);
    action->action_case = TEMPORAL__SCHEDULE_ACTION__ACTION_START_WORKFLOW;
    action->start_workflow = flow;
    return action;
}

static Temporal__SchedulePatch *patch_now(struct ctx *ctx)
{
    Temporal__SchedulePatch *patch =
        temporal_message(ctx->arena, &temporal__schedule_patch__descriptor);

    patch->trigger_immediately =
        temporal_message(ctx->arena, &temporal__trigger_immediately_request__descriptor);
    patch->trigger_immediately->overlap_policy = overlaps[TEMPORAL_OVERLAP_BOTH];
    return patch;
}

static char *new_request_id(struct ctx *ctx)
{
    char id[ID_TEXT_SIZE];

    uuid_v7(id);
    return arena_strdup(ctx->arena, id);
}

enum status temporal_schedule_create(struct ctx *ctx, struct temporal *temporal,
                                     const struct temporal_schedule *schedule)
{
    Temporal__CreateScheduleRequest in = TEMPORAL__CREATE_SCHEDULE_REQUEST__INIT;
    Temporal__Schedule what = TEMPORAL__SCHEDULE__INIT;
    Temporal__SchedulePolicies policies = TEMPORAL__SCHEDULE_POLICIES__INIT;
    Temporal__ScheduleState state = TEMPORAL__SCHEDULE_STATE__INIT;

    policies.overlap_policy = overlaps[schedule->overlap];
    policies.catchup_window = duration_of(ctx->arena, schedule->catch_up_ms);
    what.spec = spec_of(ctx, schedule);
    what.action = action_of(ctx, &schedule->start);
    what.policies = &policies;
    what.state = &state;
    in.namespace_ = temporal->namespace_;
    in.identity = temporal->identity;
    in.schedule_id = message_text(schedule->id);
    in.schedule = &what;
    in.initial_patch = schedule->run_now ? patch_now(ctx) : NULL;
    in.request_id = new_request_id(ctx);
    return temporal_call(ctx, temporal, "CreateSchedule", &in,
                         &temporal__create_schedule_response__descriptor, NULL);
}

enum status temporal_schedule_describe(struct ctx *ctx, struct temporal *temporal, const char *id,
                                       struct temporal_schedule_info *info)
{
    Temporal__DescribeScheduleRequest in = TEMPORAL__DESCRIBE_SCHEDULE_REQUEST__INIT;
    Temporal__DescribeScheduleResponse *out;

    in.namespace_ = temporal->namespace_;
    in.schedule_id = message_text(id);
    TRY(temporal_call(ctx, temporal, "DescribeSchedule", &in,
                      &temporal__describe_schedule_response__descriptor, &out));
    const Temporal__ScheduleInfo *from = out->info;
    const Temporal__ScheduleActionResult *newest =
        from->n_recent_actions ? from->recent_actions[from->n_recent_actions - 1] : NULL;

    *info = (struct temporal_schedule_info){
        .paused = out->schedule && out->schedule->state && out->schedule->state->paused,
        .runs = from->action_count,
        .next_ms = from->n_future_action_times ? temporal_time_ms(from->future_action_times[0]) : 0,
        .newest_id = newest && newest->start_workflow_result
                         ? newest->start_workflow_result->workflow_id
                         : NULL,
    };
    return ST_OK;
}

static enum status patch(struct ctx *ctx, struct temporal *temporal, const char *id,
                         Temporal__SchedulePatch *what)
{
    Temporal__PatchScheduleRequest in = TEMPORAL__PATCH_SCHEDULE_REQUEST__INIT;

    in.namespace_ = temporal->namespace_;
    in.identity = temporal->identity;
    in.schedule_id = message_text(id);
    in.patch = what;
    in.request_id = new_request_id(ctx);
    return temporal_call(ctx, temporal, "PatchSchedule", &in,
                         &temporal__patch_schedule_response__descriptor, NULL);
}

enum status temporal_schedule_pause(struct ctx *ctx, struct temporal *temporal, const char *id,
                                    bool paused)
{
    Temporal__SchedulePatch what = TEMPORAL__SCHEDULE_PATCH__INIT;

    /* the text is the note that people see; an empty one would change nothing */
    what.pause = message_text(paused ? "paused" : "");
    what.unpause = message_text(paused ? "" : "goes on");
    return patch(ctx, temporal, id, &what);
}

enum status temporal_schedule_trigger(struct ctx *ctx, struct temporal *temporal, const char *id)
{
    return patch(ctx, temporal, id, patch_now(ctx));
}

enum status temporal_schedule_delete(struct ctx *ctx, struct temporal *temporal, const char *id)
{
    Temporal__DeleteScheduleRequest in = TEMPORAL__DELETE_SCHEDULE_REQUEST__INIT;

    in.namespace_ = temporal->namespace_;
    in.identity = temporal->identity;
    in.schedule_id = message_text(id);
    return temporal_call(ctx, temporal, "DeleteSchedule", &in,
                         &temporal__delete_schedule_response__descriptor, NULL);
}
