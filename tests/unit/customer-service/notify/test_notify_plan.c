/* Who is told what of each step of an order, and that it fits into a notice. */
#include "common/base/auto.h"
#include "customer-service/notify/notify_plan.h"
#include "tests/helpers/house_test.h"

#include <string.h>

#define ORDER_ID "019aa1f0-5c3e-7000-8000-00000000cafe"

static struct notify_order order_of(enum notify_by by, bool accepted)
{
    return (struct notify_order){.id = ORDER_ID,
                                 .customer = "019aa1f0-5c3e-7000-8000-00000000beef",
                                 .number = 7,
                                 .drink = "Flat White",
                                 .reason = "",
                                 .accepted = accepted,
                                 .by = by};
}

START_TEST(each_step_has_its_audience_and_activity)
{
    static const struct {
        const char *type;
        enum notify_audience audience;
        enum notify_live live;
    } steps[] = {
        {"OrderPlaced",      TELL_BARISTAS, LIVE_START },
        {"OrderAccepted",    TELL_CUSTOMER, LIVE_UPDATE},
        {"OrderPreparing",   TELL_NOBODY,   LIVE_UPDATE},
        {"OrderReady",       TELL_CUSTOMER, LIVE_UPDATE},
        {"OrderReadyUndone", TELL_CUSTOMER, LIVE_UPDATE},
        {"OrderCompleted",   TELL_CUSTOMER, LIVE_END   },
        {"OrderUnpaid",      TELL_BARISTAS, LIVE_NONE  },
    };
    struct notify_order order = order_of(BY_STAFF, true);

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        const struct notify_plan *plan = notify_plan_find(steps[i].type, &order);

        ck_assert_msg(plan && plan->audience == steps[i].audience && plan->live == steps[i].live,
                      "%s", steps[i].type);
    }
    ck_assert_ptr_null(notify_plan_find("DrinkPrepared", &order));
}
END_TEST

/* docs/adr/0028 */
START_TEST(what_was_not_paid_is_said_to_the_bar_and_to_who_had_it)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct notify_order order = order_of(BY_STAFF, true);
    const struct notify_plan *bar = notify_plan_find("OrderUnpaid", &order);
    const struct notify_plan *customer = notify_plan_next(bar, "OrderUnpaid", &order);

    ck_assert(customer && customer->audience == TELL_CUSTOMER && bar->audience == TELL_BARISTAS);
    ck_assert_str_ne(customer->stage, bar->stage); /* somebody may be both */
    ck_assert_ptr_nonnull(strstr(notify_alert(arena, customer, &order),
                                 "\"Sorry, your card was refused for your Flat White."
                                 " Please pay at the counter.\""));
    ck_assert_ptr_null(notify_plan_next(customer, "OrderUnpaid", &order));
}
END_TEST

START_TEST(everything_else_is_said_once)
{
    static const char *const types[] = {"OrderPlaced",     "OrderAccepted",  "OrderPreparing",
                                        "OrderReady",      "OrderCompleted", "OrderCancelled",
                                        "OrderReadyUndone"};

    for (size_t i = 0; i < 2 * ARRAY_LEN(types); i++) {
        const char *type = types[i / 2];

        for (enum notify_by by = BY_CUSTOMER; by <= BY_PAYMENT; by++) {
            struct notify_order order = order_of(by, i % 2);
            const struct notify_plan *first = notify_plan_find(type, &order);

            ck_assert_msg(!first || !notify_plan_next(first, type, &order), "%s", type);
        }
    }
}
END_TEST

START_TEST(who_ended_an_order_decides_what_is_said)
{
    static const struct {
        enum notify_by by;
        bool accepted;
        const char *title;
    } ends[] = {
        {BY_STAFF,    false, "Order declined"    },
        {BY_STAFF,    true,  "Order cancelled"   },
        {BY_CLOCK,    false, "Order not accepted"},
        {BY_CLOCK,    true,  "Not picked up"     },
        {BY_PAYMENT,  true,  "Order cancelled"   },
        {BY_PAYMENT,  false, "Order cancelled"   },
        {BY_CUSTOMER, false, NULL                },
        {BY_CUSTOMER, true,  NULL                },
    };

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        struct notify_order order = order_of(ends[i].by, ends[i].accepted);
        const struct notify_plan *plan = notify_plan_find("OrderCancelled", &order);

        ck_assert_ptr_nonnull(plan);
        ck_assert_int_eq(plan->live, LIVE_END);
        ck_assert_pstr_eq(plan->title, ends[i].title);
    }
}
END_TEST

