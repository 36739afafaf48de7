/* The process that runs workflows and activities: it polls a task queue of Temporal. Several may
 * poll the same queue; each task goes to one. No workflow is kept in memory between tasks: a task
 * replays the history (tens of microseconds), so a worker that dies costs nothing. */
#ifndef COMMON_TEMPORAL_FLOW_WORKER_H
#define COMMON_TEMPORAL_FLOW_WORKER_H

#include "common/temporal/flow.h"
#include "common/temporal/temporal.h"

/* What an activity knows of itself, valid until it returns. */
struct flow_task {
    void *service; /* what flow_worker_options said */
    const char *name, *id;
    const char *flow_id, *run_id, *flow_type;
    int attempt;         /* from 1 */
    const char *details; /* what the attempt before said at its last heartbeat; NULL: nothing */
    struct flow_heart *heart;
};

/* An activity is blocking C on a thread of the worker. It may run twice: it is idempotent.
 * ctx->deadline_ms is the moment when Temporal gives the attempt up; the trace is the one of the
 * workflow. '*result' is JSON in ctx->arena, NULL for none. It is tried again, as the workflow's
 * flow_retry says, after TIMEOUT, RETRY, TOO_MANY, INTERNAL and UNAVAILABLE (and CANCELLED that
 * nobody asked for); the other statuses end it, and the workflow gets them. */
typedef enum status flow_activity_main(struct ctx *ctx, struct flow_task *task, const char *input,
                                       const char **result);

/* Says that the attempt is alive, with how far it is (JSON, may be NULL). Call it at least twice a
 * heartbeat_ms; what comes too often is not sent. False: stop, the workflow was cancelled or the
 * attempt given up; return ST_CANCELLED then. */
bool flow_heartbeat(struct ctx *ctx, struct flow_task *task, const char *details);

struct flow_type {
    const char *name;
    flow_main *main;
};
struct flow_activity_type {
    const char *name;
    flow_activity_main *main;
};

struct flow_worker_options {
    struct temporal *temporal; /* must outlive the worker */
    const char *task_queue;
    const struct flow_type *flows;               /* end with {0}; NULL: polls for none */
    const struct flow_activity_type *activities; /* end with {0}; NULL: polls for none */
    void *service;
    const char *daemon; /* as whom activities act: system:<daemon>; NULL: "worker" */
    int flow_pollers, activity_pollers; /* threads; 0: 2 and 4 */
    int poll_ms;                        /* how long a poll waits; 0: 21 s. At least 3 s */
};

struct flow_worker;
struct flow_worker *flow_worker_start(const struct flow_worker_options *options);

/* Begins to stop, without waiting: no poll follows those that are out. For daemons that have other
 * things to end meanwhile. */
void flow_worker_wind_down(struct flow_worker *worker);

/* Takes no new task, finishes those in hand, and lets the polls that are out come back by
 * themselves, since breaking one off can lose the task that is on its way (Temporal then gives it
 * to another after its time limit): that takes up to poll_ms. After grace_ms they are broken off
 * all the same. NULL is fine. */
void flow_worker_stop(struct flow_worker *worker, int grace_ms);

/* The last polls were answered. */
bool flow_worker_is_up(struct flow_worker *worker);

struct flow_worker_counts {
    int64_t tasks, tasks_failed; /* workflow tasks; failed: code and history disagreed */
    int64_t tasks_refused;       /* Temporal had newer events, or had given the task up */
    int64_t activities, activities_failed;
    int64_t events; /* replayed */
    int64_t queries, heartbeats, polls_failed;
};
struct flow_worker_counts flow_worker_counts(struct flow_worker *worker);

/* A test's door: replays a history, as temporal_history() gave it, with the code of today. ST_OK:
 * they fit; ST_CONFLICT: ctx->failure.detail tells where they part. */
enum status flow_replay(struct ctx *ctx, const struct flow_type *flows, const void *history,
                        size_t size) MUST_CHECK;

#endif
