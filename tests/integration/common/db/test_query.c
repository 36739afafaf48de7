/* links: test_db */
/* Statements, rows, errors and transactions against a real Postgres. */
#include "common/db/db.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/test_db.h"

#include <string.h>

static struct db_pool *pool;
static struct ctx *ctx;
static struct db_conn *db;

static const struct sql echo = {"echo", SQL_ONE,
                                "SELECT $1::text AS t, $2::bigint AS n, $3::boolean AS b,"
                                " $4::timestamptz AS at, $5::bytea AS bytes"};
static const struct sql add = {"add", SQL_EXEC, "INSERT INTO t.things (id, n) VALUES ($1, $2)"};
static const struct sql count = {"count", SQL_ONE, "SELECT count(*) AS n FROM t.things"};
static const struct sql all = {"all", SQL_MANY, "SELECT * FROM t.things ORDER BY id"};
static const struct sql of = {"of", SQL_ONE, "SELECT n FROM t.things WHERE id = $1"};
static const struct sql add_again = {"add", SQL_EXEC, "INSERT INTO t.things VALUES ($1, $2) "};

static void make(void)
{
    test_db_make();
}

static void before(void)
{
    test_db_run("DROP SCHEMA IF EXISTS t CASCADE; CREATE SCHEMA t;"
                "CREATE TABLE t.things (id text CONSTRAINT things_key PRIMARY KEY,"
                " n bigint NOT NULL CONSTRAINT things_n CHECK (n > 0));"
                "GRANT USAGE ON SCHEMA t TO PUBLIC; GRANT ALL ON t.things TO PUBLIC");
    pool = db_pool_new(test_db_runtime());
    ctx = ctx_new_system("test");
    db = test_db_take(ctx, pool);
}

static void after(void)
{
    ctx_free(ctx);
    db_pool_free(pool);
}

static int64_t things(void)
{
    struct db_rows row;

    ck_assert_int_eq(db_one(ctx, db, &count, DB_NO_ARGS, NULL, &row), ST_OK);
    return db_get_int(&row, 0, "n");
}

static enum status add_thing(struct db_conn *conn, const char *id, int64_t n,
                             const struct db_constraint *constraints)
{
    return db_exec(ctx, conn, &add, DB_ARGS(db_text(id), db_int(n)), constraints);
}

START_TEST(every_kind_of_value_comes_back_as_it_went)
{
    const uint8_t raw[] = {0, 1, 0x5c, 0xff, 'x'};
    struct db_rows row;
    size_t size;

    ck_assert_int_eq(db_one(ctx, db, &echo,
                            DB_ARGS(db_text("Zo\xc3\xab"), db_int(INT64_MIN), db_bool(true),
                                    db_time(ctx->arena, 1795248930125), db_bytes(raw, sizeof(raw))),
                            NULL, &row),
                     ST_OK);
    ck_assert_str_eq(db_get_text(&row, 0, "t"), "Zo\xc3\xab");
    ck_assert_int_eq(db_get_int(&row, 0, "n"), INT64_MIN);
    ck_assert(db_get_bool(&row, 0, "b"));
    ck_assert_int_eq(db_get_time(&row, 0, "at"), 1795248930125);
    ck_assert_mem_eq(db_get_bytes(ctx, &row, 0, "bytes", &size), raw, sizeof(raw));
    ck_assert_uint_eq(size, sizeof(raw));
}
END_TEST

START_TEST(null_comes_back_as_null)
{
    struct db_rows row;
    size_t size;

    ck_assert_int_eq(db_one(ctx, db, &echo,
                            DB_ARGS(db_text(NULL), db_text(NULL), db_text(NULL), db_time(NULL, 0),
                                    db_text(NULL)),
                            NULL, &row),
                     ST_OK);
    ck_assert_ptr_null(db_get_text(&row, 0, "t"));
    ck_assert_int_eq(db_get_time(&row, 0, "at"), 0);
    ck_assert_ptr_null(db_get_bytes(ctx, &row, 0, "bytes", &size));
}
END_TEST

START_TEST(a_row_that_is_not_there_is_not_found)
{
    struct db_rows row;

    ck_assert_int_eq(db_one(ctx, db, &of, DB_ARGS(db_text("none")), NULL, &row), ST_NOT_FOUND);
}
END_TEST

