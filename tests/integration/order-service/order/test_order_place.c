/* links: test_db
 * What placing does where the statement is refused: a number that somebody has, a hold that was
 * given up. Menu and provider are stood in for; the database is not. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "order-service/menu/menu.h"
#include "order-service/menu/menu_photo.h"
#include "order-service/order/order_batch.h"
#include "order-service/payment/payment.h"
#include "order-service/shop/shop.h"
#include "tests/integration/order-service/order/bar.h"

#define HOLD "auth_1"

/* ---- what placing asks of the daemon ---- */

static struct service shop = {
    .config = {.currency = "EUR",
               .shop_zone = "Europe/Berlin",
               .accept_timeout_s = 300,
               .time_factor = 1,
               .seconds_a_drink = 90}
};

static const struct menu_item drink = {.id = "espresso",
                                       .name = "Espresso",
                                       .price_cents = 240,
                                       .available = true,
                                       .description = "",
                                       .allergens = "",
                                       .photo_id = ""};
static const struct menu card = {.version = 1, .items = &drink, .count = 1};

struct order_days *service_days(struct service *service)
{
    return service->days;
}

struct order_batches *service_order_batches(struct service *service)
{
    return service->batches;
}

const struct menu_item *menu_find(const struct menu *menu, const char *id)
{
    return text_equal(id, drink.id) ? menu->items : NULL;
}

const struct menu_customization *menu_item_allows(const struct menu_item *item, const char *id)
{
    (void)item;
    (void)id;
    return NULL;
}

bool menu_item_in_season(const struct menu_item *item, int64_t now_ms)
{
    (void)item;
    (void)now_ms;
    return true;
}

enum status menu_current(struct ctx *ctx, struct service *service, const struct menu **menu)
{
    (void)ctx;
    (void)service;
    *menu = &card;
    return ST_OK;
}

enum status menu_reload(struct ctx *ctx, struct service *service, const struct menu **menu)
{
    return menu_current(ctx, service, menu);
}

const char *photo_path(struct arena *arena, const char *id, const char *size)
{
    return arena_printf(arena, "%s %s", id, size);
}

enum status shop_must_be_open(struct ctx *ctx, struct service *service)
{
    (void)ctx;
    (void)service;
    return ST_OK;
}

bool payment_is_on(struct service *service)
{
    return service->takes_money;
}

enum status payment_authorize(struct ctx *ctx, struct service *service,
                              const struct payment_request *request, struct payment_hold *hold)
{
    (void)ctx;
    (void)service;
    *hold = (struct payment_hold){HOLD, request->amount_cents};
    return ST_OK;
}

/* ---- around the tests ---- */

static void make_with_menu(void)
{
    make();
    test_db_run("UPDATE menu.version SET version = 1");
}

static void before(void)
{
    test_db_run(
        "TRUNCATE orders.orders, orders.order_events, orders.open_orders, orders.order_days,"
        " outbox.events, idempotency.requests, payment.payments CASCADE");
    shop.pool = db_pool_new(test_db_runtime());
    test_db_prepare_all(shop.pool, NULL, 0); /* its first connection, whenever it comes */
    shop.days = order_days_new();
    shop.batches = order_batches_new();
}

static void after(void)
{
    order_batches_free(shop.batches);
    order_days_free(shop.days);
    db_pool_free(shop.pool);
}

/* The last order's. */
static char answer[200];

static enum status place(struct order *placed)
{
    const struct order_line line = {.menu_item_id = "espresso", .note = "", .quantity = 1};
    const struct order_request request = {.lines = &line,
                                          .count = 1,
                                          .note = "",
                                          .on_behalf_of = "",
                                          .pickup_name = "",
                                          .method = "PlaceOrder"};
    struct ctx *ctx = ctx_new_system("test");

    ctx->caller.role = ROLE_CUSTOMER;
    uuid_v7(ctx->caller.subject);
    ctx->idempotency_key = arena_strdup(ctx->arena, ctx->caller.subject);
    enum status st = order_place(ctx, &shop, &request, placed);
    text_copy(answer, sizeof(answer), ctx->failure.message ? ctx->failure.message : "");
    ctx_free(ctx);
    return st;
}

/* The database of before, with a day begun anew by a replica that was started since: it has given
 * out the next numbers of those who still count from the old beginning. */
static void restore_the_database(void)
{
    test_db_run(
        "UPDATE orders.order_days SET base = base - 100;"
        "INSERT INTO orders.orders (id, customer_id, day, number, status, total_cents,"
        " currency, placed_by, lines, accept_by)"
        " SELECT gen_random_uuid(), customer_id, day, number + n, 'placed', 450, 'EUR', 'x',"
        "        '[]', now() FROM orders.orders, generate_series(1, 50) n");
}

/* ---- the tests ---- */

START_TEST(a_number_that_somebody_has_is_drawn_anew) /* ORD-01 */
{
    struct order first, second;

    ck_assert_int_eq(place(&first), ST_OK);
    restore_the_database();
    ck_assert_int_eq(place(&second), ST_OK);
    ck_assert_int_gt(second.number, first.number + 100);
}
END_TEST

START_TEST(a_number_that_somebody_has_is_not_taken_for_a_payment_that_took_too_long) /* PAY-02 */
{
    struct order first, second;

    ck_assert_int_eq(place(&first), ST_OK);
    restore_the_database();
    shop.takes_money = true;
    ck_assert_int_eq(place(&second), ST_OK);
    ck_assert_str_eq(
        test_db_ask("SELECT order_id FROM payment.payments WHERE hold_id = '" HOLD "'"),
        second.id.text);
}
END_TEST

START_TEST(a_hold_that_was_given_up_meanwhile_is_told_so) /* PAY-02 */
{
    struct order order;

    test_db_run("INSERT INTO payment.payments (hold_id, amount_cents, currency)"
                " VALUES ('" HOLD "', 240, 'EUR')");
    shop.takes_money = true;
    ck_assert_int_eq(place(&order), ST_UNAVAILABLE);
    ck_assert_str_eq(answer, "The payment took too long; please try again.");
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM orders.orders"), "0");
}
END_TEST

TEST_MAIN_AROUND("order_place",
                 (&(struct test_around){.start = make_with_menu,
                                        .stop = test_db_drop,
                                        .before = before,
                                        .after = after}),
                 a_number_that_somebody_has_is_drawn_anew,
                 a_number_that_somebody_has_is_not_taken_for_a_payment_that_took_too_long,
                 a_hold_that_was_given_up_meanwhile_is_told_so)
