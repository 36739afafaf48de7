/* links: test_db test_apns common_token common_crypto common_events common_http
 * What was promised to somebody who is no longer the one: whose device is another's now, or who has
 * left the bar. */
#include "tests/integration/customer-service/notify/people.h"

static struct person customer;
static struct story story;

static void before_each(void)
{
    before();
    customer = add_person(ROLE_CUSTOMER);
    story = begin_story(&customer);
}

/* So many are to be told, and each device has asked for a pause: time for something to happen. */
static void tell_and_pause(const char *type, int people)
{
    const char *waits = arena_printf(ctx->arena,
                                     "SELECT 1 FROM jobs.jobs WHERE state = 'waiting'"
                                     " AND next_at > now() + interval '5 minutes'"
                                     " AND (SELECT count(*) FROM notify.devices"
                                     " WHERE not_before > now()) = %d",
                                     people);

    fake_apns_program(&fake, arena_printf(ctx->arena,
                                          "[{\"times\":%d,\"status\":429,\"reason\":"
                                          "\"TooManyRequests\",\"retryAfter\":600}]",
                                          people));
    tell(&story, type);
    test_db_await(waits);
}

static void go_on(void)
{
    test_db_run(
        "UPDATE notify.devices SET not_before = NULL; UPDATE jobs.jobs SET next_at = now()");
    service_wake_jobs(shop.service);
    settle();
}

static struct person take_over(const struct person *from)
{
    struct person next = add_person(ROLE_CUSTOMER);
    struct ctx *theirs = shop_ctx(next.id, ROLE_CUSTOMER);
    struct device_wish wish = {.channel = "apns",
                               .address = from->token,
                               .environment = "sandbox",
                               .p256dh = "",
                               .secret = ""};

    ck_assert_int_eq(device_register(theirs, shop.service, &wish, &next.device), ST_OK);
    ck_assert_str_eq(next.device.id, from->device.id);
    text_copy(next.token, sizeof(next.token), from->token);
    ctx_free(theirs);
    return next;
}

/* PUSH-02 */
START_TEST(a_device_that_changed_hands_shows_nothing_of_who_had_it)
{
    tell_and_pause("OrderReady", 1);
    struct person next = take_over(&customer);
    go_on();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, customer.token, "\"verdict\":\"ok\""), 0);
    ck_assert_str_eq(test_db_ask("SELECT state FROM notify.notices WHERE channel = 'apns'"),
                     "gone");

    struct story theirs = begin_story(&next);
    tell(&theirs, "OrderReady");
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, next.token, theirs.order, "\"verdict\":\"ok\""), 1);
}
END_TEST

/* PUSH-18 */
START_TEST(a_device_that_changed_hands_starts_no_live_activity_of_who_had_it)
{
    static const char start[] = "aa112233445566778899aabbccddeeff00112233445566778899aabbccddee01";
    static const char update[] = "aa112233445566778899aabbccddeeff00112233445566778899aabbccddee02";
    struct ctx *theirs = shop_ctx(customer.id, ROLE_CUSTOMER);
    char id[ID_TEXT_SIZE];

    ck_assert_int_eq(
        device_live_activity(theirs, shop.service,
                             &(struct live_activity_wish){customer.device.id, NULL, start}, id),
        ST_OK);
    ck_assert_int_eq(device_live_activity(
                         theirs, shop.service,
                         &(struct live_activity_wish){customer.device.id, story.order, update}, id),
                     ST_OK);
    take_over(&customer);
    tell(&story, "OrderPlaced");
    tell(&story, "OrderAccepted");
    settle();
    ck_assert_str_eq(
        test_db_ask("SELECT count(*) FROM notify.notices WHERE channel IN ('live', 'apns')"), "0");
    ctx_free(theirs);
}
END_TEST

/* PUSH-03 */
START_TEST(who_left_the_bar_meanwhile_is_not_told_what_is_to_be_made)
{
    struct person stays = add_person(ROLE_BARISTA), leaves = add_person(ROLE_BARISTA);
    struct person resigns = add_person(ROLE_BARISTA);

    on_shift(&stays, true);
    on_shift(&leaves, true);
    on_shift(&resigns, true);
    tell_and_pause("OrderPlaced", 3);
    on_shift(&leaves, false);
    test_db_run(arena_printf(
        ctx->arena, "UPDATE customer.customers SET role = 'customer' WHERE id = '%s'", resigns.id));
    go_on();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, stays.token, "\"verdict\":\"ok\""), 1);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""), 1);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.devices"), "4"); /* all are kept */
}
END_TEST

TEST_MAIN_AROUND("notices of who is no longer the one",
                 (&(struct test_around){
                     .start = make, .stop = drop, .before = before_each, .after = after}),
                 a_device_that_changed_hands_shows_nothing_of_who_had_it,
                 a_device_that_changed_hands_starts_no_live_activity_of_who_had_it,
                 who_left_the_bar_meanwhile_is_not_told_what_is_to_be_made)
