/* links: test_db
 * Orders that come at the same time share a statement, and nothing else: each is whole, and what is
 * wrong with one is no matter of the others. */
#include "order-service/order/order_batch.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/db/db.h"
#include "migrations.h"
#include "order-service/service.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"
#include "tests/integration/order-service/warm_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CUSTOMERS = 12, LATE_MS = 100, MENU = 1, BATCHES = 2 };

#define LINES                                                                           \
    "[{\"menuItemId\":\"flat-white\",\"name\":\"Flat \\\"White\\\"\",\"quantity\":2,"   \
    "\"unitCents\":440,\"customizations\":[{\"id\":\"oat-milk\"},{\"id\":\"large\"}],"  \
    "\"note\":\"\"},{\"menuItemId\":\"espresso\",\"name\":\"Espresso\",\"quantity\":1," \
    "\"unitCents\":240,\"customizations\":[],\"note\":\"hot\"}]"

/* ---- what order_batch.c asks of the daemon ---- */

static struct db_pool *pool;
static struct order_batches *batches;
static atomic_int asking;

enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db)
{
    (void)service;
    return db_take(ctx, pool, db);
}

struct order_batches *service_order_batches(struct service *service)
{
    (void)service;
    atomic_fetch_add(&asking, 1);
    return batches;
}

/* ---- customers ---- */

struct customer {
    pthread_t thread;
    struct ctx *ctx;
    struct order order;
    struct order_placing placing;
    char event_id[ID_TEXT_SIZE];
    enum status status;
};

static const struct order_day today = {.day = "2026-11-21"};
static struct customer customers[CUSTOMERS];

static void prepare(struct customer *customer, int number)
{
    struct ctx *ctx = ctx_new_system("test");

    *customer = (struct customer){
        .ctx = ctx,
        .order = {.channel = CHANNEL_APP,
                  .total_cents = 1120,
                  .currency = "EUR",
                  .note = "",
                  .pickup_name = "",
                  .lines = LINES   },
        .placing = { .ctx = ctx,
                  .order = &customer->order,
                  .day = &today,
                  .menu_version = MENU,
                  .accept_within_ms = 60000,
                  .method = "PlaceOrder",
                  .event_id = customer->event_id,
                  .rest = "\"seq\":1}",
                  .seconds_a_drink = 90,
                  .notices = {{"kafka", "order.placed", "{\"data\":", "}"},
                                {"live", "order:pub:orders", "", ""}},
                  .notice_count = 2},
    };
    uuid_v7(customer->order.id.text);
    uuid_v7(customer->event_id);
    text_copy(customer->order.customer.text, ID_TEXT_SIZE, customer->order.id.text);
    ctx->idempotency_key = arena_printf(ctx->arena, "key-%d", number);
    text_copy(ctx->request_sha256, sizeof(ctx->request_sha256), "digest");
}

static void *ask(void *user)
{
    struct customer *customer = user;

    customer->status = order_batch_place(NULL, &customer->placing);
    return NULL;
}

static void start(int i)
{
    ck_assert_int_eq(pthread_create(&customers[i].thread, NULL, ask, &customers[i]), 0);
}

static void until_told(void)
{
    for (int i = 0; i < CUSTOMERS; i++) {
        pthread_join(customers[i].thread, NULL);
    }
}

/* The first to come are held up, and the others gather behind them. The time of those from 'late'
 * on is over before the first go on. */
static void some_come_late(int late)
{
    static const struct sql lock = {"lock", SQL_EXEC,
                                    "LOCK idempotency.requests IN EXCLUSIVE MODE"};
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db = test_db_take(ctx, pool), *tx;
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
    ck_assert_int_eq(db_exec(ctx, tx, &lock, DB_NO_ARGS, NULL), ST_OK);
    for (int i = 0; i < CUSTOMERS; i++) {
        if (i == BATCHES) {
            test_db_await("SELECT 1 FROM pg_locks WHERE NOT granted"
                          " AND relation = 'idempotency.requests'::regclass"
                          " HAVING count(*) = 2");
        }
        if (i >= late) {
            customers[i].ctx->deadline_ms = clock_monotonic_ms() + LATE_MS;
        }
        start(i);
    }
    while (atomic_load(&asking) < CUSTOMERS) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(1);
    }
    clock_pause_ms(LATE_MS + 1);
    ck_assert_int_eq(db_commit(ctx, &tx), ST_OK);
    until_told();
    ctx_free(ctx);
}

