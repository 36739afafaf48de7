/* links: test_gateway */
/* Two replicas, one Valkey: limits and ended sessions are shared; without Valkey both stay
 * sensible. */
#include "tests/helpers/house_test.h"
#include "tests/integration/gateway/valkey_rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { QUOTA = 40, TEXT_FRAME = 1 };

static struct valkey_server valkey;
static struct stage stage;
static struct raw_reply reply;

static void open_with(const char *read, const char *write, const char *auth)
{
    stage_make(&stage, valkey.port);
    stage.config.rate_read = read;
    stage.config.rate_write = write;
    stage.config.rate_auth = auth;
    stage.config.trusted_proxies = "127.0.0.0/8";
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
    return stage_token(&stage, ROLE_CUSTOMER, rounds.caller, STAGE_SESSION);
}

static void valkey_says(const char *command)
{
    char answer[256];
    int fd = raw_connect(valkey.port);

    ck_assert(raw_send(fd, command));
    ck_assert(raw_read_until(fd, answer, sizeof(answer), "\r\n", 30000));
    close(fd);
}

/* RATE-01 RATE-04 */
START_TEST(a_burst_through_two_replicas_is_cut_at_the_shared_total)
{
    static const char rejected[] = "ratelimit_rejected_total{class=\"read\"}";

    open_with("40/3600s", "40/3600s", "40/3600s");
    while (next_round()) {
        int64_t rejected_before = metric_value(rejected);
        int allowed = 0, refused = 0;

        for (int i = 0; i < 2 * QUOTA; i++) {
            int code = ask(i % 2, "GET", "/users/me", customer(), NULL);

            allowed += code == 200;
            refused += code == 429;
        }
        ck_assert_in_round(allowed, QUOTA);
        ck_assert_in_round(refused, QUOTA);
        ck_assert_in_round(metric_value(rejected) - rejected_before, QUOTA);
    }
    ck_assert_int_ge(strtol(raw_header(&reply, "Retry-After"), NULL, 10), 1);
    ck_assert_ptr_nonnull(strstr(reply.body, "\"code\":\"too_many_requests\""));
    ck_assert_str_eq(raw_header(&reply, "RateLimit-Policy"), "\"read\";q=40;w=3600");
    ck_assert_ptr_nonnull(strstr(raw_header(&reply, "RateLimit"), "\"read\";r=0;t="));
    /* another caller, and another class, have buckets of their own */
    ck_assert_int_eq(ask(0, "GET", "/users/me",
                         stage_token(&stage, ROLE_CUSTOMER, STAGE_ORDER, STAGE_ORDER), NULL),
                     200);
    ck_assert_int_eq(ask(0, "POST", "/orders", customer(), "{}"), 422);
}
END_TEST

static int allowed_in_a_hurry(void)
{
    enum { PARALLEL = 10, EACH = 40 };
    static char request[4096];
    int fds[PARALLEL], allowed = 0;

    snprintf(request, sizeof(request),
             "GET /users/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", customer());
    for (int i = 0; i < PARALLEL; i++) {
        fds[i] = raw_connect(http_server_port(stage.gateways[i % 2]->http));
    }
    for (int round = 0; round < EACH; round++) {
        for (int i = 0; i < PARALLEL; i++) {
            ck_assert(raw_send(fds[i], request));
        }
        for (int i = 0; i < PARALLEL; i++) {
            ck_assert(raw_reply(fds[i], &reply));
            allowed += reply.code == 200;
        }
    }
    for (int i = 0; i < PARALLEL; i++) {
        close(fds[i]);
    }
    return allowed;
}

/* RATE-01: in a hurry, over kept connections and in parallel, nobody gets more either. */
START_TEST(a_fast_caller_gets_no_more_than_the_total)
{
    open_with("200/3600s", "40/3600s", "40/3600s");
    while (next_round()) {
        int allowed = allowed_in_a_hurry();

        ck_assert_msg(!round_counts() || (allowed >= 195 && allowed <= 200), "%d", allowed);
    }
}
END_TEST

static int sign_in(int replica, const char *name)
{
    char body[80];

    snprintf(body, sizeof(body), "{\"handle\":\"%s%d\",\"password\":\"x\"}", name, rounds.number);
    return ask(replica, "POST", "/login", NULL, body);
}

