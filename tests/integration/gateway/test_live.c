/* links: test_gateway */
/* Streams end with the right that opened them. */
#include "coffee/order/v1/order.pb-c.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "tests/helpers/gateway/stage.h"
#include "tests/helpers/gateway/stubs.h"
#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CLOSE_FRAME = 8, TEXT_FRAME = 1, REAUTH_MS = 8000, STORM = 180, GET_MS = 25 };

static struct valkey_server valkey;
static struct stage stage;

static enum status get_order(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Order__V1__Order *order = out;

    (void)service;
    clock_pause_ms(GET_MS);
    order->id = arena_strdup(ctx->arena, ((const Coffee__Order__V1__GetOrderRequest *)in)->id);
    order->status = COFFEE__ORDER__V1__STATUS__STATUS_PLACED;
    order->seq = 1;
    return ST_OK;
}

static enum status slow_accept(struct ctx *ctx, void *service, const void *in, void *out)
{
    clock_pause_ms(200);
    return get_order(ctx, service, in, out);
}

static const struct rpc_handler handlers[] = {
    {"GetOrder",    get_order, NULL},
    {"AcceptOrder",         slow_accept, NULL},
    {0},
};

static void start(void)
{
    valkey = valkey_server_start(0, NULL);
    stage_make(&stage, valkey.port);
    stage_start_order_with(
        &stage,
        stub_service(stage.contract, &coffee__order__v1__order_service__descriptor, handlers));
    stage_start_customer(&stage);
    stage_open(&stage, NULL);
}

static void stop(void)
{
    stage_close(&stage);
    valkey_server_stop(&valkey);
}

static void end_session(void)
{
    static const char command[] = "SET customer:deny:" STAGE_SESSION " 1 EX 900\r\n";
    char answer[64];
    int fd = raw_connect(valkey.port);

    ck_assert(raw_send(fd, command));
    ck_assert(raw_read_until(fd, answer, sizeof(answer), "+OK", 30000));
    close(fd);
}

/* A connection to the newest gateway on which the request was sent. */
static int asked(const char *path, const char *headers, enum role role)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    int fd = raw_connect(http_server_port(stage.gateways[stage.count - 1]->http));

    ck_assert(raw_send(
        fd, arena_printf(arena,
                         "GET %s HTTP/1.1\r\nHost: x\r\n"
                         "Authorization: Bearer %s\r\n%s\r\n",
                         path, stage_token(&stage, role, STAGE_CUSTOMER, STAGE_SESSION), headers)));
    return fd;
}

static void must_answer(int fd, const char *code)
{
    char head[4096];

    ck_assert(raw_read_until(fd, head, sizeof(head), "\r\n\r\n", 10000));
    ck_assert_msg(strncmp(head + strlen("HTTP/1.1 "), code, 3) == 0, "%s", head);
}

static int opened(const char *path, const char *headers, enum role role, const char *code)
{
    int fd = asked(path, headers, role);

    must_answer(fd, code);
    return fd;
}

static int opened_socket(void)
{
    return opened("/ws/queue",
                  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                  ROLE_BARISTA, "101");
}

/* The code of the close frame; 0: none came. */
static int close_code(int fd)
{
    char text[4096];
    size_t length;
    int64_t until = clock_monotonic_ms() + REAUTH_MS;

    while (clock_monotonic_ms() < until) {
        int opcode = raw_frame_read(fd, text, sizeof(text), &length);

        if (opcode == CLOSE_FRAME && length >= 2) {
            return (unsigned char)text[0] << 8 | (unsigned char)text[1];
        }
        if (opcode < 0) {
            return 0;
        }
    }
    return 0;
}

START_TEST(a_screen_whose_session_is_ended_is_closed_and_asked_to_sign_in_again)
{
    int fd = opened_socket();

    end_session();
    ck_assert_int_eq(close_code(fd), 4401);
    close(fd);
}
END_TEST

START_TEST(a_stream_whose_session_is_ended_says_reauth_and_ends)
{
    char text[8192];
    int fd = opened("/orders/" STAGE_ORDER "/events", "", ROLE_CUSTOMER, "200");

    end_session();
    ck_assert(raw_read_until(fd, text, sizeof(text), "event: reauth", REAUTH_MS));
    close(fd);
}
END_TEST

