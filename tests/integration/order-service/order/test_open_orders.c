/* links: test_db
 * How many orders one customer may have open: counted by the statement that places. */
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/db/db.h"
#include "migrations.h"
#include "order-service/order/order_store.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/test_db.h"

enum { MANY = 10, MOST = 6 };

struct wish {
    struct ctx *ctx;
    struct order order;
    struct order_placing placing;
    char event_id[ID_TEXT_SIZE];
};

static const struct order_day today = {.day = "2026-11-21"};
static struct db_pool *pool;
static struct ctx *ctx;
static struct wish wishes[MANY];
static struct customer_id ann, bob;

static void wish(struct wish *wish, int number, const struct customer_id *customer)
{
    struct ctx *own = ctx_new_system("test");

    *wish = (struct wish){
        .ctx = own,
        .order = {.customer = *customer,
                  .channel = CHANNEL_APP,
                  .currency = "EUR",
                  .note = "",
                  .pickup_name = "",
                  .lines = "[]"    },
        .placing = { .ctx = own,
                  .order = &wish->order,
                  .day = &today,
                  .menu_version = 1,
                  .accept_within_ms = 60000,
                  .method = "PlaceOrder",
                  .event_id = wish->event_id,
                  .rest = "\"seq\":1}",
                  .most_open = MOST},
    };
    uuid_v7(wish->order.id.text);
    uuid_v7(wish->event_id);
    own->idempotency_key = arena_printf(own->arena, "%s %d", wish->order.id.text, number);
}

/* All in one statement, the first 'of_ann' hers and the rest Bob's: how many were placed. */
static int place(int of_ann)
{
    struct order_placing *placings[MANY];
    struct db_conn *db = test_db_take(ctx, pool);
    int placed = 0;

    for (int i = 0; i < MANY; i++) {
        wish(&wishes[i], i, i < of_ann ? &ann : &bob);
        placings[i] = &wishes[i].placing;
    }
    ck_assert_int_eq(order_store_place(ctx, db, placings, MANY), ST_OK);
    db_give_back(&db);
    for (int i = 0; i < MANY; i++) {
        placed += wishes[i].placing.created;
        ctx_free(wishes[i].ctx);
    }
    return placed;
}

static int64_t count_open(const struct customer_id *customer)
{
    struct db_conn *db = test_db_take(ctx, pool);
    int64_t count;

    ck_assert_int_eq(order_store_count_open(ctx, db, customer, &count), ST_OK);
    db_give_back(&db);
    return count;
}

/* Handed over yesterday, and nobody tapped "ready". */
static void forget(int orders)
{
    test_db_run(arena_printf(
        ctx->arena,
        "INSERT INTO orders.orders (id, customer_id, day, number, status, total_cents, currency,"
        " placed_by, lines, accept_by, placed_at)"
        " SELECT gen_random_uuid(), gen_random_uuid(), '2026-11-20', n, 'preparing', 450, 'EUR',"
        " 'x', '[]', now(), now() - interval '25 hours' FROM generate_series(1, %d) n;"
        "INSERT INTO orders.open_orders SELECT id, placed_at, true FROM orders.orders",
        orders));
}

static void make(void)
{
    test_db_make_for("order_service", migrations, ARRAY_LEN(migrations));
    test_db_run("UPDATE menu.version SET version = 1");
}

static void before(void)
{
    test_db_run("TRUNCATE orders.orders, orders.order_events, orders.open_orders, outbox.events,"
                " idempotency.requests");
    pool = db_pool_new(test_db_runtime());
    test_db_prepare_all(pool, NULL, 0); /* its first connection, whenever it comes */
    ctx = ctx_new_system("test");
    uuid_v7(ann.text);
    uuid_v7(bob.text);
}

static void after(void)
{
    ctx_free(ctx);
    db_pool_free(pool);
}

START_TEST(a_statement_places_as_many_of_one_customer_as_may_be_open) /* ORD-02 */
{
    ck_assert_int_eq(place(MANY), MOST);
    ck_assert_int_eq(count_open(&ann), MOST);
    ck_assert_int_eq(place(MANY), 0);
}
END_TEST