/* RATE-02: by class, from the settings; who signs in counts by address and handle. */
START_TEST(sign_ins_are_limited_by_address_and_handle)
{
    open_with("40/3600s", "40/3600s", "3/3600s");
    while (next_round()) {
        for (int i = 0; i < 3; i++) {
            ck_assert_in_round(sign_in(i % 2, "grandma"), 401);
        }
        ck_assert_in_round(sign_in(0, "grandma"), 429);
        ck_assert_in_round(sign_in(1, "grandma"), 429);
        ck_assert_in_round(sign_in(1, "grandpa"), 401);
    }
    ck_assert_int_eq(ask(0, "GET", "/menu", NULL, NULL), 200);
}
END_TEST

/* From an address of the round. */
static int look_at(int replica, const char *path)
{
    char from[40];

    snprintf(from, sizeof(from), "X-Forwarded-For: 203.0.113.%d\r\n", rounds.number);
    return stage_ask(stage.gateways[replica],
                     &(struct ask){.method = "GET", .path = path, .headers = from}, &reply);
}

/* RATE-02: a page asks for a dozen at once, and without a token. */
START_TEST(photos_take_nothing_from_what_else_an_address_may_read)
{
    static const char policy[] = "\"image\";q=10000;w=60";

    open_with("2/3600s", "40/3600s", "40/3600s");
    while (next_round()) {
        for (int i = 0; i < QUOTA; i++) {
            ck_assert_int_ne(look_at(i % 2, "/photos/" STAGE_ORDER "/small"), 429);
        }
        ck_assert_in_round(strcmp(raw_header(&reply, "RateLimit-Policy"), policy), 0);
        ck_assert_in_round(look_at(0, "/menu"), 200);
        ck_assert_in_round(look_at(0, "/menu"), 200);
        ck_assert_in_round(look_at(0, "/menu"), 429);
    }
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
    while (next_round()) {
        int one = 2 * rounds.number, other = one + 1;

        for (int i = 0; i < 10; i++) {
            ck_assert_in_round(send_token(i % 2, "/logout", one), 204);
        }
        ck_assert_in_round(send_token(0, "/logout", one), 429);
        ck_assert_in_round(send_token(1, "/token/refresh", one), 429);
        ck_assert_in_round(send_token(1, "/logout", other), 204);
    }
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

static int opened_screen(void)
{
    static char request[4096];
    int fd = raw_connect(http_server_port(stage.gateways[0]->http));

    snprintf(request, sizeof(request),
             "GET /ws/queue HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
             "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
             stage_token(&stage, ROLE_BARISTA, rounds.caller, STAGE_SESSION));
    ck_assert(raw_send(fd, request));
    ck_assert(raw_reply_no_body(fd, &reply));
    ck_assert_int_eq(reply.code, 101);
    return fd;
}

/* What the text frames say, up to the one with this in it. */
static void hear(int fd, const char *last, char *all, size_t size)
{
    char text[4096];
    size_t length, used = strlen(all);

    while (!strstr(all, last)) {
        int opcode = raw_frame_read(fd, text, sizeof(text), &length);

        ck_assert_int_ge(opcode, 0);
        if (opcode == TEXT_FRAME) {
            used += (size_t)snprintf(all + used, size - used, "%.*s\n", (int)length, text);
        }
    }
}

static void must_have_refused_three(const char *heard)
{
    const char *third = strstr(heard, "{\"type\":\"error\",\"ref\":\"three\"");

    ck_assert_msg(third && strstr(third, "\"code\":\"too_many_requests\""), "%s", heard);
}

/* RT-07 RATE-01: a tap on a screen and the same call by REST are one. */
START_TEST(a_screens_commands_count_as_writes)
{
    static const char *const refs[] = {"one", "two", "three"};

    open_with("40/3600s", "2/3600s", "40/3600s");
    while (next_round()) {
        char heard[8192] = "";
        int fd = opened_screen();

        for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
            char accept[128];
            int length = snprintf(accept, sizeof(accept),
                                  "{\"type\":\"accept\",\"id\":\"%s\",\"ref\":\"%s\"}", STAGE_ORDER,
                                  refs[i]);

            raw_frame_send(fd, TEXT_FRAME, accept, (size_t)length, true);
            clock_pause_ms(300);
        }
        hear(fd, "\"three\"", heard, sizeof(heard));
        if (round_counts()) {
            hear(fd, "{\"type\":\"ok\",\"ref\":\"two\"}", heard, sizeof(heard)); /* is slower */
            must_have_refused_three(heard);
        }
        close(fd);
    }
}
END_TEST

