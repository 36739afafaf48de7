/* links: test_db test_apns common_token common_crypto common_events common_http
 * An order on a lock screen: begun, moved and ended with it, also where its token comes late. */
#include "tests/integration/customer-service/notify/people.h"

#include <pthread.h>

/* Of every test: somebody, and an order of theirs of which nothing was told yet. */
static struct person customer;
static struct story story;

static void before_each(void)
{
    before();
    customer = add_person(ROLE_CUSTOMER);
    story = begin_story(&customer);
}

/* On the customer's device; 'order' NULL: the token that starts one. */
static void register_token(const char *order, const char *token)
{
    struct ctx *theirs = shop_ctx(customer.id, ROLE_CUSTOMER);
    struct live_activity_wish wish = {customer.device.id, order, token};
    char id[ID_TEXT_SIZE];

    shop_insist(theirs, device_live_activity(theirs, shop.service, &wish, id));
    ctx_free(theirs);
}

/* PUSH-18 */
START_TEST(a_live_activity_starts_moves_and_ends_with_its_order)
{
    static const char start_token[] =
        "aa112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const char order_token[] =
        "bb112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    register_token(NULL, start_token);
    tell(&story, "OrderPlaced");
    ck_assert(FAKE_APNS_WAIT(&fake, 1, PATIENCE_MS, start_token, "\"event\":\"start\"",
                             "Flat White", "content-state", "\"verdict\":\"ok\""));
    register_token(story.order, order_token);
    tell(&story, "OrderAccepted");
    tell(&story, "OrderCompleted");
    settle();
    ck_assert_int_eq(
        FAKE_APNS_COUNT(&fake, order_token, "\"event\":\"update\"", "\"verdict\":\"ok\""), 1);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, order_token, "\"event\":\"end\"", "\"verdict\":\"ok\""),
                     1);
}
END_TEST

static const char late_token[] = "ee112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void register_late(const char *order)
{
    register_token(order, late_token);
}

/* PUSH-18: else it would stay on the lock screen */
START_TEST(a_live_activity_that_missed_the_end_of_its_order_hears_it_once)
{
    tell(&story, "OrderPlaced");
    tell(&story, "OrderAccepted");
    tell(&story, "OrderCompleted");
    settle();
    register_late(story.order);
    ck_assert(FAKE_APNS_WAIT(&fake, 1, PATIENCE_MS, late_token, "\"event\":\"end\"",
                             "\"verdict\":\"ok\""));
    register_late(story.order);
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, late_token), 1);
}
END_TEST

/* PUSH-18 */
START_TEST(a_live_activity_that_missed_nothing_but_its_start_hears_nothing_of_it)
{
    tell(&story, "OrderPlaced");
    settle();
    register_late(story.order);
    tell(&story, "OrderAccepted");
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, late_token), 1);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, late_token, "\"event\":\"update\""), 1);
}
END_TEST

/* A Live Activity whose token Apple knows no more, and says so after a while. */
static void register_dead(int delay_ms)
{
    static const char dead[] = "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    fake_apns_program(&fake, arena_printf(ctx->arena,
                                          "[{\"token\":\"%s\",\"delayMs\":%d,"
                                          "\"status\":410,\"reason\":\"Unregistered\"}]",
                                          dead, delay_ms));
    register_token(story.order, dead);
}

/* PUSH-18 */
START_TEST(a_live_activity_whose_old_token_is_dead_hears_the_newest_by_its_new_one)
{
    register_dead(0);
    tell(&story, "OrderReady");
    settle();
    register_late(story.order);
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, late_token, "\"event\":\"update\""), 1);
}
END_TEST

/* PUSH-18 */
START_TEST(a_live_activity_whose_token_dies_while_it_is_told_hears_the_newest_by_its_new_one)
{
    register_dead(2000);
    tell(&story, "OrderReady");
    test_db_await("SELECT 1 FROM notify.notices WHERE channel = 'live' AND state <> 'pending'");
    register_late(story.order);
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, late_token, "\"event\":\"update\""), 1);
}
END_TEST

static void *tell_the_end(void *user)
{
    tell(user, "OrderCompleted");
    return NULL;
}

/* PUSH-18 */
START_TEST(a_live_activity_that_comes_with_the_end_of_its_order_hears_it)
{
    enum { ORDERS = 40 };

    for (int i = 0; i < ORDERS; i++) {
        struct story one = begin_story(&customer);
        pthread_t teller;

        pthread_create(&teller, NULL, tell_the_end, &one);
        register_late(one.order);
        pthread_join(teller, NULL);
    }
    settle();
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.notices WHERE channel = 'live'"),
                     "40");
}
END_TEST

/* PUSH-01 */
START_TEST(a_live_activitys_new_token_does_not_wait_for_the_old_one)
{
    static const char waits[] =
        "SELECT count(*) FROM notify.live_activities WHERE not_before > now()";
    static const char token[] = "cc112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const char next[] = "dd112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

    register_token(story.order, token);
    test_db_run("UPDATE notify.live_activities SET not_before = now() + interval '10 minutes'");
    register_token(story.order, token);
    ck_assert_str_eq(test_db_ask(waits), "1");
    register_token(story.order, next);
    ck_assert_str_eq(test_db_ask(waits), "0");
}
END_TEST

START_TEST(a_live_activity_needs_a_device_of_ones_own)
{
    struct person other = add_person(ROLE_CUSTOMER);
    struct ctx *theirs = shop_ctx(other.id, ROLE_CUSTOMER);
    char id[ID_TEXT_SIZE];

    ck_assert_int_eq(
        device_live_activity(theirs, shop.service,
                             &(struct live_activity_wish){customer.device.id, NULL, customer.token},
                             id),
        ST_NOT_FOUND);
    ctx_free(theirs);
}
END_TEST

TEST_MAIN_AROUND("live_activities", (&(struct test_around){make, drop, before_each, after}),
                 a_live_activity_starts_moves_and_ends_with_its_order,
                 a_live_activity_that_missed_the_end_of_its_order_hears_it_once,
                 a_live_activity_that_missed_nothing_but_its_start_hears_nothing_of_it,
                 a_live_activity_whose_old_token_is_dead_hears_the_newest_by_its_new_one,
                 a_live_activity_whose_token_dies_while_it_is_told_hears_the_newest_by_its_new_one,
                 a_live_activity_that_comes_with_the_end_of_its_order_hears_it,
                 a_live_activitys_new_token_does_not_wait_for_the_old_one,
                 a_live_activity_needs_a_device_of_ones_own)
