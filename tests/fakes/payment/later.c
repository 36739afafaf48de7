/* A list by time. */
#include "tests/fakes/payment/later.h"

#include "common/base/clock.h"
#include "common/http/http_server.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct due {
    struct due *next;
    struct http_request *request;
    int64_t at_ms;
    int http;
    const char *body;
};

struct later {
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t wake;
    struct due *first; /* the next one first */
    bool stopping;
};

static void answer(struct due *due, bool hang_up)
{
    if (hang_up || due->http == 0) {
        http_hang_up(due->request);
    } else {
        http_reply(due->request, &(struct http_reply){.code = due->http,
                                                      .type = "application/json",
                                                      .body = due->body,
                                                      .size = strlen(due->body)});
    }
    free(due);
}

static void wait_for_next(struct later *later)
{
    if (!later->first) {
        pthread_cond_wait(&later->wake, &later->lock);
        return;
    }
    struct timespec until = {.tv_sec = later->first->at_ms / 1000,
                             .tv_nsec = later->first->at_ms % 1000 * 1000000};
    pthread_cond_timedwait(&later->wake, &later->lock, &until);
}

static void *run(void *user)
{
    struct later *later = user;

    pthread_mutex_lock(&later->lock);
    while (!later->stopping || later->first) {
        struct due *due = later->first;

        if (due && (later->stopping || due->at_ms <= clock_monotonic_ms())) {
            later->first = due->next;
            answer(due, later->stopping);
        } else {
            wait_for_next(later);
        }
    }
    pthread_mutex_unlock(&later->lock);
    return NULL;
}

struct later *later_start(void)
{
    struct later *later = calloc(1, sizeof(*later));
    pthread_condattr_t monotonic;

    if (!later) {
        abort();
    }
    pthread_mutex_init(&later->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&later->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&later->thread, NULL, run, later) != 0) {
        abort();
    }
    return later;
}

void later_stop(struct later *later)
{
    if (!later) {
        return;
    }
    pthread_mutex_lock(&later->lock);
    later->stopping = true;
    pthread_cond_signal(&later->wake);
    pthread_mutex_unlock(&later->lock);
    pthread_join(later->thread, NULL);
}

void later_free(struct later *later)
{
    if (!later) {
        return;
    }
    pthread_cond_destroy(&later->wake);
    pthread_mutex_destroy(&later->lock);
    free(later);
}

void later_reply(struct later *later, struct http_request *request, int delay_ms, int http,
                 const char *body)
{
    struct due *due = calloc(1, sizeof(*due));

    if (!due) {
        abort();
    }
    *due = (struct due){
        .request = request, .at_ms = clock_monotonic_ms() + delay_ms, .http = http, .body = body};
    pthread_mutex_lock(&later->lock);
    if (later->stopping) { /* nobody waits for its time any more */
        pthread_mutex_unlock(&later->lock);
        answer(due, true);
        return;
    }
    struct due **at = &later->first;
    while (*at && (*at)->at_ms <= due->at_ms) {
        at = &(*at)->next;
    }
    due->next = *at;
    *at = due;
    pthread_cond_signal(&later->wake);
    pthread_mutex_unlock(&later->lock);
}
