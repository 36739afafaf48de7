/* Arguments as the text that Postgres reads. */
#include "common/db/db.h"

#include "tests/helpers/house_test.h"

START_TEST(a_text_array_quotes_what_postgres_would_read_otherwise)
{
    AUTO(arena) struct arena *arena = arena_new(256);
    const char *texts[] = {"plain", "a \"b\"", "c\\d", "{e,f}", "NULL", NULL, ""};

    ck_assert_str_eq(db_text_array(arena, texts, ARRAY_LEN(texts)).text,
                     "{\"plain\",\"a \\\"b\\\"\",\"c\\\\d\",\"{e,f}\",\"NULL\",NULL,\"\"}");
    ck_assert_str_eq(db_text_array(arena, texts, 0).text, "{}");
}
END_TEST

START_TEST(an_array_of_numbers_reads_as_such)
{
    AUTO(arena) struct arena *arena = arena_new(256);
    const int64_t numbers[] = {INT64_MIN, 0, INT64_MAX};

    ck_assert_str_eq(db_int_array(arena, numbers, 3).text,
                     "{-9223372036854775808,0,9223372036854775807}");
}
END_TEST

START_TEST(no_time_is_null)
{
    AUTO(arena) struct arena *arena = arena_new(256);

    ck_assert_int_eq(db_time(arena, 0).kind, DB_NULL);
    ck_assert_str_eq(db_time(arena, 1500).text, "1970-01-01T00:00:01.500Z");
    ck_assert_int_eq(db_text(NULL).kind, DB_NULL);
}
END_TEST

TEST_MAIN("arg", a_text_array_quotes_what_postgres_would_read_otherwise,
          an_array_of_numbers_reads_as_such, no_time_is_null)
