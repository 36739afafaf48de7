/* Readiness: what each check said last. Two threads ask about once a second, sooner while what is
 * required is down, since somebody waits for it: one asks what is required, the other what is only
 * useful, so that neither makes the other's news old. Who reports never asks, and never waits.
 * /readyz and the gRPC health are two views of this one truth. */
#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/text.h"
#include "common/process/daemon.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CHECK_EVERY_MS = 1000,
    CHECK_DOWN_EVERY_MS = 50,
    FIRST_LOOK_MS = 1000,
    PATIENCE_MS = 2000 /* each check has a shorter limit of its own: who exceeds it hangs */
};

/* The clock of a machine without a battery: before this it cannot be trusted. 2026-01-01. */
static const int64_t earliest_ms = INT64_C(1767225600000);

/* The checks that are required, or those that are not. */
struct group {
    struct health *health;
    bool required;
    pthread_t thread;
    bool asking;
    size_t asked;     /* which check is under way, while 'asking' */
    int64_t asked_ms; /* since when */
    int64_t next_ms;  /* 0: not asked yet */
};

struct health {
    const struct health_check *checks;
    void *service;
    size_t count;
    pthread_mutex_t lock; /* of what follows; no check runs under it */
    pthread_cond_t change;
    bool watched; /* by the threads; else who reports asks */
    struct group groups[2];
    bool draining, stopping;
    bool *up, *doubted; /* written by who asks that group */
    void (*tell)(bool ready, void *user);
    void *user;
    bool told; /* what tell() heard last; it begins with "not ready" */
};

struct health *health_new(const struct health_check *checks, void *service)
{
    struct health *health = calloc(1, sizeof(*health));
    size_t count = 0;

    while (checks[count].name) {
        count++;
    }
    bool *states = calloc(2 * count + 1, sizeof(*states));

    if (!health || !states) {
        fputs("out of memory\n", stderr);
        abort();
    }
    health->checks = checks;
    health->service = service;
    health->count = count;
    health->up = states;
    health->doubted = states + count;
    for (size_t i = 0; i < ARRAY_LEN(health->groups); i++) {
        health->groups[i] = (struct group){.health = health, .required = i == 0};
    }
    pthread_mutex_init(&health->lock, NULL);
    cond_init(&health->change);
    return health;
}

void health_free(struct health *health)
{
    if (health) {
        pthread_cond_destroy(&health->change);
        pthread_mutex_destroy(&health->lock);
        free(health->up);
        free(health);
    }
}

static bool clock_is_set(void)
{
    return clock_wall_ms() >= earliest_ms;
}

/* No answer is an answer too, once it is late: what was said before is worth nothing. */
static bool hangs(const struct group *group, size_t i)
{
    return group->asking && group->asked == i &&
           clock_monotonic_ms() - group->asked_ms >= PATIENCE_MS;
}

static bool is_up(const struct health *health, size_t i)
{
    return health->up[i] && !hangs(&health->groups[0], i) && !hangs(&health->groups[1], i);
}

static bool is_ready(const struct health *health)
{
    bool ready = !health->draining && clock_is_set();

    for (size_t i = 0; i < health->count; i++) {
        ready = ready && (is_up(health, i) || !health->checks[i].required);
    }
    return ready;
}

static void tell_change(struct health *health)
{
    bool ready = is_ready(health);

    if (health->tell && ready != health->told) {
        health->told = ready;
        health->tell(ready, health->user);
    }
}

void health_tell(struct health *health, void (*tell)(bool ready, void *user), void *user)
{
    pthread_mutex_lock(&health->lock);
    health->tell = tell;
    health->user = user;
    pthread_mutex_unlock(&health->lock);
}

/* What was up and is required must fail twice in a row, a second apart: one answer that a busy
 * moment delayed would send all callers away. What hung was not up. */
static void note(struct health *health, size_t i, bool answers)
{
    pthread_mutex_lock(&health->lock);
    bool spared = !answers && is_up(health, i) && !health->doubted[i] && health->checks[i].required;

    health->doubted[i] = !answers;
    health->up[i] = answers || spared;
    pthread_mutex_unlock(&health->lock);
}

static bool begins(struct group *group)
{
    pthread_mutex_lock(&group->health->lock);
    bool is_due = !group->asking && clock_monotonic_ms() >= group->next_ms;
    group->asking = group->asking || is_due;
    pthread_mutex_unlock(&group->health->lock);
    return is_due;
}

