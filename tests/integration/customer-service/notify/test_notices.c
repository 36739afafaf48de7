/* links: test_db test_apns common_token common_crypto common_events common_http
 * From an order's event to what Apple gets: who is told, once, in which words, and what a
 * failure, a slow receiver and an emptied Valkey do to it. */
#include "common/crypto/p256.h"
#include "tests/integration/customer-service/notify/people.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <time.h>

/* Of every test: somebody, and an order of theirs of which nothing was told yet. */
static struct person customer;
static struct story story;

static void before_each(void)
{
    before();
    customer = add_person(ROLE_CUSTOMER);
    story = begin_story(&customer);
}

/* PUSH-03 */
START_TEST(each_barista_on_shift_gets_one_alert_within_two_seconds)
{
    struct person first = add_person(ROLE_BARISTA), second = add_person(ROLE_BARISTA);
    struct person off = add_person(ROLE_BARISTA);
    int orders = 0;

    on_shift(&first, true);
    on_shift(&second, true);
    on_shift(&off, true);
    on_shift(&off, false);
    ck_assert_quick(2000, {
        orders++;
        story = begin_story(&customer);
        tell(&story, "OrderPlaced");
        ck_assert(FAKE_APNS_WAIT(&fake, 1, PATIENCE_MS, first.token, story.order, "New order",
                                 "Flat White"));
        ck_assert(FAKE_APNS_WAIT(&fake, 1, PATIENCE_MS, second.token, story.order, "New order",
                                 "\"alert\""));
    });
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), 2 * orders);
}
END_TEST

/* PUSH-04 */
START_TEST(ready_names_the_drink)
{
    tell(&story, "OrderReady");
    ck_assert(FAKE_APNS_WAIT(&fake, 1, PATIENCE_MS, customer.token, "Your Flat White is ready",
                             "\"apns-push-type\":\"alert\""));
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), 1);
}
END_TEST

/* PUSH-05 */
START_TEST(accepting_and_declining_leave_one_push_each)
{
    struct story accepted = begin_story(&customer), declined = begin_story(&customer);

    tell(&accepted, "OrderAccepted");
    tell(&accepted, "OrderPreparing");
    tell(&declined, "OrderCancelled");
    ck_assert(FAKE_APNS_WAIT(&fake, 1, PATIENCE_MS, accepted.order, "Order accepted"));
    ck_assert(FAKE_APNS_WAIT(&fake, 1, PATIENCE_MS, declined.order, "Order declined"));
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), 2);
}
END_TEST

/* PAY-05: one event, two audiences, and one job for both */
START_TEST(a_card_refused_after_the_pickup_is_told_to_the_bar_and_to_the_customer)
{
    struct person barista = add_person(ROLE_BARISTA);

    on_shift(&barista, true);
    tell(&story, "OrderUnpaid");
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, barista.token, "Not paid (7)"), 1);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, customer.token, "Please pay at the counter"), 1);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), 2);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM jobs.jobs"), "1");
    ck_assert_str_eq(test_db_ask(arena_printf(ctx->arena,
                                              "SELECT payload::jsonb ->> 'title'"
                                              " FROM notify.notices WHERE channel = 'inbox'"
                                              " AND customer_id = '%s'",
                                              customer.id)),
                     "Not paid yet");
}
END_TEST

/* PUSH-01: Apple refuses who makes tokens more often than every 20 minutes. */
START_TEST(a_restart_goes_on_with_the_token_that_apple_knows)
{
    tell(&story, "OrderAccepted");
    settle();
    shop_close();
    shop_environment(); /* passwords are taken out of it when they are read */
    shop_open();
    service_start_jobs(shop.service);
    tell(&story, "OrderReady");
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""), 2);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "TooManyProviderTokenUpdates"), 0);
}
END_TEST

START_TEST(who_cancels_is_not_told_of_it)
{
    struct caller self = {.role = ROLE_CUSTOMER};

    text_copy(self.subject, sizeof(self.subject), customer.id);
    tell_by(&story, "OrderCancelled", &self);
    settle();
    ck_assert_str_eq(fake_apns_record(&fake), "");
}
END_TEST

