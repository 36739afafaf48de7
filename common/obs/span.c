/* A span's life, and the ring: a bounded queue of many writers and one reader, after Dmitry Vyukov.
 * Each slot says whose turn it is: a writer needs one compare-and-set, the reader none. */
#include "common/obs/span.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/trace.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUARTER = SPAN_RING / 4 };

struct slot {
    atomic_size_t turn; /* at: a writer's; at + 1: the reader's */
    struct span_record record;
};

struct ring {
    _Alignas(64) atomic_size_t written; /* apart: writers share this one */
    _Alignas(64) size_t read;           /* the reader's alone */
    struct metric_series *dropped;
    void (*wake)(void *user);
    void *user;
    struct slot slots[SPAN_RING];
};

static _Atomic(struct ring *) opened;

static const struct metric_def dropped_def = {
    METRIC_COUNTER, "spans_dropped_total", "Spans that were not exported.", {"reason"}};

/* ---- a span's life ------------------------------------------------------------------------ */

static bool is_open(void)
{
    return atomic_load_explicit(&opened, memory_order_relaxed) != NULL;
}

static void begin(struct span *span, const char *trace_id, const char *parent_id)
{
    text_copy(span->trace_id, sizeof(span->trace_id), trace_id);
    text_copy(span->parent_id, sizeof(span->parent_id), parent_id);
    trace_new_span_id(span->id);
    span->began_us = clock_monotonic_us();
    span->is_error = false;
    span->where = NULL;
}

void span_begin(struct span *span, const struct ctx *ctx)
{
    span->is_on = ctx->sampled && is_open();
    if (span->is_on) {
        begin(span, ctx->trace_id, ctx->span_id);
    }
}

void span_begin_below(struct span *span, const char *traceparent)
{
    struct trace_parent parent;

    span->is_on = is_open() && trace_parse(traceparent, &parent) && parent.sampled;
    if (span->is_on) {
        begin(span, parent.trace_id, parent.span_id);
    }
}

struct span span_of(const struct ctx *ctx, int64_t began_us)
{
    struct span span = {.is_on = ctx->sampled && is_open(), .began_us = began_us};

    if (span.is_on) {
        memcpy(span.trace_id, ctx->trace_id, sizeof(span.trace_id));
        memcpy(span.id, ctx->span_id, sizeof(span.id));
        memcpy(span.parent_id, ctx->parent_id, sizeof(span.parent_id));
    }
    return span;
}

const char *span_traceparent(const struct span *span, const char *otherwise, char *text)
{
    if (!span->is_on) {
        return otherwise;
    }
    snprintf(text, TRACEPARENT_SIZE, "00-%s-%s-01", span->trace_id, span->id);
    return text;
}

void span_failed(struct span *span, const struct ctx *ctx, enum status st)
{
    span->is_error = span->is_on && st != ST_OK;
    if (span->is_error && ctx->failure.status == st) {
        span->where = ctx->failure.where;
    }
}

/* ---- a record ----------------------------------------------------------------------------- */

/* 0 when there is no room, else where it begins. */
static uint16_t put_text(struct span_record *record, size_t *used, const char *text)
{
    size_t at = *used, length = strlen(text);

    if (at + length + 1 > sizeof(record->text)) {
        return 0;
    }
    memcpy(record->text + at, text, length + 1);
    *used += length + 1;
    return (uint16_t)at;
}

static void put_fields(struct span_record *record, size_t *used, const struct log_field *fields)
{
    record->count = 0;
    for (; fields->key && record->count < SPAN_MOST_FIELDS; fields++) {
        uint16_t at = fields->text ? put_text(record, used, fields->text) : 0;

        if (fields->text && (!at || !*fields->text)) {
            continue; /* no room, or nothing to say */
        }
        record->keys[record->count] = fields->key;
        record->numbers[record->count] = fields->number;
        record->texts[record->count++] = at;
    }
}

static void fill(struct span_record *record, const struct span *span, enum span_kind kind,
                 const char *name, const struct log_field *fields)
{
    int64_t took_us = clock_monotonic_us() - span->began_us;
    size_t used;

    memcpy(record->trace_id, span->trace_id, sizeof(record->trace_id));
    memcpy(record->id, span->id, sizeof(record->id));
    memcpy(record->parent_id, span->parent_id, sizeof(record->parent_id));
    record->kind = kind;
    record->is_error = span->is_error;
    record->ended_us = clock_wall_us();
    record->began_us = record->ended_us - took_us;
    text_copy(record->text, sizeof(record->text) / 2, name);
    used = strlen(record->text) + 1;
    record->where = span->where ? put_text(record, &used, span->where) : 0;
    put_fields(record, &used, fields);
}

/* ---- the ring ----------------------------------------------------------------------------- */

/* NULL when it is full. */
static struct slot *claim(struct ring *ring, size_t *at)
{
    *at = atomic_load_explicit(&ring->written, memory_order_relaxed);
    for (;;) {
        struct slot *slot = &ring->slots[*at % SPAN_RING];
        size_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);

        if (turn == *at) {
            if (atomic_compare_exchange_weak_explicit(&ring->written, at, *at + 1,
                                                      memory_order_relaxed, memory_order_relaxed)) {
                return slot;
            }
        } else if (turn < *at) {
            return NULL;
        } else {
            *at = atomic_load_explicit(&ring->written, memory_order_relaxed);
        }
    }
}

void span_put(const struct span *span, enum span_kind kind, const char *name,
              const struct log_field *fields)
{
    struct ring *ring = span->is_on ? atomic_load_explicit(&opened, memory_order_acquire) : NULL;
    size_t at;

    if (!ring) {
        return;
    }
    struct slot *slot = claim(ring, &at);
    if (!slot) {
        metric_add(ring->dropped, 1);
        return;
    }
    fill(&slot->record, span, kind, name, fields);
    atomic_store_explicit(&slot->turn, at + 1, memory_order_release);
    if (at % QUARTER == QUARTER - 1) {
        ring->wake(ring->user);
    }
}

bool spans_take(struct span_record *record)
{
    struct ring *ring = atomic_load_explicit(&opened, memory_order_acquire);
    struct slot *slot = &ring->slots[ring->read % SPAN_RING];

    if (atomic_load_explicit(&slot->turn, memory_order_acquire) != ring->read + 1) {
        return false;
    }
    *record = slot->record;
    atomic_store_explicit(&slot->turn, ring->read + SPAN_RING, memory_order_release);
    ring->read++;
    return true;
}

struct metric_series *spans_dropped(const char *reason)
{
    return METRIC_SERIES(metric_register(&dropped_def), reason);
}

void spans_open(void (*wake)(void *user), void *user)
{
    struct ring *ring = aligned_alloc(_Alignof(struct ring), sizeof(*ring));

    if (!ring) {
        fputs("out of memory\n", stderr);
        abort();
    }
    ring->read = 0;
    ring->wake = wake;
    ring->user = user;
    ring->dropped = spans_dropped("full");
    atomic_init(&ring->written, 0);
    for (size_t i = 0; i < SPAN_RING; i++) {
        atomic_init(&ring->slots[i].turn, i);
    }
    atomic_store(&opened, ring);
}

void spans_close(void)
{
    free(atomic_exchange(&opened, NULL));
}
