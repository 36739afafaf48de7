/* links: test_collector common_rpc */
/* Spans on their way to a collector that is none of ours: the official messages on grpcio. That it
 * is away, comes back or hangs is nobody's trouble but the exporter's. */
#include "common/telemetry/otlp_export.h"

#include "common/base/text.h"
#include "common/obs/span.h"
#include "common/obs/trace.h"
#include "tests/helpers/collector/collector.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"

enum {
    AT_ONCE_MS = 200,     /* for what must not wait */
    END_MS = 2000 + 1000, /* the last batch has two seconds */
    FLOOD = 4 * SPAN_RING,
};

DEFINE_AUTO(unit, struct ctx *, ctx_free)

static struct collector collector;

static void open_collector(void)
{
    collector_init(&collector);
}

static void close_collector(void)
{
    collector_finish(&collector);
}

static struct otlp_export *exporter(void)
{
    const struct otlp_settings settings = {collector.endpoint, "1"};

    ck_assert(otlp_settings_are_good(&settings, stderr));
    return otlp_export_start(&settings, "order-service", "1.2.3");
}

static struct ctx *asked(void)
{
    struct ctx *ctx = ctx_new_system("test");

    trace_begin(ctx, "00-" TRACE "-" PARENT "-01");
    return ctx;
}

static void make_spans(struct ctx *ctx, const char *name, int count)
{
    struct span span;

    for (int i = 0; i < count; i++) {
        span_begin(&span, ctx);
        span_end(&span, SPAN_CLIENT, name, log_num("i", i));
    }
}

static int64_t counted(const char *series)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct text all = text_new(arena, 4096);
    int64_t count = 0;

    metrics_print(&all, false);
    const char *start = arena_printf(arena, "\n%s ", series);
    const char *found = strstr(all.data, start);
    if (found) {
        found += strlen(start);
        ck_assert(text_parse_int(arena_printf(arena, "%.*s", (int)strcspn(found, "\n"), found), 0,
                                 INT64_MAX, &count));
    }
    return count;
}

/* OBS-01 */
START_TEST(a_collector_that_is_not_ours_reads_what_we_send)
{
    AUTO(unit) struct ctx *ctx = asked();
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct otlp_export *otlp;
    struct span span;

    collector_start(&collector, false);
    otlp = exporter();
    span = span_of(ctx, clock_monotonic_us());
    span_failed(&span, ctx, fail_with(ctx, ST_INTERNAL, "", "for the test"));
    span_end(&span, SPAN_SERVER, "POST /orders", log_text("http.route", "/orders"),
             log_num("http.response.status_code", 500));
    ck_assert_int_eq(collector_wait(&collector, "\"POST /orders\"", 1), 1);
    const char *got = collector_got(arena, &collector);
    static const char *const parts[] = {
        "\"trace\": \"" TRACE "\"",
        "\"parent\": \"" PARENT "\"",
        "\"kind\": \"server\"",
        "\"error\": true",
        "\"service\": \"order-service\"",
        "\"service.version\": \"1.2.3\"",
        "\"http.response.status_code\": 500",
        "\"http.route\": \"/orders\"",
        "\"code.filepath\": \"tests/integration/common/telemetry/test_otlp_export.c\"",
        "\"code.lineno\": ",
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        ck_assert_msg(strstr(got, parts[i]), "%s is not in %s", parts[i], got);
    }
    ck_assert_ptr_nonnull(strstr(got, ctx->span_id));
    otlp_export_stop(otlp);
    ck_assert_int_eq(counted("spans_exported_total"), 1);
}
END_TEST

START_TEST(what_is_there_at_the_end_still_goes_out)
{
    AUTO(unit) struct ctx *ctx = asked();
    char name[] = "last 0";
    int64_t before, told = 0;

    collector_start(&collector, false);
    for (int i = 1; i <= PATIENCE_TRIES && told < 701; i++) { /* it has two seconds for it */
        struct otlp_export *otlp = exporter();

        before = counted("spans_exported_total");
        make_spans(ctx, "first", 1);
        ck_assert_int_eq(collector_wait(&collector, "\"first\"", i), i); /* it is connected */
        name[strlen(name) - 1]++;
        make_spans(ctx, name, 700);
        otlp_export_stop(otlp);
        told = counted("spans_exported_total") - before;
    }
    const char *quoted = arena_printf(ctx->arena, "\"%s\"", name);
    ck_assert_int_eq(collector_wait(&collector, quoted, 700), 700);
}
END_TEST

