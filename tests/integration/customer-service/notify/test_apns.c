/* links: test_apns common_http common_crypto
 * The client of Apple's push service against a server that checks what Apple checks: each verdict,
 * a connection that is told to go or closed, and many pushes on one connection. */
#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "customer-service/notify/apns.h"
#include "tests/helpers/apns/fake_apns.h"
#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOKEN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ALERT "{\"aps\":{\"alert\":{\"title\":\"Ready\",\"body\":\"Flat White\"}}}"

static struct fake_apns fake;
static struct apns *apns;
static struct ctx *ctx;

static void start(void)
{
    fake_apns_start(&fake);
}

static void stop(void)
{
    fake_apns_stop(&fake);
}

static void before(void)
{
    fake_apns_reset(&fake);
    ctx = ctx_new_system("test");
    apns = apns_start(&(struct apns_options){.url = fake.url,
                                             .sandbox_url = fake.url,
                                             .key_file = fake.key_file,
                                             .key_id = FAKE_APNS_KID,
                                             .team_id = FAKE_APNS_TEAM,
                                             .topic = FAKE_APNS_TOPIC,
                                             .ca_file = fake.ca_file});
    ck_assert_ptr_nonnull(apns);
}

static void after(void)
{
    apns_stop(apns);
    ctx_free(ctx);
}

static struct push make(enum push_kind kind, const char *payload)
{
    char *id = arena_alloc(ctx->arena, ID_TEXT_SIZE);

    uuid_v7(id);
    return (struct push){.id = id,
                         .kind = kind,
                         .address = TOKEN,
                         .collapse_id = id,
                         .payload = payload,
                         .expires_ms = clock_wall_ms() + 3600000};
}

static void send_to(struct apns *to, struct push *pushes, size_t count)
{
    struct push **list = arena_new_array(ctx->arena, struct push *, count);

    for (size_t i = 0; i < count; i++) {
        list[i] = &pushes[i];
    }
    apns_send(ctx, to, list, count);
}

static enum push_verdict send_one(enum push_kind kind, const char *payload)
{
    struct push push = make(kind, payload);

    send_to(apns, &push, 1);
    return push.verdict;
}

START_TEST(every_kind_of_push_passes_the_checks)
{
    struct push pushes[] = {
        make(PUSH_ALERT, ALERT),
        make(PUSH_BACKGROUND, "{\"aps\":{\"content-available\":1},\"refresh\":\"menu\"}"),
        make(PUSH_LIVE_ACTIVITY, "{\"aps\":{\"timestamp\":1,\"event\":\"update\","
                                 "\"content-state\":{\"stage\":\"ready\"}}}"),
    };

    send_to(apns, pushes, ARRAY_LEN(pushes));
    for (size_t i = 0; i < ARRAY_LEN(pushes); i++) {
        ck_assert_msg(pushes[i].verdict == PUSH_SENT, "%zu: %s", i, pushes[i].reason);
        ck_assert_int_eq(FAKE_APNS_COUNT(&fake, pushes[i].id, "HTTP/2"), 1);
    }
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"apns-priority\":\"5\"", "background"), 1);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, FAKE_APNS_TOPIC ".push-type.liveactivity"), 1);
}
END_TEST

/* PUSH-01 */
START_TEST(each_answer_of_apples_has_its_verdict)
{
    static const struct {
        const char *program;
        enum push_verdict verdict;
    } cases[] = {
        {"[{\"times\":1,\"status\":410,\"reason\":\"Unregistered\"}]",           PUSH_GONE   },
        {"[{\"times\":1,\"status\":400,\"reason\":\"BadDeviceToken\"}]",         PUSH_GONE   },
        {"[{\"times\":1,\"status\":400,\"reason\":\"DeviceTokenNotForTopic\"}]", PUSH_GONE   },
        {"[{\"times\":1,\"status\":400,\"reason\":\"BadTopic\"}]",               PUSH_REFUSED},
        {"[{\"times\":1,\"status\":413,\"reason\":\"PayloadTooLarge\"}]",        PUSH_REFUSED},
        {"[{\"times\":1,\"status\":500,\"reason\":\"InternalServerError\"}]",    PUSH_RETRY  },
        {"[{\"times\":1,\"status\":403,\"reason\":\"ExpiredProviderToken\"}]",   PUSH_RETRY  },
        {"[]",                                                                   PUSH_SENT   },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        fake_apns_program(&fake, cases[i].program);
        ck_assert_msg(send_one(PUSH_ALERT, ALERT) == cases[i].verdict, "%s", cases[i].program);
    }
}
END_TEST

/* PUSH-01 */
START_TEST(a_device_that_had_too_many_requests_says_how_long_and_holds_up_no_other)
{
    struct push push = make(PUSH_ALERT, ALERT);

    fake_apns_program(&fake, "[{\"times\":1,\"status\":429,\"reason\":\"TooManyRequests\","
                             "\"retryAfter\":60}]");
    send_to(apns, &push, 1);
    ck_assert_int_eq(push.verdict, PUSH_RETRY);
    ck_assert_int_eq(push.wait_ms, 60000);
    ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_SENT);
}
END_TEST

