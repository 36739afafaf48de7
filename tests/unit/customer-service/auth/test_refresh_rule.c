/* AUTH-02: which uses of a refresh token are honest. */
#include "customer-service/auth/refresh_rule.h"
#include "tests/helpers/house_test.h"

enum { GRACE_S = 30 };

static enum refresh_verdict judge(int64_t generation, int64_t used, int64_t ago_s,
                                  enum refresh_device device)
{
    const struct refresh_shown shown = {
        .generation = generation, .used_generation = used, .used_ago_s = ago_s, .device = device};
    return refresh_judge(&shown, GRACE_S);
}

START_TEST(the_newest_token_is_exchanged_however_old_it_is)
{
    ck_assert_int_eq(judge(1, 0, 0, REFRESH_SAME_DEVICE), REFRESH_EXCHANGE);
    ck_assert_int_eq(judge(7, 6, 86400, REFRESH_SAME_DEVICE), REFRESH_EXCHANGE);
}
END_TEST

START_TEST(a_retry_within_the_grace_is_exchanged_once_more)
{
    ck_assert_int_eq(judge(3, 3, 0, REFRESH_SAME_DEVICE), REFRESH_EXCHANGE);
    ck_assert_int_eq(judge(3, 3, GRACE_S, REFRESH_SAME_DEVICE), REFRESH_EXCHANGE);
}
END_TEST

START_TEST(a_retry_after_the_grace_means_a_copy)
{
    ck_assert_int_eq(judge(3, 3, GRACE_S + 1, REFRESH_SAME_DEVICE), REFRESH_REUSED);
}
END_TEST

START_TEST(a_token_whose_successor_was_used_means_a_copy_at_once)
{
    ck_assert_int_eq(judge(3, 4, 0, REFRESH_SAME_DEVICE), REFRESH_REUSED);
}
END_TEST

START_TEST(another_device_means_a_copy)
{
    ck_assert_int_eq(judge(3, 3, 0, REFRESH_OTHER_DEVICE), REFRESH_REUSED);
    ck_assert_int_eq(judge(4, 3, 0, REFRESH_OTHER_DEVICE), REFRESH_REUSED);
}
END_TEST

START_TEST(a_finished_session_is_dead_and_not_ended_again)
{
    const struct refresh_shown shown = {.generation = 1, .used_generation = 4, .is_over = true};

    ck_assert_int_eq(refresh_judge(&shown, GRACE_S), REFRESH_DEAD);
}
END_TEST

START_TEST(a_device_that_was_not_told_is_neither_the_same_nor_another)
{
    ck_assert_int_eq(refresh_compare_devices("phone", "phone"), REFRESH_SAME_DEVICE);
    ck_assert_int_eq(refresh_compare_devices("", ""), REFRESH_SAME_DEVICE);
    ck_assert_int_eq(refresh_compare_devices("", "phone"), REFRESH_UNTOLD_DEVICE);
    ck_assert_int_eq(refresh_compare_devices("phone", ""), REFRESH_UNTOLD_DEVICE);
    ck_assert_int_eq(refresh_compare_devices("phone", "laptop"), REFRESH_OTHER_DEVICE);
}
END_TEST

START_TEST(the_newest_token_needs_no_device)
{
    ck_assert_int_eq(judge(4, 3, 86400, REFRESH_UNTOLD_DEVICE), REFRESH_EXCHANGE);
}
END_TEST

START_TEST(a_retry_that_does_not_tell_its_device_means_a_copy)
{
    ck_assert_int_eq(judge(3, 3, 0, REFRESH_UNTOLD_DEVICE), REFRESH_REUSED);
}
END_TEST

TEST_MAIN("refresh_rule", the_newest_token_is_exchanged_however_old_it_is,
          a_retry_within_the_grace_is_exchanged_once_more, a_retry_after_the_grace_means_a_copy,
          a_token_whose_successor_was_used_means_a_copy_at_once, another_device_means_a_copy,
          a_finished_session_is_dead_and_not_ended_again,
          a_device_that_was_not_told_is_neither_the_same_nor_another,
          the_newest_token_needs_no_device, a_retry_that_does_not_tell_its_device_means_a_copy)
