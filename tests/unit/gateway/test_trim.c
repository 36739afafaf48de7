/* When memory is given back to the system. */
#include "gateway/trim.h"
#include "tests/helpers/house_test.h"

START_TEST(once_many_have_gone_and_it_is_quiet)
{
    struct trim trim = {0};

    ck_assert(!trim_is_due(&trim, 1000, 1000));
    ck_assert(!trim_is_due(&trim, 1000, 60000)); /* a crowd that stays */
    ck_assert(!trim_is_due(&trim, 400, 60250));
    ck_assert(!trim_is_due(&trim, 10, 60500)); /* they are still going */
    ck_assert(!trim_is_due(&trim, 10, 62250));
    ck_assert(trim_is_due(&trim, 10, 62500));
    ck_assert(!trim_is_due(&trim, 10, 62750)); /* once */
}
END_TEST

START_TEST(a_few_that_come_and_go_are_not_worth_it)
{
    struct trim trim = {0};

    for (int64_t ms = 0; ms < 100000; ms += 5000) {
        ck_assert(!trim_is_due(&trim, ms % 10000 ? 20 : 0, ms));
    }
}
END_TEST

TEST_MAIN("trim", once_many_have_gone_and_it_is_quiet, a_few_that_come_and_go_are_not_worth_it)
