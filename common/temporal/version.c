/* Versions of changes, and queries: what a run knows of itself. A version is a marker in the
 * history with the name and content of the official SDKs' patches, so that their replayers
 * understand it. */
#include "common/temporal/flow_run.h"

#include "common/base/clock.h"

#include <string.h>

static const char *marker_of(struct arena *arena, const char *change, int version)
{
    return version > 1
               ? arena_printf(arena, "{\"id\":\"%s-v%d\",\"deprecated\":false}", change, version)
               : arena_printf(arena, "{\"id\":\"%s\",\"deprecated\":false}", change);
}

static bool history_has(const struct flow *flow, const char *marker)
{
    const struct flow_marker *m = flow->markers;

    while (m && strcmp(m->json, marker) != 0) {
        m = m->next;
    }
    return m != NULL;
}

/* The history is asked first: a marker may stand behind the task that is being replayed. */
static int decide(struct flow *flow, const char *change, int newest)
{
    struct arena *arena = flow->ctx->arena;

    for (int version = newest; version >= 1; version--) {
        const char *marker = marker_of(arena, change, version);

        if (history_has(flow, marker)) {
            flow_command_new(flow, COMMAND(RECORD_MARKER), NULL)->json = marker;
            return version;
        }
    }
    if (flow->is_replaying || newest < 1) {
        return 0;
    }
    flow_command_new(flow, COMMAND(RECORD_MARKER), NULL)->json = marker_of(arena, change, newest);
    return newest;
}

int flow_version(struct flow *flow, const char *change, int newest)
{
    struct flow_change *c = flow->changes;

    while (c && strcmp(c->name, change) != 0) {
        c = c->next;
    }
    if (!c) {
        c = arena_new_struct(flow->ctx->arena, struct flow_change);
        c->name = change;
        c->version = decide(flow, change, newest);
        c->next = flow->changes;
        flow->changes = c;
    }
    return c->version;
}

/* ---- queries ------------------------------------------------------------------------------ */

void flow_on_query(struct flow *flow, const char *name, flow_query *answer, void *state)
{
    struct flow_answer *a = arena_new_struct(flow->ctx->arena, struct flow_answer);

    *a = (struct flow_answer){flow->answers, name, answer, state};
    flow->answers = a;
}

void flow_step(struct flow *flow, const char *step)
{
    flow->step = step;
}

/* The SDKs' now() stands still in a query, whose code may read a clock; that of ours may not. */
static const char *answer_now(struct flow *flow, const struct flow_answer *a, const char *args)
{
    int64_t task_ms = flow->now_ms, wall_ms = clock_wall_ms();

    flow->now_ms = wall_ms > task_ms ? wall_ms : task_ms;
    const char *json = a->answer(flow, a->state, args);
    flow->now_ms = task_ms;
    return json;
}

const char *flow_ask(struct flow *flow, const char *query, const char *args, const char **refused)
{
    const struct flow_answer *a = flow->answers;

    while (a && strcmp(a->name, query) != 0) {
        a = a->next;
    }
    if (!a && strcmp(query, "current_step") == 0 && flow->step) {
        return arena_printf(flow->ctx->arena, "\"%s\"", flow->step);
    }
    const char *json = a ? answer_now(flow, a, args ? args : "null") : NULL;

    if (!json) {
        *refused = arena_printf(flow->ctx->arena,
                                a ? "the query %s was refused" : "there is no query %s", query);
    }
    return json;
}
