/* Readiness: what each check said last, asked again at most once a second by whoever looks;
 * sooner while something required is down, since somebody waits for it. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/process/daemon.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHECK_EVERY_MS = 1000, CHECK_DOWN_EVERY_MS = 50 };

/* The clock of a machine without a battery: before this it cannot be trusted. 2026-01-01. */
static const int64_t earliest_ms = INT64_C(1767225600000);

struct health {
    const struct health_check *checks;
    void *service;
    size_t count;
    atomic_bool draining;
    pthread_mutex_t lock; /* of what follows; held while the checks run, so that they run once */
    int64_t next_ms;
    bool *up;
};

struct health *health_new(const struct health_check *checks, void *service)
{
    struct health *health = calloc(1, sizeof(*health));
    size_t count = 0;

    while (checks[count].name) {
        count++;
    }
    bool *up = calloc(count + 1, sizeof(*up));

    if (!health || !up) {
        fputs("out of memory\n", stderr);
        abort();
    }
    health->checks = checks;
    health->service = service;
    health->count = count;
    health->up = up;
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

void health_set_draining(struct health *health)
{
    atomic_store(&health->draining, true);
}

/* Under lock. */
static void check(struct health *health)
{
    bool all_there = true;

    if (clock_monotonic_ms() < health->next_ms) {
        return;
    }
    for (size_t i = 0; i < health->count; i++) {
        health->up[i] = health->checks[i].is_up(health->service);
        all_there = all_there && (health->up[i] || !health->checks[i].required);
    }
    health->next_ms = clock_monotonic_ms() + (all_there ? CHECK_EVERY_MS : CHECK_DOWN_EVERY_MS);
}

bool health_report(struct health *health, struct arena *arena, const char **json)
{
    struct text fields = text_new(arena, 128);
    bool draining = atomic_load(&health->draining);
    bool clock_is_set = clock_wall_ms() >= earliest_ms;
    bool ready = !draining && clock_is_set;

    pthread_mutex_lock(&health->lock);
    check(health);
    for (size_t i = 0; i < health->count; i++) {
        bool required = health->checks[i].required;

        ready = ready && (health->up[i] || !required);
        text_printf(&fields, ",\"%s\":\"%s\"", health->checks[i].name,
                    health->up[i] ? "ok"
                    : required    ? "down"
                                  : "degraded");
    }
    pthread_mutex_unlock(&health->lock);
    if (!clock_is_set) {
        text_add(&fields, ",\"clock\":\"down\"");
    }
    *json = arena_printf(arena, "{\"status\":\"%s\"%s}",
                         ready      ? "ok"
                         : draining ? "draining"
                                    : "down",
                         fields.data);
    return ready;
}
