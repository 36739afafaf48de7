/* links: test_db test_apns common_token common_crypto common_events common_http
 * What the statements of notices do when there is much, and when two come at once. */
#include "customer-service/notify/notice_store.h"
#include "device_sql.h"
#include "notice_sql.h"
#include "tests/integration/customer-service/notify/people.h"

#include <pthread.h>

/* ---- much ---- */

/* Others' Live Activities, each of an order of its own. */
static void add_crowd(void)
{
    test_db_run("INSERT INTO customer.customers (id, handle, email, name, role)"
                " SELECT md5('c' || n)::uuid, 'crowd' || n, n || '@example.org', 'C', 'customer'"
                " FROM generate_series(1, 1000) n ON CONFLICT DO NOTHING;"
                "INSERT INTO notify.devices (id, customer_id, channel, address)"
                " SELECT md5('d' || n)::uuid, md5('c' || n)::uuid, 'apns', 'crowd' || n"
                " FROM generate_series(1, 1000) n;"
                "INSERT INTO notify.live_activities (id, device_id, customer_id, order_id, token)"
                " SELECT gen_random_uuid(), md5('d' || n % 1000 + 1)::uuid,"
                " md5('c' || n % 1000 + 1)::uuid, gen_random_uuid(), 't'"
                " FROM generate_series(1, 20000) n;"
                "ANALYZE");
}

/* What a statement looks at, as daemons have it planned (common/db/conn.c). */
static const char *scans_of(const struct sql *statement, const char *types, const char *values)
{
    return test_db_ask(arena_printf(
        ctx->arena,
        "CREATE FUNCTION pg_temp.scans_of(command text) RETURNS text LANGUAGE plpgsql AS"
        " $$ DECLARE line text; scans text := ''; BEGIN FOR line IN EXECUTE command LOOP"
        " IF line ~ 'Scan' THEN scans := scans || line; END IF; END LOOP; RETURN scans; END $$;"
        "SET plan_cache_mode = force_generic_plan; PREPARE looked_at %s AS %s;"
        "SELECT pg_temp.scans_of('EXPLAIN EXECUTE looked_at %s')",
        types, statement->text, values));
}

START_TEST(an_orders_event_does_not_read_the_live_activities_of_all)
{
    add_crowd();
    const char *scans =
        scans_of(&SQL_NOTICE_TARGETS, "(text, uuid, uuid, bool, bool)",
                 "(''customer'', gen_random_uuid(), gen_random_uuid(), false, true)");
    ck_assert_msg(strstr(scans, "live_activities"), "%s", scans);
    ck_assert_msg(!strstr(scans, "Seq Scan on live_activities"), "%s", scans);
}
END_TEST

START_TEST(live_activities_of_old_orders_are_forgotten_and_what_starts_them_is_kept)
{
    struct person customer = add_person(ROLE_CUSTOMER);
    struct db_conn *db;

    add_crowd();
    test_db_run(arena_printf(
        ctx->arena,
        "INSERT INTO notify.live_activities (id, device_id, customer_id, order_id, token)"
        " SELECT gen_random_uuid(), '%s', '%s', CASE WHEN n > 0 THEN gen_random_uuid() END, n"
        " FROM generate_series(0, 10) n;"
        "UPDATE notify.live_activities SET created_at = now() - interval '25 hours'"
        " WHERE device_id = '%s' AND token <> '10'",
        customer.device.id, customer.id, customer.device.id));
    ck_assert_int_eq(service_db(ctx, shop.service, &db), ST_OK);
    ck_assert_int_eq(notify_purge_activities(ctx, db), ST_OK);
    ck_assert_str_eq(test_db_ask(arena_printf(ctx->arena,
                                              "SELECT string_agg(token, ' ' ORDER BY token)"
                                              " FROM notify.live_activities WHERE device_id = '%s'",
                                              customer.device.id)),
                     "0 10");
    const char *scans = scans_of(&SQL_DEVICE_PURGE_ACTIVITIES, "", "");
    ck_assert_msg(strstr(scans, "live_activities_created"), "%s", scans);
}
END_TEST

/* ---- two at once ---- */

static void add_notice(const struct story *story, const char *device, int seq)
{
    test_db_run(arena_printf(
        ctx->arena,
        "INSERT INTO notify.notices (id, customer_id, order_id, seq, stage, channel, kind,"
        " device_id, collapse_id, payload) VALUES (gen_random_uuid(), '%s', '%s', %d, 's%d',"
        " 'apns', 'alert', '%s', 'order', '{}')",
        story->who->id, story->order, seq, seq, device));
}

struct begun {
    const char *order;
    size_t count;
};

static void *begin_order(void *of)
{
    struct begun *begun = of;
    struct ctx *own = ctx_new_system("test");
    struct db_conn *db = NULL;
    struct notice *notices;

    ck_assert_int_eq(service_db(own, shop.service, &db), ST_OK);
    ck_assert_int_eq(
        notice_store_begin(own, db, &begun->order, 1, NOTIFY_LEASE_MS, &notices, &begun->count),
        ST_OK);
    ctx_free(own);
    return NULL;
}

/* PUSH-17: two notices under one collapse id that go out at once may stay in either order. */
START_TEST(two_that_begin_an_order_at_once_do_not_share_it)
{
    struct person customer = add_person(ROLE_CUSTOMER);
    struct story story = begin_story(&customer);
    struct begun first = {.order = story.order}, second = {.order = story.order};
    struct ctx *own = ctx_new_system("test");
    struct db_conn *db = NULL, *tx = NULL;
    struct notice *notices;
    pthread_t thread;

    add_notice(&story, customer.device.id, 2);
    ck_assert_int_eq(service_db(own, shop.service, &db), ST_OK);
    ck_assert_int_eq(db_begin(own, db, &tx), ST_OK);
    ck_assert_int_eq(
        notice_store_begin(own, tx, &first.order, 1, NOTIFY_LEASE_MS, &notices, &first.count),
        ST_OK);
    add_notice(&story, customer.device.id, 3);
    pthread_create(&thread, NULL, begin_order, &second);
    test_db_await(TEST_DB_SOMEBODY_WAITS);
    ck_assert_int_eq(db_commit(own, &tx), ST_OK);
    pthread_join(thread, NULL);
    ctx_free(own);
    ck_assert_uint_eq(first.count, 1);
    ck_assert_uint_eq(second.count, 0);

    test_db_run("UPDATE notify.notices SET state = 'sent' WHERE seq = 2");
    begin_order(&second);
    ck_assert_uint_eq(second.count, 1);
}
END_TEST

TEST_MAIN_AROUND("notice_store",
                 (&(struct test_around){
                     .start = make, .stop = drop, .before = before, .after = after}),
                 an_orders_event_does_not_read_the_live_activities_of_all,
                 live_activities_of_old_orders_are_forgotten_and_what_starts_them_is_kept,
                 two_that_begin_an_order_at_once_do_not_share_it)
