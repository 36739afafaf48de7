/* The lines of work of a run: its main function is the first of them. */
#include "common/temporal/flow_run.h"

bool flow_branch_is_stopped(const struct flow_branch *branch)
{
    return branch->flow->is_cancelled && branch->shields <= 0;
}

static void run(void *user)
{
    struct flow_branch *branch = user;

    branch->main(branch->flow, branch->user);
}

struct flow_branch *flow_branch_new(struct flow *flow, flow_branch_main *main, void *user)
{
    struct flow_branch *branch = arena_new_struct(flow->ctx->arena, struct flow_branch);
    struct flow_branch **end = &flow->branches;

    *branch = (struct flow_branch){.flow = flow, .main = main, .user = user};
    branch->coroutine = coroutine_new(flow->ctx->arena, flow->stacks, run, branch);
    branch->shields = flow->current ? flow->current->shields : 0;
    while (*end) {
        end = &(*end)->next;
    }
    *end = branch;
    return branch;
}

void flow_branch_pause(struct flow_branch *branch,
                       bool (*is_ready)(struct flow_branch *branch, void *what), void *what)
{
    if (is_ready(branch, what)) {
        return;
    }
    branch->is_ready = is_ready;
    branch->what = what;
    coroutine_pause(branch->coroutine);
}

static bool go_on(struct flow_branch *branch)
{
    struct flow *flow = branch->flow;

    if (flow->is_closed || coroutine_is_over(branch->coroutine) ||
        (branch->is_ready && !branch->is_ready(branch, branch->what))) {
        return false;
    }
    branch->is_ready = NULL;
    flow->current = branch;
    coroutine_resume(branch->coroutine);
    flow->current = NULL;
    return true;
}

void flow_go_on(struct flow *flow)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (struct flow_branch *branch = flow->branches; branch; branch = branch->next) {
            moved = go_on(branch) || moved;
        }
    }
}

struct flow_branch *flow_fork(struct flow *flow, flow_branch_main *main, void *user)
{
    return flow_branch_new(flow, main, user);
}

static bool is_over(struct flow_branch *branch, void *what)
{
    const struct flow_branch *other = what;

    (void)branch;
    return coroutine_is_over(other->coroutine);
}

void flow_join(struct flow *flow, struct flow_branch *branch)
{
    if (flow->current) {
        flow_branch_pause(flow->current, is_over, branch);
    }
}
