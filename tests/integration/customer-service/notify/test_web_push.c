/* links: test_apns common_http common_crypto
 * What a push service that answers slowly, or asks to wait, does to the pushes of others. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/crypto/p256.h"
#include "customer-service/notify/web_push.h"
#include "tests/helpers/apns/fake_apns.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MS = 3000 }; /* no push is waited for longer */

static struct fake_apns fake;
static struct web_push *web;
static struct ctx *ctx;

static void start(void)
{
    fake_apns_start(&fake);
}

static void stop(void)
{
    fake_apns_stop(&fake);
}

static void start_web(void)
{
    web = web_push_start(&(struct web_push_options){.key_file = fake.key_file,
                                                    .subject = "mailto:test@example.org",
                                                    .ca_file = fake.ca_file,
                                                    .loopback = true});
    ck_assert_ptr_nonnull(web);
}

static void before(void)
{
    fake_apns_reset(&fake);
    ctx = ctx_new_system("test");
    start_web();
}

static void after(void)
{
    web_push_stop(web);
    ctx_free(ctx);
}

/* In a ctx of its own: from any thread. */
static struct push send_push(struct ctx *own, const char *endpoint)
{
    AUTO(p256_key) struct p256_key *browser = p256_key_make();
    uint8_t point[P256_POINT_SIZE], secret[16] = {1};
    struct push push = {.id = "1",
                        .address = endpoint,
                        .collapse_id = "order",
                        .payload = "{}",
                        .expires_ms = clock_wall_ms() + 3600000};

    p256_public(browser, point);
    push.p256dh = base64url_encode(own->arena, point, sizeof(point));
    push.secret = base64url_encode(own->arena, secret, sizeof(secret));
    web_push_send(own, web, &(struct push *){&push}, 1);
    return push;
}

static enum push_verdict send_to(const char *endpoint)
{
    return send_push(ctx, endpoint).verdict;
}

static const char *endpoint(const char *name)
{
    return arena_printf(ctx->arena, "%s/web/%s", fake.url, name);
}

START_TEST(too_many_requests_of_one_browser_hold_up_no_other)
{
    fake_apns_program(&fake, "[{\"times\":1,\"status\":429,\"reason\":\"TooManyRequests\","
                             "\"retryAfter\":60}]");
    struct push push = send_push(ctx, endpoint("one"));
    ck_assert_int_eq(push.verdict, PUSH_RETRY);
    ck_assert_int_eq(push.wait_ms, 60000);
    ck_assert_int_eq(send_to(endpoint("other")), PUSH_SENT);
}
END_TEST

START_TEST(a_service_that_is_unavailable_is_left_alone_as_long_as_it_says)
{
    enum push_verdict next;
    int64_t from;
    int asked;

    do { /* once more when the second had passed already */
        asked = FAKE_APNS_COUNT(&fake, "verdict");
        fake_apns_program(&fake, "[{\"times\":1,\"status\":503,\"reason\":\"Shutdown\","
                                 "\"retryAfter\":1}]");
        from = clock_monotonic_ms();
        ck_assert_int_eq(send_to(endpoint("one")), PUSH_RETRY);
        next = send_to(endpoint("other"));
    } while (next != PUSH_LATER && clock_monotonic_ms() - from >= 1000);
    ck_assert_int_eq(next, PUSH_LATER);
    ck_assert_int_eq(FAKE_APNS_COUNT(&fake, "verdict"), asked + 1); /* nothing more went out */
    clock_pause_ms(1050);
    ck_assert_int_eq(send_to(endpoint("other")), PUSH_SENT);
}
END_TEST

/* As after a suspend: what was signed before is too old for whoever looks at the time of day. */
START_TEST(a_push_whose_token_was_refused_goes_with_another_but_once)
{
    const char *refused = "[{\"status\":403,\"reason\":\"ExpiredToken\"}]";
    enum push_verdict first = PUSH_LATER, old = PUSH_LATER, young = PUSH_LATER, next = PUSH_LATER;
    bool is_heard = false;

    for (int i = 0; i < PATIENCE_TRIES && !is_heard; i++) {
        int64_t from = clock_monotonic_ms();

        first = send_to(endpoint("one"));
        clock_pretend(clock_wall_ms() + 2 * 60 * 1000);
        fake_apns_program(&fake, refused);
        old = send_to(endpoint("one"));
        young = send_to(endpoint("one"));
        fake_apns_program(&fake, "[]");
        next = send_to(endpoint("one"));
        is_heard = clock_monotonic_ms() - from < ANSWER_MS;
        clock_pretend(0);
        web_push_stop(web);
        start_web();
    }
    ck_assert(is_heard);
    ck_assert_int_eq(first, PUSH_SENT);
    ck_assert_int_eq(old, PUSH_RETRY);
    ck_assert_int_eq(young, PUSH_REFUSED);
    ck_assert_int_eq(next, PUSH_SENT);
}
END_TEST

