/* What dispatcher and workers share: private to this folder. */
#ifndef COMMON_JOBS_JOBS_INTERNAL_H
#define COMMON_JOBS_JOBS_INTERNAL_H

#include "common/jobs/job_store.h"
#include "common/jobs/job_stream.h"
#include "common/obs/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

/* A worker that overran its deadline is taken for dead this much later. */
enum { JOB_GRACE_MS = 5000, JOB_LOCAL_ROOM = 64, JOB_STREAM_WAIT_MS = 1000 };

/* How many jobs of a kind may be handed out together, and wait to be taken in this process. */
static inline int job_batch(const struct job_kind *kind)
{
    return kind->run_many && kind->batch > 1 ? kind->batch : 1;
}
static inline int job_local_room(const struct job_kind *kind)
{
    int room = 8 * job_batch(kind);

    return room < JOB_LOCAL_ROOM ? room : JOB_LOCAL_ROOM;
}

/* All there is of one kind. */
struct job_lane {
    struct jobs *jobs;
    const struct job_kind *kind;
    char *stream;
    pthread_t *threads;   /* kind->concurrency of them */
    pthread_mutex_t lock; /* guards the next three: what is handed over while Valkey is away */
    pthread_cond_t handed;
    int local_count;
    char local[JOB_LOCAL_ROOM][ID_TEXT_SIZE];
    struct metric_series *failed, *dead, *age, *ran, *depth, *oldest;
};

struct jobs {
    struct db_pool *pool;
    struct cache *cache; /* its own: workers wait on its connections */
    const char *daemon;
    void *service;
    struct job_lane *lanes;
    int lane_count;
    atomic_bool stopping;
    pthread_t dispatcher;
    bool valkey_was_up;   /* at the dispatcher's last look */
    pthread_mutex_t lock; /* guards 'woken' */
    pthread_cond_t wake;
    bool woken;
};

void *job_dispatcher_main(void *jobs);
void *job_worker_main(void *lane);

/* With the lock held; ends with a signal or after timeout_ms. */
void job_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int timeout_ms);

/* A ctx for the bookkeeping around jobs, bounded by a few seconds. */
struct ctx *job_ctx_new(const struct jobs *jobs);
DEFINE_AUTO(ctx, struct ctx *, ctx_free)

#endif
