/* The registry as text. Both formats keep the same names, so that a graph does not change when a
 * scraper begins to ask for OpenMetrics: there a counter must end in _total, so one that does not
 * (order_count is named by the requirements) goes out as "unknown", which is any number. */
#include "common/obs/metrics_registry.h"

#include <stdio.h>
#include <string.h>

static const char total[] = "_total";
static const char *const bound_texts[METRIC_BUCKETS + 1] = {
    "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1",
    "0.25",  "0.5",    "1.0",   "2.5",  "5.0",   "10.0", "+Inf"};

static bool ends_in_total(const char *name)
{
    size_t length = strlen(name), tail = sizeof(total) - 1;

    return length > tail && strcmp(name + length - tail, total) == 0;
}

static const char *type_of(const struct metric_def *def, bool openmetrics)
{
    static const char *const names[] = {"counter", "gauge", "histogram"};

    if (openmetrics && def->kind == METRIC_COUNTER && !ends_in_total(def->name)) {
        return "unknown";
    }
    return names[def->kind];
}

static void add_escaped(struct text *out, const char *s)
{
    if (!text_is_utf8(s, strlen(s))) {
        s = "(not UTF-8)";
    }
    for (; *s; s++) {
        if (*s == '\n') {
            text_add(out, "\\n");
            continue;
        }
        if (*s == '\\' || *s == '"') {
            text_add_char(out, '\\');
        }
        text_add_char(out, *s);
    }
}

static void add_head(struct text *out, const struct metric_def *def, bool openmetrics)
{
    size_t length = strlen(def->name);

    if (openmetrics && def->kind == METRIC_COUNTER && ends_in_total(def->name)) {
        length -= sizeof(total) - 1; /* the family's name goes without it */
    }
    text_add(out, "# HELP ");
    text_add_bytes(out, def->name, length);
    text_add_char(out, ' ');
    text_add(out, def->help);
    text_add(out, "\n# TYPE ");
    text_add_bytes(out, def->name, length);
    text_add_char(out, ' ');
    text_add(out, type_of(def, openmetrics));
    text_add_char(out, '\n');
}

/* name_suffix{label="value",le="0.1"} and a space */
static void add_name(struct text *out, const struct metric *metric,
                     const struct metric_series *series, const char *suffix, const char *le)
{
    const char *before = "{";

    text_add(out, metric->def.name);
    text_add(out, suffix);
    for (int i = 0; series && i < metric->label_count; i++) {
        text_add(out, before);
        text_add(out, metric->def.labels[i]);
        text_add(out, "=\"");
        add_escaped(out, series->values[i]);
        text_add_char(out, '"');
        before = ",";
    }
    if (le) {
        text_add(out, before);
        text_add(out, "le=\"");
        text_add(out, le);
        text_add_char(out, '"');
    }
    text_add(out, metric->label_count || le ? "} " : " ");
}

static void add_exemplar(struct text *out, struct metric_times *times, int bucket)
{
    pthread_mutex_lock(&times->lock);
    struct metric_exemplar seen = times->exemplars[bucket];
    pthread_mutex_unlock(&times->lock);

    if (*seen.trace_id) {
        text_add(out, " # {trace_id=\"");
        add_escaped(out, seen.trace_id);
        text_printf(out, "\"} %.6f %lld.%03d", seen.seconds, (long long)(seen.at_ms / 1000),
                    (int)(seen.at_ms % 1000));
    }
}

static void add_times(struct text *out, const struct metric *metric,
                      const struct metric_series *series, bool openmetrics)
{
    struct metric_times *times = series->times;
    int64_t count = 0; /* added up here, so that +Inf and _count agree while others observe */

    for (int i = 0; i <= METRIC_BUCKETS; i++) {
        count += atomic_load_explicit(&times->buckets[i], memory_order_relaxed);
        add_name(out, metric, series, "_bucket", bound_texts[i]);
        text_add_number(out, count);
        if (openmetrics) {
            add_exemplar(out, times, i);
        }
        text_add_char(out, '\n');
    }
    add_name(out, metric, series, "_sum", NULL);
    text_printf(out, "%.9f\n", (double)atomic_load(&times->sum_ns) / 1e9);
    add_name(out, metric, series, "_count", NULL);
    text_add_number(out, count);
    text_add_char(out, '\n');
}

static void add_read_gauge(struct text *out, struct metric *metric)
{
    pthread_mutex_lock(&metric->reading);
    if (metric->read) {
        add_name(out, metric, NULL, "", NULL);
        text_add_number(out, metric->read(metric->user));
        text_add_char(out, '\n');
    }
    pthread_mutex_unlock(&metric->reading);
}

static void add_metric(struct text *out, struct metric *metric, bool openmetrics)
{
    add_head(out, &metric->def, openmetrics);
    for (struct metric_series *s = atomic_load(&metric->first); s; s = atomic_load(&s->next)) {
        if (s->times) {
            add_times(out, metric, s, openmetrics);
            continue;
        }
        add_name(out, metric, s, "", NULL);
        text_add_number(out, atomic_load_explicit(&s->value, memory_order_relaxed));
        text_add_char(out, '\n');
    }
    if (metric->label_count == 0) {
        add_read_gauge(out, metric);
    }
}

void metrics_print(struct text *out, bool openmetrics)
{
    for (struct metric *m = metrics_first(); m; m = atomic_load(&m->next)) {
        add_metric(out, m, openmetrics);
    }
    metrics_print_process(out, openmetrics);
    if (openmetrics) {
        text_add(out, "# EOF\n");
    }
}