START_TEST(an_event_that_comes_again_tells_once)
{
    char id[ID_TEXT_SIZE], other[ID_TEXT_SIZE];

    uuid_v7(id);
    uuid_v7(other);
    story.seq = 4;
    ck_assert_int_eq(tell_id(&story, "OrderReady", id, &staff), ST_OK);
    ck_assert_int_eq(tell_id(&story, "OrderReady", id, &staff), ST_OK);
    ck_assert_int_eq(tell_id(&story, "OrderReady", other, &staff), ST_OK);
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), 1);
}
END_TEST

START_TEST(a_ready_taken_back_is_replaced_and_may_come_again)
{
    const char *collapse =
        arena_printf(ctx->arena, "\"apns-collapse-id\":\"order-%s\"", story.order);

    tell(&story, "OrderReady");
    tell(&story, "OrderReadyUndone");
    tell(&story, "OrderReady");
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, collapse), 3);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, collapse, "needs another moment"), 1);
}
END_TEST

START_TEST(an_old_event_is_no_news)
{
    shift_ms = -NOTIFY_FRESH_MS - 1000;
    tell(&story, "OrderReady");
    shift_ms = 0;
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.notices"), "0");
}
END_TEST

START_TEST(who_wants_no_notices_of_orders_gets_none)
{
    struct ctx *theirs = shop_ctx(customer.id, ROLE_CUSTOMER);

    ck_assert_int_eq(
        device_preferences_set(theirs, shop.service, &(struct device_preferences){.orders = false}),
        ST_OK);
    ctx_free(theirs);
    tell(&story, "OrderReady");
    settle();
    ck_assert_str_eq(fake_apns_record(&fake), "");
}
END_TEST

/* PUSH-01 */
START_TEST(a_device_that_is_gone_is_removed)
{
    fake_apns_program(&fake, "[{\"status\":410,\"reason\":\"Unregistered\"}]");
    tell(&story, "OrderReady");
    settle();
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.devices"), "0");
    ck_assert_str_eq(
        test_db_ask("SELECT string_agg(state, ' ') FROM notify.notices WHERE channel <> 'inbox'"),
        "gone");
}
END_TEST

/* PUSH-01 */
START_TEST(too_many_requests_and_an_outage_are_tried_again_until_sent)
{
    fake_apns_program(&fake,
                      "[{\"times\":1,\"status\":429,\"reason\":\"TooManyRequests\","
                      "\"retryAfter\":1},{\"times\":1,\"status\":503,\"reason\":\"Shutdown\"}]");
    tell(&story, "OrderReady");
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""), 1);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), 3);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.devices"), "1");
}
END_TEST

/* When Apple got the first of the device's pushes that it answered so, in microseconds. */
static int64_t pushed_us(const struct person *to, const char *verdict)
{
    const char *us = test_db_ask(arena_printf(
        ctx->arena,
        "SELECT (1e6 * min(extract(epoch FROM (line::json ->> 'at')::timestamptz)))::bigint"
        " FROM regexp_split_to_table($record$%s$record$, '\n') line"
        " WHERE line LIKE '%%%s%%\"verdict\":\"%s\"%%'",
        fake_apns_record(&fake), to->token, verdict));

    ck_assert_str_ne(us, "");
    return strtoll(us, NULL, 10);
}

/* PUSH-01: it is the device's wait, of whichever order, and the job comes when it is over. */
START_TEST(a_device_that_asked_to_wait_gets_its_next_notice_no_sooner)
{
    bool other_was_first = false;

    for (int i = 0; i < PATIENCE_TRIES && !other_was_first; i++) {
        struct person asked = add_person(ROLE_CUSTOMER), other = add_person(ROLE_CUSTOMER);
        struct story first = begin_story(&asked), second = begin_story(&asked);
        struct story others = begin_story(&other);

        fake_apns_program(&fake, "[{\"times\":1,\"status\":429,\"reason\":\"TooManyRequests\","
                                 "\"retryAfter\":3}]");
        tell(&first, "OrderReady");
        test_db_await(arena_printf(ctx->arena,
                                   "SELECT 1 FROM notify.devices"
                                   " WHERE id = '%s' AND not_before IS NOT NULL",
                                   asked.device.id));
        tell(&second, "OrderReady");
        tell(&others, "OrderReady");
        settle();
        ck_assert_int_ge(pushed_us(&asked, "ok") - pushed_us(&asked, "TooManyRequests"), 3000000);
        ck_assert_int_eq(FAKE_APNS_COUNT(&fake, asked.token, "\"verdict\":\"ok\""), 2);
        ck_assert_str_eq(test_db_ask("SELECT max(attempts) <= 3 FROM jobs.jobs"), "t");
        other_was_first = pushed_us(&other, "ok") < pushed_us(&asked, "ok");
    }
    ck_assert(other_was_first);
}
END_TEST

