/* The life of a payment: every move that is allowed and no other. WF-16 */
#include "common/base/auto.h"
#include "order-service/payment/payment.h"
#include "tests/helpers/house_test.h"

#include <string.h>

/* Written down a second time, by hand: the table must say the same. */
static const struct {
    enum payment_state from;
    enum payment_command command;
    enum payment_state to;
} allowed[] = {
    {PAYMENT_AUTHORIZED, PAYMENT_BEGIN_CAPTURE,   PAYMENT_CAPTURING},
    {PAYMENT_AUTHORIZED, PAYMENT_BEGIN_RETURN,    PAYMENT_VOIDING  },
    {PAYMENT_CAPTURING,  PAYMENT_CAPTURE_DONE,    PAYMENT_CAPTURED },
    {PAYMENT_CAPTURING,  PAYMENT_CAPTURE_REFUSED, PAYMENT_FAILED   },
    {PAYMENT_CAPTURING,  PAYMENT_BEGIN_RETURN,    PAYMENT_VOIDING  },
    {PAYMENT_CAPTURED,   PAYMENT_BEGIN_RETURN,    PAYMENT_REFUNDING},
    {PAYMENT_VOIDING,    PAYMENT_VOID_DONE,       PAYMENT_VOIDED   },
    {PAYMENT_VOIDING,    PAYMENT_VOID_TOO_LATE,   PAYMENT_REFUNDING},
    {PAYMENT_REFUNDING,  PAYMENT_REFUND_DONE,     PAYMENT_REFUNDED },
    {PAYMENT_REFUNDING,  PAYMENT_REFUND_REFUSED,  PAYMENT_FAILED   },
    {PAYMENT_FAILED,     PAYMENT_BEGIN_RETURN,    PAYMENT_VOIDING  },
    {PAYMENT_SETTLED,    PAYMENT_BEGIN_RETURN,    PAYMENT_REFUNDING},
};

static int expected(enum payment_state from, enum payment_command command)
{
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        if (allowed[i].from == from && allowed[i].command == command) {
            return (int)i;
        }
    }
    return -1;
}

START_TEST(moves_of_money_are_exactly_those_allowed)
{
    for (enum payment_state from = PAYMENT_AUTHORIZED; from <= PAYMENT_SETTLED; from++) {
        for (enum payment_command c = PAYMENT_BEGIN_CAPTURE; c <= PAYMENT_REFUND_REFUSED; c++) {
            const struct payment_transition *t = payment_transition(from, c);
            int i = expected(from, c);

            ck_assert_msg((t != NULL) == (i >= 0), "%s %d", payment_state_name(from), (int)c);
            if (t) {
                ck_assert_int_eq(t->to, allowed[i].to);
            }
        }
    }
}
END_TEST

START_TEST(money_given_back_stays_given_back)
{
    for (enum payment_command c = PAYMENT_BEGIN_CAPTURE; c <= PAYMENT_REFUND_REFUSED; c++) {
        ck_assert_ptr_null(payment_transition(PAYMENT_VOIDED, c));
        ck_assert_ptr_null(payment_transition(PAYMENT_REFUNDED, c));
    }
}
END_TEST

/* Whatever the state, there is a way on for a workflow that must give the money back. */
START_TEST(every_state_can_be_given_back_or_is_between_two)
{
    for (enum payment_state from = PAYMENT_AUTHORIZED; from <= PAYMENT_SETTLED; from++) {
        bool is_over = from == PAYMENT_VOIDED || from == PAYMENT_REFUNDED;
        bool is_on_its_way = from == PAYMENT_VOIDING || from == PAYMENT_REFUNDING;

        ck_assert_msg(is_over || is_on_its_way || payment_transition(from, PAYMENT_BEGIN_RETURN),
                      "%s", payment_state_name(from));
    }
}
END_TEST

START_TEST(names_of_states_read_back)
{
    enum payment_state read;

    for (enum payment_state state = PAYMENT_AUTHORIZED; state <= PAYMENT_SETTLED; state++) {
        ck_assert(payment_state_parse(payment_state_name(state), &read));
        ck_assert_int_eq(read, state);
    }
    ck_assert(!payment_state_parse("none", &read));
}
END_TEST

TEST_MAIN("payment_state", moves_of_money_are_exactly_those_allowed,
          money_given_back_stays_given_back, every_state_can_be_given_back_or_is_between_two,
          names_of_states_read_back)
