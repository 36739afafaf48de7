/* links: test_temporal
 * Recorded lives of orders, replayed with the code of today: made on a real server by
 * RECORD_HISTORIES=1 integration_order_service_workflow_test_coffee_order. One that does not replay
 * is an order that a new build would leave standing: see docs/TEMPORAL.md before recording anew. */
#include "order-service/workflow/coffee_order.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/temporal/flow_worker.h"
#include "order-service/workflow/order_news.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/temporal/history_made.h"

#include <string.h>

#define FOLDER "tests/unit/order-service/workflow/histories"

/* A later build: one more step, behind a version. */
static enum status with_thanks(struct flow *flow, const char *input, const char **result)
{
    int thanks = flow_version(flow, "thanks", 1);

    TRY(coffee_order(flow, input, result));
    return thanks >= 1 ? flow_activity(flow, "SayThanks", input, NULL, NULL) : ST_OK;
}

/* The same without one: what must not happen. */
static enum status with_rash_thanks(struct flow *flow, const char *input, const char **result)
{
    TRY(flow_activity(flow, "SayThanks", input, NULL, NULL));
    return coffee_order(flow, input, result);
}

static enum status replayed(struct ctx *ctx, const char *name, flow_main *code)
{
    const struct flow_type flows[] = {
        {COFFEE_ORDER, code},
        {0           },
    };
    struct temporal_bytes history = history_read_from(ctx, FOLDER, name);

    return flow_replay(ctx, flows, history.bytes, history.size);
}

static const char *const names[] = {
    "completed",     "unpaid",
    "undone",        "not_accepted",
    "declined",      "cancelled_preparing",
    "stopped",       "capture_refused",
    "late",          "late_cancelled",
    "sold_unpaid",   "half_way",
    "not_collected", "not_collected_and_kept",
};

/* WF-11 */
START_TEST(every_kind_of_order_replays_with_the_code_of_today)
{
    struct ctx *ctx = ctx_new_system("test");

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ck_assert_msg(replayed(ctx, names[i], coffee_order) == ST_OK, "%s: %s", names[i],
                      ctx->failure.detail ? ctx->failure.detail : "");
    }
    ctx_free(ctx);
}
END_TEST

/* WF-14 */
START_TEST(a_build_with_one_more_step_follows_the_orders_of_the_build_before)
{
    struct ctx *ctx = ctx_new_system("test");

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ck_assert_msg(replayed(ctx, names[i], with_thanks) == ST_OK, "%s: %s", names[i],
                      ctx->failure.detail ? ctx->failure.detail : "");
    }
    ck_assert_int_eq(replayed(ctx, "with_thanks", with_thanks), ST_OK);
    ctx_free(ctx);
}
END_TEST

/* WF-14 */
START_TEST(a_step_without_a_version_is_found_here)
{
    struct ctx *ctx = ctx_new_system("test");

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        ck_assert_int_eq(replayed(ctx, names[i], with_rash_thanks), ST_CONFLICT);
    }
    ck_assert_int_eq(replayed(ctx, "with_thanks", coffee_order), ST_CONFLICT); /* rolled back */
    ctx_free(ctx);
}
END_TEST

START_TEST(the_time_that_remains_is_counted_from_the_question)
{
    int64_t placed_ms = MADE_TIME_S * INT64_C(1000);
    struct order_news news = {.order = {"019aa1f0-5c3e-7000-8000-000000000001"},
                              .seq = 1,
                              .status = ORDER_PLACED,
                              .accept_by_ms = placed_ms + 600000,
                              .reason = ""};
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct made *made = made_new(order_news_json(arena, &news));
    const char *refused = NULL;

    ck_assert_int_eq(made_feed(made, coffee_order, made_open_task(made)), ST_OK);
    clock_pretend(placed_ms + 540000);
    ck_assert_ptr_nonnull(
        strstr(flow_ask(made->flow, "remaining", NULL, &refused), "\"remaining\":60000}"));
    clock_pretend(0);
    made_free(made);
}
END_TEST

TEST_MAIN("coffee_order", every_kind_of_order_replays_with_the_code_of_today,
          a_build_with_one_more_step_follows_the_orders_of_the_build_before,
          a_step_without_a_version_is_found_here,
          the_time_that_remains_is_counted_from_the_question)
