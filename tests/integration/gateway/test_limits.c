/* links: test_gateway */
/* Two replicas, one Valkey: limits and ended sessions are shared; without Valkey both stay
 * sensible. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/metrics.h"
#include "tests/helpers/gateway/stage.h"
#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUOTA = 40 };

static struct valkey_server valkey;
static struct stage stage;
static struct raw_reply reply;

static void open_with(const char *read, const char *write, const char *auth)
{
    stage_make(&stage, valkey.port);
    stage.config.rate_read = read;
    stage.config.rate_write = write;
    stage.config.rate_auth = auth;
    stage_start_order(&stage);
    stage_start_customer(&stage);
    stage_open(&stage, NULL);
    stage_open(&stage, NULL);
}

static void start(void)
{
    valkey = valkey_server_start(0, NULL);
}

static void stop(void)
{
    stage_close(&stage);
    valkey_server_stop(&valkey);
}

static int ask(int replica, const char *method, const char *path, const char *token,
               const char *body)
{
    return stage_ask(stage.gateways[replica],
                     &(struct ask){.method = method, .path = path, .token = token, .body = body},
                     &reply);
}

static const char *customer(void)
{
    return stage_token(&stage, ROLE_CUSTOMER, STAGE_CUSTOMER, STAGE_SESSION);
}

static void valkey_says(const char *command)
{
    char answer[256];
    int fd = raw_connect(valkey.port);

    ck_assert(raw_send(fd, command));
    ck_assert(raw_read_until(fd, answer, sizeof(answer), "\r\n", 30000));
    close(fd);
}

static int64_t metric_value(const char *name)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct text text = text_new(arena, 4096);
    char line[128];

    metrics_print(&text, false);
    snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(text.data, line);
    return at ? strtoll(at + strlen(line), NULL, 10) : -1;
}

/* RATE-01 RATE-04 */
START_TEST(a_burst_through_two_replicas_is_cut_at_the_shared_total)
{
    int allowed = 0, refused = 0;

    open_with("40/3600s", "40/3600s", "40/3600s");
    for (int i = 0; i < 2 * QUOTA; i++) {
        int code = ask(i % 2, "GET", "/users/me", customer(), NULL);

        allowed += code == 200;
        refused += code == 429;
    }
    ck_assert_int_eq(allowed, QUOTA);
    ck_assert_int_eq(refused, QUOTA);
    ck_assert_int_ge(strtol(raw_header(&reply, "Retry-After"), NULL, 10), 1);
    ck_assert_ptr_nonnull(strstr(reply.body, "\"code\":\"too_many_requests\""));
    ck_assert_str_eq(raw_header(&reply, "RateLimit-Policy"), "\"read\";q=40;w=3600");
    ck_assert_ptr_nonnull(strstr(raw_header(&reply, "RateLimit"), "\"read\";r=0;t="));
    ck_assert_int_eq(metric_value("ratelimit_rejected_total{class=\"read\"}"), QUOTA);
    /* another caller, and another class, have buckets of their own */
    ck_assert_int_eq(ask(0, "GET", "/users/me",
                         stage_token(&stage, ROLE_CUSTOMER, STAGE_ORDER, STAGE_ORDER), NULL),
                     200);
    ck_assert_int_eq(ask(0, "POST", "/orders", customer(), "{}"), 422);
}
END_TEST

/* RATE-01: in a hurry, over kept connections and in parallel, nobody gets more either. */
START_TEST(a_fast_caller_gets_no_more_than_the_total)
{
    enum { PARALLEL = 10, EACH = 40 };
    static char request[PARALLEL][4096];
    int fds[PARALLEL], allowed = 0;

    open_with("200/3600s", "40/3600s", "40/3600s");
    snprintf(request[0], sizeof(request[0]),
             "GET /users/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", customer());
    for (int i = 0; i < PARALLEL; i++) {
        fds[i] = raw_connect(http_server_port(stage.gateways[i % 2]->http));
    }
    for (int round = 0; round < EACH; round++) {
        for (int i = 0; i < PARALLEL; i++) {
            ck_assert(raw_send(fds[i], request[0]));
        }
        for (int i = 0; i < PARALLEL; i++) {
            ck_assert(raw_reply(fds[i], &reply));
            allowed += reply.code == 200;
        }
    }
    for (int i = 0; i < PARALLEL; i++) {
        close(fds[i]);
    }
    ck_assert_int_le(allowed, 200);
    ck_assert_int_ge(allowed, 195);
}
END_TEST

