/* links: test_temporal */
/* What workflows ask for, over histories made by hand. */
#include "tests/helpers/house_test.h"
#include "tests/helpers/temporal/history_made.h"

#include "common/base/clock.h"
#include "common/temporal/payload.h"

#include <string.h>

static const struct flow_activity options = {
    .start_to_close_ms = 1500,
    .schedule_to_close_ms = 60000,
    .heartbeat_ms = 3000,
    .retry = {.first_ms = 250, .factor = 3, .most_ms = 5000, .attempts = 7}
};

/* An activity, then a signal within 5 s, then another activity. */
static enum status order(struct flow *flow, const char *input, const char **result)
{
    struct flow_signal signal = {.json = "none"};

    TRY(flow_activity(flow, "Notify", input, &options, NULL));
    enum status st = flow_wait_signal(flow, FLOW_SIGNALS("yes", "no"), 5000, &signal);
    if (st != ST_OK) {
        flow_shield(flow, true);
        TRY(flow_activity(flow, "Refund", input, NULL, result));
        return st;
    }
    return flow_activity(flow, signal.name, signal.json, NULL, result);
}

static Temporal__Command *only_command(struct made *made)
{
    size_t count = 0;
    Temporal__Command **list = flow_encode(made->flow, &count);

    ck_assert_uint_eq(count, 1);
    return list[0];
}

START_TEST(an_activity_goes_out_with_its_limits_and_retries)
{
    struct made *made = made_new("{\"id\":7}");

    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_OK);
    const Temporal__ScheduleActivityTaskCommandAttributes *a =
        only_command(made)->schedule_activity_task_command_attributes;
    ck_assert_str_eq(a->activity_id, "1");
    ck_assert_str_eq(a->activity_type->name, "Notify");
    ck_assert_str_eq(a->task_queue->name, "queue");
    ck_assert_str_eq(payloads_text(made->ctx->arena, a->input), "{\"id\":7}");
    ck_assert_int_eq(duration_ms(a->start_to_close_timeout), 1500);
    ck_assert_int_eq(duration_ms(a->schedule_to_close_timeout), 60000);
    ck_assert_ptr_null(a->schedule_to_start_timeout);
    ck_assert_int_eq(duration_ms(a->heartbeat_timeout), 3000);
    ck_assert_int_eq(duration_ms(a->retry_policy->initial_interval), 250);
    ck_assert_double_eq(a->retry_policy->backoff_coefficient, 3);
    ck_assert_int_eq(duration_ms(a->retry_policy->maximum_interval), 5000);
    ck_assert_int_eq(a->retry_policy->maximum_attempts, 7);
    made_free(made);
}
END_TEST

/* An order whose first activity is done. */
static struct made *notified(void)
{
    struct made *made = made_new("{}");

    made_task(made);
    made_activity_done(made, made_activity(made, "1", "Notify"), "null");
    return made;
}

START_TEST(activities_and_timers_are_counted_apart_from_1)
{
    struct made *made = notified();

    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_OK);
    ck_assert_str_eq(made_commands(made), "START_TIMER(1 timer) ");
    ck_assert_int_eq(
        duration_ms(only_command(made)->start_timer_command_attributes->start_to_fire_timeout),
        5000);
    made_free(made);
}
END_TEST

START_TEST(a_signal_that_came_first_needs_no_timer)
{
    struct made *made = notified();

    made_signal(made, "other", NULL); /* nobody asked for it */
    made_signal(made, "no", "\"too busy\"");
    made_signal(made, "yes", NULL);
    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_OK);
    ck_assert_str_eq(made_commands(made), "SCHEDULE_ACTIVITY_TASK(2 no) ");
    made_free(made);
}
END_TEST

/* An order that waits with its timer running; returns the timer's event. */
static struct made *waiting(int64_t *timer)
{
    struct made *made = notified();

    made_task(made);
    *timer = made_timer(made, "1");
    return made;
}

START_TEST(a_signal_cancels_the_timer_before_the_work_goes_on)
{
    int64_t timer;
    struct made *made = waiting(&timer);

    made_signal(made, "yes", "1");
    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_OK);
    ck_assert_str_eq(made_commands(made), "CANCEL_TIMER(1 timer) SCHEDULE_ACTIVITY_TASK(2 yes) ");
    made_free(made);
}
END_TEST

