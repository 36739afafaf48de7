/* How long is waited for what does not come. */
#include "common/base/cond.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"

#include <errno.h>

static int64_t wait_in_vain(int64_t ms)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    int64_t before = clock_monotonic_us();

    cond_init(&cond);
    struct timespec limit = cond_limit(ms);
    pthread_mutex_lock(&lock);
    while (pthread_cond_timedwait(&cond, &lock, &limit) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&lock);
    pthread_cond_destroy(&cond);
    return clock_monotonic_us() - before;
}

START_TEST(a_wait_ends_at_its_limit_and_not_sooner)
{
    int64_t took = wait_in_vain(30);

    ck_assert_int_ge(took, 30000);
    ck_assert_int_lt(took, 30000000); /* the wall clock is some 50 years ahead of this one */
}
END_TEST

START_TEST(a_limit_has_less_than_a_second_of_nanoseconds)
{
    for (int64_t ms = 0; ms < 3000; ms += 7) {
        struct timespec at = cond_limit(ms);

        ck_assert(at.tv_nsec >= 0 && at.tv_nsec < 1000000000);
    }
}
END_TEST

START_TEST(a_limit_that_has_passed_is_no_wait)
{
    ck_assert_int_lt(wait_in_vain(0), 10000000);
}
END_TEST

TEST_MAIN("cond", a_wait_ends_at_its_limit_and_not_sooner,
          a_limit_has_less_than_a_second_of_nanoseconds, a_limit_that_has_passed_is_no_wait)