static void all_ask_at_once(void)
{
    some_come_late(CUSTOMERS);
}

static int count_created(void)
{
    int count = 0;

    for (int i = 0; i < CUSTOMERS; i++) {
        count += customers[i].status == ST_OK && customers[i].placing.created;
    }
    return count;
}

static void make(void)
{
    test_db_make_for("order_service", migrations, ARRAY_LEN(migrations));
}

static void before(void)
{
    test_db_run("TRUNCATE orders.orders, orders.order_events, orders.open_orders, outbox.events,"
                " idempotency.requests; UPDATE menu.version SET version = 1");
    pool = db_pool_new(test_db_runtime());
    warm_pool(pool, BATCHES + 1);
    asking = 0;
    batches = order_batches_new();
    for (int i = 0; i < CUSTOMERS; i++) {
        prepare(&customers[i], i);
    }
}

static void after(void)
{
    for (int i = 0; i < CUSTOMERS; i++) {
        ctx_free(customers[i].ctx);
    }
    order_batches_free(batches);
    db_pool_free(pool);
}

/* ---- the tests ---- */

START_TEST(orders_that_come_together_share_a_commit_and_are_each_whole) /* ORD-01, EVT-03 */
{
    all_ask_at_once();
    ck_assert_int_eq(count_created(), CUSTOMERS);
    ck_assert_str_eq(
        test_db_ask("SELECT count(DISTINCT xmin::text) < count(*) / 2 FROM orders.orders"), "t");
    ck_assert_str_eq(test_db_ask("SELECT count(DISTINCT number) FROM orders.orders"), "12");
    ck_assert_str_eq(
        test_db_ask("SELECT count(*) FROM orders.orders o JOIN orders.open_orders ON order_id = id"
                    " JOIN orders.order_events e ON e.order_id = o.id AND e.seq = 1"
                    " JOIN idempotency.requests r ON convert_from(r.answer, 'UTF8') = o.id::text"
                    " WHERE (e.payload::jsonb ->> 'number')::int = o.number"
                    " AND (SELECT array_agg(b.sink ORDER BY b.id) FROM outbox.events b"
                    "       WHERE b.key = o.id::text) = '{kafka,live}'"),
        "12");
    for (int i = 0; i < CUSTOMERS; i++) {
        const struct customer *c = &customers[i];

        ck_assert_str_eq(test_db_ask(arena_printf(c->ctx->arena,
                                                  "SELECT number FROM orders.orders"
                                                  " WHERE id = '%s' AND lines = '%s'",
                                                  c->order.id.text, LINES)),
                         arena_printf(c->ctx->arena, "%d", c->placing.number));
    }
}
END_TEST

START_TEST(an_order_and_its_items_are_read_back_alike) /* ORD-01 */
{
    all_ask_at_once();
    ck_assert_str_eq(
        test_db_ask("SELECT string_agg(concat_ws('|', n, menu_item_id, name, quantity, unit_cents,"
                    " jsonb_array_length(customizations), note), ' ' ORDER BY n)"
                    " FROM orders.order_items GROUP BY order_id LIMIT 1"),
        "1|flat-white|Flat \"White\"|2|440|2| 2|espresso|Espresso|1|240|0|hot");
}
END_TEST

