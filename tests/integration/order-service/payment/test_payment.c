/* links: test_db test_payment
 * Holding, taking and giving back, against the provider's process: what each answer, each lost
 * answer and each race leaves behind, here and in the provider's own books. */
#include "tests/helpers/patience.h"
#include "tests/integration/order-service/payment/till.h"

#include <pthread.h>
#include <stdio.h>

enum {
    TWINS = 10,
    TO_BREAK = 4 /* failures after which the provider is not asked for a moment */
};

START_TEST(money_is_held_then_taken_then_given_back) /* PAY-01, WF-16 */
{
    struct order_id order = till_order(450);
    enum payment_returned what;

    ck_assert_int_eq(books("heldCents"), 450);
    ck_assert_int_eq(till_capture(order), ST_OK);
    ck_assert_str_eq(till_state(order), "captured");
    ck_assert_int_eq(books("capturedCents"), 450);
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(what, PAYMENT_WAS_REFUNDED);
    ck_assert_str_eq(till_state(order), "refunded");
    ck_assert_int_eq(books("refundedCents"), 450);
    ck_assert_str_eq(test_db_ask("SELECT string_agg(topic, ' ' ORDER BY id) FROM outbox.events"),
                     "payment.completed payment.refunded");
    ck_assert_str_eq(
        test_db_ask("SELECT string_agg(state::text, ' ' ORDER BY seq) FROM payment.payment_events"),
        "capturing captured refunding refunded");
}
END_TEST

START_TEST(what_is_only_held_is_voided) /* PAY-06, WF-16 */
{
    struct order_id order = till_order(450);
    enum payment_returned what;

    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(what, PAYMENT_WAS_VOIDED);
    ck_assert_str_eq(till_state(order), "voided");
    ck_assert_int_eq(books("heldCents") + books("capturedCents") + books("refundedCents"), 0);
    ck_assert_int_eq(till_capture(order), ST_CONFLICT);
}
END_TEST

START_TEST(an_order_without_a_payment_needs_nothing)
{
    struct order_id order;
    enum payment_returned what;

    uuid_v7(order.text);
    ck_assert_int_eq(till_capture(order), ST_OK);
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(what, PAYMENT_NOTHING_TO_RETURN);
}
END_TEST

START_TEST(with_payments_off_nothing_is_held)
{
    struct payment_hold hold;

    payment_provider_free(till.service.payments);
    till.service.payments = NULL;
    ck_assert_int_eq(till_hold(NULL, 450, &hold), ST_OK);
    ck_assert_str_eq(hold.id, "");
    ck_assert_int_eq(till_sweep(), ST_OK);
}
END_TEST

START_TEST(a_declined_card_is_said_so) /* PAY-05 */
{
    struct ctx *ctx = till_ctx("k");
    struct payment_request request = {
        .method = "PlaceOrder", .currency = "EUR", .amount_cents = 1013};
    struct payment_hold hold;

    ck_assert_int_eq(payment_authorize(ctx, &till.service, &request, &hold), ST_CONFLICT);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_PAYMENT_DECLINED);
    ck_assert_int_eq(problem_http(ctx->failure.problem), 402);
    ctx_free(ctx);
    ck_assert_int_eq(books("heldCents"), 0);
}
END_TEST

/* ---- twins ---- */

struct twin {
    pthread_t thread;
    bool has_no_key;
    struct order_id order;
    struct payment_hold hold;
    enum status status;
};

static void *hold_once(void *user)
{
    struct twin *twin = user;

    twin->status = till_hold(twin->has_no_key ? NULL : "the-same-key", 450, &twin->hold);
    return NULL;
}

static void *capture_once(void *user)
{
    struct twin *twin = user;

    twin->status = till_capture(twin->order);
    return NULL;
}

static void *return_once(void *user)
{
    enum payment_returned what;
    struct twin *twin = user;

    twin->status = till_return(twin->order, &what);
    return NULL;
}

