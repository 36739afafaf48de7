/* Starting and ending: the lanes from the table of kinds, their metrics and threads. */
#include "common/jobs/jobs_internal.h"

#include "common/base/clock.h"
#include "common/base/cond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BOOKKEEPING_MS = 5000 };

static const struct metric_def failed_def = {
    METRIC_COUNTER, "jobs_failed_total", "Attempts that failed.", {"kind"}};
static const struct metric_def dead_def = {
    METRIC_COUNTER, "jobs_dead_total", "Jobs given up.", {"kind"}};
static const struct metric_def age_def = {
    METRIC_HISTOGRAM, "job_age_seconds", "From enqueued to done.", {"kind"}};
static const struct metric_def ran_def = {
    METRIC_HISTOGRAM, "job_run_seconds", "Time of one attempt.", {"kind"}};
static const struct metric_def depth_def = {
    METRIC_GAUGE, "jobs_queue_depth", "Jobs that are not over, of all replicas.", {"kind"}};
static const struct metric_def oldest_def = {
    METRIC_GAUGE, "jobs_oldest_seconds", "Age of the oldest that is not over.", {"kind"}};

static void *must_have(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

void job_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int timeout_ms)
{
    struct timespec until = cond_limit(timeout_ms);

    pthread_cond_timedwait(cond, lock, &until);
}

struct ctx *job_ctx_new(const struct jobs *jobs)
{
    struct ctx *ctx = ctx_new_system(jobs->daemon);

    ctx->deadline_ms = clock_monotonic_ms() + BOOKKEEPING_MS;
    return ctx;
}

static void init_lane(struct jobs *jobs, struct job_lane *lane, const struct job_kind *kind,
                      const char *prefix)
{
    size_t size = strlen(prefix) + strlen(kind->name) + sizeof(":jobs:");

    lane->jobs = jobs;
    lane->kind = kind;
    lane->stream = must_have(malloc(size));
    snprintf(lane->stream, size, "%s:jobs:%s", prefix, kind->name);
    lane->threads = must_have(calloc((size_t)kind->concurrency, sizeof(*lane->threads)));
    pthread_mutex_init(&lane->lock, NULL);
    cond_init(&lane->handed);
    lane->failed = METRIC_SERIES(metric_register(&failed_def), kind->name);
    lane->dead = METRIC_SERIES(metric_register(&dead_def), kind->name);
    lane->age = METRIC_SERIES(metric_register(&age_def), kind->name);
    lane->ran = METRIC_SERIES(metric_register(&ran_def), kind->name);
    lane->depth = METRIC_SERIES(metric_register(&depth_def), kind->name);
    lane->oldest = METRIC_SERIES(metric_register(&oldest_def), kind->name);
}

static void start_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
    if (pthread_create(thread, NULL, run, argument) != 0) {
        fputs("no thread for jobs\n", stderr);
        abort();
    }
}

static struct cache *cache_for(const struct cache_options *valkey, const struct job_kind *kinds)
{
    struct cache_options options = *valkey;

    options.max = 1; /* the dispatcher's */
    for (const struct job_kind *kind = kinds; kind->name; kind++) {
        options.max += kind->concurrency;
    }
    return cache_new(&options);
}

struct jobs *jobs_start(const struct jobs_options *options)
{
    struct jobs *jobs = must_have(calloc(1, sizeof(*jobs)));

    while (options->kinds[jobs->lane_count].name) {
        jobs->lane_count++;
    }
    jobs->pool = options->pool;
    jobs->cache = cache_for(&options->valkey, options->kinds);
    jobs->daemon = options->daemon;
    jobs->service = options->service;
    jobs->lanes = must_have(calloc((size_t)jobs->lane_count + 1, sizeof(*jobs->lanes)));
    pthread_mutex_init(&jobs->lock, NULL);
    cond_init(&jobs->wake);
    for (int i = 0; options->kinds[i].name; i++) {
        init_lane(jobs, &jobs->lanes[i], &options->kinds[i], options->prefix);
        for (int j = 0; j < options->kinds[i].concurrency; j++) {
            start_thread(&jobs->lanes[i].threads[j], job_worker_main, &jobs->lanes[i]);
        }
    }
    start_thread(&jobs->dispatcher, job_dispatcher_main, jobs);
    return jobs;
}

void jobs_wake(struct jobs *jobs)
{
    pthread_mutex_lock(&jobs->lock);
    jobs->woken = true;
    pthread_cond_signal(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
}

static void stop_lane(struct job_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    pthread_cond_broadcast(&lane->handed);
    pthread_mutex_unlock(&lane->lock);
    for (int i = 0; i < lane->kind->concurrency; i++) {
        pthread_join(lane->threads[i], NULL);
    }
    pthread_cond_destroy(&lane->handed);
    pthread_mutex_destroy(&lane->lock);
    free(lane->threads);
    free(lane->stream);
}

void jobs_stop(struct jobs *jobs)
{
    if (!jobs) {
        return;
    }
    atomic_store(&jobs->stopping, true);
    jobs_wake(jobs);
    pthread_join(jobs->dispatcher, NULL);
    for (int i = 0; i < jobs->lane_count; i++) {
        stop_lane(&jobs->lanes[i]);
    }
    pthread_cond_destroy(&jobs->wake);
    pthread_mutex_destroy(&jobs->lock);
    cache_free(jobs->cache);
    free(jobs->lanes);
    free(jobs);
}
