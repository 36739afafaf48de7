/* links: test_temporal */
/* Orders as workflows on a real Temporal server, with workers that are processes of their own and
 * are killed. */
#include "tests/helpers/temporal/flow_desk.h"

#include "common/base/clock.h"
#include "tests/helpers/patience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char completed[] = "completed {\"status\":\"completed\",\"barista\":\"ada\"}";

static const char *note_of(const char *id, const char *what)
{
    return arena_printf(desk.ctx->arena, "%s %s ", id, what);
}

START_TEST(an_order_runs_from_placed_to_completed)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{}");
    desk_until_step(id, "waiting");
    desk_signal(id, "accepted", "\"ada\"");
    desk_until_step(id, "preparing");
    desk_signal(id, "ready", NULL);
    desk_until_step(id, "ready");
    desk_signal(id, "picked_up", NULL);
    ck_assert_str_eq(desk_end(id), completed);
    ck_assert_str_eq(desk_query(id, "current_step"), "\"completed\""); /* closed, and still asked */
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(an_order_survives_kill_9_of_its_worker_at_every_step)
{
    static const char *const signals[] = {"accepted", "ready", "picked_up"};
    static const char *const steps[] = {"waiting", "preparing", "ready"};
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{}");
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        desk_until_step(id, steps[i]);
        flow_process_end(&worker, SIGKILL);
        desk_signal(id, signals[i], i == 0 ? "\"ada\"" : NULL); /* while nobody works */
        worker = desk_worker(1);
    }
    ck_assert_str_eq(desk_end(id), completed);
    ck_assert_int_eq(desk_notes(note_of(id, "Complete"), 1), 1);
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_timer_fires_while_the_worker_is_down_and_the_order_is_refunded)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{\"accept_ms\":10000}");
    desk_until_step(id, "waiting");
    flow_process_end(&worker, SIGKILL);
    desk_until_event(id, "TIMER_FIRED");
    worker = desk_worker(1);
    ck_assert_str_eq(desk_end(id), "completed {\"status\":\"refunded\",\"why\":\"not accepted\"}");
    ck_assert_int_eq(desk_notes(note_of(id, "CancelAndRefund"), 1), 1);
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_cancelled_order_refunds_behind_its_shield_and_ends_cancelled)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{}");
    desk_until_step(id, "waiting");
    ck_assert_int_eq(temporal_cancel(desk.ctx, desk.temporal, id, "customer"), ST_OK);
    ck_assert_str_eq(desk_end(id), "cancelled {\"status\":\"refunded\",\"why\":\"not accepted\"}");
    ck_assert(IN_ORDER(desk_events(id), "CANCEL_REQUESTED", "TIMER_CANCELED",
                       "ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_COMPLETED",
                       "WORKFLOW_EXECUTION_CANCELED"));
    flow_process_end(&worker, SIGKILL);
}
END_TEST

/* An activity that nobody has taken yet ends in the middle of the commands' events. */
START_TEST(an_order_cancelled_before_its_first_activity_ran_still_refunds)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{\"failures\":99}");
    desk_until_pending(id, "NotifyBarista", 4); /* the next attempt is 1.6 s away: not started */
    ck_assert_int_eq(temporal_cancel(desk.ctx, desk.temporal, id, "customer"), ST_OK);
    ck_assert_str_eq(desk_end(id),
                     "cancelled {\"status\":\"refunded\",\"why\":\"barista not reachable\"}");
    ck_assert_ptr_null(strstr(desk_events(id), "WORKFLOW_TASK_FAILED"));
    flow_process_end(&worker, SIGKILL);
}
END_TEST

/* WF-12 */
START_TEST(activities_are_tried_again_with_growing_gaps_up_to_their_maximum)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("retries");
    const char *note = note_of(id, "Fail");

    desk_begin("OneActivity", id, "{\"status\":14,\"attempts\":4}");
    ck_assert_str_eq(desk_end(id), "failed UNAVAILABLE Fail: as told");
    ck_assert_int_eq(desk_notes(note, 4), 4);
    int64_t first = desk_note_at(note, 1) - desk_note_at(note, 0);
    int64_t second = desk_note_at(note, 2) - desk_note_at(note, 1);
    int64_t third = desk_note_at(note, 3) - desk_note_at(note, 2);
    ck_assert_int_ge(first, 280); /* 300, 600, 1200 */
    ck_assert_int_ge(second, 560);
    ck_assert_int_ge(third, 1150);
    flow_process_end(&worker, SIGKILL);
}
END_TEST

/* WF-12 */
START_TEST(a_final_refusal_is_not_tried_again_and_keeps_its_status)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("refused");

    desk_begin("OneActivity", id, "{\"status\":9}");
    ck_assert_str_eq(desk_end(id), "failed CONFLICT Fail: as told");
    ck_assert_int_eq(desk_notes(note_of(id, "Fail"), 1), 1);
    flow_process_end(&worker, SIGKILL);
}
END_TEST