START_TEST(what_is_stopped_is_not_said_to_be_not_picked_up)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct notify_order order = order_of(notify_by_reason("payment_failed"), true);
    const char *payload = notify_alert(arena, notify_plan_find("OrderCancelled", &order), &order);

    ck_assert_ptr_nonnull(strstr(payload, "the payment did not go through"));
    ck_assert_int_eq(notify_by_reason("workflow_cancelled"), BY_STAFF);
    ck_assert_int_eq(notify_by_reason("not_accepted"), BY_CLOCK);
    ck_assert_int_eq(notify_by_reason("not_collected"), BY_CLOCK);
}
END_TEST

/* Where payments are off there is nothing to give back. */
START_TEST(who_is_cancelled_by_staff_is_told_what_is_so_with_and_without_payments)
{
    AUTO(arena) struct arena *arena = arena_new(1024);

    for (int accepted = 0; accepted <= 1; accepted++) {
        struct notify_order order = order_of(notify_by_reason("workflow_cancelled"), accepted);
        const char *payload =
            notify_alert(arena, notify_plan_find("OrderCancelled", &order), &order);

        ck_assert_ptr_nonnull(strstr(payload, "You are not charged."));
        ck_assert_ptr_null(strstr(payload, "refund"));
    }
}
END_TEST

START_TEST(a_drink_is_quoted_and_stands_in_the_text)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct notify_order order = order_of(BY_STAFF, true);

    order.drink = "\"Grandma's\" 100% %s";
    const char *payload = notify_alert(arena, notify_plan_find("OrderReady", &order), &order);
    ck_assert_ptr_nonnull(
        strstr(payload, "\"body\":\"Your \\\"Grandma's\\\" 100% %s is ready at the counter.\""));
    ck_assert_ptr_nonnull(strstr(payload, "\"orderId\":\"" ORDER_ID "\""));
}
END_TEST

START_TEST(collapse_ids_are_short_and_keep_customers_and_baristas_apart)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct notify_order order = order_of(BY_STAFF, true);
    const char *ready = notify_collapse_id(arena, notify_plan_find("OrderReady", &order), &order);
    const char *undone =
        notify_collapse_id(arena, notify_plan_find("OrderReadyUndone", &order), &order);
    const char *placed = notify_collapse_id(arena, notify_plan_find("OrderPlaced", &order), &order);

    ck_assert_str_eq(ready, undone);
    ck_assert_str_ne(ready, placed);
    ck_assert_uint_le(strlen(ready), 64);
}
END_TEST

START_TEST(what_is_ready_is_shown_with_its_photo_and_nothing_else_is) /* PUSH-15 */
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct notify_order order = order_of(BY_STAFF, true);
    const struct notify_plan *ready = notify_plan_find("OrderReady", &order);
    const struct notify_plan *done = notify_plan_find("OrderCompleted", &order);

    ck_assert_ptr_null(strstr(notify_alert(arena, ready, &order), "mutable-content"));
    order.photo = "https://coffee.local/photos/1/medium";
    ck_assert_ptr_nonnull(strstr(notify_alert(arena, ready, &order),
                                 ",\"image\":\"https://coffee.local/photos/1/medium\"}"));
    ck_assert_ptr_nonnull(strstr(notify_alert(arena, ready, &order), "\"mutable-content\":1"));
    ck_assert_ptr_nonnull(strstr(notify_web(arena, ready, &order), ",\"image\":\"https:"));
    ck_assert_ptr_null(strstr(notify_alert(arena, done, &order), "image"));
}
END_TEST

TEST_MAIN("notify_plan", what_is_ready_is_shown_with_its_photo_and_nothing_else_is,
          each_step_has_its_audience_and_activity,
          what_was_not_paid_is_said_to_the_bar_and_to_who_had_it, everything_else_is_said_once,
          who_ended_an_order_decides_what_is_said, what_is_stopped_is_not_said_to_be_not_picked_up,
          who_is_cancelled_by_staff_is_told_what_is_so_with_and_without_payments,
          a_drink_is_quoted_and_stands_in_the_text,
          collapse_ids_are_short_and_keep_customers_and_baristas_apart)
