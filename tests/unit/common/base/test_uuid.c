/* UUIDs of version 7: form, order, and that no two are the same. */
#include "common/base/uuid.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, EACH = 20000 };

static char made[THREADS][EACH][ID_TEXT_SIZE];

START_TEST(an_id_has_the_form_of_version_7)
{
    char id[ID_TEXT_SIZE], again[ID_TEXT_SIZE];

    uuid_v7(id);
    ck_assert_uint_eq(strlen(id), 36);
    ck_assert_int_eq(id[14], '7');
    ck_assert_ptr_nonnull(strchr("89ab", id[19]));
    ck_assert(uuid_parse(id, again));
    ck_assert_str_eq(id, again);
}
END_TEST

START_TEST(an_id_begins_with_the_millisecond_it_was_made_in)
{
    char id[ID_TEXT_SIZE];

    clock_pretend(0x0123456789ab);
    uuid_v7(id);
    clock_pretend(0);
    ck_assert_int_eq(strncmp(id, "01234567-89ab-7", 15), 0);
}
END_TEST

static void *make_many(void *slot)
{
    char(*ids)[ID_TEXT_SIZE] = slot;

    for (int i = 0; i < EACH; i++) {
        uuid_v7(ids[i]);
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void make_in_all_threads(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_many, made[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
}

START_TEST(the_ids_of_each_thread_rise)
{
    make_in_all_threads();
    for (int t = 0; t < THREADS; t++) {
        for (int i = 1; i < EACH; i++) {
            ck_assert_str_lt(made[t][i - 1], made[t][i]);
        }
    }
}
END_TEST

START_TEST(no_two_threads_make_the_same_id)
{
    make_in_all_threads();
    qsort(made, (size_t)THREADS * EACH, ID_TEXT_SIZE, compare);
    for (int i = 1; i < THREADS * EACH; i++) {
        ck_assert_str_ne(made[0][0] + (size_t)(i - 1) * ID_TEXT_SIZE,
                         made[0][0] + (size_t)i * ID_TEXT_SIZE);
    }
}
END_TEST

START_TEST(ids_rise_even_when_the_clock_stands_or_goes_back)
{
    char before[ID_TEXT_SIZE], id[ID_TEXT_SIZE];

    clock_pretend(2000000000000);
    uuid_v7(before);
    for (int i = 0; i < 10000; i++) { /* more than the counter holds */
        clock_pretend(2000000000000 - i);
        uuid_v7(id);
        ck_assert_str_lt(before, id);
        memcpy(before, id, sizeof(id));
    }
    clock_pretend(0);
}
END_TEST

START_TEST(an_id_in_capitals_is_taken_in_lower_case)
{
    char text[ID_TEXT_SIZE];

    ck_assert(uuid_parse("01234567-89AB-7CDE-8F01-23456789ABCD", text));
    ck_assert_str_eq(text, "01234567-89ab-7cde-8f01-23456789abcd");
}
END_TEST

static const char *const no_ids[] = {
    "",
    "1",
    "0123456789ab7cde8f0123456789abcd",
    "01234567-89ab-7cde-8f01-23456789abc",
    "01234567-89ab-7cde-8f01-23456789abcde",
    "01234567-89ab-7cde-8f01-23456789abcg",
    "01234567_89ab-7cde-8f01-23456789abcd",
    "0123456-789ab-7cde-8f01-23456789abcd",
    "{1234567-89ab-7cde-8f01-23456789abc}",
    "01234567-89ab-7cde-8f01-23456789ab\xc3\xa9",
};

START_TEST(what_is_no_id_is_refused_and_leaves_the_result_alone)
{
    char text[ID_TEXT_SIZE] = "untouched";

    for (size_t i = 0; i < ARRAY_LEN(no_ids); i++) {
        ck_assert_msg(!uuid_parse(no_ids[i], text), "'%s'", no_ids[i]);
    }
    ck_assert_str_eq(text, "untouched");
}
END_TEST

TEST_MAIN("uuid", an_id_has_the_form_of_version_7, an_id_begins_with_the_millisecond_it_was_made_in,
          the_ids_of_each_thread_rise, no_two_threads_make_the_same_id,
          ids_rise_even_when_the_clock_stands_or_goes_back,
          an_id_in_capitals_is_taken_in_lower_case,
          what_is_no_id_is_refused_and_leaves_the_result_alone)
