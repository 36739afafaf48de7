/* links: test_db
 * What the sweep does in one round: it ends all that is overdue, however much it is, and tells of
 * money that nobody sees to. */
#include "order-service/order/order_sweep.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/obs/metrics.h"
#include "order-service/menu/menu_photo.h"
#include "order-service/order/order_queue_cache.h"
#include "order-service/payment/payment.h"
#include "tests/helpers/patience.h"
#include "tests/integration/order-service/order/bar.h"

#include <stdlib.h>
#include <string.h>

enum { OVERDUE = 60, PAGE = 50 };

#define EXPIRED "SELECT count(*) FROM orders.orders WHERE status = 'cancelled'"
#define EXPIRED_BY_THE_FIRST_ROUND \
    EXPIRED " AND cancelled_at < (SELECT min(cancelled_at) FROM orders.orders) + interval '9 s'"

/* ---- what the sweep asks of the daemon ---- */

static struct service shop = {
    .config = {.pickup_timeout_s = 600, .time_factor = 1}
};

struct order_queue_cache *service_queue_cache(struct service *service)
{
    (void)service;
    return NULL;
}

enum status order_queue_cache_mend(struct ctx *ctx, struct service *service,
                                   struct order_queue_cache *queue)
{
    (void)ctx;
    (void)service;
    (void)queue;
    return ST_OK;
}

enum status payment_sweep(struct ctx *ctx, struct service *service, struct payment_sweep *at)
{
    (void)ctx;
    (void)service;
    (void)at;
    return ST_OK;
}

enum status photo_forget_old(struct ctx *ctx, struct service *service)
{
    (void)ctx;
    (void)service;
    return ST_OK;
}

/* ---- around the tests ---- */

/* Nobody accepted them, two minutes ago. */
static void fill(void)
{
    AUTO(arena) struct arena *arena = arena_new(1024);

    test_db_run("TRUNCATE orders.orders, orders.order_events, orders.open_orders, payment.payments,"
                " payment.payment_events");
    test_db_run(arena_printf(
        arena,
        "INSERT INTO orders.orders (id, customer_id, day, number, status, total_cents, currency,"
        " placed_by, lines, accept_by)"
        " SELECT gen_random_uuid(), gen_random_uuid(), '2026-11-21', n, 'placed', 450, 'EUR', 'x',"
        "        '[]', now() - interval '2 minutes' FROM generate_series(1, %d) n;"
        "INSERT INTO orders.open_orders (order_id, placed_at) SELECT id, now() FROM orders.orders",
        OVERDUE));
}

static void before(void)
{
    fill();
    shop.pool = db_pool_new(test_db_runtime());
    test_db_prepare_all(shop.pool, NULL, 0); /* its first connection, whenever it comes */
}

static void after(void)
{
    db_pool_free(shop.pool);
}

static int number(const char *query)
{
    return (int)strtol(test_db_ask(query), NULL, 10);
}

/* ---- the tests ---- */

/* A second round may come to the rest, where the first ran out of time. */
static int ended_by_the_first_round(void)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    struct order_sweep *sweep = order_sweep_start(&shop);

    while (number(EXPIRED) < OVERDUE) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(20);
    }
    order_sweep_stop(sweep);
    return number(EXPIRED_BY_THE_FIRST_ROUND);
}

START_TEST(all_that_is_overdue_is_ended_and_by_a_round_more_than_a_page_of_it) /* ORD-07 */
{
    int ended = ended_by_the_first_round();

    for (int i = 1; i < PATIENCE_TRIES && ended <= PAGE; i++) {
        fill();
        ended = ended_by_the_first_round();
    }
    ck_assert_int_gt(ended, PAGE);
}
END_TEST

/* An order that was over so many minutes ago, and what became of its money then. */
static void had_because(int number, const char *status, const char *reason, const char *payment,
                        int minutes)
{
    AUTO(arena) struct arena *arena = arena_new(1024);

    test_db_run(arena_printf(
        arena,
        "WITH o AS (INSERT INTO orders.orders (id, customer_id, day, number, status, total_cents,"
        " currency, placed_by, lines, placed_at, accept_by, completed_at, cancel_reason)"
        " SELECT gen_random_uuid(), gen_random_uuid(), '2026-11-20', %d, '%s', 450, 'EUR', 'x',"
        " '[]', t - interval '1 hour', t, CASE WHEN '%s' = 'ready' THEN NULL ELSE t END, '%s'"
        " FROM (SELECT now() - %d * interval '1 minute' AS t) t RETURNING id, customer_id)"
        "INSERT INTO payment.payments (hold_id, order_id, customer_id, amount_cents, currency,"
        " state, changed_at) SELECT 'hold-%d', id, customer_id, 450, 'EUR', '%s',"
        " now() - interval '1 day' FROM o",
        number, status, status, reason, minutes, number, payment));
}

static void had(int number, const char *status, const char *payment, int minutes)
{
    had_because(number, status, "", payment, minutes);
}

static bool shows(const char *metric)
{
    AUTO(arena) struct arena *arena = arena_new(8192);
    struct text page = text_new(arena, 4096);

    metrics_print(&page, false);
    return strstr(page.data, metric) != NULL;
}

START_TEST(money_of_an_order_that_is_long_over_is_told_of_when_nobody_sees_to_it) /* PAY-05 */
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    had(1, "completed", "authorized", 90);
    had(2, "cancelled", "refunding", 90);
    had(3, "completed", "captured", 90);
    had(4, "cancelled", "voided", 90);
    had(5, "completed", "capturing", 30); /* its workflow may be at it */
    had(6, "ready", "authorized", 90);
    had_because(7, "cancelled", "Spilt", "captured", 90);
    had_because(8, "cancelled", ORDER_NOT_COLLECTED, "captured", 90); /* which this shop keeps */
    had(9, "cancelled", "failed", 90);                                /* a refund was refused */
    had(10, "completed", "failed", 90); /* a capture was, and the hold is open */
    had(11, "completed", "failed", 30);
    struct order_sweep *sweep = order_sweep_start(&shop);
    while (!shows("orders_unsettled")) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(50);
    }
    order_sweep_stop(sweep);
    ck_assert(shows("orders_unsettled 5\n"));
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM payment.payments"
                                 " WHERE changed_at > now() - interval '1 hour'"),
                     "0");
}
END_TEST

TEST_MAIN_AROUND("order_sweep",
                 (&(struct test_around){
                     .start = make, .stop = test_db_drop, .before = before, .after = after}),
                 all_that_is_overdue_is_ended_and_by_a_round_more_than_a_page_of_it,
                 money_of_an_order_that_is_long_over_is_told_of_when_nobody_sees_to_it)
