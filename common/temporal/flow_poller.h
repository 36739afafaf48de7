/* The worker's inside: what its pollers share. Internal to common/temporal. */
#ifndef COMMON_TEMPORAL_FLOW_POLLER_H
#define COMMON_TEMPORAL_FLOW_POLLER_H

#include "common/obs/metrics.h"
#include "common/temporal/call.h"
#include "common/temporal/coroutine.h"
#include "common/temporal/flow_worker.h"

#include <temporal/worker.pb-c.h>

#include <pthread.h>
#include <stdatomic.h>

struct flow_counters { /* flow_worker_counts, as they grow */
    atomic_llong tasks, tasks_failed, tasks_refused, activities, activities_failed;
    atomic_llong events, queries, heartbeats, polls_failed;
};

struct flow_worker {
    struct flow_worker_options options;
    struct rpc_client *polls; /* of their own, so that they can be broken off */
    struct flow_counters counters;
    struct metric *tasks_seen, *flows_closed, *flows_open, *activity_seconds;
    atomic_llong count_due_ms; /* monotonic: when flows_open is to be asked for again */
    atomic_int failing;        /* pollers whose last poll was not answered */
    atomic_bool is_hurrying;   /* the grace of a stop is over: heartbeats say stop */
    pthread_mutex_t lock;      /* guards what follows */
    pthread_cond_t changed;
    bool is_stopping;
    int running;
    int thread_count;
    pthread_t *threads;
};

struct flow_poller {
    struct flow_worker *worker;
    struct stacks stacks;
    int64_t pause_ms; /* before the next poll; 0: the last one was answered */
    uint64_t random;
};

/* Both poll once and do what came. ST_OK: answered, with work or without. */
enum status flow_poll_tasks(struct ctx *ctx, struct flow_poller *poller) MUST_CHECK;
enum status flow_poll_activities(struct ctx *ctx, struct flow_poller *poller) MUST_CHECK;

/* Before a poll for workflow tasks: asks Temporal how many are open, if that was not done lately.
 * It takes little time, and what fails is left for the next time. */
void flow_count_open(struct flow_worker *worker);

/* NULL when no such name is in the table. */
flow_main *flow_find(const struct flow_type *flows, const char *name);

#endif