static void run_twins(struct twin *twins, size_t count, void *(*run)(void *))
{
    warm_pool(till.service.pool, TILL_POOL);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(pthread_create(&twins[i].thread, NULL, run, &twins[i]), 0);
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(twins[i].thread, NULL);
    }
}

START_TEST(the_same_key_ten_times_at_once_holds_once) /* PAY-02 */
{
    struct twin twins[TWINS] = {0};

    run_twins(twins, TWINS, hold_once);
    for (size_t i = 0; i < TWINS; i++) {
        ck_assert_int_eq(twins[i].status, ST_OK);
        ck_assert_str_eq(twins[i].hold.id, twins[0].hold.id);
    }
    ck_assert_int_eq(books("authorizations"), 1);
    ck_assert_int_eq(books("heldCents"), 450);
}
END_TEST

START_TEST(ten_captures_at_once_charge_once) /* PAY-02 */
{
    struct twin twins[TWINS] = {0};
    struct order_id order = till_order(450);

    for (size_t i = 0; i < TWINS; i++) {
        twins[i].order = order;
    }
    run_twins(twins, TWINS, capture_once);
    for (size_t i = 0; i < TWINS; i++) {
        ck_assert_int_eq(twins[i].status, ST_OK);
    }
    ck_assert_int_eq(books("capturedCents"), 450);
    ck_assert_str_eq(
        test_db_ask("SELECT count(*) FROM outbox.events WHERE topic = 'payment.completed'"), "1");
}
END_TEST

START_TEST(ten_refunds_at_once_refund_once) /* PAY-02, PAY-06 */
{
    struct twin twins[TWINS] = {0};
    struct order_id order = till_order(450);

    ck_assert_int_eq(till_capture(order), ST_OK);
    for (size_t i = 0; i < TWINS; i++) {
        twins[i].order = order;
    }
    run_twins(twins, TWINS, return_once);
    for (size_t i = 0; i < TWINS; i++) {
        ck_assert_int_eq(twins[i].status, ST_OK);
    }
    ck_assert_int_eq(books("refundedCents"), 450);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM outbox.events"), "2");
}
END_TEST

START_TEST(a_capture_racing_a_cancel_leaves_nothing_taken) /* WF-16 */
{
    warm_pool(till.service.pool, TILL_POOL);
    for (int round = 0; round < 20; round++) {
        struct order_id order = till_order(100);
        struct twin capture = {.order = order}, back = {.order = order};

        pthread_create(&capture.thread, NULL, capture_once, &capture);
        pthread_create(&back.thread, NULL, return_once, &back);
        pthread_join(capture.thread, NULL);
        pthread_join(back.thread, NULL);
        ck_assert_int_eq(back.status, ST_OK);
        ck_assert(capture.status == ST_OK || capture.status == ST_CONFLICT);
        ck_assert(strcmp(till_state(order), "voided") == 0 ||
                  strcmp(till_state(order), "refunded") == 0);
    }
    ck_assert_int_eq(books("heldCents"), 0);
    ck_assert_int_eq(books("capturedCents"), books("refundedCents"));
}
END_TEST

/* ---- faults ---- */

START_TEST(a_provider_that_stands_still_is_told_in_time) /* PAY-05 */
{
    struct payment_hold hold;

    fake_payment_freeze(&till.provider, true);
    ck_assert_quick(TILL_IMPATIENT_MS + 700, {
        till_wait_for_it(TILL_IMPATIENT_MS);
        int64_t begin = clock_monotonic_ms();
        ck_assert_int_eq(till_hold(NULL, 450, &hold), ST_UNAVAILABLE);
        ck_assert_int_ge(clock_monotonic_ms() - begin, TILL_IMPATIENT_MS - 50);
    });
    fake_payment_freeze(&till.provider, false);
}
END_TEST

