/* links: test_db test_payment
 * What the sweep does with holds that no order came of, round by round: what the provider holds
 * open, what is ours to void, and what of that fails. */
#include "tests/integration/order-service/payment/till.h"

#include <limits.h>

START_TEST(a_hold_without_an_order_is_swept_and_those_of_orders_stay) /* PAY-05 */
{
    struct order_id order = till_order(450);
    struct payment_hold lost, unheard;

    ck_assert_int_eq(till_hold("lost", 700, &lost), ST_OK);
    fake_payment_faults(&till.provider, "silent:authorize:100:1:0");
    till_wait_for_it(TILL_SILENCE_MS);
    ck_assert_int_eq(till_hold(NULL, 900, &unheard), ST_UNAVAILABLE);
    till_wait_for_it(TILL_TIMEOUT_MS);
    ck_assert_int_eq(books("heldCents"), 2050);
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_int_eq(books("heldCents"), 450);
    ck_assert_str_eq(till_state(order), "authorized");
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM payment.payments WHERE order_id IS NULL "
                                 "AND state = 'voided'"),
                     "2");
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM outbox.events"), "0");
}
END_TEST

START_TEST(no_order_can_take_a_hold_that_was_given_up) /* PAY-05 */
{
    struct payment_hold hold;
    struct order_id order;

    ck_assert_int_eq(till_hold("slow", 700, &hold), ST_OK);
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert(!till_place(&hold, &order));
}
END_TEST

START_TEST(the_same_request_again_gets_a_new_hold_once_its_first_was_voided) /* PAY-02 */
{
    struct payment_hold first, again, third;

    ck_assert_int_eq(till_hold("again", 700, &first), ST_OK);
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_int_eq(till_hold("again", 700, &again), ST_OK);
    ck_assert_str_ne(first.id, again.id);
    ck_assert_int_eq(till_hold("again", 700, &third), ST_OK);
    ck_assert_str_eq(again.id, third.id);
    ck_assert_int_eq(books("heldCents"), 700);
}
END_TEST

START_TEST(a_hold_that_cannot_be_voided_keeps_no_other_from_its_turn)
{
    struct payment_hold hold;

    ck_assert_int_eq(till_hold(NULL, 700, &hold), ST_OK);
    ck_assert_int_eq(till_hold(NULL, 700, &hold), ST_OK);
    fake_payment_faults(&till.provider, "decline:void:100:1:0");
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_int_eq(books("heldCents"), 700);
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_int_eq(books("heldCents"), 0);
}
END_TEST

/* PAY-05: what was voided long ago costs nothing, and behind what was tried comes the rest. */
START_TEST(a_round_voids_a_bounded_part_by_an_index_and_the_next_goes_on)
{
    static const char to_void[] = "SELECT count(*) FROM payment.payments WHERE to_void";
    test_db_run("INSERT INTO payment.payments (hold_id, amount_cents, currency, state)"
                " SELECT 'old-' || n, 1, 'EUR', 'voided' FROM generate_series(1, 3000) n;"
                "INSERT INTO payment.payments (hold_id, amount_cents, currency, state)"
                " SELECT 'lost-' || n, 1, 'EUR', 'voiding' FROM generate_series(1, 250) n;"
                "ANALYZE payment.payments");
    const char *plan = test_db_ask("EXPLAIN (FORMAT JSON, COSTS OFF) SELECT * FROM payment.payments"
                                   " WHERE to_void AND hold_id > '2' ORDER BY hold_id LIMIT 100");
    ck_assert_ptr_nonnull(strstr(plan, "payments_to_void"));
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_str_eq(test_db_ask(to_void), "50");
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_str_eq(test_db_ask(to_void), "0");
}
END_TEST

/* PAY-05 */
START_TEST(a_round_reads_a_bounded_part_of_a_long_list_and_the_next_goes_on)
{
    enum { OPEN = 510 };
    struct payment_hold lost;
    for (int i = 0; i < OPEN; i++) {
        (void)till_order(1);
    }
    ck_assert_int_eq(till_hold(NULL, 700, &lost), ST_OK);
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_int_eq(books("heldCents"), OPEN + 700);
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_int_eq(books("heldCents"), OPEN);
}
END_TEST

START_TEST(what_was_given_up_is_voided_though_the_list_cannot_be_had)
{
    struct payment_hold hold;

    ck_assert_int_eq(till_hold(NULL, 700, &hold), ST_OK);
    fake_payment_faults(&till.provider, "decline:void:100:1:0");
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT state FROM payment.payments"), "voiding");
    till.service.config.payment_sweep_after_s = INT_MAX; /* a time that the provider refuses */
    ck_assert_int_eq(till_sweep(), ST_CONFLICT);
    ck_assert_str_eq(test_db_ask("SELECT state FROM payment.payments"), "voided");
    ck_assert_int_eq(books("heldCents"), 0);
}
END_TEST

START_TEST(a_walk_whose_place_the_provider_refuses_begins_from_the_start) /* PAY-05 */
{
    struct payment_hold hold;

    ck_assert_int_eq(till_hold(NULL, 700, &hold), ST_OK);
    text_copy(till.sweep.open, HOLD_ID_SIZE, "gone&limit=0"); /* 400 to all that it begins */
    ck_assert_int_eq(till_sweep(), ST_CONFLICT);
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_int_eq(books("heldCents"), 0);
}
END_TEST

START_TEST(a_walk_keeps_its_place_while_the_provider_is_away) /* PAY-05 */
{
    text_copy(till.sweep.open, HOLD_ID_SIZE, "the-last-of-that-page");
    fake_payment_kill(&till.provider);
    ck_assert_int_eq(till_sweep(), ST_UNAVAILABLE);
    ck_assert_str_eq(till.sweep.open, "the-last-of-that-page");
    fake_payment_revive(&till.provider);
}
END_TEST

START_TEST(a_sweep_that_died_half_way_is_finished_by_the_next)
{
    struct payment_hold hold;

    ck_assert_int_eq(till_hold(NULL, 700, &hold), ST_OK);
    fake_payment_faults(&till.provider, "error:void:100:1:0");
    ck_assert_int_eq(till_sweep(), ST_OK); /* voided there, and we do not know it */
    ck_assert_str_eq(test_db_ask("SELECT state FROM payment.payments"), "voiding");
    ck_assert_int_eq(till_sweep(), ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT state FROM payment.payments"), "voided");
}
END_TEST

TEST_MAIN_AROUND("payment_sweep",
                 (&(struct test_around){.start = till_make,
                                        .stop = test_db_drop,
                                        .before = till_open,
                                        .after = till_close}),
                 a_hold_without_an_order_is_swept_and_those_of_orders_stay,
                 no_order_can_take_a_hold_that_was_given_up,
                 the_same_request_again_gets_a_new_hold_once_its_first_was_voided,
                 a_hold_that_cannot_be_voided_keeps_no_other_from_its_turn,
                 a_round_voids_a_bounded_part_by_an_index_and_the_next_goes_on,
                 a_round_reads_a_bounded_part_of_a_long_list_and_the_next_goes_on,
                 what_was_given_up_is_voided_though_the_list_cannot_be_had,
                 a_walk_whose_place_the_provider_refuses_begins_from_the_start,
                 a_walk_keeps_its_place_while_the_provider_is_away,
                 a_sweep_that_died_half_way_is_finished_by_the_next)
