/* The threads that run errands and tick. */
#include "common/base/clock.h"
#include "gateway/errands.h"
#include "tests/helpers/house_test.h"

#include <stdatomic.h>

enum { THREADS = 2, SLOW_MS = 600, ERRANDS = 100, PATIENCE_MS = 30000 };

static atomic_int ticking, most, ticks, runs;
static atomic_bool held;

static void slow_tick(void *user, int64_t now_ms)
{
    int now = atomic_fetch_add(&ticking, 1) + 1;

    (void)user;
    (void)now_ms;
    if (now > atomic_load(&most)) {
        atomic_store(&most, now);
    }
    clock_pause_ms(SLOW_MS);
    atomic_fetch_add(&ticks, 1);
    atomic_fetch_sub(&ticking, 1);
}

static void held_tick(void *user, int64_t now_ms)
{
    (void)user;
    (void)now_ms;
    atomic_fetch_add(&ticking, 1);
    while (atomic_load(&held)) {
        clock_pause_ms(1);
    }
}

static void wait_for(const atomic_int *number, int least)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (atomic_load(number) < least && clock_monotonic_ms() < until) {
        clock_pause_ms(1);
    }
    ck_assert_int_ge(atomic_load(number), least);
}

static void run(struct errand *errand)
{
    (void)errand;
    atomic_fetch_add(&runs, 1);
}

/* What ticks keeps plain fields, "of the ticking thread"; a PING to a frozen Valkey takes long. */
START_TEST(a_tick_that_takes_long_is_not_begun_a_second_time)
{
    struct errands *errands = errands_new(slow_tick, NULL);

    errands_start(errands, THREADS);
    wait_for(&ticks, 2);
    ck_assert_int_eq(atomic_load(&most), 1);
    errands_stop(errands);
    errands_free(errands);
}
END_TEST

/* It is due again whenever it ends. */
START_TEST(a_tick_that_takes_long_does_not_keep_the_threads_from_ending)
{
    struct errands *errands = errands_new(slow_tick, NULL);

    errands_start(errands, THREADS);
    clock_pause_ms(SLOW_MS / 2);
    int64_t begun = clock_monotonic_ms();
    errands_stop(errands);
    ck_assert_int_lt(clock_monotonic_ms() - begun, PATIENCE_MS);
    errands_free(errands);
}
END_TEST

START_TEST(errands_run_while_a_tick_takes_long)
{
    static struct errand errand[ERRANDS];
    struct errands *errands = errands_new(held_tick, NULL);

    atomic_store(&held, true);
    errands_start(errands, THREADS);
    wait_for(&ticking, 1);
    for (int i = 0; i < ERRANDS; i++) {
        errand[i].run = run;
        ck_assert(errands_push(errands, &errand[i]));
    }
    wait_for(&runs, ERRANDS);
    atomic_store(&held, false);
    errands_stop(errands);
    errands_free(errands);
}
END_TEST

TEST_MAIN("errands", a_tick_that_takes_long_is_not_begun_a_second_time,
          a_tick_that_takes_long_does_not_keep_the_threads_from_ending,
          errands_run_while_a_tick_takes_long)
