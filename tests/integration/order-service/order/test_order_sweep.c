/* links: test_db
 * What the sweep does in one round: all that is overdue, however much it is. */
#include "order-service/order/order_sweep.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/db/db.h"
#include "common/outbox/outbox.h"
#include "migrations.h"
#include "order-service/menu/menu_photo.h"
#include "order-service/order/order_queue_cache.h"
#include "order-service/payment/payment.h"
#include "order-service/service.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"

#include <stdlib.h>

enum { OVERDUE = 120, ROUND_MS = 5000 };

#define EXPIRED "SELECT count(*) FROM orders.orders WHERE status = 'cancelled'"

/* ---- what the sweep asks of the daemon ---- */

struct service {
    struct config config;
    struct db_pool *pool;
};

static struct service shop = {
    .config = {.pickup_timeout_s = 600, .time_factor = 1}
};

enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db)
{
    return db_take(ctx, service->pool, db);
}

const struct config *service_config(const struct service *service)
{
    return &service->config;
}

int64_t service_business_ms(const struct service *service, int seconds)
{
    (void)service;
    return (int64_t)seconds * 1000;
}

bool service_has_workflows(struct service *service)
{
    (void)service;
    return false;
}

struct outbox_relay *service_outbox(struct service *service)
{
    (void)service;
    return NULL;
}

void outbox_wake(struct outbox_relay *relay) /* rows stay where they are */
{
    (void)relay;
}

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

static void make(void)
{
    test_db_make_for("order_service", migrations, ARRAY_LEN(migrations));
}

/* Nobody accepted them, two minutes ago. */
static void before(void)
{
    AUTO(arena) struct arena *arena = arena_new(1024);

    test_db_run(arena_printf(
        arena,
        "INSERT INTO orders.orders (id, customer_id, day, number, status, total_cents, currency,"
        " placed_by, lines, accept_by)"
        " SELECT gen_random_uuid(), gen_random_uuid(), '2026-11-21', n, 'placed', 450, 'EUR', 'x',"
        "        '[]', now() - interval '2 minutes' FROM generate_series(1, %d) n;"
        "INSERT INTO orders.open_orders (order_id, placed_at) SELECT id, now() FROM orders.orders",
        OVERDUE));
    shop.pool = db_pool_new(test_db_runtime());
}

static void after(void)
{
    db_pool_free(shop.pool);
}

static int expired(void)
{
    return (int)strtol(test_db_ask(EXPIRED), NULL, 10);
}

/* ---- the tests ---- */

START_TEST(all_that_is_overdue_is_ended_in_one_round) /* ORD-07 */
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    struct order_sweep *sweep = order_sweep_start(&shop);

    while (expired() == 0) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(20);
    }
    for (until = clock_monotonic_ms() + ROUND_MS;
         expired() < OVERDUE && clock_monotonic_ms() < until;) {
        clock_pause_ms(20);
    }
    ck_assert_int_eq(expired(), OVERDUE);
    order_sweep_stop(sweep);
}
END_TEST

TEST_MAIN_AROUND("order_sweep",
                 (&(struct test_around){
                     .start = make, .stop = test_db_drop, .before = before, .after = after}),
                 all_that_is_overdue_is_ended_in_one_round)
