/* The worker's threads: poll, work, poll again; back off while Temporal is away; stop without
 * losing what was handed out. */
#include "common/temporal/flow_poller.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/obs/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    FLOW_POLLERS = 2,
    ACTIVITY_POLLERS = 4,
    POLL_MS = 21000, /* Temporal answers a second before it; below 20 s it logs a warning */
    LEAST_POLL_MS = 3000,
    FIRST_PAUSE_MS = 200,
    LONGEST_PAUSE_MS = 10000,
};

static const struct metric_def tasks_seen = {
    METRIC_COUNTER, "workflow_tasks_total", "Workflow tasks done", {"workflow", "result"}
};
static const struct metric_def flows_closed = {
    METRIC_COUNTER,
    "workflows_closed_total",
    "Runs of workflows that ended",
    {"workflow", "outcome"}
};
static const struct metric_def flows_open = {
    METRIC_GAUGE,
    "workflows_open",
    "Workflows that have not ended, of all replicas, as Temporal last said",
    {"workflow"}};
static const struct metric_def activity_seconds = {
    METRIC_HISTOGRAM, "activity_seconds", "Attempts of activities", {"activity", "status"}
};

static bool is_stopping(struct flow_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool stopping = worker->is_stopping;
    pthread_mutex_unlock(&worker->lock);
    return stopping;
}

/* Ends early when the worker stops. */
static void pause_polling(struct flow_worker *worker, int64_t ms)
{
    struct timespec until = cond_limit(ms);
    int waited = 0;

    pthread_mutex_lock(&worker->lock);
    while (!worker->is_stopping && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
    }
    pthread_mutex_unlock(&worker->lock);
}

/* Twice as long each time, and half of it by chance, so that not all come back at once. */
static void back_off(struct ctx *ctx, struct flow_poller *poller, const char *what)
{
    struct flow_worker *worker = poller->worker;
    bool is_first = poller->pause_ms == 0;

    atomic_fetch_add(&worker->counters.polls_failed, 1);
    poller->pause_ms = is_first ? FIRST_PAUSE_MS : poller->pause_ms * 2;
    if (poller->pause_ms > LONGEST_PAUSE_MS) {
        poller->pause_ms = LONGEST_PAUSE_MS;
    }
    if (is_first) {
        atomic_fetch_add(&worker->failing, 1);
        log_warn(ctx, "temporal does not answer", log_text("poll", what),
                 log_text("why", ctx->failure.detail));
    }
    poller->random = poller->random * 6364136223846793005u + 1442695040888963407u;
    pause_polling(worker, poller->pause_ms / 2 + (int64_t)((poller->random >> 33) %
                                                           (uint64_t)(poller->pause_ms / 2 + 1)));
}

static void answered(struct flow_poller *poller, const char *what)
{
    if (poller->pause_ms > 0) {
        poller->pause_ms = 0;
        atomic_fetch_sub(&poller->worker->failing, 1);
        log_info(NULL, "temporal answers again", log_text("poll", what));
    }
}

typedef enum status poll_once(struct ctx *ctx, struct flow_poller *poller);