/* RT-07 RATE-01 */
START_TEST(what_is_no_command_counts_as_one)
{
    static const char *const texts[] = {
        "{\"type\":\"dance\"}",
        "no JSON",
        "{\"type\":\"accept\",\"id\":\"" STAGE_ORDER "\",\"ref\":\"three\"}",
        "no JSON either",
    };

    open_with("40/3600s", "2/3600s", "40/3600s");
    while (next_round()) {
        char heard[8192] = "";
        int fd = opened_screen();

        for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
            raw_frame_send(fd, TEXT_FRAME, texts[i], strlen(texts[i]), true);
            clock_pause_ms(300);
        }
        hear(fd, "\"three\"", heard, sizeof(heard));
        if (round_counts()) {
            must_have_refused_three(heard);
            hear(fd, "\"ref\":\"\",\"problem\":{\"type\":\"/docs#problem-too", heard,
                 sizeof(heard));
        }
        close(fd);
    }
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

/* Whether both refuse it within a second of its end. They do in any case: where Valkey's answer
 * came late, what was known holds on until they ask again. */
static bool ends_within_a_second(const char *session)
{
    const char *token = stage_token(&stage, ROLE_CUSTOMER, STAGE_CUSTOMER, session);
    bool soon = true;
    char command[96];

    ck_assert_int_eq(ask(0, "GET", "/users/me", token, NULL), 200);
    ck_assert_int_eq(ask(1, "GET", "/users/me", token, NULL), 200);
    snprintf(command, sizeof(command), "SET customer:deny:%s 1 EX 900\r\n", session);
    valkey_says(command);
    clock_pause_ms(1050);
    for (int replica = 0; replica < 2; replica++) {
        int code = ask(replica, "GET", "/users/me", token, NULL);

        soon = soon && code == 401;
        for (int i = 0; i < PATIENCE_MS / 100 && code != 401; i++) {
            clock_pause_ms(100);
            code = ask(replica, "GET", "/users/me", token, NULL);
        }
        ck_assert_int_eq(code, 401);
        ck_assert_ptr_nonnull(strstr(reply.body, "\"code\":\"token_revoked\""));
    }
    return soon;
}

/* Right within a second of the revocation; and a Valkey that forgets or goes does not bring
 * it back. */
START_TEST(an_ended_session_is_refused_by_both_within_a_second_and_stays_so)
{
    char session[] = STAGE_SESSION;
    bool soon = false;

    open_with("1000/60s", "1000/60s", "1000/60s");
    for (int i = 0; i < PATIENCE_TRIES && !soon; i++) {
        session[strlen(session) - 1] = (char)('0' + i);
        soon = ends_within_a_second(session);
    }
    ck_assert(soon);
    const char *token = stage_token(&stage, ROLE_CUSTOMER, STAGE_CUSTOMER, session);
    ck_assert_int_eq(ask(0, "GET", "/menu", token, NULL), 200);
    valkey_says("FLUSHALL\r\n");
    clock_pause_ms(1050);
    ck_assert_int_eq(ask(0, "GET", "/users/me", token, NULL), 401);
    valkey_server_stop(&valkey);
    clock_pause_ms(1050);
    ck_assert_int_eq(ask(1, "GET", "/users/me", token, NULL), 401);
}
END_TEST

/* All keys, as Valkey tells them. */
static const char *keys_in_valkey(void)
{
    static char answer[4096];
    int fd = raw_connect(valkey.port);

    ck_assert(raw_send(fd, "KEYS *\r\nPING\r\n"));
    ck_assert(raw_read_until(fd, answer, sizeof(answer), "+PONG", 30000));
    close(fd);
    return answer;
}

/* GW-08 GW-13 */
START_TEST(what_valkey_holds_is_under_our_own_prefix_and_any_replica_serves_any_token)
{
    const char *keys = "";
    char key[80];

    open_with("40/60s", "40/60s", "40/60s");
    while (next_round()) {
        ck_assert_int_eq(ask(0, "GET", "/users/me", customer(), NULL), 200);
        ck_assert_int_eq(ask(1, "GET", "/users/me", customer(), NULL), 200);
        keys = keys_in_valkey();
        snprintf(key, sizeof(key), "server:rl:read:%s", rounds.caller);
        ck_assert_msg(!round_counts() || strstr(keys, key), "%s", keys);
    }
    for (const char *at = strstr(keys, "\r\n$"); at; at = strstr(at + 3, "\r\n$")) {
        const char *name = strstr(at + 2, "\r\n");

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
                 a_screens_commands_count_as_writes, what_is_no_command_counts_as_one,
                 without_valkey_the_limit_is_reduced_and_neither_open_nor_closed,
                 a_frozen_valkey_holds_a_request_up_for_a_moment_only,
                 an_ended_session_is_refused_by_both_within_a_second_and_stays_so,
                 what_valkey_holds_is_under_our_own_prefix_and_any_replica_serves_any_token)