/* PUSH-01: the database goes between the sending and the saying so. */
START_TEST(what_could_not_be_recorded_is_sent_once_more)
{
    struct story told = begin_story(&customer), busy = begin_story(&customer);

    test_db_run("CREATE FUNCTION notify.blink() RETURNS trigger LANGUAGE plpgsql AS"
                " $$ BEGIN RAISE 'the database blinks'; END $$;"
                "CREATE TRIGGER blink BEFORE UPDATE ON notify.notices FOR EACH ROW"
                " WHEN (OLD.state = 'sending') EXECUTE FUNCTION notify.blink()");
    fake_apns_program(&fake, "[{\"times\":1,\"status\":503,\"reason\":\"Shutdown\"}]");
    tell(&told, "OrderReady");
    tell(&busy, "OrderReady");
    test_db_await("SELECT 1 WHERE (SELECT bool_and(attempts >= 3) FROM jobs.jobs)");
    test_db_run("DROP TRIGGER blink ON notify.notices; DROP FUNCTION notify.blink();"
                "UPDATE notify.notices SET lease_until = now()");
    settle();
    ck_assert_str_eq(
        test_db_ask("SELECT string_agg(state, ' ') FROM notify.notices WHERE channel = 'apns'"),
        "sent sent");
}
END_TEST

/* PUSH-01: a sender was killed, and its job comes before the lease of its notices is over. */
START_TEST(a_job_waits_for_the_lease_of_a_sender_that_died)
{
    test_db_run(arena_printf(
        ctx->arena,
        "WITH made AS (INSERT INTO notify.notices (id, customer_id, order_id, seq, stage, channel,"
        " kind, device_id, collapse_id, payload, state, attempts, lease_until)"
        " SELECT gen_random_uuid(), '%s', gen_random_uuid(), 1, 'ready', 'apns', 'alert', '%s',"
        " 'order', '{\"aps\":{\"alert\":{\"title\":\"Ready\",\"body\":\"Flat White\"}}}',"
        " 'sending', 1, now() + interval '1500 milliseconds' RETURNING order_id)"
        " INSERT INTO jobs.jobs (id, kind, payload) SELECT gen_random_uuid(), 'push.send',"
        " order_id FROM made",
        customer.id, customer.device.id));
    service_wake_jobs(shop.service);
    settle();
    ck_assert_str_eq(test_db_ask("SELECT state FROM notify.notices"), "sent");
}
END_TEST

static void add_browser(const struct person *person, const char *endpoint)
{
    AUTO(p256_key) struct p256_key *browser = p256_key_make();
    uint8_t point[P256_POINT_SIZE];

    p256_public(browser, point);
    test_db_run(arena_printf(ctx->arena,
                             "INSERT INTO notify.devices"
                             " (id, customer_id, channel, address, p256dh, secret) VALUES"
                             " (gen_random_uuid(), '%s', 'web', '%s', '%s',"
                             " 'BTBZMqHH6r4Tts7J_aSIgg')",
                             person->id, endpoint,
                             base64url_encode(ctx->arena, point, sizeof(point))));
}

/* A browser whose push service takes connections and never says a word. */
static int add_tarpit(const struct person *person)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    add_browser(person,
                arena_printf(ctx->arena, "https://127.0.0.1:%d/x", ntohs(address.sin_port)));
    return fd;
}

/* PUSH-01 */
START_TEST(what_apple_answered_is_recorded_before_a_slow_browser_is_waited_for)
{
    bool is_waited_for = false;

    for (int i = 0; i < PATIENCE_TRIES && !is_waited_for; i++) {
        struct person person = add_person(ROLE_CUSTOMER);
        struct story one = begin_story(&person);
        int fd = add_tarpit(&person);

        tell(&one, "OrderReady");
        test_db_await(arena_printf(ctx->arena,
                                   "SELECT 1 FROM notify.notices WHERE order_id = '%s'"
                                   " AND channel = 'apns' AND state = 'sent'",
                                   one.order));
        is_waited_for =
            *test_db_ask(arena_printf(ctx->arena,
                                      "SELECT 1 FROM notify.notices WHERE order_id = '%s'"
                                      " AND channel = 'web' AND state = 'sending' AND attempts = 1",
                                      one.order));
        close(fd);
    }
    ck_assert(is_waited_for);
}
END_TEST

