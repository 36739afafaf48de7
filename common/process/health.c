/* Readiness: what each check said last, asked again at most once a second by whoever looks;
 * sooner while something required is down, since somebody waits for it. /readyz and the gRPC health
 * are two views of this one truth. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/process/daemon.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHECK_EVERY_MS = 1000, CHECK_DOWN_EVERY_MS = 50, NOBODY_ASKS_MS = 60000 };

/* The clock of a machine without a battery: before this it cannot be trusted. 2026-01-01. */
static const int64_t earliest_ms = INT64_C(1767225600000);

struct health {
    const struct health_check *checks;
    void *service;
    size_t count;
    pthread_mutex_t lock; /* of what follows; held while the checks run, so that they run once */
    bool draining;
    int64_t next_ms;
    bool *up, *doubted;
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
    pthread_mutex_init(&health->lock, NULL);
    return health;
}

void health_free(struct health *health)
{
    if (health) {
        pthread_mutex_destroy(&health->lock);
        free(health->up);
        free(health);
    }
}

/* What was up and is required must fail twice in a row: one answer that a busy moment delayed would
 * send all callers away. Under lock, as all that follows. */
static bool passes(struct health *health, size_t i)
{
    bool answers = health->checks[i].is_up(health->service);
    bool spared = !answers && health->up[i] && !health->doubted[i] && health->checks[i].required;

    health->doubted[i] = !answers;
    return answers || spared;
}

static void check(struct health *health)
{
    bool all_there = true;

    if (clock_monotonic_ms() < health->next_ms) {
        return;
    }
    for (size_t i = 0; i < health->count; i++) {
        health->up[i] = passes(health, i);
        all_there = all_there && !(health->doubted[i] && health->checks[i].required);
    }
    health->next_ms = clock_monotonic_ms() + (all_there ? CHECK_EVERY_MS : CHECK_DOWN_EVERY_MS);
}

static bool clock_is_set(void)
{
    return clock_wall_ms() >= earliest_ms;
}

static bool is_ready(const struct health *health)
{
    bool ready = !health->draining && clock_is_set();

    for (size_t i = 0; i < health->count; i++) {
        ready = ready && (health->up[i] || !health->checks[i].required);
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

int64_t health_look(struct health *health)
{
    pthread_mutex_lock(&health->lock);
    int64_t wait = NOBODY_ASKS_MS;
    if (health->tell) {
        check(health);
        tell_change(health);
        wait = health->next_ms - clock_monotonic_ms();
    }
    pthread_mutex_unlock(&health->lock);
    return wait < 0 ? 0 : wait;
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
                    health->up[i]                ? "ok"
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
    check(health);
    tell_change(health);
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
