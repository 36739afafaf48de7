/* links: test_db */
/* Migrations against a real Postgres. */
#include "common/db/migrate.h"

#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"

#include <pthread.h>
#include <string.h>

static const struct migration two[] = {
    {1, "first",
     "CREATE SCHEMA m; CREATE TABLE m.a (n int); GRANT USAGE ON SCHEMA m TO PUBLIC;"
     "GRANT SELECT, INSERT ON m.a TO PUBLIC"                                                    },
    {2, "second", "ALTER TABLE m.a ADD CONSTRAINT a_n CHECK (n > 0); INSERT INTO m.a VALUES (1)"},
};

static struct ctx *ctx;

static void before(void)
{
    test_db_make(); /* each test its own, new */
    ctx = ctx_new_system("test");
}

static void after(void)
{
    ctx_free(ctx);
    test_db_drop();
}

static int version(void)
{
    struct db_pool *pool = db_pool_new(test_db_runtime());
    struct db_conn *db = NULL;
    int number = -1;

    db = test_db_take(ctx, pool);
    ck_assert_int_eq(migrate_version(ctx, db, &number), ST_OK);
    db_give_back(&db);
    db_pool_free(pool);
    return number;
}

START_TEST(migrations_run_twice_leave_no_difference) /* DATA-04, DATA-05 */
{
    ck_assert_int_eq(version(), 0);
    ck_assert_int_eq(migrate(ctx, test_db_owner(), two, 2, 1000), ST_OK);
    ck_assert_int_eq(version(), 2);
    ck_assert_int_eq(migrate(ctx, test_db_owner(), two, 2, 1000), ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM m.a"), "1");
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM migrations.applied"), "2");
}
END_TEST

START_TEST(a_migration_that_was_changed_after_it_ran_is_refused)
{
    struct migration changed[] = {
        two[0], {2, "second", "SELECT 1"}
    };

    ck_assert_int_eq(migrate(ctx, test_db_owner(), two, 2, 1000), ST_OK);
    ck_assert_int_eq(migrate(ctx, test_db_owner(), changed, 2, 1000), ST_CONFLICT);
    ck_assert_ptr_nonnull(strstr(ctx->failure.detail, "2 (second)"));
}
END_TEST

START_TEST(a_migration_that_fails_leaves_nothing_of_itself)
{
    struct migration wrong[] = {
        two[0], {2, "wrong", "CREATE TABLE m.b (n int); SELECT 1/0"}
    };

    ck_assert_int_ne(migrate(ctx, test_db_owner(), wrong, 2, 1000), ST_OK);
    ck_assert_int_eq(version(), 1);
    ck_assert_str_eq(test_db_ask("SELECT to_regclass('m.b') IS NULL"), "t");
}
END_TEST

START_TEST(an_older_daemon_finds_a_newer_schema)
{
    ck_assert_int_eq(migrate(ctx, test_db_owner(), two, 2, 1000), ST_OK);
    ck_assert_int_eq(migrate(ctx, test_db_owner(), two, 1, 1000), ST_OK);
    ck_assert_int_eq(version(), 2);
}
END_TEST

START_TEST(nothing_goes_in_below_what_was_applied)
{
    struct migration late[] = {
        two[0], {3, "third", "SELECT 1"}
    };
    struct migration below[] = {two[0], two[1], late[1]};

    ck_assert_int_eq(migrate(ctx, test_db_owner(), late, 2, 1000), ST_OK);
    ck_assert_int_eq(migrate(ctx, test_db_owner(), below, 3, 1000), ST_CONFLICT);
}
END_TEST

START_TEST(the_runtime_role_reads_the_version_and_alters_nothing) /* DATA-01 */
{
    static const struct sql alter = {"alter", SQL_EXEC, "ALTER TABLE m.a ADD x int"};
    static const struct sql forge = {"forge", SQL_EXEC, "DELETE FROM migrations.applied"};
    struct db_pool *pool = db_pool_new(test_db_runtime());
    struct db_conn *db = NULL;

    ck_assert_int_eq(migrate(ctx, test_db_owner(), two, 2, 1000), ST_OK);
    ck_assert_int_eq(version(), 2);
    db = test_db_take(ctx, pool);
    ck_assert_int_ne(db_exec(ctx, db, &alter, DB_NO_ARGS, NULL), ST_OK);
    ck_assert_ptr_nonnull(strstr(ctx->failure.detail, "42501"));
    ck_assert_int_ne(db_exec(ctx, db, &forge, DB_NO_ARGS, NULL), ST_OK);
    ck_assert_ptr_nonnull(strstr(ctx->failure.detail, "42501"));
    db_give_back(&db);
    db_pool_free(pool);
}
END_TEST

static void *migrate_too(void *user)
{
    struct ctx *own = ctx_new_system("test");
    enum status *st = user;

    *st = migrate(own, test_db_owner(), two, 2, 10000);
    ctx_free(own);
    return NULL;
}

START_TEST(replicas_that_migrate_at_once_do_it_once)
{
    pthread_t threads[4];
    enum status st[4];

    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, migrate_too, &st[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(st[i], ST_OK);
    }
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM m.a"), "1");
}
END_TEST

static bool is_current(struct schema *schema)
{
    struct db_pool *pool = db_pool_new(test_db_runtime());
    bool current = schema_is_current(schema, pool, PATIENCE_MS);

    db_pool_free(pool);
    return current;
}

START_TEST(a_schema_that_is_older_is_told_of_and_not_current)
{
    struct schema first = {.table = two, .count = 1}, both = {.table = two, .count = 2};

    ck_assert_int_eq(migrate(ctx, test_db_owner(), two, 1, 1000), ST_OK);
    ck_assert(is_current(&first));
    ck_assert(!atomic_load(&first.told));
    ck_assert(!is_current(&both));
    ck_assert(atomic_load(&both.told));
    ck_assert_int_eq(migrate(ctx, test_db_owner(), two, 2, 1000), ST_OK);
    first.current = false;
    ck_assert(is_current(&first)); /* a newer one is fine */
    ck_assert(is_current(&both));
}
END_TEST

TEST_MAIN_AROUND("migrate", (&(struct test_around){.before = before, .after = after}),
                 migrations_run_twice_leave_no_difference,
                 a_migration_that_was_changed_after_it_ran_is_refused,
                 a_migration_that_fails_leaves_nothing_of_itself,
                 an_older_daemon_finds_a_newer_schema, nothing_goes_in_below_what_was_applied,
                 the_runtime_role_reads_the_version_and_alters_nothing,
                 replicas_that_migrate_at_once_do_it_once,
                 a_schema_that_is_older_is_told_of_and_not_current)
