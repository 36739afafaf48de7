/* Spans and their ring: what is recorded, what is not, and what happens when it is full. */
#include "common/obs/span.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/trace.h"
#include "tests/helpers/house_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

DEFINE_AUTO(ctx, struct ctx *, ctx_free)

enum { WRITERS = 4, EACH = 20000 };

static atomic_int woken, taken_of_many;

static void note_wake(void *user)
{
    (void)user;
    atomic_fetch_add(&woken, 1);
}

static struct ctx *asked(const char *flags)
{
    struct ctx *ctx = ctx_new_system("test");

    trace_begin(ctx, arena_printf(ctx->arena, "00-" TRACE "-" PARENT "-%s", flags));
    return ctx;
}

static const char *text_of(const struct span_record *record, const char *key)
{
    for (size_t i = 0; i < record->count; i++) {
        if (strcmp(record->keys[i], key) == 0) {
            return record->text + record->texts[i];
        }
    }
    return NULL;
}

/* OBS-01 */
START_TEST(what_ends_is_in_the_ring_below_what_it_was_part_of)
{
    AUTO(ctx) struct ctx *ctx = asked("01");
    int64_t before_us = clock_wall_us();
    struct span_record record;
    struct span call, request;

    spans_open(note_wake, NULL);
    request = span_of(ctx, clock_monotonic_us());
    span_begin(&call, ctx);
    clock_pause_ms(2);
    span_end(&call, SPAN_CLIENT, "shop.Till/Pay", log_text("rpc.system", "grpc"), log_num("n", 7));
    span_end(&request, SPAN_SERVER, "POST /orders", log_text("empty", ""));

    ck_assert(spans_take(&record));
    ck_assert_str_eq(record.trace_id, TRACE);
    ck_assert_str_eq(record.parent_id, ctx->span_id);
    ck_assert_str_eq(record.text, "shop.Till/Pay");
    ck_assert_int_eq(record.kind, SPAN_CLIENT);
    ck_assert_str_eq(text_of(&record, "rpc.system"), "grpc");
    ck_assert_uint_eq(record.count, 2);
    ck_assert_int_eq(record.numbers[1], 7);
    ck_assert_uint_eq(record.texts[1], 0);
    ck_assert(!record.is_error);
    ck_assert_int_ge(record.ended_us - record.began_us, 2000);
    ck_assert_int_ge(record.ended_us, before_us);
    ck_assert_int_le(record.ended_us, clock_wall_us());

    ck_assert(spans_take(&record));
    ck_assert_str_eq(record.id, ctx->span_id);
    ck_assert_str_eq(record.parent_id, PARENT);
    ck_assert_uint_eq(record.count, 0); /* an empty text says nothing */
    ck_assert(!spans_take(&record));
    spans_close();
}
END_TEST

START_TEST(without_a_ring_nothing_is_on)
{
    AUTO(ctx) struct ctx *ctx = asked("01");
    struct span span;

    span_begin(&span, ctx);
    ck_assert(!span.is_on);
    span_end(&span, SPAN_CLIENT, "nothing");
    span_begin_below(&span, "00-" TRACE "-" PARENT "-01");
    ck_assert(!span.is_on);
    ck_assert(!span_of(ctx, 1).is_on);
}
END_TEST

START_TEST(a_trace_that_is_not_sampled_leaves_no_span)
{
    AUTO(ctx) struct ctx *ctx = asked("00");
    struct span_record record;
    struct span span;

    spans_open(note_wake, NULL);
    span_begin(&span, ctx);
    span_end(&span, SPAN_CLIENT, "unseen");
    span_begin_below(&span, "00-" TRACE "-" PARENT "-00");
    span_end(&span, SPAN_CLIENT, "unseen");
    span_begin_below(&span, NULL);
    span_end(&span, SPAN_CLIENT, "unseen");
    span = span_of(ctx, clock_monotonic_us());
    span_end(&span, SPAN_SERVER, "unseen");
    ck_assert(!spans_take(&record));
    spans_close();
}
END_TEST

START_TEST(the_other_side_is_told_the_spans_id_and_the_traces_when_there_is_none)
{
    AUTO(ctx) struct ctx *ctx = asked("01");
    char text[TRACEPARENT_SIZE];
    struct trace_parent parent;
    struct span span;

    span_begin(&span, ctx);
    ck_assert_str_eq(span_traceparent(&span, "as it was", text), "as it was");
    spans_open(note_wake, NULL);
    span_begin(&span, ctx);
    ck_assert(trace_parse(span_traceparent(&span, "", text), &parent));
    ck_assert_str_eq(parent.trace_id, TRACE);
    ck_assert_str_eq(parent.span_id, span.id);
    ck_assert_str_ne(parent.span_id, ctx->span_id);
    ck_assert(parent.sampled);
    spans_close();
}
END_TEST