START_TEST(a_provider_that_is_away_costs_the_next_no_wait)
{
    struct payment_hold hold;

    fake_payment_freeze(&till.provider, true);
    ck_assert_quick(TO_BREAK * TILL_IMPATIENT_MS + 500, {
        till_wait_for_it(TILL_IMPATIENT_MS);
        for (int i = 0; i <= TO_BREAK; i++) {
            ck_assert_int_eq(till_hold(NULL, 450, &hold), ST_UNAVAILABLE);
        }
    });
    fake_payment_freeze(&till.provider, false);
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    while (till_hold(NULL, 450, &hold) != ST_OK) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(50);
    }
}
END_TEST

static void hold_within(int64_t ms)
{
    struct ctx *ctx = till_ctx(NULL);
    struct payment_request request = {
        .method = "PlaceOrder", .currency = "EUR", .amount_cents = 450};
    struct payment_hold hold;

    ctx->deadline_ms = clock_monotonic_ms() + ms;
    ck_assert_int_eq(payment_authorize(ctx, &till.service, &request, &hold), ST_UNAVAILABLE);
    ctx_free(ctx);
}

START_TEST(who_has_no_time_left_says_nothing_of_the_provider) /* PAY-05 */
{
    struct payment_hold hold;

    fake_payment_faults(&till.provider, "slow:authorize:100:4:150");
    for (int i = 0; i < TO_BREAK; i++) {
        hold_within(0);
        hold_within(30);
    }
    ck_assert_int_eq(till_hold(NULL, 450, &hold), ST_OK);
}
END_TEST

/* PAY-05: also where it may take longer than who places has left. */
START_TEST(a_provider_that_had_a_second_of_our_time_and_no_answer_is_away)
{
    till_wait_for_it(5000);
    fake_payment_freeze(&till.provider, true);
    for (int i = 0; i < TO_BREAK; i++) {
        hold_within(1200);
    }
    ck_assert_quick(800, hold_within(1200));
    fake_payment_freeze(&till.provider, false);
}
END_TEST

START_TEST(an_answer_lost_after_charging_is_heard_the_second_time) /* PAY-02, WF-16 */
{
    struct order_id order = till_order(450);

    till_capture_unheard(order);
    ck_assert_str_eq(till_state(order), "capturing");
    ck_assert_int_eq(books("capturedCents"), 450);
    ck_assert_int_eq(till_capture(order), ST_OK);
    ck_assert_str_eq(till_state(order), "captured");
    ck_assert_int_eq(books("capturedCents"), 450);
}
END_TEST

START_TEST(a_capture_that_landed_unheard_is_refunded_by_a_cancel) /* WF-16, PAY-06 */
{
    struct order_id order = till_order(450);
    enum payment_returned what;

    till_capture_unheard(order);
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(what, PAYMENT_WAS_REFUNDED);
    ck_assert_int_eq(books("refundedCents"), 450);
}
END_TEST

START_TEST(a_capture_that_never_arrived_is_voided_by_a_cancel) /* WF-16 */
{
    struct order_id order = till_order(450);
    enum payment_returned what;

    fake_payment_faults(&till.provider, "unavailable:capture:100:1:0");
    ck_assert_int_eq(till_capture(order), ST_UNAVAILABLE);
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(what, PAYMENT_WAS_VOIDED);
    ck_assert_int_eq(books("capturedCents") + books("heldCents"), 0);
}
END_TEST

START_TEST(a_refused_capture_fails_and_the_hold_is_voided) /* WF-16 */
{
    struct order_id order = till_order(450);
    enum payment_returned what;

    fake_payment_faults(&till.provider, "decline:capture:100:1:0");
    ck_assert_int_eq(till_capture(order), ST_CONFLICT);
    ck_assert_str_eq(till_state(order), "failed");
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(what, PAYMENT_WAS_VOIDED);
    ck_assert_int_eq(books("heldCents"), 0);
    ck_assert_str_eq(test_db_ask("SELECT string_agg(topic, ' ' ORDER BY id) FROM outbox.events"),
                     "payment.failed payment.refunded");
    ck_assert_str_eq(test_db_ask("SELECT failure_code FROM payment.payments"), "card_declined");
}
END_TEST