START_TEST(while_the_collector_is_away_nobody_waits_and_drops_are_counted)
{
    AUTO(unit) struct ctx *ctx = asked();
    struct otlp_export *otlp = exporter();
    struct mallinfo2 before;

    make_spans(ctx, "warm", SPAN_RING);
    clock_pause_ms(500); /* the exporter has its first batch by now */
    before = mallinfo2();
    ck_assert_quick(AT_ONCE_MS, make_spans(ctx, "flood", FLOOD));
    ck_assert_int_ge(counted("spans_dropped_total{reason=\"full\"}"), FLOOD - SPAN_RING);
    ck_assert_uint_le(mallinfo2().uordblks, before.uordblks + (1 << 20));
    ck_assert_int_eq(counted("spans_exported_total"), 0);
    int64_t began = clock_monotonic_ms();
    otlp_export_stop(otlp);
    ck_assert_int_le(clock_monotonic_ms() - began, PATIENCE_MS);
}
END_TEST

START_TEST(once_it_is_back_spans_flow_again)
{
    AUTO(unit) struct ctx *ctx = asked();
    struct otlp_export *otlp;

    collector_start(&collector, false);
    otlp = exporter();
    make_spans(ctx, "before", 1);
    ck_assert_int_eq(collector_wait(&collector, "\"before\"", 1), 1);
    collector_kill(&collector);
    make_spans(ctx, "meanwhile", 10);
    clock_pause_ms(2500); /* it was tried in vain */
    ck_assert_int_eq(counted("spans_exported_total"), 1);
    collector_start(&collector, false);
    make_spans(ctx, "after", 1);
    ck_assert_int_eq(collector_wait(&collector, "\"after\"", 1), 1);
    ck_assert_int_eq(collector_wait(&collector, "\"meanwhile\"", 10), 10); /* they had waited */
    ck_assert_int_eq(counted("spans_dropped_total{reason=\"undelivered\"}"), 0);
    otlp_export_stop(otlp);
}
END_TEST

START_TEST(one_that_hangs_holds_up_the_end_for_two_seconds)
{
    AUTO(unit) struct ctx *ctx = asked();
    int64_t best_ms = INT64_MAX;

    collector_start(&collector, true);
    for (int i = 0; i < PATIENCE_TRIES && best_ms > END_MS; i++) {
        struct otlp_export *otlp = exporter();

        make_spans(ctx, "unheard", SPAN_RING);
        clock_pause_ms(300); /* its first call is under way */
        int64_t began = clock_monotonic_ms();
        otlp_export_stop(otlp);
        int64_t took = clock_monotonic_ms() - began;
        best_ms = took < best_ms ? took : best_ms;
    }
    ck_assert_int_le(best_ms, END_MS);
}
END_TEST

/* The exit code of a comparison of 'folder' with the official messages. */
static int compared(const char *folder)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    const char *command =
        arena_printf(arena,
                     "protoc -I'%s' --descriptor_set_out='%s/ours' opentelemetry/trace.proto && "
                     "'%s/tests/fakes/collector/collector.sh' --check '%s/ours' >&2; code=$?; "
                     "rm -f '%s/ours'; exit $code",
                     folder, collector.folder, SOURCE_DIR, collector.folder, collector.folder);

    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

START_TEST(every_field_has_the_name_number_type_and_label_of_upstream)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    const char *wrong = arena_printf(arena, "%s/wrong", collector.folder);

    ck_assert_int_eq(compared(SOURCE_DIR "/proto"), 0);
    ck_assert_int_eq(
        system(arena_printf(arena,
                            "mkdir -p '%s/opentelemetry' && sed 's/bytes span_id = 2/bytes "
                            "span_id = 3/' '%s/proto/opentelemetry/trace.proto' "
                            ">'%s/opentelemetry/trace.proto'",
                            wrong, SOURCE_DIR, wrong)),
        0);
    ck_assert_int_eq(compared(wrong), 1);
    ck_assert_int_eq(system(arena_printf(arena, "rm -r '%s'", wrong)), 0);
}
END_TEST

/* The first time this takes longer than a test may. Without it the tests fail, and say why. */
static void fetch(void)
{
    if (system("'" SOURCE_DIR "/tests/fakes/collector/collector.sh' --fetch >&2") != 0) {
        fputs("the collector's packages cannot be had\n", stderr);
    }
}

static const struct test_around around = {fetch, NULL, open_collector, close_collector};
TEST_MAIN_AROUND("otlp_export", &around, a_collector_that_is_not_ours_reads_what_we_send,
                 what_is_there_at_the_end_still_goes_out,
                 while_the_collector_is_away_nobody_waits_and_drops_are_counted,
                 once_it_is_back_spans_flow_again, one_that_hangs_holds_up_the_end_for_two_seconds,
                 every_field_has_the_name_number_type_and_label_of_upstream)