/* PUSH-01 */
START_TEST(what_apple_says_to_all_of_us_all_heed)
{
    static const char *const programs[] = {
        "[{\"times\":1,\"status\":429,\"reason\":\"TooManyProviderTokenUpdates\","
        "\"retryAfter\":1}]",
        "[{\"times\":1,\"status\":503,\"reason\":\"ServiceUnavailable\"}]",
    };

    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        enum push_verdict next;
        int64_t from;
        int asked;

        do { /* once more when the second had passed already */
            asked = FAKE_APNS_COUNT(&fake, "verdict");
            fake_apns_program(&fake, programs[i]);
            from = clock_monotonic_ms();
            ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_RETRY);
            next = send_one(PUSH_ALERT, ALERT);
        } while (next != PUSH_LATER && clock_monotonic_ms() - from >= 1000);
        ck_assert_int_eq(next, PUSH_LATER);
        ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), asked + 1); /* nothing went out */
        clock_pause_ms(1050);
        ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_SENT);
    }
}
END_TEST

START_TEST(a_connection_that_is_told_to_go_is_replaced)
{
    ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_SENT);
    fake_apns_program(&fake, "[{\"times\":1,\"goaway\":true}]");
    ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_SENT);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_SENT);
    }
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""), 7);
    ck_assert_int_eq(fake_apns_connections(&fake), 2);
}
END_TEST

START_TEST(a_connection_that_is_closed_leaves_a_push_to_be_tried_again)
{
    ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_SENT);
    fake_apns_program(&fake, "[{\"times\":1,\"cut\":true}]");
    ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_RETRY);
    fake_apns_program(&fake, "[]");
    ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_SENT);
}
END_TEST

START_TEST(too_large_a_payload_is_refused_without_asking)
{
    char *payload = arena_alloc(ctx->arena, APNS_PAYLOAD_MAX + 2);

    memset(payload, ' ', APNS_PAYLOAD_MAX + 1);
    ck_assert_int_eq(send_one(PUSH_ALERT, payload), PUSH_REFUSED);
    ck_assert_str_eq(fake_apns_record(&fake), "");
}
END_TEST

START_TEST(a_provider_token_serves_fifty_minutes)
{
    int64_t now_ms = clock_wall_ms();

    clock_pretend(now_ms);
    const char *first = apns_provider_token(ctx, apns);
    clock_pretend(now_ms + APNS_TOKEN_LIFE_MS - 1);
    ck_assert_str_eq(apns_provider_token(ctx, apns), first);
    clock_pretend(now_ms + APNS_TOKEN_LIFE_MS);
    ck_assert_str_ne(apns_provider_token(ctx, apns), first);
    clock_pretend(0);
}
END_TEST

START_TEST(a_service_that_is_away_means_later)
{
    struct push push = make(PUSH_ALERT, ALERT);
    struct apns *other = apns_start(&(struct apns_options){.url = "https://127.0.0.1:1",
                                                           .sandbox_url = "",
                                                           .key_file = fake.key_file,
                                                           .key_id = FAKE_APNS_KID,
                                                           .team_id = FAKE_APNS_TEAM,
                                                           .topic = FAKE_APNS_TOPIC,
                                                           .ca_file = fake.ca_file});

    send_to(other, &push, 1);
    ck_assert_int_eq(push.verdict, PUSH_RETRY);
    apns_stop(other);
}
END_TEST

static double cpu_us(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

/* As the senders do: each batch has a context of its own. */
static void send_batch(struct push *pushes, size_t count)
{
    struct ctx *whole = ctx;

    ctx = ctx_new_system("test");
    send_to(apns, pushes, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(pushes[i].verdict == PUSH_SENT, "%s", pushes[i].reason);
    }
    ctx_free(ctx);
    ctx = whole;
}

START_TEST(ten_thousand_pushes_share_a_connection_and_arrive_once_in_effect)
{
    enum { PUSHES = 10000, BATCH = 500 };
    struct push *pushes = arena_new_array(ctx->arena, struct push, PUSHES);

    for (int i = 0; i < PUSHES; i++) {
        pushes[i] = make(PUSH_ALERT, ALERT);
    }
    ck_assert_int_eq(send_one(PUSH_ALERT, ALERT), PUSH_SENT); /* connected */
    double from = cpu_us();
    for (int sent = 0; sent < PUSHES; sent += BATCH) {
        send_batch(pushes + sent, BATCH);
    }
    printf("%.1f us CPU a push\n", (cpu_us() - from) / PUSHES);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "\"verdict\":\"ok\""), PUSHES + 1);
    ck_assert_int_eq(fake_apns_connections(&fake), 1);
}
END_TEST

TEST_MAIN_AROUND(
    "apns", (&(struct test_around){.start = start, .stop = stop, .before = before, .after = after}),
    every_kind_of_push_passes_the_checks, each_answer_of_apples_has_its_verdict,
    a_device_that_had_too_many_requests_says_how_long_and_holds_up_no_other,
    what_apple_says_to_all_of_us_all_heed, a_connection_that_is_told_to_go_is_replaced,
    a_connection_that_is_closed_leaves_a_push_to_be_tried_again,
    too_large_a_payload_is_refused_without_asking, a_provider_token_serves_fifty_minutes,
    a_service_that_is_away_means_later,
    ten_thousand_pushes_share_a_connection_and_arrive_once_in_effect)
