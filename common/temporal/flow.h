/* Durable workflows as plain C. A workflow is a function that Temporal lets outlive us: when the
 * process dies, another one calls the function again from its first line, answers every flow_ call
 * that was already made from the recorded history, and goes on where the dead one stopped.
 *
 *     static enum status coffee_order(struct flow *flow, const char *order, const char **result)
 *     {
 *         static const struct flow_activity push = {.start_to_close_ms = 5000};
 *         struct flow_signal signal;
 *
 *         TRY(flow_activity(flow, "NotifyBarista", order, &push, NULL));
 *         enum status st = flow_wait_signal(flow, FLOW_SIGNALS("accepted", "declined"), 300000,
 *                                           &signal);
 *         if (st != ST_OK || strcmp(signal.name, "declined") == 0) {
 *             flow_shield(flow, true); (what follows runs although the order was cancelled)
 *             return flow_activity(flow, "CancelAndRefund", order, &push, result);
 *         }
 *         return flow_activity(flow, "Complete", order, &push, result);
 *     }
 *
 * The one law: called twice with the same history, a workflow makes the same flow_ calls in the
 * same order. So, in a workflow:
 *   - time is flow_now_ms(), chance is flow_random(); no clock, file, socket, setting or global;
 *     what touches the world is an activity;
 *   - memory is flow_ctx(flow)->arena's; what a query reads lives there, not on the stack;
 *   - no lock, handle or malloc() is held across a flow_ call: the function may never come back;
 *   - the stack has 64 KiB and a guard page behind it;
 *   - log_info() in a workflow says it again at each replay: ask flow_is_replaying() first.
 * When the code of a workflow changes while runs are open, flow_version() keeps the old ones on
 * their way; without it the worker sees that history and code disagree, fails the task (never the
 * run) with [TMPRL1100], and the run waits for code that fits.
 *
 * Statuses: flow_ calls return the status with which the activity or child ended; ST_TIMEOUT: the
 * time is over; ST_CANCELLED: somebody asked the workflow to stop, and every call that waits says
 * so until flow_shield(). A workflow that returns ST_OK completed, ST_CANCELLED is cancelled,
 * anything else failed with that status and flow_ctx(flow)->failure as its message.
 *
 * Payloads are JSON texts, opaque to us; NULL stands for none. */
#ifndef COMMON_TEMPORAL_FLOW_H
#define COMMON_TEMPORAL_FLOW_H

#include "common/base/ctx.h"

struct flow;

/* '*result' is JSON in the arena of flow_ctx(); NULL: the result is null. */
typedef enum status flow_main(struct flow *flow, const char *input, const char **result);

/* Memory, trace and failure of the run. Its trace is the one of the request that started it. */
struct ctx *flow_ctx(struct flow *flow);
const char *flow_id(const struct flow *flow);
const char *flow_run_id(const struct flow *flow);
int64_t flow_now_ms(const struct flow *flow); /* wall clock, the same at every replay */
uint64_t flow_random(struct flow *flow);      /* the same at every replay */
bool flow_is_replaying(const struct flow *flow);

/* ---- activities --------------------------------------------------------------------------- */

/* Gaps between attempts: first_ms, then 'factor' times the gap before, at most most_ms. */
struct flow_retry {
    int64_t first_ms; /* 0: 1 s */
    double factor;    /* 0: 2 */
    int64_t most_ms;  /* 0: 100 times the first */
    int attempts;     /* 0: without end */
};

struct flow_activity {
    int64_t start_to_close_ms; /* of one attempt; 0: 10 s. The activity's ctx has it as deadline */
    int64_t schedule_to_close_ms; /* of all attempts; 0: none */
    int64_t schedule_to_start_ms; /* in the queue; 0: none */
    int64_t heartbeat_ms;         /* 0: none is expected */
    struct flow_retry retry;
    const char *task_queue; /* NULL: the workflow's */
    bool finish_on_cancel;  /* a cancelled workflow waits until the activity has ended */
};

/* Runs an activity and waits for its end. Which statuses of an activity are tried again:
 * flow_worker.h. 'options' and 'result' may be NULL. */
enum status flow_activity(struct flow *flow, const char *name, const char *input,
                          const struct flow_activity *options, const char **result) MUST_CHECK;

