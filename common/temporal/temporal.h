/* The client of a Temporal server: starts workflows, talks to them, waits for their end.
 *
 * Every call waits for the server's answer, at most until ctx's deadline or 10 s. Statuses of all:
 * ST_UNAVAILABLE and ST_TIMEOUT when the server is away (safe to repeat: give start and signal a
 * request_id for that), ST_NOT_FOUND for a workflow that does not exist or, where only running ones
 * count, has ended. Any thread may call; payloads are JSON, NULL for none; what comes back lives in
 * ctx->arena. An id without run id means its newest run. */
#ifndef COMMON_TEMPORAL_TEMPORAL_H
#define COMMON_TEMPORAL_TEMPORAL_H

#include "common/base/ctx.h"

struct temporal;

struct temporal_options {
    const char *target;     /* "dns:///localhost:7233" */
    const char *namespace_; /* NULL: "default" */
    const char *identity;   /* who we are in histories; NULL: pid@host */
};

/* Copies what it needs. Does not connect yet. */
struct temporal *temporal_new(const struct temporal_options *options);
void temporal_free(struct temporal *temporal); /* NULL is fine */
bool temporal_is_up(struct temporal *temporal);

/* What to do when the id was used before, by a run that ended. */
enum temporal_reuse {
    TEMPORAL_REUSE_NEVER = 0, /* ST_EXISTS */
    TEMPORAL_REUSE_FAILED,    /* only after a run that did not complete */
    TEMPORAL_REUSE_ALWAYS,
};
/* And when a run of it is open. */
enum temporal_conflict {
    TEMPORAL_CONFLICT_FAIL = 0, /* ST_EXISTS */
    TEMPORAL_CONFLICT_USE,      /* ST_OK with the open run: temporal_run.is_new is false */
    TEMPORAL_CONFLICT_REPLACE,  /* terminates it */
};

struct temporal_start {
    const char *type, *id, *task_queue; /* all needed */
    const char *input;
    enum temporal_reuse reuse;
    enum temporal_conflict conflict;
    int64_t timeout_ms;     /* of the whole execution, with what it continues as; 0: none */
    int64_t run_timeout_ms; /* of one run; 0: none */
    int64_t delay_ms;       /* before the first task; a signal ends it early */
    const char *request_id; /* the same again does nothing again; NULL: a new one */
    const char *memo_key, *memo_json; /* shown in lists; NULL: none */
};

struct temporal_run {
    const char *run_id;
    bool is_new;
};

enum status temporal_start(struct ctx *ctx, struct temporal *temporal,
                           const struct temporal_start *start,
                           struct temporal_run *run) MUST_CHECK; /* run may be NULL */

struct temporal_signal {
    const char *name, *json;
    const char *request_id; /* the same again does nothing again; NULL: a new one */
};

/* Only to a running workflow. */
enum status temporal_signal(struct ctx *ctx, struct temporal *temporal, const char *id,
                            const struct temporal_signal *signal) MUST_CHECK;
/* Starts it first when it is not running, both at once. temporal_start.conflict must be _USE. */
enum status temporal_signal_with_start(struct ctx *ctx, struct temporal *temporal,
                                       const struct temporal_start *start,
                                       const struct temporal_signal *signal,
                                       struct temporal_run *run) MUST_CHECK;

/* Needs a worker that polls. Also of closed workflows. */
enum status temporal_query(struct ctx *ctx, struct temporal *temporal, const char *id,
                           const char *query, const char *args, const char **json) MUST_CHECK;

/* Asks it to stop; what it does about it is its own affair. */
enum status temporal_cancel(struct ctx *ctx, struct temporal *temporal, const char *id,
                            const char *reason) MUST_CHECK;
/* Ends it without asking. */
enum status temporal_terminate(struct ctx *ctx, struct temporal *temporal, const char *id,
                               const char *reason) MUST_CHECK;

/* How many runs a list filter finds: "WorkflowType = 'X' AND ExecutionStatus = 'Running'". What
 * happened in the last moments may be missing. */