/* WF-12 */
START_TEST(an_activity_knows_its_deadline_and_is_given_up_after_it)
{
    struct flow_process worker = desk_worker(1);
    const char *quick = desk_id("quick"), *slow = desk_id("slow");
    char said[64];

    desk_begin("OneActivity", quick, "{\"start_to_close_ms\":4000}");
    snprintf(said, sizeof(said), "%s", desk_end(quick));
    int64_t left = strtoll(said + strlen("completed "), NULL, 10);
    ck_assert_int_gt(left, 1000);
    ck_assert_int_le(left, 4000);
    desk_begin("OneActivity", slow, "{\"start_to_close_ms\":500,\"sleep_ms\":1500,\"attempts\":1}");
    ck_assert_str_eq(desk_end(slow), "failed TIMEOUT Fail: activity StartToClose timeout");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(five_failed_attempts_end_in_the_refund)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{\"failures\":99}");
    ck_assert_str_eq(desk_end(id),
                     "completed {\"status\":\"refunded\",\"why\":\"barista not reachable\"}");
    ck_assert_int_eq(desk_notes(note_of(id, "NotifyBarista"), 5), 5);
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(signals_that_come_before_the_first_task_are_kept)
{
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{}"); /* and no worker yet */
    desk_signal(id, "picked_up", NULL);
    desk_signal(id, "ready", NULL);
    desk_signal(id, "accepted", "\"ada\"");
    struct flow_process worker = desk_worker(1);
    ck_assert_str_eq(desk_end(id), completed);
    ck_assert_ptr_null(strstr(desk_events(id), "TIMER_STARTED")); /* who came needs no timer */
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_storm_of_signals_at_the_end_loses_none)
{
    enum { SIGNALS = 60 };
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("count");

    desk_begin("Counter", id, "{}");
    for (int i = 0; i < SIGNALS; i++) {
        desk_signal(id, "add", NULL);
    }
    desk_signal(id, "stop", NULL);
    int late = 0; /* these race with its end: what was taken is counted */
    while (temporal_signal(desk.ctx, desk.temporal, id,
                           &(struct temporal_signal){"add", NULL, NULL}) == ST_OK) {
        late++;
    }
    ctx_forgive(desk.ctx);
    ck_assert_str_eq(desk_end(id), arena_printf(desk.ctx->arena, "completed %d", SIGNALS + late));
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(heartbeats_are_seen_and_a_cancel_reaches_the_activity)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("grinding");
    struct temporal_info info = {.pending_count = 0};

    desk_begin("Grinding", id, "{\"steps\":500}");
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    do {
        clock_pause_ms(100);
        ck_assert_int_eq(temporal_describe(desk.ctx, desk.temporal, id, &info), ST_OK);
    } while ((info.pending_count == 0 || !info.pending[0].details) && clock_monotonic_ms() < until);
    ck_assert_int_eq(info.pending_count, 1);
    ck_assert_ptr_nonnull(info.pending[0].details);
    ck_assert_ptr_nonnull(strstr(info.pending[0].details, "step"));
    ck_assert_int_eq(temporal_cancel(desk.ctx, desk.temporal, id, "enough"), ST_OK);
    ck_assert_str_eq(desk_end(id), "cancelled ");
    ck_assert_int_eq(desk_notes(note_of(id, "GrindStopped"), 1), 1);
    ck_assert(
        IN_ORDER(desk_events(id), "ACTIVITY_TASK_CANCEL_REQUESTED", "ACTIVITY_TASK_CANCELED"));
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_graceful_stop_finishes_its_work_and_loses_no_task)
{
    struct flow_process worker = desk_worker(1);
    const char *grinding = desk_id("grinding"), *order = desk_id("order");

    desk_begin("Grinding", grinding, "{\"steps\":90}"); /* 9 s of work, only one attempt */
    ck_assert_int_eq(desk_notes(note_of(grinding, "Grind"), 1), 1);
    desk_begin("CoffeeOrder", order, "{}");
    ck_assert(flow_process_ended_well(&worker));
    ck_assert_int_eq(desk_notes(note_of(grinding, "GrindDone"), 0), 1);
    worker = desk_worker(1);
    ck_assert_str_eq(desk_end(grinding), "completed \"ground\"");
    desk_until_step(order, "waiting");
    ck_assert_ptr_null(strstr(desk_events(order), "TIMED_OUT"));
    flow_process_end(&worker, SIGKILL);
}
END_TEST

static const struct test_around around = {desk_start, desk_stop, desk_open, desk_close};
FLOW_TEST_MAIN("orders", &around, an_order_runs_from_placed_to_completed,
               an_order_survives_kill_9_of_its_worker_at_every_step,
               a_timer_fires_while_the_worker_is_down_and_the_order_is_refunded,
               a_cancelled_order_refunds_behind_its_shield_and_ends_cancelled,
               an_order_cancelled_before_its_first_activity_ran_still_refunds,
               activities_are_tried_again_with_growing_gaps_up_to_their_maximum,
               a_final_refusal_is_not_tried_again_and_keeps_its_status,
               an_activity_knows_its_deadline_and_is_given_up_after_it,
               five_failed_attempts_end_in_the_refund,
               signals_that_come_before_the_first_task_are_kept,
               a_storm_of_signals_at_the_end_loses_none,
               heartbeats_are_seen_and_a_cancel_reaches_the_activity,
               a_graceful_stop_finishes_its_work_and_loses_no_task)