/* OBS-07 */
START_TEST(a_failure_names_its_place_in_the_source)
{
    AUTO(ctx) struct ctx *ctx = asked("01");
    struct span_record record;
    struct span span;

    spans_open(note_wake, NULL);
    span_begin(&span, ctx);
    enum status st = fail_with(ctx, ST_CONFLICT, "", "for the test");
    span_failed(&span, ctx, st);
    span_end(&span, SPAN_CLIENT, "failed");
    ck_assert(spans_take(&record));
    ck_assert(record.is_error);
    ck_assert(text_starts(record.text + record.where, "tests/unit/common/obs/test_span.c:"));
    spans_close();
}
END_TEST

START_TEST(texts_that_are_too_long_are_cut_or_left_out)
{
    AUTO(ctx) struct ctx *ctx = asked("01");
    struct span_record record;
    struct span span;
    char name[1000];

    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    spans_open(note_wake, NULL);
    span_begin(&span, ctx);
    span_end(&span, SPAN_CLIENT, name, log_text("long", name), log_text("short", "kept"),
             log_num("a", 1), log_num("b", 2), log_num("c", 3), log_num("d", 4), log_num("e", 5),
             log_num("f", 6));
    ck_assert(spans_take(&record));
    ck_assert_uint_lt(strlen(record.text), SPAN_TEXT_ROOM);
    ck_assert_ptr_null(text_of(&record, "long"));
    ck_assert_str_eq(text_of(&record, "short"), "kept");
    ck_assert_uint_eq(record.count, SPAN_MOST_FIELDS);
    spans_close();
}
END_TEST

static int64_t dropped(void)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct text all = text_new(arena, 4096);
    long long count = 0;

    metrics_print(&all, false);
    const char *found = strstr(all.data, "spans_dropped_total{reason=\"full\"} ");
    return found && sscanf(strchr(found, ' '), "%lld", &count) == 1 ? count : 0;
}

START_TEST(what_finds_no_room_is_dropped_and_counted_and_room_comes_back)
{
    AUTO(ctx) struct ctx *ctx = asked("01");
    struct span_record record;
    struct span span;
    int taken = 0;

    atomic_store(&woken, 0);
    spans_open(note_wake, NULL);
    for (int i = 0; i < SPAN_RING + 100; i++) {
        span_begin(&span, ctx);
        span_end(&span, SPAN_CLIENT, "one of many", log_num("i", i));
    }
    ck_assert_int_eq(dropped(), 100);
    ck_assert_int_eq(atomic_load(&woken), 4); /* at each quarter */
    while (spans_take(&record)) {
        ck_assert_int_eq(record.numbers[0], taken++); /* the oldest are kept */
    }
    ck_assert_int_eq(taken, SPAN_RING);
    span_begin(&span, ctx);
    span_end(&span, SPAN_CLIENT, "after", log_num("i", -1));
    ck_assert(spans_take(&record));
    ck_assert_str_eq(record.text, "after");
    spans_close();
}
END_TEST

/* At half of it the reader is waited for, who may not have run yet. */
static void *write_many(void *number)
{
    AUTO(ctx) struct ctx *ctx = asked("01");
    struct span span;

    for (int i = 0; i < EACH; i++) {
        while (i == EACH / 2 && atomic_load(&taken_of_many) < SPAN_RING) {
            clock_pause_ms(1);
        }
        span_begin(&span, ctx);
        span_end(&span, SPAN_CLIENT, number, log_num("i", i));
    }
    return NULL;
}

START_TEST(of_many_writers_each_span_is_read_once_in_its_order_or_counted)
{
    static char names[WRITERS][2] = {"0", "1", "2", "3"};
    int64_t last[WRITERS] = {-1, -1, -1, -1};
    int64_t before = dropped();
    pthread_t threads[WRITERS];
    struct span_record record;

    spans_open(note_wake, NULL);
    for (int i = 0; i < WRITERS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_many, names[i]), 0);
    }
    while (atomic_load(&taken_of_many) + dropped() - before < WRITERS * EACH) {
        while (spans_take(&record)) {
            int writer = record.text[0] - '0';

            ck_assert_int_gt(record.numbers[0], last[writer]);
            ck_assert_str_eq(record.trace_id, TRACE);
            last[writer] = record.numbers[0];
            atomic_fetch_add(&taken_of_many, 1);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert(!spans_take(&record));
    ck_assert_int_gt(atomic_load(&taken_of_many), SPAN_RING);
    spans_close();
}
END_TEST

TEST_MAIN("span", what_ends_is_in_the_ring_below_what_it_was_part_of, without_a_ring_nothing_is_on,
          a_trace_that_is_not_sampled_leaves_no_span,
          the_other_side_is_told_the_spans_id_and_the_traces_when_there_is_none,
          a_failure_names_its_place_in_the_source, texts_that_are_too_long_are_cut_or_left_out,
          what_finds_no_room_is_dropped_and_counted_and_room_comes_back,
          of_many_writers_each_span_is_read_once_in_its_order_or_counted)
