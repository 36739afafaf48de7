/* How metrics are kept: private to this folder. Metrics and series are only ever added, to lists
 * whose links are atomic, so that readers take no lock. */
#ifndef COMMON_OBS_METRICS_REGISTRY_H
#define COMMON_OBS_METRICS_REGISTRY_H

#include "common/obs/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

enum { METRIC_BUCKETS = 13, METRIC_SLOTS = 64, METRIC_TRACE_ID_SIZE = 33 };

extern const double metric_bounds[METRIC_BUCKETS]; /* upper, in seconds; one more bucket is +Inf */

struct metric_exemplar {
    char trace_id[METRIC_TRACE_ID_SIZE]; /* "": none yet */
    double seconds;
    int64_t at_ms;
};

struct metric_times { /* what a histogram has beyond a number */
    _Atomic int64_t buckets[METRIC_BUCKETS + 1], sum_ns;
    pthread_mutex_t lock; /* guards exemplars */
    struct metric_exemplar exemplars[METRIC_BUCKETS + 1];
};

struct metric_series {
    struct metric_series *in_slot;        /* set before it is seen */
    _Atomic(struct metric_series *) next; /* in the order they were made */
    _Atomic int64_t value;
    struct metric_times *times; /* of histograms, else NULL */
    char *values[METRIC_MAX_LABELS];
};

struct metric {
    struct metric_def def;
    _Atomic(struct metric *) next;
    int label_count;
    pthread_mutex_t lock; /* guards adding series: the three below change under it */
    int series_count;
    _Atomic(struct metric_series *) slots[METRIC_SLOTS]; /* by hash of the label values */
    _Atomic(struct metric_series *) first, last;
    struct metric_series *other; /* once there are too many */
    pthread_mutex_t reading;     /* guards the two below, also while read() runs */
    int64_t (*read)(void *user);
    void *user;
};

struct metric *metrics_first(void);

/* process_* as its own families: not registered, read when printed. */
void metrics_print_process(struct text *out, bool openmetrics);

#endif
