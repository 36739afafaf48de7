/* links: test_db test_apns common_token common_crypto common_events common_http
 * What the workflow of an order asks for: the notice of a stage, made if need be, and word when it
 * was sent. */
#include "coffee/notify/v1/notify.pb-c.h"
#include "customer-service/notify/notice_rpc.h"
#include "tests/integration/customer-service/notify/people.h"

#include <pthread.h>

static enum status ensure_at(struct story *story, Coffee__Notify__V1__NoticeStage stage,
                             int64_t seq, int within_ms)
{
    struct ctx *own = ctx_new_system("order-service");
    Coffee__Notify__V1__NoticeItem item = COFFEE__NOTIFY__V1__NOTICE_ITEM__INIT;
    Coffee__Notify__V1__NoticeItem *items[] = {&item};
    Coffee__Notify__V1__EnsureNoticeRequest request =
        COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__INIT;
    Coffee__Notify__V1__EnsureNoticeResponse answer =
        COFFEE__NOTIFY__V1__ENSURE_NOTICE_RESPONSE__INIT;

    own->deadline_ms = clock_monotonic_ms() + within_ms;
    item.name = (char *)"Flat White";
    item.quantity = 1;
    request.order_id = story->order;
    request.customer_id = (char *)story->who->id;
    request.stage = stage;
    request.seq = seq;
    request.number = 7;
    request.n_items = 1;
    request.items = items;
    enum status st = notice_rpc_ensure(own, shop.service, &request, &answer);
    ctx_free(own);
    return st;
}

static enum status ensure_ready(struct story *story, int within_ms)
{
    return ensure_at(story, COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_CUSTOMER_READY, 4,
                     within_ms);
}

/* WF-03 */
START_TEST(a_notice_is_made_and_sent_though_no_event_came)
{
    struct person customer = add_person(ROLE_CUSTOMER);
    struct story story = begin_story(&customer);

    ck_assert_int_eq(ensure_ready(&story, PATIENCE_MS), ST_OK);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, customer.token, "Your Flat White is ready"), 1);
}
END_TEST

/* WF-17 */
START_TEST(the_event_and_the_workflow_tell_once_whoever_comes_first)
{
    struct person customer = add_person(ROLE_CUSTOMER);
    struct story first = begin_story(&customer), second = begin_story(&customer);

    ck_assert_int_eq(ensure_ready(&first, PATIENCE_MS), ST_OK);
    first.seq = 3;
    tell(&first, "OrderReady");
    second.seq = 3;
    tell(&second, "OrderReady");
    ck_assert_int_eq(ensure_ready(&second, PATIENCE_MS), ST_OK);
    ck_assert_int_eq(ensure_ready(&second, PATIENCE_MS), ST_OK);
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), 2);
}
END_TEST

/* WF-03 */
START_TEST(two_refusals_for_a_while_and_the_third_is_delivered_to_the_barista)
{
    struct person customer = add_person(ROLE_CUSTOMER), barista = add_person(ROLE_BARISTA);
    struct story story = begin_story(&customer);

    on_shift(&barista, true);
    fake_apns_program(&fake, "[{\"times\":2,\"status\":503,\"reason\":\"Shutdown\"}]");
    ck_assert_int_eq(ensure_at(&story, COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_BARISTA_NEW,
                               1, PATIENCE_MS),
                     ST_OK);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "Shutdown"), 2);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, barista.token, "New order", "\"verdict\":\"ok\""), 1);
}
END_TEST

START_TEST(what_is_not_yet_sent_is_said_so_within_the_deadline)
{
    struct person customer = add_person(ROLE_CUSTOMER);
    struct story stories[PATIENCE_TRIES];
    bool was_said = false;
    int tries = 0;

    fake_apns_program(&fake, "[{\"delayMs\":3000}]");
    for (; tries < PATIENCE_TRIES && !was_said; tries++) {
        stories[tries] = begin_story(&customer);
        int64_t from = clock_monotonic_ms();
        enum status st = ensure_ready(&stories[tries], 500);
        was_said = st == ST_UNAVAILABLE && clock_monotonic_ms() - from < 1000;
    }
    ck_assert(was_said);
    fake_apns_program(&fake, "[]");
    for (int i = 0; i < tries; i++) {
        ck_assert_int_eq(ensure_ready(&stories[i], PATIENCE_MS), ST_OK);
    }
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), tries);
}
END_TEST

START_TEST(nobody_to_tell_is_fine)
{
    struct person customer = add_person(ROLE_CUSTOMER);
    struct story story = begin_story(&customer);

    test_db_run("DELETE FROM notify.devices");
    ck_assert_int_eq(ensure_ready(&story, PATIENCE_MS), ST_OK);
    ck_assert_int_eq(ensure_at(&story, COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_BARISTA_NEW,
                               1, PATIENCE_MS),
                     ST_OK);
}
END_TEST

