/* Histories put together by hand or read from a file, for tests without a server. */
#ifndef TESTS_HELPERS_TEMPORAL_HISTORY_MADE_H
#define TESTS_HELPERS_TEMPORAL_HISTORY_MADE_H

#include "common/temporal/flow_run.h"
#include "common/temporal/temporal.h"

enum { MADE_MAX = 64, MADE_TIME_S = 1800000000 };

struct made {
    struct ctx *ctx;
    Temporal__HistoryEvent *events[MADE_MAX];
    size_t count;
    struct stacks stacks;
    struct flow *flow; /* of the last made_feed() */
};

struct made *made_new(const char *input); /* begins with WorkflowExecutionStarted */
void made_free(struct made *made);

/* Each adds one event and returns its id, which is also its second. */
int64_t made_event(struct made *made, Temporal__EventType type);
int64_t made_task(struct made *made); /* a whole workflow task: scheduled, started, completed */
int64_t
made_open_task(struct made *made); /* scheduled and started: returns what flow_feed() wants */
int64_t made_activity(struct made *made, const char *id, const char *name);
void made_activity_done(struct made *made, int64_t scheduled, const char *json);
int64_t made_timer(struct made *made, const char *id);
void made_timer_fired(struct made *made, int64_t started);
void made_signal(struct made *made, const char *name, const char *json);
void made_marker(struct made *made, const char *json);

/* Feeds it to a workflow; 'current' as of made_open_task(), or 0. */
enum status made_feed(struct made *made, flow_main *main, int64_t current);
/* The commands it gave: "SCHEDULE_ACTIVITY_TASK(1 Notify) START_TIMER(1) " */
const char *made_commands(struct made *made);

/* tests/unit/common/temporal/histories/<name>.hex */
struct temporal_bytes history_read(struct ctx *ctx, const char *name);
/* The same from another folder of the tree. */
struct temporal_bytes history_read_from(struct ctx *ctx, const char *folder, const char *name);

#endif
