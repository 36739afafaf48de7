/* The lists of status.h: every status and problem is whole, and reads back. */
#include "common/base/status.h"

#include "tests/helpers/house_test.h"

START_TEST(a_problem_code_reads_back)
{
    for (int i = 1; i < PROBLEM_COUNT; i++) {
        ck_assert_int_eq(problem_parse(problem_code((enum problem)i)), i);
    }
    ck_assert_int_eq(problem_parse("no_such_problem"), PROBLEM_NONE);
}
END_TEST

TEST_MAIN("status", a_problem_code_reads_back)