enum status temporal_count(struct ctx *ctx, struct temporal *temporal, const char *query,
                           int64_t *count) MUST_CHECK;

enum temporal_state {
    TEMPORAL_RUNNING,
    TEMPORAL_COMPLETED,
    TEMPORAL_FAILED,
    TEMPORAL_CANCELLED,
    TEMPORAL_TERMINATED,
    TEMPORAL_CONTINUED, /* as new: only seen when one asks for that very run */
    TEMPORAL_TIMED_OUT,
    TEMPORAL_PAUSED, /* by an operator */
};
const char *temporal_state_name(enum temporal_state state);

struct temporal_pending { /* an activity that has not ended */
    const char *name, *id;
    int attempt;
    bool running; /* else it waits for its next attempt or for a worker */
    const char *last_failure, *details;
};
struct temporal_info {
    enum temporal_state state;
    const char *type, *run_id;
    int64_t started_ms, closed_ms; /* closed 0: it runs */
    int64_t events;
    int attempt; /* of the workflow task that waits; over 1: workers fail at it. 0: none waits */
    size_t pending_count;
    const struct temporal_pending *pending;
};
enum status temporal_describe(struct ctx *ctx, struct temporal *temporal, const char *id,
                              struct temporal_info *info) MUST_CHECK;

struct temporal_outcome {
    enum temporal_state state;
    const char *json;    /* the result, or what a cancelled one left */
    enum status failure; /* of a failed one: what it returned */
    const char *message;
};
/* Waits until it is closed, through continue-as-new; ST_TIMEOUT when that takes longer. */
enum status temporal_await(struct ctx *ctx, struct temporal *temporal, const char *id,
                           int64_t timeout_ms, struct temporal_outcome *outcome) MUST_CHECK;

/* All events of the newest run, packed: for flow_replay() and for files of tests. */
struct temporal_bytes {
    const void *bytes;
    size_t size;
};
enum status temporal_history(struct ctx *ctx, struct temporal *temporal, const char *id,
                             struct temporal_bytes *history) MUST_CHECK;

/* ---- schedules ---------------------------------------------------------------------------- */

enum temporal_overlap { TEMPORAL_OVERLAP_SKIP = 0, TEMPORAL_OVERLAP_WAIT, TEMPORAL_OVERLAP_BOTH };

/* Starts a workflow by the clock; the ids of its runs are start.id with the time behind it. */
struct temporal_schedule {
    const char *id;
    const char *cron;      /* "0 21 * * *"; or NULL and: */
    int64_t every_ms;      /* an interval */
    const char *time_zone; /* "Europe/Amsterdam"; NULL: UTC */
    struct temporal_start start;
    enum temporal_overlap overlap;
    int64_t catch_up_ms; /* how late a missed one may still start; 0: a year */
    bool run_now;        /* once, at its creation */
};
struct temporal_schedule_info {
    bool paused;
    int64_t runs;          /* started so far */
    int64_t next_ms;       /* 0: never */
    const char *newest_id; /* the workflow it started last; NULL: none */
};

/* Temporal carries pause and trigger out a moment later, and of two at the same moment it can
 * forget the first (seen with 1.29): describe says when one is done. */
enum status temporal_schedule_create(struct ctx *ctx, struct temporal *temporal,
                                     const struct temporal_schedule *schedule) MUST_CHECK;
enum status temporal_schedule_describe(struct ctx *ctx, struct temporal *temporal, const char *id,
                                       struct temporal_schedule_info *info) MUST_CHECK;
enum status temporal_schedule_pause(struct ctx *ctx, struct temporal *temporal, const char *id,
                                    bool paused) MUST_CHECK;
enum status temporal_schedule_trigger(struct ctx *ctx, struct temporal *temporal,
                                      const char *id) MUST_CHECK;
enum status temporal_schedule_delete(struct ctx *ctx, struct temporal *temporal,
                                     const char *id) MUST_CHECK;

#endif
