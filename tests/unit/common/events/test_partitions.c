/* Which faults an event waits out, and for how long. */
#include "common/events/partitions.h"

#include "tests/helpers/house_test.h"

enum { NEVER = 10000 };

/* How long an event waits in all before it becomes a dead letter, when each attempt ends like this;
 * -1: for ever. */
static int64_t waits_ms(struct partition *partition, enum status st)
{
    int64_t ms = 0;

    for (partition->attempts = 1; partition->attempts < NEVER; partition->attempts++) {
        if (!partition_tries_again(partition, st)) {
            return ms;
        }
        ms += partition_pause_ms(partition->attempts);
    }
    return -1;
}

START_TEST(a_fault_that_may_be_ours_is_waited_out_for_three_minutes)
{
    struct partition partition = {0};
    int64_t ms = waits_ms(&partition, ST_INTERNAL);

    ck_assert_int_ge(ms, 170000);
    ck_assert_int_le(ms, 190000);
}
END_TEST

START_TEST(a_passing_fault_is_waited_out_for_ever)
{
    struct partition partition = {0};

    ck_assert_int_eq(waits_ms(&partition, ST_UNAVAILABLE), -1);
    ck_assert_int_eq(waits_ms(&partition, ST_TIMEOUT), -1);
    ck_assert_int_eq(waits_ms(&partition, ST_RETRY), -1);
}
END_TEST

START_TEST(the_time_that_the_database_was_away_does_not_count)
{
    struct partition partition = {.attempts = 400};

    ck_assert(partition_tries_again(&partition, ST_UNAVAILABLE));
    ck_assert(partition_tries_again(&partition, ST_INTERNAL));
}
END_TEST

START_TEST(a_refusal_is_final_at_once)
{
    struct partition partition = {0};

    ck_assert_int_eq(waits_ms(&partition, ST_INVALID), 0);
    ck_assert_int_eq(waits_ms(&partition, ST_NOT_FOUND), 0);
    ck_assert_int_eq(waits_ms(&partition, ST_CONFLICT), 0);
}
END_TEST

TEST_MAIN("partitions", a_fault_that_may_be_ours_is_waited_out_for_three_minutes,
          a_passing_fault_is_waited_out_for_ever,
          the_time_that_the_database_was_away_does_not_count, a_refusal_is_final_at_once)
