/* What the table of topics promises. */
#include "order-service/topics.h"

#include "tests/helpers/house_test.h"

#include <string.h>

static bool is_on_disk(const char *name)
{
    for (const struct topic *topic = topics; topic->name; topic++) {
        if (strcmp(topic->name, name) == 0) {
            return topic->on_disk;
        }
    }
    return false;
}

START_TEST(what_points_and_counts_are_made_of_is_on_disk_once_acknowledged)
{
    ck_assert(is_on_disk("order.placed"));
    ck_assert(is_on_disk("order.completed"));
    ck_assert(is_on_disk("order.cancelled"));
    ck_assert(is_on_disk("dead.letters"));
}
END_TEST

TEST_MAIN("topics", what_points_and_counts_are_made_of_is_on_disk_once_acknowledged)
