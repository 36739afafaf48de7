/* One list of waiting jobs, one lock. Of the idle threads the one that worked last is woken: its
 * stack and memory are still in the processor's cache, and the others' may stay out of it. */
#include "common/rpc/rpc_workers.h"

#include "common/rpc/rpc_wire.h"

#include <pthread.h>
#include <stdlib.h>

struct worker {
    struct rpc_workers *pool;
    pthread_t thread;
    pthread_cond_t wake;
    bool is_resting; /* in the list of those that may be woken */
    struct worker *next;
};

struct rpc_workers {
    pthread_mutex_t lock; /* guards all below */
    struct rpc_job *first, **last;
    struct worker *resting; /* the last to rest is first */
    int waiting, idle, most;
    bool stopping;
    int started;
    struct worker workers[];
};

/* Under the lock, which is free while it rests. */
static void rest(struct rpc_workers *pool, struct worker *worker)
{
    worker->is_resting = true;
    worker->next = pool->resting;
    pool->resting = worker;
    while (worker->is_resting) {
        pthread_cond_wait(&worker->wake, &pool->lock);
    }
}

/* Under the lock; NULL when none rests. */
static struct worker *rouse(struct rpc_workers *pool)
{
    struct worker *worker = pool->resting;

    if (worker) {
        pool->resting = worker->next;
        worker->is_resting = false;
    }
    return worker;
}

static struct rpc_job *next_job(struct rpc_workers *pool, struct worker *worker)
{
    pthread_mutex_lock(&pool->lock);
    pool->idle++;
    while (!pool->first && !pool->stopping) {
        rest(pool, worker);
    }
    pool->idle--;
    struct rpc_job *job = pool->first;
    if (job) {
        pool->first = job->next;
        pool->last = pool->first ? pool->last : &pool->first;
        pool->waiting--;
    }
    pthread_mutex_unlock(&pool->lock);
    return job;
}

static void *work(void *user)
{
    struct worker *worker = user;
    struct rpc_job *job;

    while ((job = next_job(worker->pool, worker)) != NULL) {
        job->run(job);
    }
    return NULL;
}

static bool start_worker(struct rpc_workers *pool, struct worker *worker)
{
    worker->pool = pool;
    pthread_cond_init(&worker->wake, NULL);
    if (pthread_create(&worker->thread, NULL, work, worker) == 0) {
        return true;
    }
    pthread_cond_destroy(&worker->wake);
    return false;
}

struct rpc_workers *rpc_workers_new(int threads, int queue)
{
    struct rpc_workers *pool =
        rpc_alloc(sizeof(*pool) + (size_t)threads * sizeof(pool->workers[0]));

    pthread_mutex_init(&pool->lock, NULL);
    pool->last = &pool->first;
    pool->most = queue;
    while (pool->started < threads && start_worker(pool, &pool->workers[pool->started])) {
        pool->started++;
    }
    if (pool->started < threads) {
        rpc_workers_free(pool);
        return NULL;
    }
    return pool;
}

bool rpc_workers_offer(struct rpc_workers *pool, struct rpc_job *job)
{
    struct worker *worker = NULL;

    pthread_mutex_lock(&pool->lock);
    bool room = pool->waiting - pool->idle < pool->most;
    if (room) {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->waiting++;
        worker = rouse(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (worker) { /* outside the lock, or who wakes would wait for it at once */
        pthread_cond_signal(&worker->wake);
    }
    return room;
}

void rpc_workers_free(struct rpc_workers *pool)
{
    if (!pool) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    for (struct worker *worker = rouse(pool); worker; worker = rouse(pool)) {
        pthread_cond_signal(&worker->wake);
    }
    pthread_mutex_unlock(&pool->lock);
    for (int i = 0; i < pool->started; i++) {
        pthread_join(pool->workers[i].thread, NULL);
        pthread_cond_destroy(&pool->workers[i].wake);
    }
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}
