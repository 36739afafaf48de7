/* links: test_temporal */
/* How workflows begin, go on as others, and change with their builds: ids, children, schedules,
 * versions, queries, traces. */
#include "tests/helpers/temporal/flow_desk.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/trace.h"
#include "tests/helpers/patience.h"

#include <stdlib.h>
#include <string.h>

static enum status start(const char *id, enum temporal_reuse reuse, enum temporal_conflict conflict,
                         struct temporal_run *run)
{
    const struct temporal_start what = {.type = "CoffeeOrder",
                                        .id = id,
                                        .task_queue = desk.queue,
                                        .input = "{}",
                                        .reuse = reuse,
                                        .conflict = conflict};
    enum status st = temporal_start(desk.ctx, desk.temporal, &what, run);

    ctx_forgive(desk.ctx);
    return st;
}

START_TEST(an_id_that_runs_is_refused_used_or_replaced_as_the_policy_says)
{
    const char *id = desk_id("order");
    struct temporal_run first, second, third;

    desk_begin("CoffeeOrder", desk_id("ready"), "{}"); /* the server is up */
    ck_assert_int_eq(start(id, TEMPORAL_REUSE_NEVER, TEMPORAL_CONFLICT_FAIL, &first), ST_OK);
    ck_assert(first.is_new);
    ck_assert_int_eq(start(id, TEMPORAL_REUSE_NEVER, TEMPORAL_CONFLICT_FAIL, NULL), ST_EXISTS);
    ck_assert_int_eq(start(id, TEMPORAL_REUSE_NEVER, TEMPORAL_CONFLICT_USE, &second), ST_OK);
    ck_assert(!second.is_new);
    ck_assert_str_eq(first.run_id, second.run_id);
    ck_assert_int_eq(start(id, TEMPORAL_REUSE_ALWAYS, TEMPORAL_CONFLICT_REPLACE, &third), ST_OK);
    ck_assert_str_ne(first.run_id, third.run_id);
}
END_TEST

