/* links: test_db
 * Moves of an order that is there: what a second one of the same kind finds, and what the history
 * says of it. */
#include "common/base/auto.h"
#include "common/base/text.h"
#include "tests/integration/order-service/order/bar.h"

static const struct order_id coffee = {"019aa1f0-5c3e-7000-8000-000000000001"};

#define BARISTA "019aa1f0-5c3e-7000-8000-00000000ba51"
#define OTHER   "019aa1f0-5c3e-7000-8000-00000000ba52"

/* ---- what order.c asks of the daemon ---- */

static struct service shop = {
    .config = {.pickup_timeout_s = 600, .time_factor = 1, .seconds_a_drink = 90}
};

/* ---- around the tests ---- */

/* One order, ready on the counter. */
static void before(void)
{
    AUTO(arena) struct arena *arena = arena_new(1024);

    test_db_run("TRUNCATE orders.orders, orders.order_events, orders.open_orders, outbox.events");
    test_db_run(arena_printf(
        arena,
        "INSERT INTO orders.orders (id, customer_id, day, number, status, total_cents, currency,"
        " placed_by, lines, accept_by, ready_at, last_command, last_actor)"
        " VALUES ('%s', '%s', '2026-11-21', 1, 'ready', 450, 'EUR', 'x', '[]', now(), now(), %d,"
        " '%s')",
        coffee.text, coffee.text, COMMAND_READY, BARISTA));
    shop.pool = db_pool_new(test_db_runtime());
    test_db_prepare_all(shop.pool, NULL, 0); /* its first connection, whenever it comes */
}

static void after(void)
{
    db_pool_free(shop.pool);
}

static struct ctx *ctx_of(const char *subject, enum role role)
{
    struct ctx *ctx = ctx_new_system("test");

    text_copy(ctx->caller.subject, sizeof(ctx->caller.subject), subject);
    ctx->caller.role = role;
    return ctx;
}

static enum status pick_up(const char *barista, struct order *order)
{
    struct ctx *ctx = ctx_of(barista, ROLE_BARISTA);
    enum status st = order_apply(ctx, &shop, coffee, COMMAND_PICK_UP, NULL, order);

    ctx_free(ctx);
    return st;
}

static void find_unpaid(void)
{
    struct ctx *ctx = ctx_of("order-service", ROLE_SYSTEM);
    struct order order;

    ck_assert_int_eq(order_apply(ctx, &shop, coffee, COMMAND_FIND_UNPAID, NULL, &order), ST_OK);
    ck_assert(order_is_unpaid(&order));
    ctx_free(ctx);
}

static const char *history(void)
{
    return test_db_ask("SELECT string_agg(type || ' ' || actor, ', ' ORDER BY seq)"
                       " FROM orders.order_events");
}

/* Beside it are three others: one waits before it, one is ready, one came later. */
static void is_second_in_the_queue(const char *status)
{
    AUTO(arena) struct arena *arena = arena_new(1024);

    test_db_run(arena_printf(
        arena,
        "UPDATE orders.orders SET status = '%s';"
        "INSERT INTO orders.orders SELECT gen_random_uuid(), customer_id, day, n, 'placed', 1,"
        " channel, total_cents, currency, note, pickup_name, placed_by, lines, '', '', 0, '',"
        " placed_at + (n - 4) * interval '1 minute', NULL, NULL, NULL, NULL, NULL, accept_by"
        " FROM orders.orders, generate_series(2, 5) n WHERE n <> 4;"
        "INSERT INTO orders.open_orders SELECT id, placed_at, number <> 3 AND"
        " (number <> 1 OR '%s' <> 'ready') FROM orders.orders",
        status, status));
}

/* Handed over yesterday, and nobody tapped "ready". */
static void forget_one(void)
{
    test_db_run(
        "INSERT INTO orders.orders (id, customer_id, day, number, status, total_cents, currency,"
        " placed_by, lines, accept_by, placed_at)"
        " SELECT gen_random_uuid(), customer_id, day - 1, 1, 'preparing', 450, 'EUR', 'x', '[]',"
        " now(), now() - interval '25 hours' FROM orders.orders LIMIT 1;"
        "INSERT INTO orders.open_orders SELECT id, placed_at, true FROM orders.orders"
        " WHERE placed_at < now() - interval '1 day'");
}

static void must_be_second(const struct order *order)
{
    ck_assert_int_eq(order->queue_position, 2);
    ck_assert_int_eq(order->eta_seconds, 180);
}

/* What the history, Kafka and the streams are told of it, and what a reader finds. */
static void all_must_say_second(const char *times)
{
    struct ctx *ctx = ctx_of("order-service", ROLE_SYSTEM);
    struct order order;

    ck_assert_int_eq(order_get(ctx, &shop, coffee, &order), ST_OK);
    must_be_second(&order);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM orders.order_events WHERE payload LIKE"
                                 " '%\"queuePosition\":2,\"etaSeconds\":180,%'"),
                     times);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM orders.order_events"), times);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM outbox.events WHERE payload NOT LIKE"
                                 " '%\"queuePosition\":2,\"etaSeconds\":180,%'"),
                     "0");
    ctx_free(ctx);
}

static void is_second_after(enum order_command command, const char *times)
{
    struct ctx *ctx = ctx_of(BARISTA, ROLE_BARISTA);
    struct order order;

    ck_assert_int_eq(order_apply(ctx, &shop, coffee, command, NULL, &order), ST_OK);
    must_be_second(&order);
    all_must_say_second(times);
    ctx_free(ctx);
}

