/* The loop: one epoll thread for what libmicrohttpd does not watch: WebSockets, clients of
 * streams that go away in silence, lingering closes, and the clock for slow clients. */
#include "common/base/clock.h"
#include "common/http/http_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS = 64, TICK_MS = 500 };

struct loop {
    int epoll, stop;
    pthread_t thread;
    pthread_mutex_t lock;
    struct watch *watched; /* under lock */
    struct watch *dead;    /* under lock: forgotten, to be freed by the thread */
    void (*tick)(void *user, int64_t now_ms);
    void *user;
};

void *http_must(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

static void bury(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct watch *dead = loop->dead;
    loop->dead = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (dead) {
        struct watch *next = dead->next_dead;

        dead->free(dead);
        dead = next;
    }
}

/* Only this thread frees a watch, and forgetting one leaves its links alone: so the walk may go on
 * after a tick that forgot its own watch, without the lock that the tick needs. */
static void tick_all(struct loop *loop, int64_t now_ms)
{
    pthread_mutex_lock(&loop->lock);
    struct watch *watch = loop->watched;
    pthread_mutex_unlock(&loop->lock);

    while (watch) {
        pthread_mutex_lock(&loop->lock);
        struct watch *next = watch->next;
        pthread_mutex_unlock(&loop->lock);

        if (watch->tick) {
            watch->tick(watch, now_ms);
        }
        watch = next;
    }
    loop->tick(loop->user, now_ms);
}

static void *run(void *arg)
{
    struct loop *loop = arg;
    struct epoll_event events[EVENTS];
    int64_t last_tick = clock_monotonic_ms();

    for (;;) {
        bury(loop);
        int count = epoll_wait(loop->epoll, events, EVENTS, TICK_MS);

        for (int i = 0; i < count; i++) {
            struct watch *watch = events[i].data.ptr;

            if (!watch) {
                return NULL; /* told to stop */
            }
            watch->ready(watch, events[i].events);
        }
        int64_t now = clock_monotonic_ms();

        if (now - last_tick >= TICK_MS) {
            last_tick = now;
            tick_all(loop, now);
        }
    }
}

struct loop *loop_start(void (*tick)(void *user, int64_t now_ms), void *user)
{
    struct loop *loop = http_must(calloc(1, sizeof(*loop)));
    struct epoll_event stop = {.events = EPOLLIN};

    loop->tick = tick;
    loop->user = user;
    pthread_mutex_init(&loop->lock, NULL);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->stop = eventfd(0, EFD_CLOEXEC);
    if (loop->epoll < 0 || loop->stop < 0 ||
        epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->stop, &stop) != 0 ||
        pthread_create(&loop->thread, NULL, run, loop) != 0) {
        fputs("no descriptor or thread left\n", stderr);
        abort();
    }
    return loop;
}

void loop_stop(struct loop *loop)
{
    eventfd_write(loop->stop, 1);
    pthread_join(loop->thread, NULL);
    while (loop->watched) {
        loop_forget(loop, loop->watched);
    }
    bury(loop);
    close(loop->epoll);
    close(loop->stop);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

void loop_watch(struct loop *loop, struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    pthread_mutex_lock(&loop->lock);
    watch->next = loop->watched;
    watch->previous = NULL;
    if (watch->next) {
        watch->next->previous = watch;
    }
    loop->watched = watch;
    epoll_ctl(loop->epoll, EPOLL_CTL_ADD, watch->fd, &event);
    pthread_mutex_unlock(&loop->lock);
}

void loop_change(struct loop *loop, struct watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void loop_forget(struct loop *loop, struct watch *watch)
{
    pthread_mutex_lock(&loop->lock);
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
    if (watch->next) {
        watch->next->previous = watch->previous;
    }
    if (watch->previous) {
        watch->previous->next = watch->next;
    } else {
        loop->watched = watch->next;
    }
    watch->next_dead = loop->dead;
    loop->dead = watch;
    pthread_mutex_unlock(&loop->lock);
}
