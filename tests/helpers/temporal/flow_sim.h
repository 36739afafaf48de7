/* Temporal in memory, for one run of one workflow: it keeps the history, and the test decides when
 * signals come, timers fire, activities end and workers work. Each task replays the whole history
 * from its first event, so whatever is not deterministic shows. */
#ifndef TESTS_HELPERS_TEMPORAL_FLOW_SIM_H
#define TESTS_HELPERS_TEMPORAL_FLOW_SIM_H

#include "common/temporal/flow_run.h"

enum { SIM_MAX = 4000, SIM_WAITING_MAX = 64 };

struct sim_waiting {          /* an activity or timer that has not ended */
    int64_t event_id, at_ms;  /* a timer's end; an activity's beginning */
    const char *name, *input; /* name NULL: a timer */
    const struct flow_activity *options;
    int attempt;
};

struct sim {
    struct ctx *ctx;
    struct stacks stacks;
    flow_main *main;
    int64_t now_ms; /* the test moves it */
    Temporal__HistoryEvent *events[SIM_MAX];
    size_t count;
    struct sim_waiting waiting[SIM_WAITING_MAX];
    size_t waiting_count;
    bool has_news;                   /* for a task */
    Temporal__CommandType closed_by; /* 0: it is open */
    const char *result;
};

struct sim *sim_new(flow_main *main, const char *input, int64_t now_ms);
void sim_free(struct sim *sim);

void sim_signal(struct sim *sim, const char *name, const char *json);
void sim_request_cancel(struct sim *sim);
/* The i-th of the waiting ends; 'json' is an activity's answer. Neither is told of again. */
void sim_end(struct sim *sim, size_t i, enum status st, const char *json);
/* A worker takes the task that the news made; false when there was none. */
bool sim_work(struct sim *sim);

#endif
