/* What an order costs, and every reason why it cannot be made. ORD-02 */
#include "common/base/auto.h"
#include "order-service/order/order_price.h"
#include "tests/helpers/house_test.h"

#include <string.h>

static const struct menu_customization pairs[] = {
    {.id = "whole-milk", .name = "Whole milk", .kind = 1, .extra_cents = 0,  .available = true },
    {.id = "oat-milk",   .name = "Oat milk",   .kind = 1, .extra_cents = 60, .available = true },
    {.id = "large",      .name = "Large",      .kind = 2, .extra_cents = 80, .available = true },
    {.id = "vanilla",    .name = "Vanilla",    .kind = 3, .extra_cents = 50, .available = true },
    {.id = "caramel",    .name = "Caramel",    .kind = 3, .extra_cents = 50, .available = false},
};

/* version 14 is of two minds about this array */
/* clang-format off */
static const struct menu_item items[] = {
    {.id = "flat-white",
     .name = "Flat White",
     .price_cents = 380,
     .available = true,
     .customizations = pairs,
     .customization_count = ARRAY_LEN(pairs)},
    {.id = "mocha", .name = "Mocha", .price_cents = 430, .available = false},
    {.id = "gold-coffee", .name = "Gold", .price_cents = 1000000, .available = true},
    {.id = "summer-tea",
     .name = "Summer Tea",
     .price_cents = 300,
     .available = true,
     .valid_from_ms = 1000,
     .valid_to_ms = 2000},
};
/* clang-format on */

static const struct menu menu = {.version = 1, .items = items, .count = ARRAY_LEN(items)};

static struct price_result price(const char *item, int quantity, const char *const *ids,
                                 size_t count)
{
    struct order_line line = {.menu_item_id = item,
                              .note = "",
                              .quantity = quantity,
                              .customization_ids = ids,
                              .customization_count = count};
    struct priced_line priced;
    struct price_result result;

    order_price(&menu, &line, 1, 1500, &priced, &result);
    return result;
}

#define IDS(...) (const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__}))

START_TEST(price_is_drink_and_extras_times_quantity)
{
    struct price_result r = price("flat-white", 3, IDS("oat-milk", "large", "vanilla"));

    ck_assert_int_eq(r.fault_count, 0);
    ck_assert_int_eq(r.total_cents, 3 * (380 + 60 + 80 + 50));
}
END_TEST

static const struct {
    const char *item, *first, *second;
    int quantity;
    enum price_fault_kind kind;
    int customization;
} refused[] = {
    {"motor-oil",   NULL,       NULL,         1,  FAULT_UNKNOWN_ITEM,           -1},
    {"mocha",       NULL,       NULL,         1,  FAULT_SOLD_OUT,               -1},
    {"flat-white",  NULL,       NULL,         0,  FAULT_QUANTITY,               -1},
    {"flat-white",  NULL,       NULL,         51, FAULT_QUANTITY,               -1},
    {"flat-white",  NULL,       NULL,         -1, FAULT_QUANTITY,               -1},
    {"flat-white",  "sand",     NULL,         1,  FAULT_UNKNOWN_CUSTOMIZATION,  0 },
    {"flat-white",  "caramel",  NULL,         1,  FAULT_CUSTOMIZATION_SOLD_OUT, 0 },
    {"flat-white",  "large",    "large",      1,  FAULT_CHOSEN_TWICE,           1 },
    {"flat-white",  "oat-milk", "whole-milk", 1,  FAULT_TWO_OF_A_KIND,          1 },
    {"gold-coffee", "large",    NULL,         1,  FAULT_UNKNOWN_CUSTOMIZATION,  0 },
};

START_TEST(each_broken_rule_is_one_fault_at_its_place)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        const char *ids[] = {refused[i].first, refused[i].second};
        size_t count = refused[i].second ? 2 : refused[i].first ? 1 : 0;
        struct price_result r = price(refused[i].item, refused[i].quantity, ids, count);

        ck_assert_msg(r.fault_count == 1, "row %zu has %d faults", i, r.fault_count);
        ck_assert_int_eq(r.faults[0].kind, refused[i].kind);
        ck_assert_int_eq(r.faults[0].customization, refused[i].customization);
    }
}
END_TEST

START_TEST(a_drink_is_sold_in_its_season_only)
{
    struct order_line line = {.menu_item_id = "summer-tea", .note = "", .quantity = 1};
    const int64_t moments[] = {999, 1000, 1999, 2000};
    const int faults[] = {1, 0, 0, 1};

    for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
        struct priced_line priced;
        struct price_result r;

        order_price(&menu, &line, 1, moments[i], &priced, &r);
        ck_assert_int_eq(r.fault_count, faults[i]);
    }
}
END_TEST

START_TEST(the_dearest_order_is_still_exact)
{
    struct order_line lines[ORDER_MAX_LINES];
    struct priced_line priced[ORDER_MAX_LINES];
    struct price_result r;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        lines[i] = (struct order_line){.menu_item_id = "gold-coffee", .note = "", .quantity = 50};
    }
    order_price(&menu, lines, ARRAY_LEN(lines), 0, priced, &r);
    ck_assert_int_eq(r.fault_count, 0);
    ck_assert_int_eq(r.total_cents, INT64_C(50) * 50 * 1000000);
}
END_TEST

START_TEST(faults_are_told_up_to_twenty)
{
    struct order_line lines[ORDER_MAX_LINES];
    struct priced_line priced[ORDER_MAX_LINES];
    struct price_result r;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        lines[i] = (struct order_line){.menu_item_id = "motor-oil", .note = "", .quantity = 0};
    }
    order_price(&menu, lines, ARRAY_LEN(lines), 0, priced, &r);
    ck_assert_int_eq(r.fault_count, MAX_FAULTS);
}
END_TEST

TEST_MAIN("order_price", price_is_drink_and_extras_times_quantity,
          each_broken_rule_is_one_fault_at_its_place, a_drink_is_sold_in_its_season_only,
          the_dearest_order_is_still_exact, faults_are_told_up_to_twenty)