START_TEST(the_store_says_what_its_constraints_mean)
{
    static const struct db_constraint constraints[] = {
        {"things_key", PROBLEM_HANDLE_TAKEN, "taken"},
        {0    },
    };

    ck_assert_int_eq(add_thing(db, "a", 1, constraints), ST_OK);
    ck_assert_int_eq(add_thing(db, "a", 1, constraints), ST_EXISTS);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_HANDLE_TAKEN);
    ck_assert_str_eq(ctx->failure.message, "taken");
    ck_assert_int_eq(add_thing(db, "b", -1, constraints), ST_INVALID);
    ck_assert_ptr_null(ctx->failure.message); /* no text of Postgres for the client */
    ck_assert_ptr_nonnull(strstr(ctx->failure.detail, "things_n"));
}
END_TEST

START_TEST(text_that_is_no_utf8_is_invalid)
{
    ck_assert_int_eq(add_thing(db, "\xff\xfe", 1, NULL), ST_INVALID);
}
END_TEST

START_TEST(what_was_not_committed_is_gone)
{
    {
        AUTO(db_tx) struct db_conn *tx = NULL;
        ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
        ck_assert_int_eq(add_thing(tx, "a", 1, NULL), ST_OK);
    }
    ck_assert_int_eq(things(), 0);
    struct db_conn *tx;
    ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
    ck_assert_int_eq(add_thing(tx, "a", 1, NULL), ST_OK);
    ck_assert_int_eq(db_commit(ctx, &tx), ST_OK);
    ck_assert_ptr_null(tx);
    ck_assert_int_eq(things(), 1);
}
END_TEST

START_TEST(a_commit_after_a_failed_statement_fails)
{
    struct db_conn *tx;

    ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
    ck_assert_int_eq(add_thing(tx, "a", 1, NULL), ST_OK);
    ck_assert_int_eq(add_thing(tx, "a", 1, NULL), ST_EXISTS);
    ck_assert_int_ne(db_commit(ctx, &tx), ST_OK);
    ck_assert_int_eq(things(), 0);
}
END_TEST

START_TEST(two_stores_may_give_one_name_to_two_statements)
{
    ck_assert_int_eq(add_thing(db, "a", 1, NULL), ST_OK);
    ck_assert_int_eq(db_exec(ctx, db, &add_again, DB_ARGS(db_text("b"), db_int(2)), NULL), ST_OK);
    ck_assert_int_eq(things(), 2);
}
END_TEST

START_TEST(a_statement_is_prepared_again_when_a_migration_changed_it)
{
    struct db_rows rows;

    ck_assert_int_eq(db_many(ctx, db, &all, DB_NO_ARGS, &rows), ST_OK);
    test_db_run("ALTER TABLE t.things ADD COLUMN note text DEFAULT 'new'");
    ck_assert_int_eq(add_thing(db, "a", 1, NULL), ST_OK);
    ck_assert_int_eq(db_many(ctx, db, &all, DB_NO_ARGS, &rows), ST_OK);
    ck_assert_str_eq(db_get_text(&rows, 0, "note"), "new");
}
END_TEST

static enum status look_in_a_transaction(int64_t *n)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_rows row;

    TRY(db_begin(ctx, db, &tx));
    TRY(db_one(ctx, tx, &of, DB_ARGS(db_text("a")), NULL, &row));
    *n = db_get_int(&row, 0, "n");
    return db_commit(ctx, &tx);
}

START_TEST(a_transaction_that_a_migration_broke_succeeds_when_tried_again)
{
    int64_t n = 0;

    ck_assert_int_eq(add_thing(db, "a", 7, NULL), ST_OK);
    ck_assert_int_eq(look_in_a_transaction(&n), ST_OK);
    test_db_run("ALTER TABLE t.things ALTER COLUMN n TYPE numeric");
    ck_assert_int_eq(look_in_a_transaction(&n), ST_UNAVAILABLE);
    db_give_back(&db);
    n = 0;
    db = test_db_take(ctx, pool);
    ck_assert_int_eq(look_in_a_transaction(&n), ST_OK);
    ck_assert_int_eq(n, 7);
}
END_TEST

