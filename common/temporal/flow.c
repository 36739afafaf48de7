/* What workflows call: each asks for something with a command, then waits for the event that
 * settles it. Branches, signals and versions are in their own files. */
#include "common/temporal/flow_run.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_START_TO_CLOSE_MS = 10000 };

struct ctx *flow_ctx(struct flow *flow)
{
    return flow->ctx;
}

const char *flow_id(const struct flow *flow)
{
    return flow->id;
}

const char *flow_run_id(const struct flow *flow)
{
    return flow->run_id;
}

int64_t flow_now_ms(const struct flow *flow)
{
    return flow->now_ms;
}

int64_t flow_until(const struct flow *flow, int64_t at_ms)
{
    return at_ms > flow->now_ms ? at_ms - flow->now_ms : 0;
}

uint64_t flow_random(struct flow *flow) /* splitmix64 */
{
    flow->random += 0x9e3779b97f4a7c15u;
    uint64_t z = flow->random;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

bool flow_is_replaying(const struct flow *flow)
{
    return flow->is_replaying;
}

bool flow_is_cancelled(const struct flow *flow)
{
    return flow->is_cancelled;
}

bool flow_is_long(const struct flow *flow)
{
    return flow->is_long;
}

void flow_shield(struct flow *flow, bool on)
{
    if (flow->current) {
        flow->current->shields += on ? 1 : -1;
    }
}

/* ---- asking and waiting ------------------------------------------------------------------- */

struct flow_op *flow_op_new(struct flow *flow, const char *id, const char *name)
{
    struct flow_op *op = arena_new_struct(flow->ctx->arena, struct flow_op);

    op->id = arena_strdup(flow->ctx->arena, id);
    op->name = arena_strdup(flow->ctx->arena, name);
    op->next = flow->ops;
    flow->ops = op;
    return op;
}

struct flow_command *flow_command_new(struct flow *flow, Temporal__CommandType type,
                                      struct flow_op *op)
{
    struct flow_command *command = arena_new_struct(flow->ctx->arena, struct flow_command);

    command->type = type;
    command->op = op;
    *flow->commands_end = command;
    flow->commands_end = &command->next;
    return command;
}

static enum status stopped(struct flow *flow)
{
    return fail_with(flow->ctx, ST_CANCELLED, "", "workflow cancelled");
}

static enum status may_begin(struct flow *flow)
{
    if (!flow->current) {
        return fail_with(flow->ctx, ST_INTERNAL, "", "a query must not wait");
    }
    return flow_branch_is_stopped(flow->current) ? stopped(flow) : ST_OK;
}

static bool is_done(struct flow_branch *branch, void *what)
{
    const struct flow_op *op = what;

    (void)branch;
    return op->is_done;
}

static bool is_done_or_stopped(struct flow_branch *branch, void *what)
{
    return is_done(branch, what) || flow_branch_is_stopped(branch);
}

static enum status outcome_of(struct flow *flow, const struct flow_op *op, const char **result)
{
    if (op->st != ST_OK) {
        return fail_with(flow->ctx, op->st, "", "%s: %s", op->name,
                         op->message ? op->message : status_name(op->st));
    }
    if (result) {
        *result = op->json ? op->json : "null";
    }
    return ST_OK;
}

static const char *copy(struct flow *flow, const char *text)
{
    return text ? arena_strdup(flow->ctx->arena, text) : NULL;
}

enum status flow_activity(struct flow *flow, const char *name, const char *input,
                          const struct flow_activity *options, const char **result)
{
    char id[16];

    TRY(may_begin(flow));
    snprintf(id, sizeof(id), "%d", ++flow->activities);
    struct flow_op *op = flow_op_new(flow, id, name);
    op->input = copy(flow, input);
    op->activity = options ? *options : (struct flow_activity){0};
    if (!op->activity.start_to_close_ms) {
        op->activity.start_to_close_ms = DEFAULT_START_TO_CLOSE_MS;
    }
    flow_command_new(flow, COMMAND(SCHEDULE_ACTIVITY_TASK), op);
    flow_branch_pause(flow->current, is_done_or_stopped, op);
    if (!op->is_done) {
        flow_command_new(flow, COMMAND(REQUEST_CANCEL_ACTIVITY_TASK), op);
        if (!op->activity.finish_on_cancel) {
            return stopped(flow);
        }
        flow_branch_pause(flow->current, is_done, op);
    }
    return outcome_of(flow, op, result);
}

static struct flow_op *timer_start(struct flow *flow, int64_t ms)
{
    char id[16];

    snprintf(id, sizeof(id), "%d", ++flow->timers);
    struct flow_op *op = flow_op_new(flow, id, "timer");
    op->ms = ms;
    flow_command_new(flow, COMMAND(START_TIMER), op);
    return op;
}

static void timer_cancel(struct flow *flow, struct flow_op *timer)
{
    if (!timer->is_done) {
        flow_command_new(flow, COMMAND(CANCEL_TIMER), timer);
        timer->is_done = true;
    }
}

enum status flow_sleep(struct flow *flow, int64_t ms)
{
    TRY(may_begin(flow));
    if (ms <= 0) {
        return ST_OK;
    }
    struct flow_op *timer = timer_start(flow, ms);

    flow_branch_pause(flow->current, is_done_or_stopped, timer);
    if (timer->is_done) {
        return ST_OK;
    }
    timer_cancel(flow, timer);
    return stopped(flow);
}

/* ---- signals ------------------------------------------------------------------------------ */

struct signal_wait {
    const char *const *names;
    struct flow_op *timer;
    struct flow_arrival *hit;
};

static bool is_named(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0) {
        names++;
    }
    return *names != NULL;
}

