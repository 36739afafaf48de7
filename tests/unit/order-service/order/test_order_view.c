/* What is read back from an order's view by those who need a glance only. CACHE-07 */
#include "common/base/arena.h"
#include "common/base/auto.h"
#include "order-service/order/order.h"
#include "tests/helpers/house_test.h"

#define ID       "019aa1f0-5c3e-7000-8000-00000000cafe"
#define CUSTOMER "019aa1f0-5c3e-7000-8000-00000000beef"
#define BARISTA  "019aa1f0-5c3e-7000-8000-00000000ba51"

static const char *view_of(struct arena *arena, const char *note, enum order_status status)
{
    struct order order = {
        .id = {ID},
        .customer = {CUSTOMER},
        .placed_by = CUSTOMER,
        .number = 17,
        .status = status,
        .channel = CHANNEL_APP,
        .seq = 4,
        .currency = "EUR",
        .note = note,
        .pickup_name = "",
        .lines = "[{\"menuItemId\":\"flat-white\",\"customizations\":[{\"id\":\"oat-milk\"}]}]",
        .placed_ms = INT64_C(1795237731540),
    };

    return order_view(arena, &order);
}

START_TEST(a_glance_finds_the_orders_own_fields)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct order_glance glance;

    ck_assert(order_view_glance(view_of(arena, "", ORDER_READY), &glance));
    ck_assert_str_eq(glance.id.text, ID);
    ck_assert_int_eq(glance.seq, 4);
    ck_assert_int_eq(glance.status, ORDER_READY);
    ck_assert_int_eq(glance.placed_ms, INT64_C(1795237731540));
}
END_TEST

START_TEST(a_note_cannot_pose_as_a_field)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct order_glance glance;
    const char *note = "\",\"seq\":99,\"id\":\"x\",\"status\":\"completed\"";

    ck_assert(order_view_glance(view_of(arena, note, ORDER_PLACED), &glance));
    ck_assert_str_eq(glance.id.text, ID);
    ck_assert_int_eq(glance.seq, 4);
    ck_assert_int_eq(glance.status, ORDER_PLACED);
}
END_TEST

START_TEST(what_is_no_view_is_told)
{
    struct order_glance glance;

    ck_assert(!order_view_glance("", &glance));
    ck_assert(!order_view_glance("flat-white", &glance));
    ck_assert(!order_view_glance(
        "{\"placedAt\":\"today\",\"id\":\"" ID "\",\"status\":\"placed\",\"seq\":1}", &glance));
}
END_TEST

/* ORD-18 */
START_TEST(an_order_is_its_customers_unless_staff_took_it_down_by_a_name_alone)
{
    struct order own = {.customer = {CUSTOMER}, .placed_by = CUSTOMER, .pickup_name = ""};
    struct order known = {.customer = {CUSTOMER}, .placed_by = BARISTA, .pickup_name = "May"};
    struct order walk_in = {.customer = {BARISTA}, .placed_by = BARISTA, .pickup_name = "May"};

    ck_assert_str_eq(order_customer(&own), CUSTOMER);
    ck_assert_str_eq(order_customer(&known), CUSTOMER);
    ck_assert_str_eq(order_customer(&walk_in), "");
}
END_TEST

TEST_MAIN("order_view", a_glance_finds_the_orders_own_fields, a_note_cannot_pose_as_a_field,
          what_is_no_view_is_told,
          an_order_is_its_customers_unless_staff_took_it_down_by_a_name_alone)
