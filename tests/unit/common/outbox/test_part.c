/* Which part a key is of. */
#include "common/outbox/outbox.h"

#include "common/base/uuid.h"
#include "tests/helpers/house_test.h"

START_TEST(keys_spread_over_all_parts)
{
    int count[OUTBOX_PARTS] = {0};

    for (int i = 0; i < 8000; i++) {
        char id[ID_TEXT_SIZE];

        uuid_v7(id);
        count[outbox_part(id)]++;
    }
    for (int i = 0; i < OUTBOX_PARTS; i++) {
        ck_assert_int_gt(count[i], 800);
        ck_assert_int_lt(count[i], 1200);
    }
}
END_TEST

/* Replicas of two versions must agree, or two would send one key. */
START_TEST(a_key_keeps_its_part_for_ever)
{
    ck_assert_int_eq(outbox_part(""), 4);
    ck_assert_int_eq(outbox_part("menu"), 3);
    ck_assert_int_eq(outbox_part("0190aaaa-0000-7000-8000-000000000001"), 7);
}
END_TEST

TEST_MAIN("part", keys_spread_over_all_parts, a_key_keeps_its_part_for_ever)
