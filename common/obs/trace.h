/* W3C trace context: where it comes in, how it goes on. */
#ifndef COMMON_OBS_TRACE_H
#define COMMON_OBS_TRACE_H

#include "common/base/ctx.h"

enum { TRACEPARENT_SIZE = 56 };

struct trace_parent {
    char trace_id[33], span_id[17];
    bool sampled;
};

/* False, and '*parent' untouched, unless it is well-formed; newer versions than 00 are read as
 * 00. */
bool trace_parse(const char *traceparent, struct trace_parent *parent);

/* Takes a traceparent over as parent and makes a span of our own below it; an absent or malformed
 * one (all zero ids, version ff) starts a new trace. */
void trace_begin(struct ctx *ctx, const char *traceparent);
/* The same when anybody may have written it: its id is kept and its "no" holds, but its "yes" asks
 * for a chance of trace_sample()'s. */
void trace_begin_for_stranger(struct ctx *ctx, const char *traceparent);
/* Goes on in the trace without a span of our own, for work that has one already (a row's). */
void trace_join(struct ctx *ctx, const char *traceparent);
/* How many of the traces that begin here are sampled: from 0 to 1, which is what it is at first. A
 * parent's word counts for the others. Before there are threads. */
void trace_sample(double ratio);
void trace_new_span_id(char id[17]);
/* For calls, events and rows that go out: our span is their parent. "" when ctx has no trace. */
void trace_traceparent(const struct ctx *ctx, char text[TRACEPARENT_SIZE]);
/* What the client called it: printable ASCII up to 64 characters, else the trace id. */
void trace_correlation(struct ctx *ctx, const char *correlation_id);

#endif