/* It takes connections, and never says a word. */
static int open_tarpit(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

START_TEST(a_service_that_never_answers_is_waited_for_once_and_briefly)
{
    bool was_brief = false;

    for (int i = 0; i < PATIENCE_TRIES && !was_brief; i++) {
        int port, fd = open_tarpit(&port);
        const char *slow = arena_printf(ctx->arena, "https://127.0.0.1:%d/x", port);
        int64_t from = clock_monotonic_ms();

        ck_assert_int_eq(send_to(slow), PUSH_RETRY);
        int64_t heard = clock_monotonic_ms();
        bool is_left_alone = send_to(slow) == PUSH_LATER; /* not asked again so soon */
        was_brief = heard - from < 4500 && is_left_alone && clock_monotonic_ms() - heard < 500;
        ck_assert_int_eq(send_to(endpoint("other")), PUSH_SENT);
        close(fd);
    }
    ck_assert(was_brief);
}
END_TEST

enum { SENDERS = 8, SLOW_MS = 1500 };

/* The same receiver under another name is another push service. */
static const char *slow_endpoint(void)
{
    fake_apns_program(
        &fake, arena_printf(ctx->arena, "[{\"token\":\"/web/slow\",\"delayMs\":%d}]", SLOW_MS));
    return arena_printf(ctx->arena, "https://localhost:%d/web/slow", fake.port);
}

struct sender {
    pthread_t thread;
    const char *endpoint;
    enum push_verdict verdict;
    int64_t took_ms;
};

static void *send_alone(void *user)
{
    struct sender *sender = user;
    struct ctx *own = ctx_new_system("test");
    int64_t from = clock_monotonic_ms();

    sender->verdict = send_push(own, sender->endpoint).verdict;
    sender->took_ms = clock_monotonic_ms() - from;
    ctx_free(own);
    return NULL;
}

static void begin_all(struct sender senders[SENDERS], const char *to)
{
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.endpoint = to};
        pthread_create(&senders[i].thread, NULL, send_alone, &senders[i]);
    }
}

static void end_all(struct sender senders[SENDERS])
{
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(senders[i].thread, NULL);
    }
}

/* PUSH-20: eight are all the workers that there are. */
START_TEST(few_wait_for_a_slow_service_and_who_asks_a_quick_one_waits_for_nobody)
{
    struct sender senders[SENDERS];
    const char *slow = slow_endpoint();
    int64_t later_ms = INT64_MAX;
    bool is_told = false;
    int later = 0;

    for (int i = 0; i < PATIENCE_TRIES && !is_told; i++) {
        clock_pause_ms(i ? 1050 : 0); /* who did not answer in time is left alone for a second */
        bool is_quick = send_to(endpoint("quick")) == PUSH_SENT;
        int64_t from = clock_monotonic_ms();
        begin_all(senders, slow);
        clock_pause_ms(200);
        int64_t asked = clock_monotonic_ms();
        is_quick = send_to(endpoint("quick")) == PUSH_SENT && is_quick;
        int64_t heard = clock_monotonic_ms();
        end_all(senders);
        is_told = is_quick && heard - asked <= 400 && /* nobody could wait when another had */
                  clock_monotonic_ms() - from < 2 * SLOW_MS;
    }
    ck_assert(is_told);
    for (int i = 0; i < SENDERS; i++) {
        if (senders[i].verdict == PUSH_LATER) {
            later++;
            later_ms = senders[i].took_ms < later_ms ? senders[i].took_ms : later_ms;
        } else {
            ck_assert_int_eq(senders[i].verdict, PUSH_SENT);
            ck_assert_int_ge(senders[i].took_ms, 1000);
        }
    }
    ck_assert_int_eq(later, SENDERS - 2);
    ck_assert_int_lt(later_ms, 1000);
}
END_TEST

START_TEST(a_slow_service_that_is_quick_again_may_be_asked_by_all)
{
    struct sender senders[SENDERS];
    const char *other = slow_endpoint();
    enum push_verdict slowly = PUSH_LATER;
    int sent = 0;

    for (int i = 0; i < PATIENCE_TRIES && slowly != PUSH_SENT; i++) {
        clock_pause_ms(i ? 1050 : 0); /* as above */
        slowly = send_to(other);
    }
    ck_assert_int_eq(slowly, PUSH_SENT);
    fake_apns_program(&fake, "[]");
    for (int i = 0; i < PATIENCE_TRIES && sent < SENDERS; i++) {
        clock_pause_ms(i ? 1050 : 0);
        if (send_to(other) != PUSH_SENT) {
            continue;
        }
        begin_all(senders, other);
        end_all(senders);
        sent = 0;
        for (int k = 0; k < SENDERS; k++) {
            sent += senders[k].verdict == PUSH_SENT;
        }
    }
    ck_assert_int_eq(sent, SENDERS);
}
END_TEST

TEST_MAIN_AROUND("web_push",
                 (&(struct test_around){
                     .start = start, .stop = stop, .before = before, .after = after}),
                 too_many_requests_of_one_browser_hold_up_no_other,
                 a_service_that_is_unavailable_is_left_alone_as_long_as_it_says,
                 a_push_whose_token_was_refused_goes_with_another_but_once,
                 a_service_that_never_answers_is_waited_for_once_and_briefly,
                 few_wait_for_a_slow_service_and_who_asks_a_quick_one_waits_for_nobody,
                 a_slow_service_that_is_quick_again_may_be_asked_by_all)
