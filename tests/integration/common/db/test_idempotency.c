/* links: test_db
 * Idempotency keys against a real Postgres: what is forgotten, and what is not. */
#include "common/db/idempotency.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/test_db.h"

#include <pthread.h>

#define METHOD "Add"
#define ALL    "SELECT count(*) FROM idempotency.requests"
#define ASKER  "019aa1f0-0000-7000-8000-000000000001"

static struct db_pool *pool;

static void make(void)
{
    test_db_make();
}

static void before(void)
{
    test_db_run(
        "DROP SCHEMA IF EXISTS idempotency CASCADE; CREATE SCHEMA idempotency;"
        "CREATE TABLE idempotency.requests ("
        " caller text NOT NULL, method text NOT NULL, key text NOT NULL,"
        " request_sha256 text NOT NULL, status smallint NOT NULL, answer bytea NOT NULL,"
        " created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (caller, method, key));"
        "CREATE INDEX requests_created_at ON idempotency.requests (created_at);"
        "GRANT USAGE ON SCHEMA idempotency TO PUBLIC;"
        "GRANT ALL ON idempotency.requests TO PUBLIC");
    pool = db_pool_new(test_db_runtime());
}

static void after(void)
{
    db_pool_free(pool);
}

static void add_old(int count)
{
    AUTO(arena) struct arena *arena = arena_new(512);

    test_db_run(arena_printf(arena,
                             "INSERT INTO idempotency.requests"
                             " SELECT '" ASKER "', '" METHOD "', 'key-' || n, 'digest', 200, '',"
                             " now() - interval '25 hours' FROM generate_series(1, %d) n",
                             count));
}

/* So many that the purge reads what it found by its place in the table. */
static void add_many_others(void)
{
    test_db_run("INSERT INTO idempotency.requests"
                " SELECT 'another', '" METHOD "', 'key-' || n, 'digest', 200, '', now()"
                "   FROM generate_series(1, 50000) n;"
                "ANALYZE idempotency.requests");
}

static void *purge(void *user)
{
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db = test_db_take(ctx, pool);

    *(enum status *)user = idempotency_purge(ctx, db);
    ctx_free(ctx);
    return NULL;
}

static struct ctx *ask_with(const char *key)
{
    struct ctx *ctx = ctx_new_system("test");

    text_copy(ctx->caller.subject, sizeof(ctx->caller.subject), ASKER);
    text_copy(ctx->request_sha256, sizeof(ctx->request_sha256), "another");
    ctx->idempotency_key = key;
    return ctx;
}

START_TEST(a_key_that_is_taken_again_while_the_purge_looks_at_it_stays) /* ORD-24 */
{
    struct ctx *ctx = ask_with("key-1");
    struct idempotency_answer found;
    struct db_conn *db = test_db_take(ctx, pool), *tx;
    enum status purged = ST_INTERNAL;
    pthread_t purger;

    add_old(2);
    add_many_others();
    ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
    ck_assert_int_eq(idempotency_claim(ctx, tx, METHOD, &found), ST_OK);
    ck_assert(!found.found);
    ck_assert_int_eq(pthread_create(&purger, NULL, purge, &purged), 0);
    test_db_await(TEST_DB_SOMEBODY_WAITS);
    ck_assert_int_eq(idempotency_keep(ctx, tx, METHOD, 201, "new", 3), ST_OK);
    ck_assert_int_eq(db_commit(ctx, &tx), ST_OK);
    pthread_join(purger, NULL);
    ck_assert_int_eq(purged, ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT string_agg(key || ' ' || status, ', ')"
                                 " FROM idempotency.requests WHERE caller = '" ASKER "'"),
                     "key-1 201");
    ctx_free(ctx);
}
END_TEST

START_TEST(however_many_are_too_old_one_purge_forgets_them)
{
    enum status purged = ST_INTERNAL;

    add_old(1500); /* a statement takes a thousand */
    test_db_run("UPDATE idempotency.requests SET created_at = now() WHERE key = 'key-7'");
    purge(&purged);
    ck_assert_int_eq(purged, ST_OK);
    ck_assert_str_eq(test_db_ask(ALL), "1");
}
END_TEST

START_TEST(a_purge_that_ran_out_of_time_says_that_more_is_left)
{
    enum status purged = ST_INTERNAL;

    add_old(1050);
    test_db_run("CREATE FUNCTION idempotency.slow() RETURNS trigger LANGUAGE plpgsql"
                " AS 'BEGIN PERFORM pg_sleep(2.1); RETURN NULL; END';"
                "CREATE TRIGGER slow AFTER DELETE ON idempotency.requests"
                " EXECUTE FUNCTION idempotency.slow()");
    purge(&purged);
    ck_assert_int_eq(purged, ST_RETRY);
    ck_assert_str_eq(test_db_ask(ALL), "50");
    purge(&purged);
    ck_assert_int_eq(purged, ST_OK);
    ck_assert_str_eq(test_db_ask(ALL), "0");
}
END_TEST

TEST_MAIN_AROUND("idempotency",
                 (&(struct test_around){
                     .start = make, .stop = test_db_drop, .before = before, .after = after}),
                 a_key_that_is_taken_again_while_the_purge_looks_at_it_stays,
                 however_many_are_too_old_one_purge_forgets_them,
                 a_purge_that_ran_out_of_time_says_that_more_is_left)