START_TEST(a_timer_that_fires_with_the_signal_loses_and_is_not_cancelled)
{
    int64_t timer;
    struct made *made = waiting(&timer);

    made_timer_fired(made, timer);
    made_signal(made, "yes", "1");
    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_OK);
    ck_assert_str_eq(made_commands(made), "SCHEDULE_ACTIVITY_TASK(2 yes) ");
    made_free(made);
}
END_TEST

START_TEST(a_cancelled_wait_ends_and_the_shielded_refund_runs)
{
    int64_t timer;
    struct made *made = waiting(&timer);

    made_event(made, EVENT(WORKFLOW_EXECUTION_CANCEL_REQUESTED));
    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_OK);
    ck_assert_str_eq(made_commands(made),
                     "CANCEL_TIMER(1 timer) SCHEDULE_ACTIVITY_TASK(2 Refund) ");
    made_free(made);
}
END_TEST

START_TEST(a_cancelled_workflow_cancels_its_activity_by_the_event_that_scheduled_it)
{
    struct made *made = made_new("{}");

    made_task(made);
    int64_t scheduled = made_activity(made, "1", "Notify");
    made_event(made, EVENT(WORKFLOW_EXECUTION_CANCEL_REQUESTED));
    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_OK);
    ck_assert_str_eq(made_commands(made),
                     "REQUEST_CANCEL_ACTIVITY_TASK(1 Notify) CANCEL_WORKFLOW_EXECUTION( ) ");
    size_t count;
    Temporal__Command **list = flow_encode(made->flow, &count);
    ck_assert_int_eq(list[0]->request_cancel_activity_task_command_attributes->scheduled_event_id,
                     scheduled);
    made_free(made);
}
END_TEST

START_TEST(a_task_that_failed_or_timed_out_is_not_run)
{
    struct made *made = made_new("{}");

    made_open_task(made);
    made_event(made, EVENT(WORKFLOW_TASK_FAILED));
    made_open_task(made);
    made_event(made, EVENT(WORKFLOW_TASK_TIMED_OUT));
    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_OK);
    ck_assert_str_eq(made_commands(made), "SCHEDULE_ACTIVITY_TASK(1 Notify) ");
    ck_assert_int_eq(flow_now_ms(made->flow), (MADE_TIME_S + 9) * 1000LL); /* the task in hand */
    made_free(made);
}
END_TEST

START_TEST(another_name_id_or_order_of_commands_is_a_mismatch)
{
    static const char *const wrong[][2] = {
        {"1", "Notified"},
        {"2", "Notify"  }
    };

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct made *made = made_new("{}");

        made_task(made);
        made_activity(made, wrong[i][0], wrong[i][1]);
        ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_CONFLICT);
        made_free(made);
    }
    struct made *made = made_new("{}");
    made_task(made);
    made_timer(made, "1");
    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_CONFLICT);
    made_free(made);
}
END_TEST

START_TEST(a_command_that_the_history_lacks_is_a_mismatch)
{
    struct made *made = made_new("{}");

    made_task(made); /* and no activity behind it */
    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_CONFLICT);
    ck_assert_ptr_nonnull(strstr(made->ctx->failure.detail, "the history lacks"));
    made_free(made);
}
END_TEST

START_TEST(an_event_of_commands_that_we_never_give_is_a_mismatch)
{
    struct made *made = notified();

    made_event(made, EVENT(UPSERT_WORKFLOW_SEARCH_ATTRIBUTES));
    ck_assert_int_eq(made_feed(made, order, made_open_task(made)), ST_CONFLICT);
    made_free(made);
}
END_TEST

START_TEST(a_history_without_beginning_or_end_is_no_nondeterminism)
{
    struct made *made = notified();
    int64_t current = made_open_task(made);

    ck_assert_int_eq(made_feed(made, order, current + 1), ST_INTERNAL);
    made->events[0]->event_type = EVENT(WORKFLOW_TASK_SCHEDULED);
    ck_assert_int_eq(made_feed(made, order, current), ST_INTERNAL);
    made->count = 0;
    ck_assert_int_eq(made_feed(made, order, current), ST_INTERNAL);
    made_free(made);
}
END_TEST

