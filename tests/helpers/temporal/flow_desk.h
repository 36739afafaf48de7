/* What tests of workflows have at hand: a server, a client, a file of notes, ids of their own. */
#ifndef TESTS_HELPERS_TEMPORAL_FLOW_DESK_H
#define TESTS_HELPERS_TEMPORAL_FLOW_DESK_H

#include "tests/helpers/temporal/flow_process.h"

struct flow_desk {
    struct temporal_server server; /* made by desk_start(), shared by the tests of a program */
    struct temporal *temporal;
    struct ctx *ctx;
    char queue[64], notes[128];
};
extern struct flow_desk desk;

void desk_start(void); /* test_around: start and stop */
void desk_stop(void);
void desk_open(void); /* before and after */
void desk_close(void);

/* "order-<n>": not used before. */
const char *desk_id(const char *kind);
struct flow_process desk_worker(int build);

void desk_begin(const char *type, const char *id, const char *input); /* starts a workflow */
void desk_signal(const char *id, const char *name, const char *json);
const char *desk_query(const char *id, const char *query); /* waits for a worker; else "" */
/* "completed <json>", "cancelled <json>", "failed CONFLICT <message>"; within 40 s */
const char *desk_end(const char *id);
/* Until the query "current_step" says so. */
void desk_until_step(const char *id, const char *step);
/* Until its activity of that name is pending and has reached that attempt. */
void desk_until_pending(const char *id, const char *activity, int attempt);
/* How many notes begin so; waits up to 20 s for at least 'wanted'. */
int desk_notes(const char *beginning, int wanted);
/* When the n-th note (from 0) that begins so was written; -1 when it was not. */
int64_t desk_note_at(const char *beginning, int n);
/* Until its history has an event of that type. */
void desk_until_event(const char *id, const char *type);
/* The types of the events in order: "WORKFLOW_EXECUTION_STARTED WORKFLOW_TASK_SCHEDULED ...". */
const char *desk_events(const char *id);
/* Whether the words stand in the text in this order; ends with NULL. */
bool desk_in_order(const char *text, const char *const *words);
#define IN_ORDER(text, ...) desk_in_order((text), (const char *const[]){__VA_ARGS__, NULL})

#endif