START_TEST(an_id_that_ended_is_used_again_only_as_the_policy_says)
{
    const char *done = desk_id("done"), *ended = desk_id("ended");
    struct flow_process worker = desk_worker(1);

    desk_begin("DailySummary", done, "{}");
    desk_end(done);
    ck_assert_int_eq(start(done, TEMPORAL_REUSE_NEVER, TEMPORAL_CONFLICT_FAIL, NULL), ST_EXISTS);
    ck_assert_int_eq(start(done, TEMPORAL_REUSE_FAILED, TEMPORAL_CONFLICT_FAIL, NULL), ST_EXISTS);
    ck_assert_int_eq(start(done, TEMPORAL_REUSE_ALWAYS, TEMPORAL_CONFLICT_FAIL, NULL), ST_OK);
    desk_begin("CoffeeOrder", ended, "{}");
    ck_assert_int_eq(temporal_terminate(desk.ctx, desk.temporal, ended, "test"), ST_OK);
    ck_assert_str_eq(desk_end(ended), "terminated ");
    ck_assert_int_eq(start(ended, TEMPORAL_REUSE_NEVER, TEMPORAL_CONFLICT_FAIL, NULL), ST_EXISTS);
    ck_assert_int_eq(start(ended, TEMPORAL_REUSE_FAILED, TEMPORAL_CONFLICT_FAIL, NULL), ST_OK);
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_signal_with_start_starts_once_and_the_same_request_counts_once)
{
    const char *id = desk_id("count");
    const struct temporal_start what = {
        .type = "Counter", .id = id, .task_queue = desk.queue, .input = "{}"};
    struct temporal_run first, second;

    desk_begin("CoffeeOrder", desk_id("ready"), "{}");
    ck_assert_int_eq(temporal_signal_with_start(desk.ctx, desk.temporal, &what,
                                                &(struct temporal_signal){"add", "1", "event-1"},
                                                &first),
                     ST_OK);
    for (int again = 0; again < 2; again++) { /* the relay sends it twice */
        ck_assert_int_eq(
            temporal_signal_with_start(desk.ctx, desk.temporal, &what,
                                       &(struct temporal_signal){"add", "1", "event-2"}, &second),
            ST_OK);
    }
    ck_assert(first.is_new);
    ck_assert(!second.is_new);
    ck_assert_str_eq(first.run_id, second.run_id);
    desk_signal(id, "stop", NULL);
    struct flow_process worker = desk_worker(1);
    ck_assert_str_eq(desk_end(id), "completed 2");
    ck_assert_int_eq(
        temporal_signal(desk.ctx, desk.temporal, id, &(struct temporal_signal){"add", NULL, NULL}),
        ST_NOT_FOUND); /* it ended */
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_subscription_runs_a_child_a_month_and_continues_as_new)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("subscription");

    desk_begin("Subscription", id, "{\"months\":3,\"gap_ms\":300}");
    ck_assert_str_eq(desk_end(id),
                     "completed {\"months\":3,\"last\":{\"orders\":42,\"revenue\":123.5}}");
    ck_assert_str_eq(desk_end(arena_printf(desk.ctx->arena, "%s-month-2", id)),
                     "completed {\"orders\":42,\"revenue\":123.5}");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_cancelled_parent_cancels_its_child_and_waits_for_its_compensation)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("parent");
    const char *child = arena_printf(desk.ctx->arena, "%s-child", id);

    desk_begin("Parent", id, "{}");
    desk_until_step(child, "waiting");
    ck_assert_int_eq(temporal_cancel(desk.ctx, desk.temporal, id, "test"), ST_OK);
    ck_assert_str_eq(desk_end(id), "cancelled ");
    ck_assert_str_eq(desk_end(child),
                     "cancelled {\"status\":\"refunded\",\"why\":\"not accepted\"}");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_workflow_signals_another_and_learns_when_there_is_none)
{
    struct flow_process worker = desk_worker(1);
    const char *count = desk_id("count"), *one = desk_id("messenger"), *two = desk_id("messenger");

    desk_begin("Counter", count, "{}");
    desk_begin("Messenger", one, count);
    ck_assert_str_eq(desk_end(one), "completed \"OK\"");
    desk_begin("Messenger", two, "nobody");
    ck_assert_str_eq(desk_end(two), "completed \"NOT_FOUND\"");
    desk_signal(count, "stop", NULL);
    ck_assert_str_eq(desk_end(count), "completed 1");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

static void look_at(const char *id, struct temporal_schedule_info *info)
{
    if (temporal_schedule_describe(desk.ctx, desk.temporal, id, info) != ST_OK) {
        ctx_forgive(desk.ctx); /* busy: who looks again sees it */
    }
}

START_TEST(a_schedule_knows_the_shops_clock_runs_at_once_pauses_and_goes)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("daily");
    const struct temporal_schedule schedule = {
        .id = id,
        .cron = "0 21 * * *",
        .time_zone = "Europe/Amsterdam",
        .start = {.type = "DailySummary", .id = id, .task_queue = desk.queue, .input = "{}"},
        .run_now = true
    };
    struct temporal_schedule_info info = {.newest_id = NULL};

    desk_begin("CoffeeOrder", desk_id("ready"), "{}");
    ck_assert_int_eq(temporal_schedule_create(desk.ctx, desk.temporal, &schedule), ST_OK);
    for (int i = 0; i < PATIENCE_MS / 50 && !info.newest_id; i++) {
        clock_pause_ms(50);
        look_at(id, &info);
    }
    ck_assert_ptr_nonnull(info.newest_id);
    ck_assert_str_eq(desk_end(info.newest_id), "completed {\"orders\":42,\"revenue\":123.5}");
    int64_t hour = info.next_ms / 3600000 % 24; /* 21:00 there is 19:00 or 20:00 UTC */
    ck_assert(hour == 19 || hour == 20);
    ck_assert_int_eq(temporal_schedule_pause(desk.ctx, desk.temporal, id, true), ST_OK);
    for (int i = 0; i < PATIENCE_MS / 50 && !info.paused; i++) {
        clock_pause_ms(50);
        look_at(id, &info);
    }
    ck_assert(info.paused);
    ck_assert_int_eq(temporal_schedule_trigger(desk.ctx, desk.temporal, id), ST_OK);
    for (int i = 0; i < PATIENCE_MS / 50 && info.runs < 2; i++) {
        clock_pause_ms(50);
        look_at(id, &info);
    }
    ck_assert_int_eq(info.runs, 2);
    ck_assert_int_eq(temporal_schedule_delete(desk.ctx, desk.temporal, id), ST_OK);
    flow_process_end(&worker, SIGKILL);
}
END_TEST

/* WF-14 */
START_TEST(a_changed_build_is_found_out_and_the_old_one_heals_the_run)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("versioned");

    desk_begin("Versioned", id, "{}");
    ck_assert_int_eq(desk_notes(arena_printf(desk.ctx->arena, "%s CountOrders", id), 1), 1);
    flow_process_end(&worker, SIGTERM);
    worker = desk_worker(3); /* the added step without flow_version() */
    desk_signal(id, "go", NULL);
    desk_until_event(id, "WORKFLOW_TASK_FAILED");
    ck_assert_int_eq(desk_notes(arena_printf(desk.ctx->arena, "%s SumRevenue", id), 0), 0);
    flow_process_end(&worker, SIGKILL);
    worker = desk_worker(1);
    ck_assert_str_eq(desk_end(id), "completed \"without\"");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