START_TEST(a_refused_void_is_not_taken_for_one_that_was_done) /* PAY-06 */
{
    struct order_id order = till_order(450);
    enum payment_returned what;

    fake_payment_faults(&till.provider, "decline:void:100:1:0");
    ck_assert_int_eq(till_return(order, &what), ST_UNAVAILABLE);
    ck_assert_int_eq(books("heldCents"), 450);
    ck_assert_str_eq(till_state(order), "voiding");
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM outbox.events"), "0");
    ck_assert_int_eq(till_return(order, &what), ST_OK); /* not the refusal once more */
    ck_assert_int_eq(what, PAYMENT_WAS_VOIDED);
    ck_assert_int_eq(books("heldCents"), 0);
}
END_TEST

START_TEST(a_refund_that_fails_twice_is_made_once_by_the_third) /* PAY-06 */
{
    struct order_id order = till_order(450);
    enum payment_returned what;

    ck_assert_int_eq(till_capture(order), ST_OK);
    fake_payment_faults(&till.provider, "unavailable:refund:100:1:0 error:refund:100:1:0");
    ck_assert_int_eq(till_return(order, &what), ST_UNAVAILABLE);
    ck_assert_int_eq(till_return(order, &what), ST_UNAVAILABLE);
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(what, PAYMENT_WAS_REFUNDED);
    ck_assert_int_eq(books("refundedCents"), 450);
    ck_assert_str_eq(
        test_db_ask("SELECT count(*) FROM payment.payment_events WHERE state = 'refunded'"), "1");
}
END_TEST

static struct order_id order_whose_refund_was_refused(void)
{
    struct order_id order = till_order(450);
    enum payment_returned what;

    ck_assert_int_eq(till_capture(order), ST_OK);
    fake_payment_faults(&till.provider, "decline:refund:100:1:0");
    ck_assert_int_eq(till_return(order, &what), ST_CONFLICT);
    ck_assert_str_eq(till_state(order), "failed");
    return order;
}

START_TEST(a_refused_refund_is_made_once_when_the_cause_is_gone) /* PAY-06, PAY-02 */
{
    struct order_id order = order_whose_refund_was_refused();
    struct twin twins[TWINS] = {0};

    for (size_t i = 0; i < TWINS; i++) {
        twins[i].order = order;
    }
    run_twins(twins, TWINS, return_once);
    for (size_t i = 0; i < TWINS; i++) {
        ck_assert_int_eq(twins[i].status, ST_OK);
    }
    ck_assert_str_eq(till_state(order), "refunded");
    ck_assert_int_eq(books("refundedCents"), 450);
}
END_TEST

START_TEST(a_refund_after_a_refused_one_whose_answer_is_lost_is_made_once) /* PAY-06, PAY-02 */
{
    struct order_id order = order_whose_refund_was_refused();
    enum payment_returned what;

    fake_payment_faults(&till.provider, "silent:refund:100:1:0 error:refund:100:1:0");
    till_wait_for_it(TILL_SILENCE_MS);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(till_return(order, &what), ST_UNAVAILABLE);
        till_wait_for_it(TILL_TIMEOUT_MS);
        ck_assert_str_eq(till_state(order), "refunding");
        ck_assert_int_eq(books("refundedCents"), 450);
    }
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(what, PAYMENT_WAS_REFUNDED);
    ck_assert_int_eq(books("refundedCents"), 450);
}
END_TEST

START_TEST(a_refund_refused_twice_is_made_by_the_third) /* PAY-06 */
{
    struct order_id order = order_whose_refund_was_refused();
    enum payment_returned what;

    fake_payment_faults(&till.provider, "decline:refund:100:1:0");
    ck_assert_int_eq(till_return(order, &what), ST_CONFLICT);
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(books("refundedCents"), 450);
}
END_TEST

/* A refused capture leaves its code, and a release before this one asked with the order's key,
 * whatever was refused before. PAY-02 */
