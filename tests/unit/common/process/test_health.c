/* links: common_process common_obs */
/* The one truth behind /readyz and gRPC's health: who hears of it, and when. */
#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/process/daemon.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"

#include <stdatomic.h>

static bool kafka_up;
static atomic_bool postgres_up, postgres_hangs;
static atomic_int asked, told, last;

static bool postgres(void *service)
{
    (void)service;
    atomic_fetch_add(&asked, 1);
    while (atomic_load(&postgres_hangs)) {
        clock_pause_ms(10);
    }
    return postgres_up;
}

static bool kafka(void *service)
{
    (void)service;
    return kafka_up;
}

static const struct health_check checks[] = {
    {"postgres", true, postgres},
    {"kafka",  false, kafka},
    {0   },
};

static struct health *health;

static void tell(bool ready, void *user)
{
    (void)user;
    told++;
    last = ready;
}

static void start(void)
{
    postgres_up = kafka_up = true;
    postgres_hangs = false;
    told = last = 0;
    health = health_new(checks, NULL);
    health_tell(health, tell, NULL);
}

static void stop(void)
{
    health_free(health);
}

/* As the admin server does: looks, waits as long as it was told to, looks again; until the database
 * was asked so often. */
static void look(int times)
{
    for (int until = atomic_load(&asked) + times; atomic_load(&asked) < until;) {
        clock_pause_ms(health_look(health) + 1);
    }
}

START_TEST(who_is_ready_at_once_is_told_once)
{
    look(3);
    ck_assert_int_eq(told, 1);
    ck_assert_int_eq(last, true);
}
END_TEST

START_TEST(who_is_not_ready_yet_hears_nothing_until_it_is)
{
    postgres_up = false;
    look(3);
    ck_assert_int_eq(told, 0);
    postgres_up = true;
    look(1);
    ck_assert_int_eq(told, 1);
    ck_assert_int_eq(last, true);
}
END_TEST

START_TEST(a_database_that_goes_and_comes_is_heard_of_each_time)
{
    look(1);
    postgres_up = false;
    look(3);
    ck_assert_int_eq(told, 2);
    ck_assert_int_eq(last, false);
    postgres_up = true;
    look(1);
    ck_assert_int_eq(told, 3);
    ck_assert_int_eq(last, true);
}
END_TEST

START_TEST(one_answer_that_came_late_sends_nobody_away)
{
    look(1);
    postgres_up = false;
    look(1);
    postgres_up = true;
    look(2);
    ck_assert_int_eq(told, 1);
    ck_assert_int_eq(last, true);
}
END_TEST

/* A database that stands still for less than a second has answered neither of two looks that come
 * close together. */
START_TEST(who_is_doubted_has_a_second_to_recover)
{
    look(1);
    postgres_up = false;
    int64_t began = clock_monotonic_ms();
    look(2);
    ck_assert_int_eq(told, 2);
    ck_assert_int_eq(last, false);
    ck_assert_int_ge(clock_monotonic_ms() - began, 1000);
}
END_TEST

START_TEST(what_is_only_useful_changes_nothing)
{
    look(1);
    kafka_up = false;
    look(3);
    ck_assert_int_eq(told, 1);
}
END_TEST

START_TEST(who_drains_is_not_ready_for_good)
{
    look(1);
    health_set_draining(health);
    ck_assert_int_eq(told, 2);
    ck_assert_int_eq(last, false);
    look(2);
    ck_assert_int_eq(told, 2);
}
END_TEST

static bool reports_ready(void)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    const char *json;

    return health_report(health, arena, &json);
}

static bool is_told(bool ready)
{
    for (int i = 0; i < PATIENCE_MS / 20 && last != ready; i++) {
        clock_pause_ms(20);
    }
    return last == ready;
}

static bool watched;

static void watch_anew(void)
{
    if (watched) {
        health_unwatch(health);
        stop();
        start();
    }
    watched = true;
    health_watch(health);
}

/* K8S-17: what it said before it hung is not said for ever, and both views turn together. */
START_TEST(a_required_check_that_hangs_is_down_after_its_patience)
{
    ck_assert_quick(900, watch_anew()); /* it waits for the first look, a second at most */
    ck_assert(reports_ready());
    atomic_store(&postgres_hangs, true);
    ck_assert(is_told(false));
    ck_assert(!reports_ready());
    atomic_store(&postgres_hangs, false);
    ck_assert(is_told(true));
    ck_assert(reports_ready());
    health_unwatch(health);
}
END_TEST

/* It was down while it hung, and has not answered since. */
START_TEST(a_check_that_fails_after_it_hung_is_not_spared)
{
    health_watch(health);
    ck_assert(is_told(true));
    atomic_store(&postgres_hangs, true);
    ck_assert(is_told(false));
    int before = atomic_load(&asked), heard = atomic_load(&told);
    atomic_store(&postgres_up, false);
    atomic_store(&postgres_hangs, false);
    for (int i = 0; i < PATIENCE_MS / 20 && atomic_load(&asked) == before; i++) {
        clock_pause_ms(20);
    }
    ck_assert_int_eq(atomic_load(&told), heard);
    health_unwatch(health);
}
END_TEST

TEST_MAIN_AROUND("health", (&(struct test_around){.before = start, .after = stop}),
                 who_is_ready_at_once_is_told_once, who_is_not_ready_yet_hears_nothing_until_it_is,
                 a_database_that_goes_and_comes_is_heard_of_each_time,
                 one_answer_that_came_late_sends_nobody_away,
                 who_is_doubted_has_a_second_to_recover, what_is_only_useful_changes_nothing,
                 who_drains_is_not_ready_for_good,
                 a_required_check_that_hangs_is_down_after_its_patience,
                 a_check_that_fails_after_it_hung_is_not_spared)
