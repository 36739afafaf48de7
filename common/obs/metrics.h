/* Counters, gauges and histograms, printed for Prometheus. The registry is the process's own; a
 * metric is declared in a table and registered once at start. Hot paths keep the series and pay one
 * atomic add. */
#ifndef COMMON_OBS_METRICS_H
#define COMMON_OBS_METRICS_H

#include "common/base/text.h"

#include <stdint.h>

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };
enum { METRIC_MAX_LABELS = 4, METRIC_MAX_SERIES = 500 };

struct metric_def {
    enum metric_kind kind;
    const char *name, *help;
    const char *labels[METRIC_MAX_LABELS]; /* names; unused ones NULL */
};

struct metric;
struct metric_series;

/* The same definition registered twice is the same metric. */
struct metric *metric_register(const struct metric_def *def);
/* The series of these label values, in order, made when new; past METRIC_MAX_SERIES all new ones
 * share "other". Lives for ever. */
struct metric_series *metric_series(struct metric *metric, const char *const *values);
#define METRIC_SERIES(metric, ...) metric_series((metric), (const char *const[]){__VA_ARGS__, NULL})

void metric_add(struct metric_series *series, int64_t by); /* counter, gauge */
void metric_set(struct metric_series *series, int64_t to); /* gauge */
/* Seconds; 'trace_id' becomes the exemplar of its bucket when it is not empty. */
void metric_observe(struct metric_series *series, double seconds, const char *trace_id);

/* A gauge without labels that is read when somebody looks. Said again it replaces the first; with a
 * NULL 'read' it is gone, and no read() runs once that call returned. read() must not call this. */
void metric_gauge_callback(const struct metric_def *def, int64_t (*read)(void *user), void *user);

/* build_info{service,version} 1, so that a graph shows which version ran when. */
void metrics_build_info(const char *service, const char *version);

/* Everything, as OpenMetrics text with exemplars, or as plain Prometheus text. */
void metrics_print(struct text *out, bool openmetrics);

#endif