START_TEST(a_refund_that_was_begun_before_this_release_is_finished_with_its_key)
{
    struct order_id order = till_order(450);
    struct ctx *ctx = till_ctx(NULL);
    enum payment_returned what;
    struct provider_answer answer;

    ck_assert_int_eq(till_capture(order), ST_OK);
    test_db_run("UPDATE payment.payments SET state = 'refunding', version = version + 3,"
                " failure_code = 'card_declined'");
    struct provider_request request = {
        .act = PROVIDER_REFUND,
        .key = arena_printf(ctx->arena, "refund-%s", order.text),
        .hold_id = test_db_ask("SELECT hold_id FROM payment.payments"),
        .amount_cents = 450,
    };
    ck_assert_int_eq(payment_provider_ask(ctx, till.service.payments, &request, &answer), ST_OK);
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(what, PAYMENT_WAS_REFUNDED);
    ck_assert_int_eq(books("refundedCents"), 450);
    ctx_free(ctx);
}
END_TEST

START_TEST(a_killed_provider_has_forgotten_nothing) /* PAY-02 */
{
    struct order_id order = till_order(450);
    enum payment_returned what;

    ck_assert_int_eq(till_capture(order), ST_OK);
    fake_payment_kill(&till.provider);
    ck_assert_int_eq(till_return(order, &what), ST_UNAVAILABLE);
    fake_payment_revive(&till.provider);
    ck_assert_int_eq(books("capturedCents"), 450);
    ck_assert_int_eq(till_return(order, &what), ST_OK);
    ck_assert_int_eq(books("refundedCents"), 450);
}
END_TEST

/* ---- keys ---- */

START_TEST(the_same_key_for_another_customer_is_another_hold) /* PAY-02 */
{
    static const char *const customers[] = {"019aa1f0-5c3e-7000-8000-00000000cafe",
                                            "019aa1f0-5c3e-7000-8000-00000000beef"};
    struct payment_hold holds[2];

    for (int i = 0; i < 2; i++) {
        struct ctx *ctx = till_ctx("of one barista");
        struct payment_request request = {
            .method = "PlaceOrder", .currency = "EUR", .amount_cents = 450};

        text_copy(request.customer.text, sizeof(request.customer.text), customers[i]);
        ck_assert_int_eq(payment_authorize(ctx, &till.service, &request, &holds[i]), ST_OK);
        ctx_free(ctx);
    }
    ck_assert_str_ne(holds[0].id, holds[1].id);
    ck_assert_int_eq(books("heldCents"), 900);
}
END_TEST

START_TEST(a_key_that_the_provider_knows_for_something_else_is_not_to_be_tried_again) /* PAY-02 */
{
    struct ctx *ctx = till_ctx(NULL);
    struct provider_answer answer;
    struct provider_request request = {
        .act = PROVIDER_AUTHORIZE, .key = "k", .currency = "EUR", .customer = "a"};

    ck_assert_int_eq(payment_provider_ask(ctx, till.service.payments, &request, &answer), ST_OK);
    request.customer = "b";
    ck_assert_int_ne(payment_provider_ask(ctx, till.service.payments, &request, &answer), ST_OK);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_IDEMPOTENCY_MISMATCH);
    ctx_free(ctx);
}
END_TEST

/* ---- a provider that is slow ---- */

START_TEST(a_slow_provider_holds_half_the_workers_and_no_more) /* PAY-05 */
{
    struct twin twins[3] = {{.has_no_key = true}, {.has_no_key = true}, {.has_no_key = true}};
    struct payment_hold hold;
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    payment_provider_free(till.service.payments);
    till.service.payments = payment_provider_new(till.provider.url, 20000, 3);
    fake_payment_faults(&till.provider, "slow:authorize:100:3:6000");
    for (size_t i = 0; i < ARRAY_LEN(twins); i++) {
        ck_assert_int_eq(pthread_create(&twins[i].thread, NULL, hold_once, &twins[i]), 0);
    }
    while (books("authorizations") < (long long)ARRAY_LEN(twins)) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(10);
    }
    clock_pause_ms(350); /* so late it is slow */
    ck_assert_quick(300, ck_assert_int_eq(till_hold(NULL, 450, &hold), ST_UNAVAILABLE));
    for (size_t i = 0; i < ARRAY_LEN(twins); i++) {
        pthread_join(twins[i].thread, NULL);
        ck_assert_int_eq(twins[i].status, ST_OK);
    }
    ck_assert_int_eq(till_hold(NULL, 450, &hold), ST_OK);
}
END_TEST