START_TEST(a_stage_that_was_overtaken_is_not_told)
{
    struct person customer = add_person(ROLE_CUSTOMER);
    struct story story = begin_story(&customer);

    tell(&story, "OrderPlaced");
    ck_assert_int_eq(ensure_ready(&story, PATIENCE_MS), ST_OK);
    ck_assert_int_eq(ensure_at(&story,
                               COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_CUSTOMER_ACCEPTED, 2,
                               PATIENCE_MS),
                     ST_OK);
    tell(&story, "OrderAccepted"); /* the event, late */
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "Order accepted"), 0);
}
END_TEST

START_TEST(a_ready_that_was_taken_back_is_not_told_again)
{
    struct person customer = add_person(ROLE_CUSTOMER);
    struct story story = begin_story(&customer);

    story.seq = 3;
    tell(&story, "OrderReady");
    tell(&story, "OrderReadyUndone");
    /* an activity that was tried again */
    ck_assert_int_eq(ensure_ready(&story, PATIENCE_MS), ST_OK);
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "is ready at the counter"), 1);
}
END_TEST

static void *ensure_slowly(void *story)
{
    enum status st = ST_UNAVAILABLE;

    for (int i = 0; i < PATIENCE_TRIES && st != ST_OK; i++) { /* the database may be slow, too */
        st = ensure_ready(story, 9000);
    }
    return NULL;
}

static void await_waiters(void)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (atomic_load(service_senders(shop.service)->waiting) < NOTIFY_WAITERS) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(10);
    }
}

/* False also when the database stood still meanwhile. */
static bool are_told_at_once(struct story *stories, int count)
{
    enum status st = ST_UNAVAILABLE;

    await_waiters();
    int64_t from = clock_monotonic_ms();
    for (int i = 0; i < count && st == ST_UNAVAILABLE; i++) {
        st = ensure_ready(&stories[i], PATIENCE_MS);
    }
    ck_assert(st == ST_UNAVAILABLE || st == ST_TIMEOUT);
    return st == ST_UNAVAILABLE && clock_monotonic_ms() - from <= 1000;
}

START_TEST(few_wait_and_the_others_hear_at_once_that_it_is_not_yet)
{
    enum { CALLS = NOTIFY_WAITERS + 3 };
    struct person customer = add_person(ROLE_CUSTOMER);
    pthread_t threads[NOTIFY_WAITERS];
    struct story stories[CALLS];
    bool are_told = false;

    fake_apns_program(&fake, "[{\"delayMs\":6000}]"); /* Apple has 10 s, and may stand still */
    for (int i = 0; i < CALLS; i++) {
        stories[i] = begin_story(&customer);
    }
    for (int i = 0; i < NOTIFY_WAITERS; i++) {
        pthread_create(&threads[i], NULL, ensure_slowly, &stories[i]);
    }
    for (int i = 0; i < PATIENCE_TRIES && !are_told; i++) {
        are_told = are_told_at_once(stories + NOTIFY_WAITERS, CALLS - NOTIFY_WAITERS);
    }
    ck_assert(are_told);
    for (int i = 0; i < NOTIFY_WAITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < CALLS; i++) {
        ck_assert_int_eq(ensure_ready(&stories[i], PATIENCE_MS), ST_OK);
    }
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""), CALLS);
}
END_TEST

START_TEST(another_daemon_may_not_ask)
{
    struct ctx *own = ctx_new_system("gateway");
    Coffee__Notify__V1__EnsureNoticeRequest request =
        COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__INIT;
    Coffee__Notify__V1__EnsureNoticeResponse answer =
        COFFEE__NOTIFY__V1__ENSURE_NOTICE_RESPONSE__INIT;

    ck_assert_int_eq(notice_rpc_ensure(own, shop.service, &request, &answer), ST_FORBIDDEN);
    ctx_free(own);
}
END_TEST

TEST_MAIN_AROUND(
    "notices for the workflow",
    (&(struct test_around){.start = make, .stop = drop, .before = before, .after = after}),
    a_notice_is_made_and_sent_though_no_event_came,
    the_event_and_the_workflow_tell_once_whoever_comes_first,
    two_refusals_for_a_while_and_the_third_is_delivered_to_the_barista,
    what_is_not_yet_sent_is_said_so_within_the_deadline, nobody_to_tell_is_fine,
    a_stage_that_was_overtaken_is_not_told, a_ready_that_was_taken_back_is_not_told_again,
    few_wait_and_the_others_hear_at_once_that_it_is_not_yet, another_daemon_may_not_ask)
