/* The arithmetic of rates. */
#include "common/base/auto.h"
#include "gateway/edge/limit_bucket.h"
#include "tests/helpers/house_test.h"

START_TEST(a_rate_is_read_from_its_text)
{
    struct limit_rate rate;

    ck_assert(limit_rate_parse("60/60s", &rate));
    ck_assert_int_eq(rate.quota, 60);
    ck_assert_int_eq(rate.window_s, 60);
    ck_assert(limit_rate_parse("600/10m", &rate));
    ck_assert_int_eq(rate.window_s, 600);
    ck_assert(limit_rate_parse("1/2h", &rate));
    ck_assert_int_eq(rate.window_s, 7200);
}
END_TEST

START_TEST(what_is_no_rate_is_refused)
{
    static const char *const bad[] = {"",        "60",      "60/",   "/60s",    "60/60",
                                      "60/60d",  "0/60s",   "60/0s", "-1/60s",  "60/-1s",
                                      "60 /60s", "60/60ss", "x/60s", "60/60s ", "9999999/1s"};
    struct limit_rate rate;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ck_assert_msg(!limit_rate_parse(bad[i], &rate), "%s", bad[i]);
    }
}
END_TEST

START_TEST(a_rested_caller_may_come_at_once_as_often_as_the_quota)
{
    const struct limit_rate rate = {5, 10};
    struct limit_bucket bucket = {0};
    int64_t wait_ms;

    for (int i = 0; i < 5; i++) {
        ck_assert(limit_bucket_take(&bucket, &rate, 1000, &wait_ms));
    }
    ck_assert(!limit_bucket_take(&bucket, &rate, 1000, &wait_ms));
    ck_assert_int_ge(wait_ms, 2000);
    ck_assert_int_le(wait_ms, 2001);
}
END_TEST

START_TEST(tokens_come_back_evenly_and_never_above_the_quota)
{
    const struct limit_rate rate = {5, 10};
    struct limit_bucket bucket = {0};
    int64_t wait_ms, now = 1000;
    int taken = 0;

    for (; now < 101000; now += 100) { /* 100 s: the quota at first, then one each 2 s */
        taken += limit_bucket_take(&bucket, &rate, now, &wait_ms);
    }
    ck_assert_int_ge(taken, 5 + 49);
    ck_assert_int_le(taken, 5 + 50);
    now += 3600 * 1000;
    for (taken = 0; limit_bucket_take(&bucket, &rate, now, &wait_ms); taken++) {
    }
    ck_assert_int_eq(taken, 5);
}
END_TEST

START_TEST(a_clock_that_goes_back_gives_nothing)
{
    const struct limit_rate rate = {1, 10};
    struct limit_bucket bucket = {0};
    int64_t wait_ms;

    ck_assert(limit_bucket_take(&bucket, &rate, 50000, &wait_ms));
    ck_assert(!limit_bucket_take(&bucket, &rate, 10000, &wait_ms));
}
END_TEST

START_TEST(the_fallback_is_a_quarter_and_never_nothing)
{
    ck_assert_int_eq(limit_rate_reduced(&(struct limit_rate){60, 60}).quota, 15);
    ck_assert_int_eq(limit_rate_reduced(&(struct limit_rate){2, 60}).quota, 1);
}
END_TEST

START_TEST(batches_grow_for_the_fast_and_shrink_for_the_slow)
{
    int batch = 1;

    for (int i = 0; i < 10; i++) {
        batch = limit_next_batch(batch, 10, 64);
    }
    ck_assert_int_eq(batch, 64);
    for (int i = 0; i < 10; i++) {
        batch = limit_next_batch(batch, 5000, 64);
    }
    ck_assert_int_eq(batch, 1);
}
END_TEST

TEST_MAIN("limit bucket", a_rate_is_read_from_its_text, what_is_no_rate_is_refused,
          a_rested_caller_may_come_at_once_as_often_as_the_quota,
          tokens_come_back_evenly_and_never_above_the_quota, a_clock_that_goes_back_gives_nothing,
          the_fallback_is_a_quarter_and_never_nothing,
          batches_grow_for_the_fast_and_shrink_for_the_slow)