START_TEST(one_that_the_database_refuses_takes_no_other_with_it)
{
    customers[CUSTOMERS - 1].order.total_cents = -1;
    all_ask_at_once();
    ck_assert_int_eq(count_created(), CUSTOMERS - 1);
    ck_assert_int_ne(customers[CUSTOMERS - 1].status, ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM orders.orders"), "11");
}
END_TEST

START_TEST(twins_that_come_together_are_placed_once) /* ORD-24 */
{
    for (int i = 0; i < CUSTOMERS; i++) {
        customers[i].ctx->idempotency_key = "the same";
    }
    all_ask_at_once();
    ck_assert_int_eq(count_created(), 1);
    for (int i = 0; i < CUSTOMERS; i++) {
        ck_assert_int_eq(customers[i].status, ST_OK);
    }
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM orders.orders"), "1");
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM outbox.events"), "2");
}
END_TEST

static int compare(int a, int b)
{
    const struct order_placing *x = &customers[a].placing, *y = &customers[b].placing;

    return order_batch_by_key(&x, &y);
}

START_TEST(orders_of_one_caller_are_sorted_by_key_and_method) /* ORD-24 */
{
    for (int i = 0; i < 4; i++) {
        text_copy(customers[i].ctx->caller.subject, ID_TEXT_SIZE, "the same");
    }
    customers[0].ctx->idempotency_key = "b";
    customers[1].ctx->idempotency_key = NULL;
    customers[2].ctx->idempotency_key = "a";
    customers[3].ctx->idempotency_key = "a";
    customers[3].placing.method = "Reorder";
    ck_assert_int_lt(compare(1, 2), 0);
    ck_assert_int_lt(compare(2, 3), 0);
    ck_assert_int_lt(compare(3, 0), 0);
    ck_assert_int_lt(compare(1, 0), 0);
    ck_assert_int_gt(compare(0, 1), 0);
}
END_TEST

START_TEST(without_a_key_each_is_placed)
{
    for (int i = 0; i < CUSTOMERS; i++) {
        customers[i].ctx->idempotency_key = NULL;
    }
    all_ask_at_once();
    ck_assert_int_eq(count_created(), CUSTOMERS);
}
END_TEST

START_TEST(one_priced_by_an_old_menu_is_left_out) /* MENU-03 */
{
    customers[CUSTOMERS - 2].placing.menu_version = MENU - 1;
    all_ask_at_once();
    ck_assert_int_eq(count_created(), CUSTOMERS - 1);
    ck_assert(!customers[CUSTOMERS - 2].placing.created);
    ck_assert_int_eq(customers[CUSTOMERS - 2].status, ST_OK);
}
END_TEST

static void check_those_from_on_are_not_placed(int late)
{
    for (int i = 0; i < CUSTOMERS; i++) {
        ck_assert_int_eq(customers[i].status, i < late ? ST_OK : ST_TIMEOUT);
        ck_assert_int_eq(customers[i].placing.created, i < late);
        ck_assert_int_eq(customers[i].ctx->failure.status, customers[i].status);
    }
    ck_assert_int_eq(strtol(test_db_ask("SELECT count(*) FROM orders.orders"), NULL, 10), late);
}

START_TEST(orders_whose_time_ended_while_they_waited_are_not_placed) /* ORD-01 */
{
    some_come_late(BATCHES);
    check_those_from_on_are_not_placed(BATCHES);
}
END_TEST

START_TEST(one_whose_time_ended_takes_no_other_with_it)
{
    some_come_late(CUSTOMERS - 1);
    check_those_from_on_are_not_placed(CUSTOMERS - 1);
}
END_TEST

START_TEST(without_the_database_each_is_told)
{
    db_pool_free(pool);
    struct db_options nowhere = *test_db_runtime();
    nowhere.port = 1;
    pool = db_pool_new(&nowhere);
    for (int i = 0; i < CUSTOMERS; i++) {
        start(i);
    }
    until_told();
    for (int i = 0; i < CUSTOMERS; i++) {
        ck_assert_int_eq(customers[i].status, ST_UNAVAILABLE);
        ck_assert_int_eq(customers[i].ctx->failure.status, ST_UNAVAILABLE);
    }
}
END_TEST

TEST_MAIN_AROUND(
    "order_batch",
    (&(struct test_around){.start = make, .stop = test_db_drop, .before = before, .after = after}),
    orders_that_come_together_share_a_commit_and_are_each_whole,
    an_order_and_its_items_are_read_back_alike,
    one_that_the_database_refuses_takes_no_other_with_it, twins_that_come_together_are_placed_once,
    orders_of_one_caller_are_sorted_by_key_and_method, without_a_key_each_is_placed,
    one_priced_by_an_old_menu_is_left_out, orders_whose_time_ended_while_they_waited_are_not_placed,
    one_whose_time_ended_takes_no_other_with_it, without_the_database_each_is_told)