static void poll_until_stopped(struct flow_worker *worker, poll_once *once, const char *what)
{
    struct flow_poller poller = {.worker = worker,
                                 .random = (uint64_t)clock_monotonic_us() ^ (uintptr_t)&poller};

    while (!is_stopping(worker)) {
        struct ctx *ctx = ctx_new_system(worker->options.daemon);
        enum status st = once(ctx, &poller);
        bool was_quiet =
            st == ST_TIMEOUT && poller.pause_ms == 0; /* an answer that came too late */

        if (st == ST_OK || was_quiet) {
            answered(&poller, what);
        } else if (!is_stopping(worker)) {
            back_off(ctx, &poller, what);
        }
        ctx_free(ctx);
    }
    stacks_free(&poller.stacks);
    pthread_mutex_lock(&worker->lock);
    worker->running--;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

static enum status count_and_poll(struct ctx *ctx, struct flow_poller *poller)
{
    flow_count_open(poller->worker);
    return flow_poll_tasks(ctx, poller);
}

static void *run_flows(void *worker)
{
    poll_until_stopped(worker, count_and_poll, "workflows");
    return NULL;
}

static void *run_activities(void *worker)
{
    poll_until_stopped(worker, flow_poll_activities, "activities");
    return NULL;
}

/* ---- start and stop ----------------------------------------------------------------------- */

static void start_threads(struct flow_worker *worker, int count, void *(*run)(void *worker))
{
    for (int i = 0; i < count; i++) {
        pthread_mutex_lock(&worker->lock);
        worker->running++;
        pthread_mutex_unlock(&worker->lock);
        if (pthread_create(&worker->threads[worker->thread_count], NULL, run, worker) != 0) {
            fputs("no thread for a poller\n", stderr);
            abort();
        }
        worker->thread_count++;
    }
}

static void take_options(struct flow_worker *worker, const struct flow_worker_options *options)
{
    struct flow_worker_options *mine = &worker->options;

    *mine = *options;
    mine->flow_pollers = !mine->flows             ? 0
                         : mine->flow_pollers > 0 ? mine->flow_pollers
                                                  : FLOW_POLLERS;
    mine->activity_pollers = !mine->activities            ? 0
                             : mine->activity_pollers > 0 ? mine->activity_pollers
                                                          : ACTIVITY_POLLERS;
    mine->daemon = mine->daemon ? mine->daemon : "worker";
    mine->poll_ms = mine->poll_ms == 0              ? POLL_MS
                    : mine->poll_ms < LEAST_POLL_MS ? LEAST_POLL_MS
                                                    : mine->poll_ms;
}

struct flow_worker *flow_worker_start(const struct flow_worker_options *options)
{
    struct flow_worker *worker = calloc(1, sizeof(*worker));

    if (!worker) {
        fputs("out of memory\n", stderr);
        abort();
    }
    take_options(worker, options);
    pthread_mutex_init(&worker->lock, NULL);
    cond_init(&worker->changed);
    worker->tasks_seen = metric_register(&tasks_seen);
    worker->flows_closed = metric_register(&flows_closed);
    worker->flows_open = options->flows ? metric_register(&flows_open) : NULL;
    worker->activity_seconds = metric_register(&activity_seconds);
    worker->polls = temporal_poll_client(options->temporal);
    int total = worker->options.flow_pollers + worker->options.activity_pollers;
    worker->threads = calloc((size_t)total + 1, sizeof(worker->threads[0]));
    if (!worker->threads) {
        fputs("out of memory\n", stderr);
        abort();
    }
    start_threads(worker, worker->options.flow_pollers, run_flows);
    start_threads(worker, worker->options.activity_pollers, run_activities);
    log_info(NULL, "worker polling", log_text("task_queue", options->task_queue),
             log_num("threads", total));
    return worker;
}

void flow_worker_wind_down(struct flow_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->is_stopping = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

static bool wait_for_threads(struct flow_worker *worker, int grace_ms)
{
    struct timespec until = cond_limit(grace_ms);
    int waited = 0;

    flow_worker_wind_down(worker);
    pthread_mutex_lock(&worker->lock);
    while (worker->running > 0 && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
    }
    bool all = worker->running == 0;
    pthread_mutex_unlock(&worker->lock);
    return all;
}

void flow_worker_stop(struct flow_worker *worker, int grace_ms)
{
    if (!worker) {
        return;
    }
    if (!wait_for_threads(worker, grace_ms)) {
        log_info(NULL, "worker breaks its polls off", log_num("after_ms", grace_ms));
        atomic_store(&worker->is_hurrying, true);
        rpc_client_cancel(worker->polls);
    }
    for (int i = 0; i < worker->thread_count; i++) {
        pthread_join(worker->threads[i], NULL);
    }
    rpc_client_free(worker->polls);
    pthread_mutex_destroy(&worker->lock);
    pthread_cond_destroy(&worker->changed);
    free(worker->threads);
    free(worker);
}

bool flow_worker_is_up(struct flow_worker *worker)
{
    return atomic_load(&worker->failing) == 0;
}

struct flow_worker_counts flow_worker_counts(struct flow_worker *worker)
{
    const struct flow_counters *from = &worker->counters;

    return (struct flow_worker_counts){
        .tasks = atomic_load(&from->tasks),
        .tasks_failed = atomic_load(&from->tasks_failed),
        .tasks_refused = atomic_load(&from->tasks_refused),
        .activities = atomic_load(&from->activities),
        .activities_failed = atomic_load(&from->activities_failed),
        .events = atomic_load(&from->events),
        .queries = atomic_load(&from->queries),
        .heartbeats = atomic_load(&from->heartbeats),
        .polls_failed = atomic_load(&from->polls_failed),
    };
}