/* ---- others ------------------------------------------------------------------------------- */

static enum status chance(struct flow *flow, const char *input, const char **result)
{
    (void)input;
    *result = arena_printf(flow_ctx(flow)->arena, "%llu", (unsigned long long)flow_random(flow));
    return ST_OK;
}

START_TEST(chance_is_the_same_at_every_replay)
{
    struct made *made = made_new("{}");
    int64_t current = made_open_task(made);

    ck_assert_int_eq(made_feed(made, chance, current), ST_OK);
    const char *first = made_commands(made);
    ck_assert_int_eq(made_feed(made, chance, current), ST_OK);
    ck_assert_str_eq(first, made_commands(made));
    made_free(made);
}
END_TEST

static enum status go_on(struct flow *flow, const char *input, const char **result)
{
    (void)input;
    (void)result;
    return flow_continue_as_new(flow, "{\"month\":2}");
}

static enum status refuse(struct flow *flow, const char *input, const char **result)
{
    (void)input;
    (void)result;
    return fail_with(flow_ctx(flow), ST_CONFLICT, "", "it cannot be");
}

START_TEST(a_run_ends_as_its_function_returns)
{
    struct made *made = made_new("{}");
    int64_t current = made_open_task(made);

    ck_assert_int_eq(made_feed(made, go_on, current), ST_OK);
    ck_assert_str_eq(made_commands(made), "CONTINUE_AS_NEW_WORKFLOW_EXECUTION( {\"month\":2}) ");
    ck_assert_int_eq(made_feed(made, refuse, current), ST_OK);
    const Temporal__Failure *failure =
        only_command(made)->fail_workflow_execution_command_attributes->failure;
    ck_assert_str_eq(failure->message, "it cannot be");
    ck_assert_int_eq(failure_told(failure).st, ST_CONFLICT);
    made_free(made);
}
END_TEST

static const char *ask_badly(struct flow *flow, void *state, const char *args)
{
    (void)state;
    (void)args;
    return flow_sleep(flow, 1000) == ST_INTERNAL ? "\"must not wait\"" : NULL;
}

static const char *ask_the_time(struct flow *flow, void *state, const char *args)
{
    (void)args;
    return arena_printf(flow_ctx(flow)->arena, "%lld",
                        (long long)flow_now_ms(flow) - *(int64_t *)state);
}

static enum status asked(struct flow *flow, const char *input, const char **result)
{
    int64_t *task_ms = arena_new_struct(flow_ctx(flow)->arena, int64_t);

    (void)input;
    (void)result;
    *task_ms = flow_now_ms(flow);
    flow_on_query(flow, "bad", ask_badly, NULL);
    flow_on_query(flow, "time", ask_the_time, task_ms);
    flow_step(flow, "asleep");
    return flow_sleep(flow, 1000);
}

START_TEST(a_query_reads_and_cannot_wait)
{
    struct made *made = made_new("{}");
    const char *refused = NULL;

    ck_assert_int_eq(made_feed(made, asked, made_open_task(made)), ST_OK);
    ck_assert_str_eq(flow_ask(made->flow, "bad", NULL, &refused), "\"must not wait\"");
    ck_assert_str_eq(flow_ask(made->flow, "current_step", NULL, &refused), "\"asleep\"");
    ck_assert_ptr_null(flow_ask(made->flow, "unknown", NULL, &refused));
    ck_assert_str_eq(refused, "there is no query unknown");
    ck_assert_str_eq(made_commands(made), "START_TIMER(1 timer) ");
    made_free(made);
}
END_TEST