static void tell_of_many(const struct person *who, int orders, int pause_ms)
{
    for (int i = 0; i < orders; i++) {
        struct story one = begin_story(who);

        tell(&one, "OrderReady");
        clock_pause_ms(pause_ms);
    }
}

/* PUSH-20: with each of its pushes in a batch of its own, a slow service had all workers. */
START_TEST(a_slow_push_service_holds_up_no_other)
{
    enum { ORDERS = 30, QUICK_MS = 1200 };
    struct person slow = add_person(ROLE_CUSTOMER), quick = add_person(ROLE_CUSTOMER);
    int64_t took_ms = INT64_MAX;
    int rounds = 0;

    add_browser(&slow, arena_printf(ctx->arena, "https://localhost:%d/web/slow", fake.port));
    add_browser(&quick, arena_printf(ctx->arena, "%s/web/quick", fake.url));
    fake_apns_program(&fake, "[{\"token\":\"/web/slow\",\"delayMs\":2500}]");
    for (; rounds < PATIENCE_TRIES && took_ms > QUICK_MS; rounds++) {
        struct story theirs = begin_story(&quick);

        tell_of_many(&slow, ORDERS, 30);
        int64_t from = clock_monotonic_ms();
        tell(&theirs, "OrderReady");
        ck_assert(
            FAKE_APNS_WAIT(&fake, rounds + 1, PATIENCE_MS, "/web/quick", "\"verdict\":\"ok\""));
        took_ms = clock_monotonic_ms() - from;
    }
    ck_assert_int_le(took_ms, QUICK_MS);
    settle();
    ck_assert_str_eq(
        test_db_ask("SELECT count(*) FROM notify.notices WHERE channel = 'web' AND state = 'sent'"),
        arena_printf(ctx->arena, "%d", rounds * (ORDERS + 1)));
}
END_TEST

START_TEST(an_answer_that_is_lost_makes_no_second_notice)
{
    fake_apns_program(&fake, "[{\"times\":2,\"cut\":true,\"after\":true}]");
    tell(&story, "OrderReady");
    settle();
    ck_assert_int_ge(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""), 2); /* Apple has it twice, */
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""),
                     FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\"", /* and shows it once */
                                     arena_printf(ctx->arena, "order-%s", story.order)));
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.notices WHERE channel = 'apns'"),
                     "1");
}
END_TEST

/* PUSH-02 */
START_TEST(a_device_is_registered_once_and_removed_by_its_owner_alone)
{
    struct person other = add_person(ROLE_CUSTOMER);
    struct ctx *theirs = shop_ctx(customer.id, ROLE_CUSTOMER);
    struct ctx *strangers = shop_ctx(other.id, ROLE_CUSTOMER);
    struct device_wish wish = {.channel = "apns",
                               .address = customer.token,
                               .environment = "production",
                               .p256dh = "",
                               .secret = ""};
    struct device again;

    ck_assert_int_eq(device_register(theirs, shop.service, &wish, &again), ST_OK);
    ck_assert_str_eq(again.id, customer.device.id);
    ck_assert_str_eq(test_db_ask(arena_printf(ctx->arena,
                                              "SELECT environment FROM notify.devices"
                                              " WHERE customer_id = '%s'",
                                              customer.id)),
                     "production");
    ck_assert_int_eq(device_remove(strangers, shop.service, again.id), ST_NOT_FOUND);
    ck_assert_int_eq(device_remove(theirs, shop.service, again.id), ST_OK);
    ck_assert_int_eq(device_remove(theirs, shop.service, again.id), ST_NOT_FOUND);
    ctx_free(theirs);
    ctx_free(strangers);
}
END_TEST

START_TEST(the_oldest_device_goes_when_there_are_too_many)
{
    for (int i = 0; i < DEVICES_MAX; i++) {
        struct person same = customer;

        add_device(&same, ROLE_CUSTOMER);
    }
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.devices"), "20");
    ck_assert_str_eq(
        test_db_ask(arena_printf(ctx->arena, "SELECT count(*) FROM notify.devices WHERE id = '%s'",
                                 customer.device.id)),
        "0");
}
END_TEST