/* RATE-02: by class, from the settings; who signs in counts by address and handle. */
START_TEST(sign_ins_are_limited_by_address_and_handle)
{
    static const char grandma[] = "{\"handle\":\"grandma\",\"password\":\"x\"}";
    static const char grandpa[] = "{\"handle\":\"grandpa\",\"password\":\"x\"}";

    open_with("40/3600s", "40/3600s", "3/3600s");
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(ask(i % 2, "POST", "/login", NULL, grandma), 401);
    }
    ck_assert_int_eq(ask(0, "POST", "/login", NULL, grandma), 429);
    ck_assert_int_eq(ask(1, "POST", "/login", NULL, grandma), 429);
    ck_assert_int_eq(ask(1, "POST", "/login", NULL, grandpa), 401);
    ck_assert_int_eq(ask(0, "GET", "/menu", NULL, NULL), 200);
}
END_TEST

/* RATE-02: a page asks for a dozen at once, and without a token. */
START_TEST(photos_take_nothing_from_what_else_an_address_may_read)
{
    static const char photo[] = "/photos/" STAGE_ORDER "/small";

    open_with("2/3600s", "40/3600s", "40/3600s");
    for (int i = 0; i < QUOTA; i++) {
        ck_assert_int_ne(ask(i % 2, "GET", photo, NULL, NULL), 429);
    }
    ck_assert_str_eq(raw_header(&reply, "RateLimit-Policy"), "\"image\";q=10000;w=60");
    ck_assert_int_eq(ask(0, "GET", "/menu", NULL, NULL), 200);
    ck_assert_int_eq(ask(0, "GET", "/menu", NULL, NULL), 200);
    ck_assert_int_eq(ask(0, "GET", "/menu", NULL, NULL), 429);
}
END_TEST

static int send_token(int replica, const char *path, int which)
{
    char body[80];

    snprintf(body, sizeof(body), "{\"refreshToken\":\"token-%d\"}", which);
    return ask(replica, "POST", path, NULL, body);
}

/* RATE-02: the phones of one café. */
START_TEST(phones_of_one_address_stay_signed_in_and_sign_out_by_their_own_tokens)
{
    open_with("40/3600s", "40/3600s", "10/3600s");
    for (int phone = 0; phone < 12; phone++) {
        ck_assert_int_ne(send_token(phone % 2, "/token/refresh", phone), 429);
    }
    for (int phone = 0; phone < 12; phone++) {
        ck_assert_int_eq(send_token(phone % 2, "/logout", phone), 204);
    }
}
END_TEST

START_TEST(one_token_is_limited_by_itself)
{
    open_with("40/3600s", "40/3600s", "10/3600s");
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(send_token(i % 2, "/logout", 0), 204);
    }
    ck_assert_int_eq(send_token(0, "/logout", 0), 429);
    ck_assert_int_eq(send_token(1, "/token/refresh", 0), 429);
    ck_assert_int_eq(send_token(1, "/logout", 1), 204);
}
END_TEST

START_TEST(one_address_cannot_try_every_handle)
{
    int refused = 0;

    open_with("40/3600s", "40/3600s", "1/3600s");
    for (int i = 0; i < 30; i++) {
        char body[80];

        snprintf(body, sizeof(body), "{\"handle\":\"user%d\",\"password\":\"x\"}", i);
        refused += ask(0, "POST", "/login", NULL, body) == 429;
    }
    ck_assert_int_eq(refused, 10);
}
END_TEST

START_TEST(one_address_cannot_try_every_token)
{
    int refused = 0;

    open_with("40/3600s", "40/3600s", "1/3600s");
    for (int i = 0; i < 30; i++) {
        refused += send_token(0, "/token/refresh", i) == 429;
    }
    ck_assert_int_eq(refused, 10);
}
END_TEST

/* RATE-01: one who tries addresses, too. */
START_TEST(what_is_no_route_counts_by_address_and_health_does_not)
{
    int refused = 0;

    open_with("1/3600s", "40/3600s", "40/3600s");
    for (int i = 0; i < 30; i++) {
        refused += ask(0, "GET", "/.env", NULL, NULL) == 429;
    }
    ck_assert_int_eq(refused, 10);
    ck_assert_int_eq(ask(0, "DELETE", "/menu", NULL, NULL), 429);
    ck_assert_int_eq(ask(0, "OPTIONS", "/.env", NULL, NULL), 429);
    ck_assert_int_eq(ask(0, "GET", "/healthz", NULL, NULL), 200);
}
END_TEST

/* RATE-02: a browser asks twice, and many of them come from the one address of a café. */
START_TEST(what_a_browser_asks_before_it_calls_takes_nothing_from_its_address)
{
    open_with("2/3600s", "40/3600s", "40/3600s");
    for (int i = 0; i < QUOTA; i++) {
        ck_assert_int_eq(ask(0, "OPTIONS", "/menu", NULL, NULL), 204);
    }
    ck_assert_int_eq(ask(0, "GET", "/menu", NULL, NULL), 200);
}
END_TEST