START_TEST(a_connection_that_the_server_ended_is_unavailable_and_not_used_again)
{
    static const struct sql end_me = {"end_me", SQL_ONE,
                                      "SELECT pg_terminate_backend(pg_backend_pid()) AS gone"};
    struct db_rows row;

    ck_assert_int_eq(db_one(ctx, db, &end_me, DB_NO_ARGS, NULL, &row), ST_UNAVAILABLE);
    ck_assert_int_eq(db_one(ctx, db, &count, DB_NO_ARGS, NULL, &row), ST_UNAVAILABLE);
    db_give_back(&db);
    db = test_db_take(ctx, pool);
    ck_assert_int_eq(things(), 0);
}
END_TEST

START_TEST(a_statement_ends_at_the_deadline_of_its_request)
{
    static const struct sql sleep_long = {"sleep_long", SQL_EXEC, "SELECT pg_sleep(30)"};
    int64_t began = clock_monotonic_ms();

    ctx->deadline_ms = began + 200;
    ck_assert_int_eq(db_exec(ctx, db, &sleep_long, DB_NO_ARGS, NULL), ST_TIMEOUT);
    ck_assert_int_lt(clock_monotonic_ms() - began, 15000); /* not after the 30 s it sleeps */
}
END_TEST

START_TEST(a_statement_whose_time_is_over_is_not_sent)
{
    ck_assert_int_eq(add_thing(db, "a", 1, NULL), ST_OK);
    ctx->deadline_ms = clock_monotonic_ms() - 1;
    ck_assert_int_eq(add_thing(db, "b", 2, NULL), ST_TIMEOUT); /* known to the connection */
    ck_assert_int_eq(db_prepare(ctx, db, &count), ST_TIMEOUT); /* and new */
    ctx->deadline_ms = 0;
    ck_assert_int_eq(things(), 1); /* over the same connection */
}
END_TEST

START_TEST(a_commit_whose_time_is_over_is_not_sent_and_nothing_is_kept)
{
    struct db_conn *tx;

    ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
    ck_assert_int_eq(add_thing(tx, "a", 1, NULL), ST_OK);
    ctx->deadline_ms = clock_monotonic_ms() - 1;
    ck_assert_int_eq(db_commit(ctx, &tx), ST_TIMEOUT);
    ctx->deadline_ms = 0;
    ck_assert_int_eq(things(), 0);
    ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK); /* the first is rolled back */
    ck_assert_int_eq(db_commit(ctx, &tx), ST_OK);
}
END_TEST

START_TEST(the_runtime_role_cannot_alter_a_table) /* DATA-01 */
{
    static const struct sql alter = {"alter", SQL_EXEC, "ALTER TABLE t.things ADD x int"};

    ck_assert_int_eq(db_exec(ctx, db, &alter, DB_NO_ARGS, NULL), ST_INTERNAL);
    ck_assert_ptr_nonnull(strstr(ctx->failure.detail, "42501"));
}
END_TEST

START_TEST(names_without_a_schema_do_not_resolve)
{
    static const struct sql bare = {"bare", SQL_MANY, "SELECT * FROM things"};

    ck_assert_int_eq(db_prepare(ctx, db, &bare), ST_INTERNAL);
}
END_TEST

TEST_MAIN_AROUND(
    "query",
    (&(struct test_around){.start = make, .stop = test_db_drop, .before = before, .after = after}),
    every_kind_of_value_comes_back_as_it_went, null_comes_back_as_null,
    a_row_that_is_not_there_is_not_found, the_store_says_what_its_constraints_mean,
    text_that_is_no_utf8_is_invalid, what_was_not_committed_is_gone,
    a_commit_after_a_failed_statement_fails, two_stores_may_give_one_name_to_two_statements,
    a_statement_is_prepared_again_when_a_migration_changed_it,
    a_transaction_that_a_migration_broke_succeeds_when_tried_again,
    a_connection_that_the_server_ended_is_unavailable_and_not_used_again,
    a_statement_ends_at_the_deadline_of_its_request, a_statement_whose_time_is_over_is_not_sent,
    a_commit_whose_time_is_over_is_not_sent_and_nothing_is_kept,
    the_runtime_role_cannot_alter_a_table, names_without_a_schema_do_not_resolve)