START_TEST(a_query_knows_the_time_it_is_asked_at_and_the_run_the_one_of_its_task)
{
    struct made *made = made_new("{}");
    const char *refused = NULL;

    ck_assert_int_eq(made_feed(made, asked, made_open_task(made)), ST_OK);
    int64_t task_ms = flow_now_ms(made->flow);
    clock_pretend(task_ms + 60000);
    ck_assert_str_eq(flow_ask(made->flow, "time", NULL, &refused), "60000");
    ck_assert_int_eq(flow_now_ms(made->flow), task_ms);
    clock_pretend(task_ms - 60000); /* our clock is behind Temporal's */
    ck_assert_str_eq(flow_ask(made->flow, "time", NULL, &refused), "0");
    clock_pretend(0);
    made_free(made);
}
END_TEST

static enum status refuse_and_be_asked(struct flow *flow, const char *input, const char **result)
{
    flow_on_query(flow, "bad", ask_badly, NULL);
    return refuse(flow, input, result);
}

START_TEST(a_query_that_came_with_the_last_task_changes_nothing_of_how_the_run_ended)
{
    struct made *made = made_new("{}");
    const char *refused = NULL;

    ck_assert_int_eq(made_feed(made, refuse_and_be_asked, made_open_task(made)), ST_OK);
    ck_assert_str_eq(flow_ask(made->flow, "bad", NULL, &refused), "\"must not wait\"");
    ck_assert_str_eq(
        only_command(made)->fail_workflow_execution_command_attributes->failure->message,
        "it cannot be");
    made_free(made);
}
END_TEST

static enum status versions(struct flow *flow, const char *input, const char **result)
{
    (void)input;
    TRY(flow_sleep(flow, 1000));
    *result = arena_printf(flow_ctx(flow)->arena, "[%d,%d]", flow_version(flow, "milk", 2),
                           flow_version(flow, "milk", 2));
    return ST_OK;
}

/* WF-14 */
START_TEST(a_version_is_recorded_once_and_read_from_the_history)
{
    struct made *made = made_new("{}");

    made_task(made);
    made_timer_fired(made, made_timer(made, "1"));
    size_t here = made->count;
    ck_assert_int_eq(made_feed(made, versions, made_open_task(made)), ST_OK);
    ck_assert_str_eq(made_commands(made),
                     "RECORD_MARKER( {\"id\":\"milk-v2\",\"deprecated\":false}) "
                     "COMPLETE_WORKFLOW_EXECUTION( [2,2]) ");
    made->count = here; /* a run of the build before, which made version 1 */
    made_task(made);
    made_marker(made, "{\"id\":\"milk\",\"deprecated\":false}");
    ck_assert_int_eq(made_feed(made, versions, 0), ST_CONFLICT); /* it lacks the completion ... */
    ck_assert_ptr_nonnull(strstr(made->ctx->failure.detail, "[1,1]")); /* ... of version 1 */
    made->count = here; /* and of one that knew no versions */
    made_task(made);
    ck_assert_int_eq(made_feed(made, versions, 0), ST_CONFLICT);
    ck_assert_ptr_nonnull(strstr(made->ctx->failure.detail, "[0,0]"));
    made_free(made);
}
END_TEST

TEST_MAIN("flow", an_activity_goes_out_with_its_limits_and_retries,
          activities_and_timers_are_counted_apart_from_1, a_signal_that_came_first_needs_no_timer,
          a_signal_cancels_the_timer_before_the_work_goes_on,
          a_timer_that_fires_with_the_signal_loses_and_is_not_cancelled,
          a_cancelled_wait_ends_and_the_shielded_refund_runs,
          a_cancelled_workflow_cancels_its_activity_by_the_event_that_scheduled_it,
          a_task_that_failed_or_timed_out_is_not_run,
          another_name_id_or_order_of_commands_is_a_mismatch,
          a_command_that_the_history_lacks_is_a_mismatch,
          an_event_of_commands_that_we_never_give_is_a_mismatch,
          a_history_without_beginning_or_end_is_no_nondeterminism,
          chance_is_the_same_at_every_replay, a_run_ends_as_its_function_returns,
          a_query_reads_and_cannot_wait,
          a_query_knows_the_time_it_is_asked_at_and_the_run_the_one_of_its_task,
          a_query_that_came_with_the_last_task_changes_nothing_of_how_the_run_ended,
          a_version_is_recorded_once_and_read_from_the_history)
