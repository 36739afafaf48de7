/* What is known of callers, and what is forgotten. */
#include "gateway/edge/subject_table.h"
#include "tests/helpers/house_test.h"

#include <stdio.h>

struct known {
    struct subject_entry entry;
    int number;
    bool busy;
};

static bool may_go(const void *entry, bool is_full)
{
    (void)is_full;
    return !((const struct known *)entry)->busy;
}

static struct subject_table *table;

static void start(void)
{
    table = subject_table_new(sizeof(struct known), may_go);
}

static void stop(void)
{
    subject_table_free(table);
}

static int number_of(const char *key, int64_t now_ms)
{
    struct known *known = subject_lock(table, key, now_ms);
    int number = known->number;

    subject_unlock(table, known);
    return number;
}

static void keep(const char *key, int number, bool busy, int64_t now_ms)
{
    struct known *known = subject_lock(table, key, now_ms);

    known->number = number;
    known->busy = busy;
    subject_unlock(table, known);
}

START_TEST(a_key_has_one_entry)
{
    keep("a", 1, false, 0);
    keep("b", 2, false, 0);
    ck_assert_int_eq(number_of("a", 0), 1);
    ck_assert_int_eq(number_of("b", 0), 2);
    ck_assert_int_eq(number_of("c", 0), 0);
}
END_TEST

START_TEST(the_idle_are_forgotten_unless_they_are_waited_for)
{
    keep("idle", 1, false, 1000);
    keep("busy", 2, true, 1000);
    keep("fresh", 3, false, 9000);
    subject_sweep(table, 10000, 5000);
    ck_assert_int_eq(number_of("idle", 10000), 0);
    ck_assert_int_eq(number_of("busy", 10000), 2);
    ck_assert_int_eq(number_of("fresh", 10000), 3);
}
END_TEST

/* Somebody makes up a million callers: those of a second ago make room. */
START_TEST(a_flood_of_callers_does_not_fill_the_memory)
{
    char key[32];
    size_t kept = 0;

    for (int i = 0; i < 200000; i++) {
        snprintf(key, sizeof(key), "caller-%d", i);
        keep(key, 1, false, i); /* one a millisecond */
    }
    for (int i = 0; i < 200000; i++) {
        snprintf(key, sizeof(key), "caller-%d", i);
        kept += number_of(key, 199999) == 1;
    }
    ck_assert_uint_le(kept, 25000);
}
END_TEST

TEST_MAIN_AROUND("subject table", (&(struct test_around){.before = start, .after = stop}),
                 a_key_has_one_entry, the_idle_are_forgotten_unless_they_are_waited_for,
                 a_flood_of_callers_does_not_fill_the_memory)
