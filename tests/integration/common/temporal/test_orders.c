/* links: test_temporal */
/* Orders as workflows on a real Temporal server, with workers that are processes of their own. */
#include "tests/helpers/temporal/flow_desk.h"

#include <string.h>

/* WF-01 WF-04 WF-06 WF-08 */
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
    ck_assert_str_eq(desk_end(id), "completed {\"status\":\"completed\",\"barista\":\"ada\"}");
    ck_assert_str_eq(desk_query(id, "current_step"), "\"completed\""); /* closed, and still asked */
    flow_process_end(&worker, SIGKILL);
}
END_TEST

static const struct test_around around = {desk_start, desk_stop, desk_open, desk_close};
FLOW_TEST_MAIN("orders", &around, an_order_runs_from_placed_to_completed)