/* ---- time and signals --------------------------------------------------------------------- */

enum status flow_sleep(struct flow *flow, int64_t ms) MUST_CHECK;
/* Milliseconds from now to then, never below 0: for deadlines that stand in the input. */
int64_t flow_until(const struct flow *flow, int64_t at_ms);

enum { FLOW_FOREVER = -1 };

struct flow_signal {
    const char *name, *json; /* json NULL: it had none */
    int64_t at_ms;           /* when Temporal got it */
};
#define FLOW_SIGNALS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* The oldest signal of one of these names that was not taken yet, also of those that came before
 * anybody waited; none is lost. With timeout 0 it only looks. When the signal and the end of the
 * time meet in one task, the signal wins. 'signal' may be NULL. */
enum status flow_wait_signal(struct flow *flow, const char *const *names, int64_t timeout_ms,
                             struct flow_signal *signal) MUST_CHECK;

/* To another workflow. ST_NOT_FOUND when it is not running. */
enum status flow_signal_other(struct flow *flow, const char *id, const char *name,
                              const char *json) MUST_CHECK;

/* ---- cancellation ------------------------------------------------------------------------- */

/* On: calls of this branch wait and work although the workflow was cancelled, for compensation.
 * Counts: as many offs as ons end it. */
void flow_shield(struct flow *flow, bool on);
bool flow_is_cancelled(const struct flow *flow); /* asked to, shielded or not */

/* ---- other workflows ---------------------------------------------------------------------- */

enum flow_when_parent_ends {
    FLOW_CHILD_TERMINATES = 0,
    FLOW_CHILD_LIVES_ON,
    FLOW_CHILD_IS_CANCELLED
};

struct flow_child {
    const char *type, *id;
    const char *task_queue; /* NULL: ours */
    int64_t timeout_ms;     /* of its whole execution; 0: none */
    enum flow_when_parent_ends when_parent_ends;
    bool only_start; /* do not wait for its end: ST_OK once it runs */
};

/* ST_EXISTS when the id is running already. A cancelled parent asks its child to stop, too. */
enum status flow_child(struct flow *flow, const struct flow_child *child, const char *input,
                       const char **result) MUST_CHECK;

/* Ends this run and starts the next with an empty history: return its value from the workflow. */
enum status flow_continue_as_new(struct flow *flow, const char *input) MUST_CHECK;
/* True when Temporal finds the history long enough for it. */
bool flow_is_long(const struct flow *flow);

/* ---- branches ----------------------------------------------------------------------------- */

/* A second line of work in the same workflow, for two activities at once. It begins when the
 * caller waits. What both read and write needs no lock: only one runs at a time. */
struct flow_branch;
typedef void flow_branch_main(struct flow *flow, void *user);
struct flow_branch *flow_fork(struct flow *flow, flow_branch_main *main, void *user);
void flow_join(struct flow *flow, struct flow_branch *branch); /* also when cancelled */

/* ---- queries and versions ----------------------------------------------------------------- */

/* Answers what flow_on_query() named, from the state: reads only, no flow_ calls that wait. NULL:
 * refused. Also works after the workflow ended, so 'state' must be the arena's. Time is that of the
 * question: no answer is recorded. */
typedef const char *flow_query(struct flow *flow, void *state, const char *args);
void flow_on_query(struct flow *flow, const char *name, flow_query *answer, void *state);

/* Where the workflow is, for people: answers the query "current_step". A literal. */
void flow_step(struct flow *flow, const char *step);

/* The version of 'change' that this run was begun with: 'newest' for runs that come here for the
 * first time, 0 for runs that passed here before the change was written. The answer is recorded
 * and stays the same for the run. 'change' is a literal of letters, digits, '-', '_'.
 *
 *     if (flow_version(flow, "thank-you", 1) >= 1) {
 *         TRY(flow_activity(flow, "SayThankYou", order, &push, NULL)); (not in older runs)
 *     }
 *
 * Once no older run is open, the test can go, and the call with it. Recorded as the official SDKs'
 * patched(change), or change-v2, change-v3 for later versions. */
int flow_version(struct flow *flow, const char *change, int newest);

#endif
