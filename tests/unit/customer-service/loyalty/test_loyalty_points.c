/* CUST-04: what an order earns, and what a balance is called. */
#include "customer-service/loyalty/loyalty_points.h"
#include "customer-service/loyalty/loyalty_tier.h"
#include "tests/helpers/house_test.h"

START_TEST(a_point_for_each_full_hundred_cents)
{
    ck_assert_int_eq(loyalty_points(0), 0);
    ck_assert_int_eq(loyalty_points(99), 0);
    ck_assert_int_eq(loyalty_points(100), 1);
    ck_assert_int_eq(loyalty_points(440), 4);
    ck_assert_int_eq(loyalty_points(INT64_C(9007199254740991)), INT64_C(90071992547409));
}
END_TEST

START_TEST(nothing_is_earned_by_less_than_nothing)
{
    ck_assert_int_eq(loyalty_points(-1), 0);
    ck_assert_int_eq(loyalty_points(-100), 0);
}
END_TEST

START_TEST(tiers_begin_at_their_points)
{
    ck_assert_int_eq(loyalty_tier(-5), TIER_BRONZE);
    ck_assert_int_eq(loyalty_tier(249), TIER_BRONZE);
    ck_assert_int_eq(loyalty_tier(250), TIER_SILVER);
    ck_assert_int_eq(loyalty_tier(999), TIER_SILVER);
    ck_assert_int_eq(loyalty_tier(1000), TIER_GOLD);
}
END_TEST

TEST_MAIN("loyalty_points", a_point_for_each_full_hundred_cents,
          nothing_is_earned_by_less_than_nothing, tiers_begin_at_their_points)