START_TEST(what_one_customer_has_open_is_no_matter_of_another)
{
    ck_assert_int_eq(place(MANY), MOST);
    ck_assert_int_eq(place(MANY - 2), 2);
    ck_assert_int_eq(count_open(&bob), 2);
}
END_TEST

START_TEST(where_one_is_over_another_may_come)
{
    ck_assert_int_eq(place(MANY), MOST);
    test_db_run("DELETE FROM orders.open_orders WHERE order_id ="
                " (SELECT order_id FROM orders.open_orders ORDER BY order_id LIMIT 1)");
    ck_assert_int_eq(place(MANY), 1);
}
END_TEST

START_TEST(one_that_nobody_ended_for_a_day_keeps_nobody_out)
{
    ck_assert_int_eq(place(MANY), MOST);
    test_db_run("UPDATE orders.open_orders SET placed_at = now() - interval '25 hours'"
                " WHERE order_id = (SELECT order_id FROM orders.open_orders LIMIT 1)");
    ck_assert_int_eq(count_open(&ann), MOST - 1);
    ck_assert_int_eq(place(MANY), 1);
}
END_TEST

START_TEST(one_that_nobody_ended_for_a_day_is_before_nobody_who_comes) /* ORD-04 */
{
    forget(3);
    ck_assert_int_eq(place(MOST), MANY);
    ck_assert_int_eq(wishes[0].placing.queue_position, 1);
    ck_assert_int_eq(wishes[MANY - 1].placing.queue_position, MANY);
}
END_TEST

START_TEST(however_many_nobody_ended_new_ones_are_on_the_list_after_them) /* ORD-12 */
{
    struct db_conn *db;
    const struct order *orders;
    size_t count;

    forget(250);
    ck_assert_int_eq(place(MOST), MANY);
    db = test_db_take(ctx, pool);
    ck_assert_int_eq(order_store_open(ctx, db, &orders, &count), ST_OK);
    ck_assert_uint_eq(count, 200);
    for (size_t i = count - MANY; i < count; i++) {
        ck_assert_int_eq(orders[i].status, ORDER_PLACED);
    }
    for (size_t i = 1; i < count; i++) {
        ck_assert_int_le(orders[i - 1].placed_ms, orders[i].placed_ms);
    }
    db_give_back(&db);
}
END_TEST

START_TEST(in_a_rush_the_list_begins_with_who_came_first) /* ORD-12 */
{
    struct db_conn *db;
    const struct order *orders;
    size_t count;

    ck_assert_int_eq(place(MOST), MANY);
    test_db_run(
        "INSERT INTO orders.orders (id, customer_id, day, number, status, total_cents,"
        " currency, placed_by, lines, accept_by, placed_at)"
        " SELECT gen_random_uuid(), gen_random_uuid(), '2026-11-20', n, 'preparing', 450,"
        " 'EUR', 'x', '[]', now(), now() + interval '1 minute' FROM generate_series(1, 250) n;"
        "INSERT INTO orders.open_orders SELECT id, placed_at, true FROM orders.orders"
        " WHERE status = 'preparing'");
    db = test_db_take(ctx, pool);
    ck_assert_int_eq(order_store_open(ctx, db, &orders, &count), ST_OK);
    ck_assert_uint_eq(count, 200);
    for (size_t i = 0; i < MANY; i++) {
        ck_assert_int_eq(orders[i].status, ORDER_PLACED);
    }
    db_give_back(&db);
}
END_TEST

TEST_MAIN_AROUND("open_orders",
                 (&(struct test_around){
                     .start = make, .stop = test_db_drop, .before = before, .after = after}),
                 a_statement_places_as_many_of_one_customer_as_may_be_open,
                 what_one_customer_has_open_is_no_matter_of_another,
                 where_one_is_over_another_may_come,
                 one_that_nobody_ended_for_a_day_keeps_nobody_out,
                 one_that_nobody_ended_for_a_day_is_before_nobody_who_comes,
                 however_many_nobody_ended_new_ones_are_on_the_list_after_them,
                 in_a_rush_the_list_begins_with_who_came_first)
