/* The life of an order: every move that is allowed, by whom, and no other. ORD-03 */
#include "common/base/auto.h"
#include "order-service/order/order.h"
#include "tests/helpers/house_test.h"

#include <stdlib.h>

/* Written down a second time, by hand: the table must say the same. */
static const struct {
    enum order_status from;
    enum order_command command;
    enum order_status to;
    bool owner;
} allowed[] = {
    {ORDER_PLACED,    COMMAND_ACCEPT,         ORDER_ACCEPTED,  false},
    {ORDER_PLACED,    COMMAND_DECLINE,        ORDER_CANCELLED, false},
    {ORDER_PLACED,    COMMAND_CANCEL,         ORDER_CANCELLED, true },
    {ORDER_PLACED,    COMMAND_EXPIRE_ACCEPT,  ORDER_CANCELLED, false},
    {ORDER_PLACED,    COMMAND_STOP,           ORDER_CANCELLED, false},
    {ORDER_ACCEPTED,  COMMAND_STOP,           ORDER_CANCELLED, false},
    {ORDER_PREPARING, COMMAND_STOP,           ORDER_CANCELLED, false},
    {ORDER_READY,     COMMAND_STOP,           ORDER_CANCELLED, false},
    {ORDER_ACCEPTED,  COMMAND_PREPARE,        ORDER_PREPARING, false},
    {ORDER_ACCEPTED,  COMMAND_READY,          ORDER_READY,     false},
    {ORDER_ACCEPTED,  COMMAND_CANCEL,         ORDER_CANCELLED, false},
    {ORDER_PREPARING, COMMAND_READY,          ORDER_READY,     false},
    {ORDER_PREPARING, COMMAND_CANCEL,         ORDER_CANCELLED, false},
    {ORDER_READY,     COMMAND_UNDO_READY,     ORDER_PREPARING, false},
    {ORDER_READY,     COMMAND_PICK_UP,        ORDER_COMPLETED, true },
    {ORDER_READY,     COMMAND_EXPIRE_COLLECT, ORDER_CANCELLED, false},
    {ORDER_COMPLETED, COMMAND_FIND_UNPAID,    ORDER_COMPLETED, false},
};

static int expected(enum order_status from, enum order_command command)
{
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        if (allowed[i].from == from && allowed[i].command == command) {
            return (int)i;
        }
    }
    return -1;
}

START_TEST(moves_are_exactly_those_allowed)
{
    for (enum order_status from = ORDER_PLACED; from <= ORDER_CANCELLED; from++) {
        for (enum order_command c = COMMAND_PLACE; c <= COMMAND_FIND_UNPAID; c++) {
            const struct transition *t = order_transition(from, c);
            int i = expected(from, c);

            ck_assert_msg((t != NULL) == (i >= 0), "%s %s", order_status_name(from),
                          order_command_name(c));
            if (t) {
                ck_assert_int_eq(t->to, allowed[i].to);
                ck_assert_int_eq(t->owner_may, allowed[i].owner);
            }
        }
    }
}
END_TEST

/* ORD-07 ORD-08 */
START_TEST(a_deadline_ends_only_what_waits_for_it)
{
    const struct order order = {.accept_by_ms = 1000, .collect_by_ms = 2000};

    ck_assert_int_eq(order_expires_by(&order, COMMAND_EXPIRE_ACCEPT), 1000);
    ck_assert_int_eq(order_expires_by(&order, COMMAND_EXPIRE_COLLECT), 2000);
    for (enum order_command c = COMMAND_PLACE; c < COMMAND_EXPIRE_ACCEPT; c++) {
        ck_assert_int_eq(order_expires_by(&order, c), 0);
    }
    ck_assert_int_eq(order_expires_by(&order, COMMAND_STOP), 0);
}
END_TEST

START_TEST(no_move_leaves_a_final_state)
{
    for (enum order_status from = ORDER_PLACED; from <= ORDER_CANCELLED; from++) {
        for (enum order_command c = COMMAND_PLACE; c <= COMMAND_FIND_UNPAID; c++) {
            const struct transition *t = order_transition(from, c);

            ck_assert(!order_is_final(from) || !t || t->to == from);
        }
    }
    ck_assert(order_is_final(ORDER_COMPLETED) && order_is_final(ORDER_CANCELLED));
}
END_TEST

START_TEST(a_customer_alone_moves_no_order_but_ones_own)
{
    for (enum order_status from = ORDER_PLACED; from <= ORDER_CANCELLED; from++) {
        for (enum order_command c = COMMAND_PLACE; c <= COMMAND_FIND_UNPAID; c++) {
            const struct transition *t = order_transition(from, c);

            ck_assert(!t || !(t->roles & ROLE_CUSTOMER));
        }
    }
}
END_TEST

START_TEST(random_walks_end_in_a_final_state_or_go_on)
{
    unsigned seed = 7;

    for (int walk = 0; walk < 10000; walk++) {
        enum order_status now = ORDER_PLACED;

        for (int step = 0; step < 50; step++) {
            enum order_command c =
                (enum order_command)(rand_r(&seed) % (COMMAND_EXPIRE_COLLECT + 1));
            const struct transition *t = order_transition(now, c);

            now = t ? t->to : now;
            ck_assert(now >= ORDER_PLACED && now <= ORDER_CANCELLED);
        }
    }
}
END_TEST

START_TEST(names_read_back)
{
    enum order_status back;

    for (enum order_status s = ORDER_PLACED; s <= ORDER_CANCELLED; s++) {
        ck_assert(order_status_parse(order_status_name(s), &back));
        ck_assert_int_eq(back, s);
    }
    ck_assert(!order_status_parse("lukewarm", &back));
}
END_TEST

START_TEST(each_status_has_one_of_the_display_buckets) /* ORD-28 */
{
    ck_assert_str_eq(order_bucket_name(ORDER_PLACED), "new");
    ck_assert_str_eq(order_bucket_name(ORDER_ACCEPTED), "in_progress");
    ck_assert_str_eq(order_bucket_name(ORDER_PREPARING), "in_progress");
    ck_assert_str_eq(order_bucket_name(ORDER_READY), "ready");
}
END_TEST

START_TEST(a_person_gives_no_reason_that_money_goes_by)
{
    static const char *const codes[] = {"not_accepted", "not_collected", "payment_failed",
                                        "workflow_cancelled"};

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        ck_assert_str_eq(order_cancel_reason(COMMAND_CANCEL, codes[i]), "cancelled");
        ck_assert_str_eq(order_cancel_reason(COMMAND_DECLINE, codes[i]), "declined");
        ck_assert_str_eq(order_cancel_reason(COMMAND_STOP, codes[i]), codes[i]);
    }
    ck_assert_str_eq(order_cancel_reason(COMMAND_CANCEL, "no beans"), "no beans");
    ck_assert_str_eq(order_cancel_reason(COMMAND_CANCEL, ""), "cancelled");
    ck_assert_str_eq(order_cancel_reason(COMMAND_EXPIRE_COLLECT, NULL), "not_collected");
    ck_assert_str_eq(order_cancel_reason(COMMAND_EXPIRE_ACCEPT, NULL), "not_accepted");
}
END_TEST

TEST_MAIN("order_state", moves_are_exactly_those_allowed, a_deadline_ends_only_what_waits_for_it,
          no_move_leaves_a_final_state, a_deadline_ends_only_what_waits_for_it,
          a_customer_alone_moves_no_order_but_ones_own, random_walks_end_in_a_final_state_or_go_on,
          names_read_back, each_status_has_one_of_the_display_buckets,
          a_person_gives_no_reason_that_money_goes_by)
