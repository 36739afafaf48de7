/* The registry, and what is added to it. One for the process, since what it describes is the
 * process: a library counts without being handed something to count in, and a test reads what a
 * user would. It only grows; label values come from tables (routes, methods, kinds), never from
 * users. */
#include "common/obs/metrics_registry.h"

#include "common/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const double metric_bounds[METRIC_BUCKETS] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                              0.25,  0.5,    1,     2.5,  5,     10};

static struct {
    pthread_mutex_t lock; /* guards adding a metric */
    _Atomic(struct metric *) first;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *must_have(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

struct metric *metrics_first(void)
{
    return atomic_load(&registry.first);
}

static bool same_def(const struct metric_def *a, const struct metric_def *b)
{
    for (int i = 0; i < METRIC_MAX_LABELS; i++) {
        if (!text_equal(a->labels[i], b->labels[i])) {
            return false;
        }
    }
    return a->kind == b->kind;
}

static struct metric *new_metric(const struct metric_def *def)
{
    struct metric *metric = must_have(calloc(1, sizeof(*metric)));

    metric->def = *def;
    while (metric->label_count < METRIC_MAX_LABELS && def->labels[metric->label_count]) {
        metric->label_count++;
    }
    pthread_mutex_init(&metric->lock, NULL);
    pthread_mutex_init(&metric->reading, NULL);
    return metric;
}

static struct metric *find_or_add(const struct metric_def *def)
{
    _Atomic(struct metric *) *link = &registry.first;

    for (struct metric *m = atomic_load(link); m; m = atomic_load(link)) {
        if (strcmp(m->def.name, def->name) == 0) {
            return m;
        }
        link = &m->next;
    }
    struct metric *metric = new_metric(def);
    atomic_store(link, metric);
    return metric;
}

struct metric *metric_register(const struct metric_def *def)
{
    pthread_mutex_lock(&registry.lock);
    struct metric *metric = find_or_add(def);
    pthread_mutex_unlock(&registry.lock);

    if (!same_def(&metric->def, def)) { /* two tables disagree: no test run survives it */
        fprintf(stderr, "metric %s is declared in two ways\n", def->name);
        abort();
    }
    return metric;
}

static unsigned slot_of(const struct metric *metric, const char *const *values)
{
    unsigned hash = 2166136261u; /* FNV-1a */

    for (int i = 0; i < metric->label_count; i++) {
        for (const char *s = values[i]; *s; s++) {
            hash = (hash ^ (unsigned char)*s) * 16777619u;
        }
        hash = (hash ^ 0xff) * 16777619u;
    }
    return hash % METRIC_SLOTS;
}

static struct metric_series *find_series(struct metric *metric, unsigned slot,
                                         const char *const *values)
{
    struct metric_series *series = atomic_load_explicit(&metric->slots[slot], memory_order_acquire);

    for (; series; series = series->in_slot) {
        int same = 0;

        while (same < metric->label_count && strcmp(series->values[same], values[same]) == 0) {
            same++;
        }
        if (same == metric->label_count) {
            break;
        }
    }
    return series;
}

static struct metric_series *new_series(struct metric *metric, const char *const *values)
{
    struct metric_series *series = must_have(calloc(1, sizeof(*series)));

    for (int i = 0; i < metric->label_count; i++) {
        series->values[i] = must_have(strdup(values[i]));
    }
    if (metric->def.kind == METRIC_HISTOGRAM) {
        series->times = must_have(calloc(1, sizeof(*series->times)));
        pthread_mutex_init(&series->times->lock, NULL);
    }
    return series;
}

/* With metric->lock held: somebody else may have made it meanwhile. */
static struct metric_series *add_series(struct metric *metric, unsigned slot,
                                        const char *const *values)
{
    struct metric_series *series = find_series(metric, slot, values);

    if (series) {
        return series;
    }
    series = new_series(metric, values);
    struct metric_series *last = atomic_load(&metric->last);
    series->in_slot = atomic_load(&metric->slots[slot]);
    atomic_store_explicit(&metric->slots[slot], series, memory_order_release);
    atomic_store(last ? &last->next : &metric->first, series);
    atomic_store(&metric->last, series);
    metric->series_count++;
    return series;
}

static struct metric_series *series_to_share(struct metric *metric)
{
    static const char *const others[METRIC_MAX_LABELS] = {"other", "other", "other", "other"};

    if (!metric->other) {
        metric->other = add_series(metric, slot_of(metric, others), others);
    }
    return metric->other;
}

struct metric_series *metric_series(struct metric *metric, const char *const *values)
{
    const char *given[METRIC_MAX_LABELS] = {"", "", "", ""};

    for (int i = 0; i < metric->label_count && values[i]; i++) {
        given[i] = values[i];
    }
    unsigned slot = slot_of(metric, given);
    struct metric_series *series = find_series(metric, slot, given);
    if (series) {
        return series;
    }
    pthread_mutex_lock(&metric->lock);
    series = metric->series_count < METRIC_MAX_SERIES ? add_series(metric, slot, given)
                                                      : series_to_share(metric);
    pthread_mutex_unlock(&metric->lock);
    return series;
}

void metric_add(struct metric_series *series, int64_t by)
{
    atomic_fetch_add_explicit(&series->value, by, memory_order_relaxed);
}

void metric_set(struct metric_series *series, int64_t to)
{
    atomic_store_explicit(&series->value, to, memory_order_relaxed);
}

/* The latest wins; whoever finds another thread writing lets that one be the latest. */
static void keep_exemplar(struct metric_times *times, int bucket, double seconds,
                          const char *trace_id)
{
    struct metric_exemplar *exemplar = &times->exemplars[bucket];

    if (pthread_mutex_trylock(&times->lock) == 0) {
        text_copy(exemplar->trace_id, sizeof(exemplar->trace_id), trace_id);
        exemplar->seconds = seconds;
        exemplar->at_ms = clock_wall_ms();
        pthread_mutex_unlock(&times->lock);
    }
}

void metric_observe(struct metric_series *series, double seconds, const char *trace_id)
{
    struct metric_times *times = series->times;
    int bucket = 0;

    while (bucket < METRIC_BUCKETS && seconds > metric_bounds[bucket]) {
        bucket++;
    }
    atomic_fetch_add_explicit(&times->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&times->sum_ns, (int64_t)(seconds * 1e9), memory_order_relaxed);
    if (trace_id && *trace_id) {
        keep_exemplar(times, bucket, seconds, trace_id);
    }
}

void metric_gauge_callback(const struct metric_def *def, int64_t (*read)(void *user), void *user)
{
    struct metric *metric = metric_register(def);

    pthread_mutex_lock(&metric->reading);
    metric->read = read;
    metric->user = user;
    pthread_mutex_unlock(&metric->reading);
}

void metrics_build_info(const char *service, const char *version)
{
    static const struct metric_def def = {
        METRIC_GAUGE, "build_info", "What runs here.", {"service", "version"}
    };

    metric_set(METRIC_SERIES(metric_register(&def), service, version), 1);
}