static bool ask(struct group *group, size_t i)
{
    struct health *health = group->health;

    pthread_mutex_lock(&health->lock);
    group->asked = i;
    group->asked_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&health->lock);
    return health->checks[i].is_up(health->service);
}

static void look(struct group *group)
{
    struct health *health = group->health;
    bool waited_for = false;

    if (!begins(group)) {
        return;
    }
    for (size_t i = 0; i < health->count; i++) {
        if (health->checks[i].required == group->required) {
            note(health, i, ask(group, i));
            waited_for = waited_for || (!health->up[i] && group->required);
        }
    }
    pthread_mutex_lock(&health->lock);
    group->asking = false;
    group->next_ms = clock_monotonic_ms() + (waited_for ? CHECK_DOWN_EVERY_MS : CHECK_EVERY_MS);
    tell_change(health);
    pthread_cond_broadcast(&health->change);
    pthread_mutex_unlock(&health->lock);
}

int64_t health_look(struct health *health)
{
    look(&health->groups[0]);
    look(&health->groups[1]);
    pthread_mutex_lock(&health->lock);
    int64_t one = health->groups[0].next_ms, other = health->groups[1].next_ms;
    pthread_mutex_unlock(&health->lock);
    int64_t wait = (one < other ? one : other) - clock_monotonic_ms();
    return wait < 0 ? 0 : wait;
}

static void *watch(void *user)
{
    struct group *group = user;
    struct health *health = group->health;

    pthread_setname_np(pthread_self(), group->required ? "health" : "health-useful");
    pthread_mutex_lock(&health->lock);
    while (!health->stopping) {
        pthread_mutex_unlock(&health->lock);
        look(group);
        pthread_mutex_lock(&health->lock);
        struct timespec next = cond_limit(group->next_ms - clock_monotonic_ms());
        while (!health->stopping &&
               pthread_cond_timedwait(&health->change, &health->lock, &next) == 0) {
        }
    }
    pthread_mutex_unlock(&health->lock);
    return NULL;
}

void health_watch(struct health *health)
{
    struct timespec limit = cond_limit(FIRST_LOOK_MS);

    pthread_mutex_lock(&health->lock);
    health->watched = true;
    for (size_t i = 0; i < ARRAY_LEN(health->groups); i++) {
        if (pthread_create(&health->groups[i].thread, NULL, watch, &health->groups[i]) != 0) {
            abort();
        }
    }
    while ((!health->groups[0].next_ms || !health->groups[1].next_ms) &&
           pthread_cond_timedwait(&health->change, &health->lock, &limit) == 0) {
    }
    pthread_mutex_unlock(&health->lock);
}

void health_unwatch(struct health *health)
{
    pthread_mutex_lock(&health->lock);
    health->stopping = true;
    pthread_cond_broadcast(&health->change);
    pthread_mutex_unlock(&health->lock);
    for (size_t i = 0; i < ARRAY_LEN(health->groups); i++) {
        pthread_join(health->groups[i].thread, NULL);
    }
}

void health_set_draining(struct health *health)
{
    pthread_mutex_lock(&health->lock);
    health->draining = true;
    tell_change(health);
    pthread_mutex_unlock(&health->lock);
}

static void print(const struct health *health, struct text *fields)
{
    for (size_t i = 0; i < health->count; i++) {
        text_printf(fields, ",\"%s\":\"%s\"", health->checks[i].name,
                    is_up(health, i)             ? "ok"
                    : health->checks[i].required ? "down"
                                                 : "degraded");
    }
    if (!clock_is_set()) {
        text_add(fields, ",\"clock\":\"down\"");
    }
}

bool health_report(struct health *health, struct arena *arena, const char **json)
{
    struct text fields = text_new(arena, 128);

    pthread_mutex_lock(&health->lock);
    bool watched = health->watched;
    pthread_mutex_unlock(&health->lock);
    if (!watched) {
        (void)health_look(health);
    }
    pthread_mutex_lock(&health->lock);
    tell_change(health); /* the clock may be set by now */
    bool ready = is_ready(health), draining = health->draining;
    print(health, &fields);
    pthread_mutex_unlock(&health->lock);
    *json = arena_printf(arena, "{\"status\":\"%s\"%s}",
                         ready      ? "ok"
                         : draining ? "draining"
                                    : "down",
                         fields.data);
    return ready;
}