/* RATE-03 */
START_TEST(without_valkey_the_limit_is_reduced_and_neither_open_nor_closed)
{
    int allowed = 0;

    open_with("40/3600s", "40/3600s", "40/3600s");
    valkey_server_stop(&valkey);
    for (int i = 0; i < QUOTA; i++) {
        allowed += ask(0, "GET", "/users/me", customer(), NULL) == 200;
    }
    ck_assert_int_eq(allowed, QUOTA / 4);
    ck_assert_int_ge(metric_value("ratelimit_fallback_total{class=\"read\"}"), QUOTA);
}
END_TEST

START_TEST(a_frozen_valkey_holds_a_request_up_for_a_moment_only)
{
    open_with("40/3600s", "40/3600s", "40/3600s");
    valkey_server_freeze(&valkey);
    int64_t begun = clock_monotonic_ms();

    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(ask(0, "GET", "/users/me", customer(), NULL), 200);
    }
    ck_assert_int_lt(clock_monotonic_ms() - begun,
                     10000); /* five requests, each would wait for its deadline */
    valkey_server_thaw(&valkey);
}
END_TEST

/* Right within a second of the revocation; and a Valkey that forgets or goes does not bring
 * it back. */
START_TEST(an_ended_session_is_refused_by_both_within_a_second_and_stays_so)
{
    open_with("1000/60s", "1000/60s", "1000/60s");
    ck_assert_int_eq(ask(0, "GET", "/users/me", customer(), NULL), 200);
    ck_assert_int_eq(ask(1, "GET", "/users/me", customer(), NULL), 200);
    valkey_says("SET customer:deny:" STAGE_SESSION " 1 EX 900\r\n");
    clock_pause_ms(1050);
    for (int replica = 0; replica < 2; replica++) {
        ck_assert_int_eq(ask(replica, "GET", "/users/me", customer(), NULL), 401);
        ck_assert_ptr_nonnull(strstr(reply.body, "\"code\":\"token_revoked\""));
    }
    ck_assert_int_eq(ask(0, "GET", "/menu", customer(), NULL), 200);
    valkey_says("FLUSHALL\r\n");
    clock_pause_ms(1050);
    ck_assert_int_eq(ask(0, "GET", "/users/me", customer(), NULL), 401);
    valkey_server_stop(&valkey);
    clock_pause_ms(1050);
    ck_assert_int_eq(ask(1, "GET", "/users/me", customer(), NULL), 401);
}
END_TEST

/* GW-08 GW-13 */
START_TEST(what_valkey_holds_is_under_our_own_prefix_and_any_replica_serves_any_token)
{
    static char answer[4096];

    open_with("40/60s", "40/60s", "40/60s");
    ck_assert_int_eq(ask(0, "GET", "/users/me", customer(), NULL), 200);
    ck_assert_int_eq(ask(1, "GET", "/users/me", customer(), NULL), 200);
    int fd = raw_connect(valkey.port);
    ck_assert(raw_send(fd, "KEYS *\r\n"));
    raw_read(fd, answer, sizeof(answer), 300);
    close(fd);
    ck_assert_ptr_nonnull(strstr(answer, "server:rl:read:" STAGE_CUSTOMER));
    for (const char *key = strstr(answer, "\r\n$"); key; key = strstr(key + 3, "\r\n$")) {
        const char *name = strstr(key + 2, "\r\n");

        ck_assert(name && strncmp(name + 2, "server:", 7) == 0);
    }
}
END_TEST

TEST_MAIN_AROUND("limits", (&(struct test_around){.before = start, .after = stop}),
                 a_burst_through_two_replicas_is_cut_at_the_shared_total,
                 a_fast_caller_gets_no_more_than_the_total,
                 sign_ins_are_limited_by_address_and_handle,
                 photos_take_nothing_from_what_else_an_address_may_read,
                 phones_of_one_address_stay_signed_in_and_sign_out_by_their_own_tokens,
                 one_token_is_limited_by_itself, one_address_cannot_try_every_handle,
                 one_address_cannot_try_every_token,
                 what_is_no_route_counts_by_address_and_health_does_not,
                 what_a_browser_asks_before_it_calls_takes_nothing_from_its_address,
                 without_valkey_the_limit_is_reduced_and_neither_open_nor_closed,
                 a_frozen_valkey_holds_a_request_up_for_a_moment_only,
                 an_ended_session_is_refused_by_both_within_a_second_and_stays_so,
                 what_valkey_holds_is_under_our_own_prefix_and_any_replica_serves_any_token)
