/* links: test_db common_token common_crypto
 * What ran out is forgotten as fast as it comes, each table by itself. */
#include "customer-service/housekeeping.h"

#include "common/base/clock.h"
#include "common/db/db.h"
#include "tests/helpers/patience.h"
#include "tests/integration/customer-service/shop.h"

#define MANY "generate_series(1, 2500) n"

static struct db_pool *pool;
static struct housekeeping *housekeeping;

/* More than any statement takes away, in each table. */
static const char *const fill[] = {
    "INSERT INTO customer.customers (id, handle, name, email)"
    " VALUES (gen_random_uuid(), 'somebody', 'Somebody', 'somebody@example.com')",
    "INSERT INTO auth.sessions (id, customer_id, methods, expires_at)"
    " SELECT gen_random_uuid(), id, 'pwd', now() - interval '31 days'"
    "   FROM customer.customers, " MANY,
    "INSERT INTO auth.refresh_tokens (digest, session_id, generation)"
    " SELECT uuid_send(id), id, 1 FROM auth.sessions",
    "INSERT INTO auth.denied_sessions SELECT gen_random_uuid(), now() FROM " MANY,
    "INSERT INTO auth.failed_logins SELECT 'who ' || n, 1, now(), now() FROM " MANY,
    "INSERT INTO loyalty.processed_events"
    " SELECT 'x', gen_random_uuid(), now() - interval '61 days' FROM " MANY,
    "INSERT INTO notify.notices (id, customer_id, order_id, seq, stage, channel, kind, device_id,"
    " collapse_id, payload, created_at)"
    " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'ready', 'inbox',"
    " 'alert', gen_random_uuid(), '', '', now() - interval '31 days' FROM " MANY,
    "INSERT INTO notify.processed_events"
    " SELECT gen_random_uuid(), now() - interval '8 days' FROM " MANY,
    "INSERT INTO notify.devices (id, customer_id, channel, address)"
    " SELECT gen_random_uuid(), id, 'apns', 'a phone' FROM customer.customers",
    "INSERT INTO notify.live_activities (id, device_id, customer_id, order_id, token, created_at)"
    " SELECT gen_random_uuid(), id, customer_id, gen_random_uuid(), '', now() - interval '2 days'"
    "   FROM notify.devices, " MANY,
    "INSERT INTO idempotency.requests"
    " SELECT 'x', 'x', n, '', 200, '', now() - interval '25 hours' FROM " MANY,
};

static const char *const tables[] = {
    "auth.sessions",          "auth.refresh_tokens",  "auth.denied_sessions",
    "auth.failed_logins",     "notify.notices",       "loyalty.processed_events",
    "notify.live_activities", "idempotency.requests", "notify.processed_events",
};

/* ---- around the tests ---- */

static void before(void)
{
    shop_open();
    pool = db_pool_new(test_db_runtime());
    test_db_run("TRUNCATE customer.customers, auth.denied_sessions, auth.failed_logins,"
                " loyalty.processed_events, notify.notices, notify.processed_events,"
                " idempotency.requests CASCADE");
    for (size_t i = 0; i < ARRAY_LEN(fill); i++) {
        test_db_run(fill[i]);
    }
}

static void after(void)
{
    housekeeping_stop(housekeeping);
    db_pool_free(pool);
    shop_close();
}

static const char *left_in(const char *table)
{
    AUTO(arena) struct arena *arena = arena_new(256);

    return test_db_ask(arena_printf(arena, "SELECT count(*) FROM %s", table));
}

static void wait_until_empty(const char *table)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    const char *left;

    while (strcmp(left = left_in(table), "0") != 0) {
        ck_assert_msg(clock_monotonic_ms() < until, "%s still has %s rows", table, left);
        clock_pause_ms(50);
    }
}

/* ---- the tests ---- */

START_TEST(however_much_ran_out_it_is_soon_forgotten)
{
    housekeeping = housekeeping_start(shop.service, false);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        wait_until_empty(tables[i]);
    }
}
END_TEST

/* PUSH-02 */
START_TEST(devices_of_a_session_that_has_ended_are_soon_forgotten)
{
    test_db_run("INSERT INTO auth.sessions (id, customer_id, methods, expires_at, ended_at)"
                " SELECT gen_random_uuid(), id, 'pwd', now() + interval '1 day', now()"
                "   FROM customer.customers;"
                "INSERT INTO notify.devices (id, customer_id, channel, address, session_id)"
                " SELECT gen_random_uuid(), customer_id, 'apns', 'phone ' || n, id"
                "   FROM auth.sessions, " MANY " WHERE ended_at IS NOT NULL");
    housekeeping = housekeeping_start(shop.service, false);
    wait_until_empty("notify.devices WHERE session_id IS NOT NULL");
    ck_assert_str_eq(left_in("notify.devices"), "1");
}
END_TEST

/* A round of them is two statements of a hundred rows each. */
START_TEST(what_a_round_had_no_time_for_is_forgotten_soon)
{
    test_db_run("DELETE FROM auth.sessions"
                " WHERE id NOT IN (SELECT id FROM auth.sessions LIMIT 250);"
                "CREATE FUNCTION public.slow() RETURNS trigger LANGUAGE plpgsql"
                " AS 'BEGIN PERFORM pg_sleep(1.1); RETURN NULL; END';"
                "CREATE TRIGGER slow AFTER DELETE ON auth.sessions EXECUTE FUNCTION public.slow()");
    housekeeping = housekeeping_start(shop.service, false);
    wait_until_empty("auth.sessions");
    test_db_run("DROP FUNCTION public.slow() CASCADE");
}
END_TEST

START_TEST(a_table_that_is_locked_keeps_no_other)
{
    static const struct sql lock = {"lock", SQL_EXEC, "LOCK TABLE auth.sessions IN SHARE MODE"};
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db = test_db_take(ctx, pool), *tx;

    ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
    ck_assert_int_eq(db_exec(ctx, tx, &lock, DB_NO_ARGS, NULL), ST_OK);
    housekeeping = housekeeping_start(shop.service, false);
    wait_until_empty("auth.failed_logins");
    wait_until_empty("loyalty.processed_events");
    wait_until_empty("notify.notices");
    wait_until_empty("idempotency.requests");
    ck_assert_str_eq(left_in("auth.sessions"), "2500");
    ctx_free(ctx);
}
END_TEST

TEST_MAIN_AROUND("housekeeping",
                 (&(struct test_around){
                     .start = shop_make, .stop = shop_drop, .before = before, .after = after}),
                 however_much_ran_out_it_is_soon_forgotten,
                 devices_of_a_session_that_has_ended_are_soon_forgotten,
                 what_a_round_had_no_time_for_is_forgotten_soon,
                 a_table_that_is_locked_keeps_no_other)
