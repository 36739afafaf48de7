/* What ran, below what, from when to when: records for whoever carries traces out
 * (common/telemetry). They wait in a bounded ring; nobody ever waits for room in it: what finds
 * none is dropped and counted. While no ring is open, or the trace is not sampled, a span costs one
 * branch and no memory. Spans are made by the wrappers of HTTP, RPC, SQL, events, outbox, jobs and
 * workflows: a handler needs no line for them. Never a name, an address or a value of a person. */
#ifndef COMMON_OBS_SPAN_H
#define COMMON_OBS_SPAN_H

#include "common/obs/log.h"
#include "common/obs/metrics.h"

enum span_kind { /* as OTLP numbers them */
                 SPAN_INTERNAL = 1,
                 SPAN_SERVER,
                 SPAN_CLIENT,
                 SPAN_PRODUCER,
                 SPAN_CONSUMER,
};

enum { SPAN_MOST_FIELDS = 6, SPAN_TEXT_ROOM = 224, SPAN_RING = 2048 };

/* One that has begun: on the stack, or in what stands for the call. */
struct span {
    bool is_on; /* else the rest means nothing */
    bool is_error;
    char trace_id[33], id[17], parent_id[17];
    int64_t began_us;  /* monotonic */
    const char *where; /* file:line of the failure, where is_error */
};

/* What is below ctx's own span: a call, a statement. */
void span_begin(struct span *span, const struct ctx *ctx);
/* The same for what is no ctx's work: a row, a job. */
void span_begin_below(struct span *span, const char *traceparent);
/* ctx's own, which trace_begin() named; 'began_us' is when that was. */
struct span span_of(const struct ctx *ctx, int64_t began_us);
/* For what goes out in the span's name. Where it is off: what 'otherwise' says. */
const char *span_traceparent(const struct span *span, const char *otherwise, char *text);

/* It went wrong; 'ctx' knows where. ST_OK is fine. */
void span_failed(struct span *span, const struct ctx *ctx, enum status st);
/* Hands it to the ring. The name and the fields' texts are copied, as far as there is room; their
 * keys are literals. */
#define span_end(span, kind, ...) span_put((span), (kind), SPAN_ARGS(__VA_ARGS__, {0}))
#define SPAN_ARGS(name, ...)           \
    (name), (const struct log_field[]) \
    {                                  \
        __VA_ARGS__                    \
    }
void span_put(const struct span *span, enum span_kind kind, const char *name,
              const struct log_field *fields);

/* ---- for the exporter --------------------------------------------------------------------- */

struct span_record {
    char trace_id[33], id[17], parent_id[17];
    enum span_kind kind;
    bool is_error;
    int64_t began_us, ended_us; /* since 1970 */
    size_t count;
    const char *keys[SPAN_MOST_FIELDS];
    int64_t numbers[SPAN_MOST_FIELDS];
    uint16_t texts[SPAN_MOST_FIELDS]; /* where in 'text'; 0: it is a number */
    uint16_t where;                   /* file:line, the same; 0: not known */
    char text[SPAN_TEXT_ROOM];        /* the name first */
};

/* Opens the ring, once, before there are threads that make spans. wake() comes from any thread,
 * each time a quarter of the ring has been filled: it must not block. */
void spans_open(void (*wake)(void *user), void *user);
/* When no thread makes spans any more. */
void spans_close(void);
/* What spans are counted in that were taken, and came nowhere. */
struct metric_series *spans_dropped(const char *reason);
/* The oldest; from one thread. */
bool spans_take(struct span_record *record);

#endif
