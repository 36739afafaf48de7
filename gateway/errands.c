/* See errands.h. */
#include "gateway/errands.h"

#include "common/base/clock.h"
#include "common/base/cond.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MAX_THREADS = 4, MAX_QUEUED = 1000, TICK_MS = 250 };

struct errands {
    pthread_t threads[MAX_THREADS];
    int count;
    void (*tick)(void *user, int64_t now_ms);
    void *user;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    struct errand *first, **last;
    int queued;
    int64_t next_tick_ms;
    bool ticking, stopping;
};

/* Under lock; true when the tick is this thread's to do. */
static bool tick_is_due(struct errands *errands, int64_t now_ms)
{
    if (errands->ticking || errands->stopping || now_ms < errands->next_tick_ms) {
        return false;
    }
    errands->ticking = true;
    errands->next_tick_ms = now_ms + TICK_MS;
    return true;
}

/* Under lock. */
static struct errand *take(struct errands *errands)
{
    struct errand *errand = errands->first;

    if (errand) {
        errands->first = errand->next;
        errands->last = errand->next ? errands->last : &errands->first;
        errands->queued--;
    }
    return errand;
}

static void wait_a_little(struct errands *errands, int64_t now_ms)
{
    bool is_late = errands->next_tick_ms <= now_ms; /* another thread is at it */
    int64_t until = is_late ? now_ms + TICK_MS : errands->next_tick_ms;
    struct timespec at = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};

    pthread_cond_timedwait(&errands->wake, &errands->lock, &at);
}

static void *run(void *arg)
{
    struct errands *errands = arg;

    pthread_mutex_lock(&errands->lock);
    for (;;) {
        int64_t now = clock_monotonic_ms();
        bool due = tick_is_due(errands, now);
        struct errand *errand = due ? NULL : take(errands);

        if (!errand && !due) {
            if (errands->stopping) {
                break;
            }
            wait_a_little(errands, now);
            continue;
        }
        pthread_mutex_unlock(&errands->lock);
        if (due) {
            errands->tick(errands->user, now);
        }
        if (errand) {
            errand->run(errand);
        }
        pthread_mutex_lock(&errands->lock);
        errands->ticking = errands->ticking && !due;
    }
    pthread_mutex_unlock(&errands->lock);
    return NULL;
}

struct errands *errands_new(void (*tick)(void *user, int64_t now_ms), void *user)
{
    struct errands *errands = calloc(1, sizeof(*errands));

    if (!errands) {
        fputs("out of memory\n", stderr);
        abort();
    }
    errands->tick = tick;
    errands->user = user;
    errands->last = &errands->first;
    pthread_mutex_init(&errands->lock, NULL);
    cond_init(&errands->wake);
    return errands;
}

void errands_start(struct errands *errands, int threads)
{
    for (int i = 0; i < threads && i < MAX_THREADS; i++) {
        if (pthread_create(&errands->threads[errands->count], NULL, run, errands) == 0) {
            errands->count++;
        }
    }
}

void errands_stop(struct errands *errands)
{
    if (!errands) {
        return;
    }
    pthread_mutex_lock(&errands->lock);
    errands->stopping = true;
    pthread_cond_broadcast(&errands->wake);
    pthread_mutex_unlock(&errands->lock);
    for (int i = 0; i < errands->count; i++) {
        pthread_join(errands->threads[i], NULL);
    }
    errands->count = 0;
}

void errands_free(struct errands *errands)
{
    if (!errands) {
        return;
    }
    pthread_cond_destroy(&errands->wake);
    pthread_mutex_destroy(&errands->lock);
    free(errands);
}

bool errands_push(struct errands *errands, struct errand *errand)
{
    pthread_mutex_lock(&errands->lock);
    bool taken = errands->queued < MAX_QUEUED;

    if (taken) {
        errand->next = NULL;
        *errands->last = errand;
        errands->last = &errand->next;
        errands->queued++;
        pthread_cond_signal(&errands->wake);
    }
    pthread_mutex_unlock(&errands->lock);
    return taken;
}