/* WF-14 */
START_TEST(a_build_with_an_added_step_finishes_the_runs_of_the_build_before)
{
    struct flow_process worker = desk_worker(1);
    const char *old = desk_id("old"), *new = desk_id("new");

    desk_begin("Versioned", old, "{}");
    ck_assert_int_eq(desk_notes(arena_printf(desk.ctx->arena, "%s CountOrders", old), 1), 1);
    flow_process_end(&worker, SIGTERM);
    worker = desk_worker(2);
    desk_begin("Versioned", new, "{}");
    ck_assert_int_eq(desk_notes(arena_printf(desk.ctx->arena, "%s CountOrders", new), 1), 1);
    desk_signal(old, "go", NULL);
    desk_signal(new, "go", NULL);
    ck_assert_str_eq(desk_end(old), "completed \"without\"");
    ck_assert_str_eq(desk_end(new), "completed \"with thanks\"");
    ck_assert(IN_ORDER(desk_events(new), "MARKER_RECORDED"));
    ck_assert_ptr_null(strstr(desk_events(old), "MARKER_RECORDED"));
    ck_assert_ptr_null(strstr(desk_events(old), "WORKFLOW_TASK_FAILED"));
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(an_unknown_workflow_fails_its_task_and_not_its_run)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("unknown");
    struct temporal_info info;

    desk_begin("Nope", id, "{}");
    desk_until_event(id, "WORKFLOW_TASK_FAILED");
    ck_assert_int_eq(temporal_describe(desk.ctx, desk.temporal, id, &info), ST_OK);
    ck_assert_int_eq(info.state, TEMPORAL_RUNNING);
    ck_assert_str_eq(info.type, "Nope");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_command_that_temporal_refuses_makes_no_hot_loop)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("broken");
    struct temporal_info info;

    desk_begin("Broken", id, "{}");
    clock_pause_ms(4000);
    ck_assert_int_eq(temporal_describe(desk.ctx, desk.temporal, id, &info), ST_OK);
    ck_assert_int_eq(info.state, TEMPORAL_RUNNING);
    ck_assert_int_lt(info.attempt, 12);
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_history_of_several_pages_is_read_whole)
{
    enum { SIGNALS = 600 };
    const char *id = desk_id("count");

    desk_begin("Counter", id, "{}");
    for (int i = 0; i < SIGNALS; i++) {
        desk_signal(id, "add", NULL);
    }
    desk_signal(id, "stop", NULL);
    struct flow_process worker = desk_worker(1);
    ck_assert_str_eq(desk_end(id), "completed 600");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_query_that_nobody_answers_says_so)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order"), *json = "";

    desk_begin("CoffeeOrder", id, "{}");
    desk_until_step(id, "waiting");
    ck_assert_int_eq(temporal_query(desk.ctx, desk.temporal, id, "nonsense", NULL, &json),
                     ST_INVALID);
    ck_assert_ptr_nonnull(strstr(desk.ctx->failure.detail, "there is no query nonsense"));
    ctx_forgive(desk.ctx);
    ck_assert_int_eq(temporal_query(desk.ctx, desk.temporal, desk_id("nobody"), "x", NULL, &json),
                     ST_NOT_FOUND);
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(the_trace_of_the_request_reaches_the_activity)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("trace");

    trace_begin(desk.ctx, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    desk_begin("Trace", id, "{}");
    ck_assert_str_eq(desk_end(id), "completed \"4bf92f3577b34da6a3ce929d0e0e4736\"");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

static const struct test_around around = {desk_start, desk_stop, desk_open, desk_close};
FLOW_TEST_MAIN("lives", &around, an_id_that_runs_is_refused_used_or_replaced_as_the_policy_says,
               an_id_that_ended_is_used_again_only_as_the_policy_says,
               a_signal_with_start_starts_once_and_the_same_request_counts_once,
               a_subscription_runs_a_child_a_month_and_continues_as_new,
               a_cancelled_parent_cancels_its_child_and_waits_for_its_compensation,
               a_workflow_signals_another_and_learns_when_there_is_none,
               a_schedule_knows_the_shops_clock_runs_at_once_pauses_and_goes,
               a_changed_build_is_found_out_and_the_old_one_heals_the_run,
               a_build_with_an_added_step_finishes_the_runs_of_the_build_before,
               an_unknown_workflow_fails_its_task_and_not_its_run,
               a_command_that_temporal_refuses_makes_no_hot_loop,
               a_history_of_several_pages_is_read_whole, a_query_that_nobody_answers_says_so,
               the_trace_of_the_request_reaches_the_activity)
