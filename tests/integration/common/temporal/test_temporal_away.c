/* links: test_temporal */
/* Temporal itself is killed and comes back: each test has a server of its own. */
#include "tests/helpers/temporal/flow_desk.h"

#include "common/base/clock.h"

static void open_with_server(void)
{
    desk_start();
    desk_open();
}

static void close_with_server(void)
{
    desk_close();
    desk_stop();
}

START_TEST(an_order_survives_kill_9_of_temporal_at_every_step)
{
    static const char *const signals[] = {"accepted", "ready", "picked_up"};
    static const char *const steps[] = {"waiting", "preparing", "ready"};
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("order");

    desk_begin("CoffeeOrder", id, "{}");
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        desk_until_step(id, steps[i]);
        temporal_server_kill(&desk.server);
        temporal_server_again(&desk.server);
        desk_until_step(id, steps[i]); /* the worker polls again by itself: it answers queries */
        desk_signal(id, signals[i], i == 0 ? "\"ada\"" : NULL);
    }
    ck_assert_str_eq(desk_end(id), "completed {\"status\":\"completed\",\"barista\":\"ada\"}");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_worker_that_starts_before_temporal_works_once_it_is_there)
{
    const char *id = desk_id("order");

    temporal_server_kill(&desk.server);
    struct flow_process worker = desk_worker(1);
    clock_pause_ms(3000);
    temporal_server_again(&desk.server);
    desk_begin("CoffeeOrder", id, "{}");
    desk_until_step(id, "waiting");
    flow_process_end(&worker, SIGKILL);
}
END_TEST

START_TEST(a_worker_stops_at_once_while_temporal_is_away)
{
    struct flow_process worker = desk_worker(1);
    const char *id = desk_id("daily");

    desk_begin("DailySummary", id, "{}");
    desk_end(id); /* it polls */
    temporal_server_kill(&desk.server);
    clock_pause_ms(1000);
    int64_t began = clock_monotonic_ms();
    ck_assert(flow_process_ended_well(&worker));
    ck_assert_int_lt(clock_monotonic_ms() - began, 12000); /* a poll takes 60 s */
}
END_TEST

static const struct test_around around = {.before = open_with_server, .after = close_with_server};
FLOW_TEST_MAIN("temporal away", &around, an_order_survives_kill_9_of_temporal_at_every_step,
               a_worker_that_starts_before_temporal_works_once_it_is_there,
               a_worker_stops_at_once_while_temporal_is_away)