START_TEST(only_the_owner_and_an_admin_see_a_payment) /* SEC-08 */
{
    struct order_id order = till_order(450);
    struct ctx *ctx = till_ctx(NULL);
    struct payment found;

    ck_assert_int_eq(payment_get(ctx, &till.service, order, &found), ST_OK);
    ck_assert_int_eq(found.amount_cents, 450);
    uuid_v7(ctx->caller.subject);
    ck_assert_int_eq(payment_get(ctx, &till.service, order, &found), ST_NOT_FOUND);
    ctx->caller.role = ROLE_BARISTA;
    ck_assert_int_eq(payment_get(ctx, &till.service, order, &found), ST_NOT_FOUND);
    ctx->caller.role = ROLE_ADMIN;
    ck_assert_int_eq(payment_get(ctx, &till.service, order, &found), ST_OK);
    ctx_free(ctx);
}
END_TEST

START_TEST(payments_are_listed_newest_first_page_by_page)
{
    struct ctx *ctx = till_ctx(NULL);
    struct payment_page page;
    const char *token = "";
    int seen = 0;

    for (int i = 0; i < 5; i++) {
        (void)till_order(100 + i);
    }
    do {
        ck_assert_int_eq(payment_list(ctx, &till.service, 2, token, &page), ST_OK);
        for (size_t i = 0; i < page.count; i++) {
            ck_assert_int_eq(page.payments[i].amount_cents, 104 - seen++);
        }
        token = page.next_token;
    } while (*token);
    ck_assert_int_eq(seen, 5);
    ck_assert_int_eq(payment_list(ctx, &till.service, 2, "made-up", &page), ST_INVALID);
    ctx_free(ctx);
}
END_TEST

TEST_MAIN_AROUND(
    "payment",
    (&(struct test_around){
        .start = till_make, .stop = test_db_drop, .before = till_open, .after = till_close}),
    money_is_held_then_taken_then_given_back, what_is_only_held_is_voided,
    an_order_without_a_payment_needs_nothing, with_payments_off_nothing_is_held,
    a_declined_card_is_said_so, the_same_key_ten_times_at_once_holds_once,
    ten_captures_at_once_charge_once, ten_refunds_at_once_refund_once,
    a_capture_racing_a_cancel_leaves_nothing_taken, a_provider_that_stands_still_is_told_in_time,
    a_provider_that_is_away_costs_the_next_no_wait,
    who_has_no_time_left_says_nothing_of_the_provider,
    a_provider_that_had_a_second_of_our_time_and_no_answer_is_away,
    an_answer_lost_after_charging_is_heard_the_second_time,
    a_capture_that_landed_unheard_is_refunded_by_a_cancel,
    a_capture_that_never_arrived_is_voided_by_a_cancel,
    a_refused_capture_fails_and_the_hold_is_voided,
    a_refused_void_is_not_taken_for_one_that_was_done,
    a_refund_that_fails_twice_is_made_once_by_the_third,
    a_refused_refund_is_made_once_when_the_cause_is_gone,
    a_refund_after_a_refused_one_whose_answer_is_lost_is_made_once,
    a_refund_refused_twice_is_made_by_the_third,
    a_refund_that_was_begun_before_this_release_is_finished_with_its_key,
    a_killed_provider_has_forgotten_nothing, the_same_key_for_another_customer_is_another_hold,
    a_key_that_the_provider_knows_for_something_else_is_not_to_be_tried_again,
    a_slow_provider_holds_half_the_workers_and_no_more, only_the_owner_and_an_admin_see_a_payment,
    payments_are_listed_newest_first_page_by_page)