static void flush_valkey(void)
{
    char answer[16];
    AUTO(arena) struct arena *arena = arena_new(256);
    const char *command = arena_printf(
        arena, "exec 3<>/dev/tcp/127.0.0.1/%d; printf 'FLUSHALL\\r\\n' >&3; head -c 5 <&3",
        shop.valkey.port);
    FILE *pipe = popen(arena_printf(arena, "bash -c \"%s\"", command), "r");

    ck_assert_ptr_nonnull(fgets(answer, sizeof(answer), pipe));
    pclose(pipe);
    ck_assert(text_starts(answer, "+OK"));
}

/* JOB-09 */
START_TEST(an_emptied_valkey_loses_no_notice)
{
    enum { ORDERS = 40 };
    fake_apns_program(&fake, "[{\"delayMs\":200}]"); /* most wait in the stream */
    tell_of_many(&customer, ORDERS, 0);
    clock_pause_ms(100);
    flush_valkey();
    settle();
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""), ORDERS);
    ck_assert_str_eq(
        test_db_ask(
            "SELECT count(*) FROM notify.notices WHERE state = 'sent' AND channel = 'apns'"),
        "40");
}
END_TEST

START_TEST(hearing_of_an_order_does_not_wait_for_a_slow_receiver)
{
    fake_apns_program(&fake, "[{\"delayMs\":5000}]");
    ck_assert_quick(2000, tell_of_many(&customer, 12, 0));
    fake_apns_program(&fake, "[]");
    settle();
}
END_TEST

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* From rows that are there to every one acknowledged. PUSH-01, and `./everything bench push` */
START_TEST(ten_thousand_notices_are_sent_once_in_effect)
{
    enum { NOTICES = 10000 };
    test_db_run(arena_printf(
        ctx->arena,
        "WITH made AS (INSERT INTO notify.notices (id, customer_id, order_id, seq, stage, channel,"
        " kind, device_id, collapse_id, payload) SELECT gen_random_uuid(), '%s', gen_random_uuid(),"
        " 1, 'ready', 'apns', 'alert', '%s', 'order-' || n,"
        " '{\"aps\":{\"alert\":{\"title\":\"Ready\",\"body\":\"Flat White\"}}}'"
        " FROM generate_series(1, %d) n RETURNING order_id)"
        " INSERT INTO jobs.jobs (id, kind, payload) SELECT gen_random_uuid(), 'push.send',"
        " order_id FROM made",
        customer.id, customer.device.id, NOTICES));
    double from = cpu_s();
    service_wake_jobs(shop.service);
    settle_within(120000);
    printf("%.1f us CPU a notice, from row to acknowledgement\n", (cpu_s() - from) * 1e6 / NOTICES);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.notices WHERE state = 'sent'"),
                     "10000");
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""), NOTICES);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.notices WHERE attempts <> 1"), "0");
}
END_TEST

TEST_MAIN_AROUND(
    "notices",
    (&(struct test_around){.start = make, .stop = drop, .before = before_each, .after = after}),
    each_barista_on_shift_gets_one_alert_within_two_seconds, ready_names_the_drink,
    accepting_and_declining_leave_one_push_each,
    a_card_refused_after_the_pickup_is_told_to_the_bar_and_to_the_customer,
    a_restart_goes_on_with_the_token_that_apple_knows, who_cancels_is_not_told_of_it,
    an_event_that_comes_again_tells_once, a_ready_taken_back_is_replaced_and_may_come_again,
    an_old_event_is_no_news, who_wants_no_notices_of_orders_gets_none,
    a_device_that_is_gone_is_removed, too_many_requests_and_an_outage_are_tried_again_until_sent,
    a_device_that_asked_to_wait_gets_its_next_notice_no_sooner,
    what_could_not_be_recorded_is_sent_once_more, a_job_waits_for_the_lease_of_a_sender_that_died,
    what_apple_answered_is_recorded_before_a_slow_browser_is_waited_for,
    a_slow_push_service_holds_up_no_other, an_answer_that_is_lost_makes_no_second_notice,
    a_device_is_registered_once_and_removed_by_its_owner_alone,
    the_oldest_device_goes_when_there_are_too_many, an_emptied_valkey_loses_no_notice,
    hearing_of_an_order_does_not_wait_for_a_slow_receiver,
    ten_thousand_notices_are_sent_once_in_effect)
