/* links: test_db */
/* LISTEN against a real Postgres. */
#include "common/db/listen.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"

static struct db_listener *listener;

static void make(void)
{
    test_db_make();
}

static void before(void)
{
    listener = db_listener_new(test_db_runtime(), "bell");
    ck_assert(db_listener_wait(listener, PATIENCE_MS)); /* connected */
}

static void after(void)
{
    db_listener_free(listener);
}

START_TEST(a_notification_ends_the_wait)
{
    test_db_run("NOTIFY bell");
    ck_assert(db_listener_wait(listener, PATIENCE_MS));
    ck_assert(!db_listener_wait(listener, 50));
}
END_TEST

START_TEST(a_wake_up_ends_the_wait)
{
    db_listener_wake(listener);
    ck_assert(db_listener_wait(listener, PATIENCE_MS));
    ck_assert(!db_listener_wait(listener, 50));
}
END_TEST

START_TEST(a_lost_connection_comes_back_and_says_so)
{
    test_db_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'test' AND datname = current_database()");
    ck_assert(db_listener_wait(listener, PATIENCE_MS));
    test_db_run("NOTIFY bell");
    ck_assert(db_listener_wait(listener, PATIENCE_MS));
}
END_TEST

TEST_MAIN_AROUND("listen",
                 (&(struct test_around){
                     .start = make, .stop = test_db_drop, .before = before, .after = after}),
                 a_notification_ends_the_wait, a_wake_up_ends_the_wait,
                 a_lost_connection_comes_back_and_says_so)