static bool is_signalled(struct flow_branch *branch, void *what)
{
    struct signal_wait *wait = what;
    struct flow_arrival *a = branch->flow->signals;

    while (a && (a->is_taken || !is_named(wait->names, a->signal.name))) {
        a = a->next;
    }
    wait->hit = a;
    return a || flow_branch_is_stopped(branch) || (wait->timer && wait->timer->is_done);
}

enum status flow_wait_signal(struct flow *flow, const char *const *names, int64_t timeout_ms,
                             struct flow_signal *signal)
{
    struct signal_wait wait = {.names = names};

    TRY(may_begin(flow));
    if (!is_signalled(flow->current, &wait) && timeout_ms != 0) { /* who came needs no timer */
        wait.timer = timeout_ms > 0 ? timer_start(flow, timeout_ms) : NULL;
        flow_branch_pause(flow->current, is_signalled, &wait);
        if (wait.timer) {
            timer_cancel(flow, wait.timer);
        }
    }
    if (!wait.hit) {
        return flow_branch_is_stopped(flow->current)
                   ? stopped(flow)
                   : fail_with(flow->ctx, ST_TIMEOUT, "", "no signal %s in time", names[0]);
    }
    wait.hit->is_taken = true;
    if (signal) {
        *signal = wait.hit->signal;
    }
    return ST_OK;
}

enum status flow_signal_other(struct flow *flow, const char *id, const char *name, const char *json)
{
    TRY(may_begin(flow));
    struct flow_op *op = flow_op_new(flow, id, name);

    op->input = copy(flow, json);
    flow_command_new(flow, COMMAND(SIGNAL_EXTERNAL_WORKFLOW_EXECUTION), op);
    flow_branch_pause(flow->current, is_done, op); /* Temporal always answers, and soon */
    return outcome_of(flow, op, NULL);
}

/* ---- other workflows ---------------------------------------------------------------------- */

static bool is_far_enough(struct flow_branch *branch, void *what)
{
    const struct flow_op *op = what;

    return op->is_done || (op->is_started && op->child.only_start) ||
           flow_branch_is_stopped(branch);
}

enum status flow_child(struct flow *flow, const struct flow_child *child, const char *input,
                       const char **result)
{
    TRY(may_begin(flow));
    struct flow_op *op = flow_op_new(flow, child->id, child->type);

    op->child = *child;
    op->input = copy(flow, input);
    flow_command_new(flow, COMMAND(START_CHILD_WORKFLOW_EXECUTION), op);
    flow_branch_pause(flow->current, is_far_enough, op);
    if (!op->is_done && child->only_start && op->is_started) {
        return ST_OK;
    }
    if (!op->is_done) { /* its end is waited for: ours would cut its compensation short */
        flow_command_new(flow, COMMAND(REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION), op);
        flow_branch_pause(flow->current, is_done, op);
    }
    return outcome_of(flow, op, result);
}

enum status flow_continue_as_new(struct flow *flow, const char *input)
{
    flow->is_continued = true;
    flow->input = copy(flow, input);
    return ST_OK;
}
