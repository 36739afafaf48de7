/* One list of waiting jobs, one lock, threads that take from its head. */
#include "common/rpc/rpc_workers.h"

#include "common/rpc/rpc_wire.h"

#include <pthread.h>
#include <stdlib.h>

struct rpc_workers {
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t more;
    struct rpc_job *first, **last;
    int waiting, idle, most;
    bool stopping;
    int started;
    pthread_t threads[];
};

static struct rpc_job *next_job(struct rpc_workers *workers)
{
    pthread_mutex_lock(&workers->lock);
    workers->idle++;
    while (!workers->first && !workers->stopping) {
        pthread_cond_wait(&workers->more, &workers->lock);
    }
    workers->idle--;
    struct rpc_job *job = workers->first;
    if (job) {
        workers->first = job->next;
        workers->last = workers->first ? workers->last : &workers->first;
        workers->waiting--;
    }
    pthread_mutex_unlock(&workers->lock);
    return job;
}

static void *work(void *user)
{
    struct rpc_job *job;

    while ((job = next_job(user)) != NULL) {
        job->run(job);
    }
    return NULL;
}

struct rpc_workers *rpc_workers_new(int threads, int queue)
{
    struct rpc_workers *workers =
        rpc_alloc(sizeof(*workers) + (size_t)threads * sizeof(workers->threads[0]));

    pthread_mutex_init(&workers->lock, NULL);
    pthread_cond_init(&workers->more, NULL);
    workers->last = &workers->first;
    workers->most = queue;
    while (workers->started < threads &&
           pthread_create(&workers->threads[workers->started], NULL, work, workers) == 0) {
        workers->started++;
    }
    if (workers->started < threads) {
        rpc_workers_free(workers);
        return NULL;
    }
    return workers;
}

bool rpc_workers_offer(struct rpc_workers *workers, struct rpc_job *job)
{
    pthread_mutex_lock(&workers->lock);
    bool room = workers->waiting - workers->idle < workers->most;
    if (room) {
        job->next = NULL;
        *workers->last = job;
        workers->last = &job->next;
        workers->waiting++;
    }
    bool wake = room && workers->idle;
    pthread_mutex_unlock(&workers->lock);
    if (wake) { /* outside the lock, or who wakes would wait for it at once */
        pthread_cond_signal(&workers->more);
    }
    return room;
}

void rpc_workers_free(struct rpc_workers *workers)
{
    if (!workers) {
        return;
    }
    pthread_mutex_lock(&workers->lock);
    workers->stopping = true;
    pthread_cond_broadcast(&workers->more);
    pthread_mutex_unlock(&workers->lock);
    for (int i = 0; i < workers->started; i++) {
        pthread_join(workers->threads[i], NULL);
    }
    pthread_cond_destroy(&workers->more);
    pthread_mutex_destroy(&workers->lock);
    free(workers);
}
