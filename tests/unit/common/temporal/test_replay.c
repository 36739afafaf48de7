/* links: test_temporal */
/* Recorded histories, replayed with the code of today: made by workers of tests/helpers/temporal on
 * a real server and printed by tools/flow-history. */
#include "tests/helpers/house_test.h"
#include "tests/helpers/temporal/history_made.h"
#include "tests/helpers/temporal/shop_flows.h"

#include <string.h>

static enum status replayed(struct ctx *ctx, const char *name, int build)
{
    struct temporal_bytes history = history_read(ctx, name);

    return flow_replay(ctx, shop_flows(build), history.bytes, history.size);
}

/* WF-14 */
START_TEST(every_recorded_history_replays_with_the_code_of_today)
{
    static const char *const names[] = {
        "branches",        "counter",         "grinding_cancelled", "messenger",
        "order_cancelled", "order_completed", "order_open",         "order_cancelled_early",
        "order_refunded",  "order_timed_out", "parent_cancelled",   "refused",
        "subscription"};
    struct ctx *ctx = ctx_new_system("test");

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        for (int build = 1; build <= 3; build++) {
            enum status st = replayed(ctx, names[i], build);

            ck_assert_msg(st == ST_OK, "%s, build %d: %s", names[i], build,
                          ctx->failure.detail ? ctx->failure.detail : "");
        }
    }
    ctx_free(ctx);
}
END_TEST

/* WF-14 */
START_TEST(a_build_with_a_version_replays_its_own_runs_and_those_before)
{
    struct ctx *ctx = ctx_new_system("test");

    ck_assert_int_eq(replayed(ctx, "versioned_by_build_1", 1), ST_OK);
    ck_assert_int_eq(replayed(ctx, "versioned_by_build_1", 2), ST_OK);
    ck_assert_int_eq(replayed(ctx, "versioned_by_build_2", 2), ST_OK);
    ctx_free(ctx);
}
END_TEST

/* WF-14 */
START_TEST(a_nondeterministic_change_does_not_replay)
{
    struct ctx *ctx = ctx_new_system("test");

    ck_assert_int_eq(replayed(ctx, "versioned_by_build_1", 3), ST_CONFLICT);
    ck_assert_ptr_nonnull(strstr(ctx->failure.detail, "[TMPRL1100] event 5: the history has "
                                                      "ACTIVITY_TASK_SCHEDULED 1 'CountOrders', "
                                                      "the code gives SCHEDULE_ACTIVITY_TASK 1 "
                                                      "'SumRevenue'"));
    ck_assert_int_eq(replayed(ctx, "versioned_by_build_2", 1), ST_CONFLICT); /* rolled back */
    ctx_free(ctx);
}
END_TEST

/* WF-14: the version's call may leave the code once no run needs its answer. */
START_TEST(a_version_that_left_the_code_changes_nothing)
{
    struct ctx *ctx = ctx_new_system("test");

    ck_assert_int_eq(replayed(ctx, "versioned_by_build_2", 3), ST_OK);
    ctx_free(ctx);
}
END_TEST

START_TEST(bytes_that_are_no_history_are_refused)
{
    struct ctx *ctx = ctx_new_system("test");
    struct temporal_bytes history = history_read(ctx, "order_completed");

    ck_assert_int_eq(flow_replay(ctx, shop_flows(1), "\xff\xff\xff", 3), ST_INVALID);
    ck_assert_int_eq(flow_replay(ctx, shop_flows(1), "", 0), ST_INVALID);
    ck_assert_int_ne(flow_replay(ctx, shop_flows(1), history.bytes, history.size - 5), ST_OK);
    ctx_free(ctx);
}
END_TEST

TEST_MAIN("replay", every_recorded_history_replays_with_the_code_of_today,
          a_build_with_a_version_replays_its_own_runs_and_those_before,
          a_nondeterministic_change_does_not_replay, a_version_that_left_the_code_changes_nothing,
          bytes_that_are_no_history_are_refused)