/* ---- the tests ---- */

START_TEST(a_pick_up_that_is_repeated_is_answered_alike_though_nobody_paid_since) /* ORD-03 */
{
    struct order order;

    ck_assert_int_eq(pick_up(BARISTA, &order), ST_OK);
    ck_assert_int_eq(pick_up(BARISTA, &order), ST_OK);
    find_unpaid();
    ck_assert_int_eq(pick_up(BARISTA, &order), ST_OK);
    ck_assert_int_eq(order.seq, 3);
    ck_assert(order_is_unpaid(&order));
}
END_TEST

START_TEST(what_was_found_unpaid_is_found_once_and_by_the_system)
{
    struct order order;

    ck_assert_int_eq(pick_up(BARISTA, &order), ST_OK);
    find_unpaid();
    find_unpaid();
    ck_assert_str_eq(history(), "OrderCompleted " BARISTA ", OrderUnpaid order-service");
}
END_TEST

START_TEST(another_is_told_in_good_words_that_it_is_over)
{
    struct ctx *ctx = ctx_of(OTHER, ROLE_BARISTA);
    struct order order;

    ck_assert_int_eq(pick_up(BARISTA, &order), ST_OK);
    find_unpaid();
    ck_assert_int_eq(order_apply(ctx, &shop, coffee, COMMAND_PICK_UP, NULL, &order), ST_CONFLICT);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_ILLEGAL_MOVE);
    ck_assert_str_eq(ctx->failure.message, "The order is completed: nobody can pick it up now.");
    ctx_free(ctx);
}
END_TEST

START_TEST(a_move_that_is_refused_keeps_no_connection)
{
    struct ctx *ctx = ctx_of(OTHER, ROLE_BARISTA);
    struct db_options only_one = *test_db_runtime();
    struct order order;

    db_pool_free(shop.pool);
    only_one.max = 1;
    shop.pool = db_pool_new(&only_one);
    test_db_prepare_all(shop.pool, NULL, 0); /* its first connection, whenever it comes */
    ck_assert_int_eq(order_apply(ctx, &shop, coffee, COMMAND_ACCEPT, NULL, &order), ST_CONFLICT);
    ck_assert_int_eq(order_get(ctx, &shop, coffee, &order), ST_OK);
    ctx_free(ctx);
}
END_TEST

/* ORD-04 RT-08: also where accepting begins it (AUTO_PREPARE). */
START_TEST(who_is_accepted_is_told_the_place_that_a_reader_finds)
{
    shop.config.auto_prepare = true;
    is_second_in_the_queue("placed");
    is_second_after(COMMAND_ACCEPT, "2");
}
END_TEST

/* ORD-05 RT-08 */
START_TEST(what_is_not_ready_after_all_is_told_the_place_that_a_reader_finds)
{
    is_second_in_the_queue("ready");
    is_second_after(COMMAND_UNDO_READY, "1");
}
END_TEST

/* ORD-04 RT-08 */
START_TEST(one_that_nobody_ended_for_a_day_is_before_nobody_who_is_accepted)
{
    is_second_in_the_queue("placed");
    forget_one();
    is_second_after(COMMAND_ACCEPT, "1");
}
END_TEST

/* ORD-05 RT-08 */
START_TEST(one_that_nobody_ended_for_a_day_is_before_nobody_who_is_not_ready_after_all)
{
    is_second_in_the_queue("ready");
    forget_one();
    is_second_after(COMMAND_UNDO_READY, "1");
}
END_TEST

START_TEST(one_that_nobody_ended_for_a_day_has_no_place_whoever_tells_it)
{
    struct ctx *ctx = ctx_of(BARISTA, ROLE_BARISTA);
    struct order moved, read;

    is_second_in_the_queue("ready");
    test_db_run("UPDATE orders.orders SET placed_at = now() - interval '25 hours' WHERE number = 1;"
                "UPDATE orders.open_orders SET placed_at = o.placed_at FROM orders.orders o"
                " WHERE o.id = order_id");
    ck_assert_int_eq(order_apply(ctx, &shop, coffee, COMMAND_UNDO_READY, NULL, &moved), ST_OK);
    ck_assert_int_eq(order_get(ctx, &shop, coffee, &read), ST_OK);
    ck_assert_int_eq(moved.queue_position, 0);
    ck_assert_int_eq(read.queue_position, 0);
    ctx_free(ctx);
}
END_TEST

TEST_MAIN_AROUND("order_move",
                 (&(struct test_around){
                     .start = make, .stop = test_db_drop, .before = before, .after = after}),
                 a_pick_up_that_is_repeated_is_answered_alike_though_nobody_paid_since,
                 what_was_found_unpaid_is_found_once_and_by_the_system,
                 another_is_told_in_good_words_that_it_is_over,
                 a_move_that_is_refused_keeps_no_connection,
                 who_is_accepted_is_told_the_place_that_a_reader_finds,
                 what_is_not_ready_after_all_is_told_the_place_that_a_reader_finds,
                 one_that_nobody_ended_for_a_day_is_before_nobody_who_is_accepted,
                 one_that_nobody_ended_for_a_day_is_before_nobody_who_is_not_ready_after_all,
                 one_that_nobody_ended_for_a_day_has_no_place_whoever_tells_it)