START_TEST(a_screen_that_sends_more_than_is_answered_is_closed)
{
    static const char accept[] = "{\"type\":\"accept\",\"id\":\"" STAGE_ORDER "\",\"ref\":\"r\"}";
    int fd = opened_socket();

    for (int i = 0; i < 200; i++) {
        raw_frame_send(fd, TEXT_FRAME, accept, sizeof(accept) - 1, true);
    }
    ck_assert_int_eq(close_code(fd), 1013);
    close(fd);
}
END_TEST

/* What the text frames say, up to the one with this in it. */
static void hear(int fd, const char *last, char *all, size_t size)
{
    char text[4096];
    size_t length, used = 0;

    while (!strstr(all, last)) {
        int opcode = raw_frame_read(fd, text, sizeof(text), &length);

        ck_assert_int_ge(opcode, 0);
        if (opcode == TEXT_FRAME) {
            used += (size_t)snprintf(all + used, size - used, "%.*s\n", (int)length, text);
        }
    }
}

/* RT-07 RATE-01: a tap on a screen and the same call by REST are one. */
START_TEST(a_screens_commands_count_as_writes)
{
    char heard[8192] = "";
    static const char *const refs[] = {"one", "two", "three"};

    stage.config.rate_write = "2/600s";
    stage_open(&stage, NULL);
    int fd = opened_socket();
    for (size_t i = 0; i < ARRAY_LEN(refs); i++) {
        char accept[128];
        int length =
            snprintf(accept, sizeof(accept), "{\"type\":\"accept\",\"id\":\"%s\",\"ref\":\"%s\"}",
                     STAGE_ORDER, refs[i]);

        raw_frame_send(fd, TEXT_FRAME, accept, (size_t)length, true);
        clock_pause_ms(300);
    }
    hear(fd, "\"three\"", heard, sizeof(heard));
    ck_assert_msg(strstr(heard, "{\"type\":\"ok\",\"ref\":\"two\"}") != NULL, "%s", heard);
    const char *third = strstr(heard, "{\"type\":\"error\",\"ref\":\"three\"");
    ck_assert_msg(third && strstr(third, "\"code\":\"too_many_requests\""), "%s", heard);
    close(fd);
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
    char heard[8192] = "";

    stage.config.rate_write = "2/600s";
    stage_open(&stage, NULL);
    int fd = opened_socket();
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        raw_frame_send(fd, TEXT_FRAME, texts[i], strlen(texts[i]), true);
        clock_pause_ms(300);
    }
    hear(fd, "\"three\"", heard, sizeof(heard));
    const char *third = strstr(heard, "{\"type\":\"error\",\"ref\":\"three\"");
    ck_assert_msg(third && strstr(third, "\"code\":\"too_many_requests\""), "%s", heard);
    hear(fd, "\"ref\":\"\",\"problem\":{\"type\":\"/docs#problem-too", heard, sizeof(heard));
    close(fd);
}
END_TEST

/* RT-08: as after a gateway was started anew. order-service takes four at a time and queues 64. */
START_TEST(all_who_come_back_at_once_get_their_streams)
{
    int fds[STORM];

    for (int i = 0; i < STORM; i++) {
        fds[i] = asked("/orders/" STAGE_ORDER "/events", "", ROLE_CUSTOMER);
    }
    for (int i = 0; i < STORM; i++) {
        must_answer(fds[i], "200");
        close(fds[i]);
    }
}
END_TEST

TEST_MAIN_AROUND("live", (&(struct test_around){.before = start, .after = stop}),
                 a_screen_whose_session_is_ended_is_closed_and_asked_to_sign_in_again,
                 a_stream_whose_session_is_ended_says_reauth_and_ends,
                 a_screen_that_sends_more_than_is_answered_is_closed,
                 a_screens_commands_count_as_writes, what_is_no_command_counts_as_one,
                 all_who_come_back_at_once_get_their_streams)
