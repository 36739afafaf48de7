/* One run of a workflow while a task of it is being worked on: what the code asked for, and what
 * the history says became of it. Internal to common/temporal. */
#ifndef COMMON_TEMPORAL_FLOW_RUN_H
#define COMMON_TEMPORAL_FLOW_RUN_H

#include "common/temporal/coroutine.h"
#include "common/temporal/flow.h"

#include <temporal/command.pb-c.h>
#include <temporal/history.pb-c.h>

/* What the code waits for. Lives in the arena; settled once by an event. */
struct flow_op {
    struct flow_op *next;
    const char *id, *name; /* of the activity, timer or workflow */
    const char *input;
    struct flow_activity activity;
    struct flow_child child;
    int64_t ms;       /* a timer's */
    int64_t event_id; /* of its command's event; 0: not in the history yet */
    bool is_started;  /* a child's */
    bool is_done;
    enum status st;
    const char *json, *message;
};

struct flow_command {
    struct flow_command *next;
    Temporal__CommandType type;
    struct flow_op *op;         /* NULL for those that close the run, and markers */
    const char *json;           /* result, details, next input, or marker */
    Temporal__Failure *failure; /* of a run that fails */
};

struct flow_arrival { /* a signal, in the order of the history */
    struct flow_arrival *next;
    struct flow_signal signal;
    bool is_taken;
};

struct flow_branch {
    struct flow_branch *next;
    struct flow *flow;
    struct coroutine *coroutine;
    flow_branch_main *main;
    void *user;
    bool (*is_ready)(struct flow_branch *branch, void *what); /* NULL: it can go on */
    void *what;
    int shields;
};

struct flow_answer {
    struct flow_answer *next;
    const char *name;
    flow_query *answer;
    void *state;
};

struct flow_marker { /* that the history has */
    struct flow_marker *next;
    const char *json;
};
struct flow_change { /* that the code asked for */
    struct flow_change *next;
    const char *name;
    int version;
};

struct flow {
    struct ctx *ctx;
    const char *id, *run_id, *type, *task_queue, *namespace_;
    flow_main *main;
    struct stacks *stacks;
    const char *input;
    struct flow_branch *branches, *current;
    struct flow_op *ops;
    struct flow_command *commands, **commands_end;
    struct flow_arrival *signals, **signals_end;
    struct flow_answer *answers;
    struct flow_marker *markers;
    struct flow_change *changes;
    const char *step;
    int activities, timers; /* counted apart from 1, as the official SDKs do */
    int64_t now_ms, events;
    uint64_t random;
    Temporal__CommandType closed_by; /* once it is closed */
    bool is_cancelled, is_replaying, is_closed, is_continued, is_long;
};

struct flow_start { /* what is known of a run before its first event */
    const char *id, *run_id, *type, *task_queue, *namespace_;
    flow_main *main;
    struct stacks *stacks;
};

/* In ctx's arena; the run is over with it. */
struct flow *flow_new(struct ctx *ctx, const struct flow_start *start);

/* Applies a whole history from its first event on. 'current' is the WorkflowTaskStarted event of
 * the task in hand, whose commands are then in flow->commands; 0: none, only look. ST_CONFLICT:
 * code and history disagree; ST_INTERNAL: the history is not whole. */
enum status flow_feed(struct flow *flow, Temporal__HistoryEvent *const *events, size_t count,
                      int64_t current) MUST_CHECK;

/* JSON, or NULL with 'refused' telling why. */
const char *flow_ask(struct flow *flow, const char *query, const char *args, const char **refused);

/* The commands as Temporal wants them, in the arena. */
Temporal__Command **flow_encode(struct flow *flow, size_t *count);

/* ---- between the files of a run ----------------------------------------------------------- */

struct flow_branch *flow_branch_new(struct flow *flow, flow_branch_main *main, void *user);
void flow_branch_pause(struct flow_branch *branch,
                       bool (*is_ready)(struct flow_branch *branch, void *what), void *what);
/* Every branch in the order it was made, until all wait: that order is the determinism. */
void flow_go_on(struct flow *flow);
bool flow_branch_is_stopped(const struct flow_branch *branch); /* cancelled and not shielded */

struct flow_op *flow_op_new(struct flow *flow, const char *id, const char *name);
struct flow_command *flow_command_new(struct flow *flow, Temporal__CommandType type,
                                      struct flow_op *op);

/* What a change's marker holds: that of the official SDKs' patches. */
#define FLOW_MARKER     "core_patch"
#define FLOW_MARKER_KEY "patch-data"

#define COMMAND(name) TEMPORAL__COMMAND_TYPE__COMMAND_TYPE_##name
#define EVENT(name)   TEMPORAL__EVENT_TYPE__EVENT_TYPE_##name

/* The command that an event must come from. */
struct flow_expected {
    Temporal__CommandType type; /* 0: one that our workflows never give */
    const char *id, *name;      /* NULL: not compared */
    int64_t about;              /* the event that it is about; 0: not compared */
};
bool flow_expected_of(struct arena *arena, const Temporal__HistoryEvent *event,
                      struct flow_expected *expected);

/* How an activity, child or signal ended, when the event says so. */
struct flow_settled {
    int64_t about; /* the event of its command */
    enum status st;
    const char *json, *message;
};
bool flow_settled_by(struct arena *arena, const Temporal__HistoryEvent *event,
                     struct flow_settled *settled);

#endif
