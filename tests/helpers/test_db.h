/* A database of a test binary's own, made when it starts and dropped when it ends, on the server
 * that TEST_PG_ADMIN_URL names (a superuser's conninfo). Without it the tests fail: they are not
 * skipped.
 *
 *     TEST_MAIN_AROUND("x", (&(struct test_around){.start = make, .stop = test_db_drop}), ...)
 *
 * where make() calls test_db_make() and what it wants to have migrated, or test_db_make_for(). */
#ifndef TESTS_HELPERS_TEST_DB_H
#define TESTS_HELPERS_TEST_DB_H

#include "common/db/migrate.h"

/* Makes the database; its owner is a role of its own that may make schemas and change tables, and
 * beside it there is a runtime role, which may not. */
void test_db_make(void);
/* The same with a daemon's own tables in it; the runtime role may do what that daemon's,
 * "order_service", may. */
void test_db_make_for(const char *service, const struct migration *table, size_t count);
void test_db_drop(void);

/* Valid after test_db_make(), also in the tests that are forked. */
const struct db_options *test_db_owner(void);
const struct db_options *test_db_runtime(void);

/* As the owner; fails the test program when a migration does. */
void test_db_migrate(const struct migration *table, size_t count);
/* Statements of any kind, as superuser and in the test's own database; it ends the test when one
 * fails. */
void test_db_run(const char *statements);
/* The same of a file of this tree, as the owner: "common/outbox/migrations/0001_outbox.sql". */
void test_db_run_file(const char *path);
/* The first column of the first row; "" when there is none. */
const char *test_db_ask(const char *query);
/* Waits until the query has a row; ends the test when it takes too long. */
void test_db_await(const char *query);
#define TEST_DB_SOMEBODY_WAITS       \
    "SELECT 1 FROM pg_stat_activity" \
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"

/* A connection of the pool, however long a busy machine takes over it. */
struct db_conn *test_db_take(struct ctx *ctx, struct db_pool *pool);

/* Prepares each; ends the test with the name of the first that does not fit the schema. */
void test_db_prepare_all(struct db_pool *pool, const struct sql *const *statements, size_t count);

#endif
