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

enum { CLOSE_FRAME = 8, TEXT_FRAME = 1, REAUTH_MS = 8000 };

static struct valkey_server valkey;
static struct stage stage;

static enum status get_order(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Order__V1__Order *order = out;

    (void)service;
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
    ck_assert(raw_read_until(fd, answer, sizeof(answer), "+OK", 2000));
    close(fd);
}

/* A connection on which the request was sent and answered by a head with this code. */
static int opened(const char *path, const char *headers, enum role role, const char *code)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    char head[4096];
    int fd = raw_connect(http_server_port(stage.gateways[0]->http));

    ck_assert(raw_send(
        fd, arena_printf(arena,
                         "GET %s HTTP/1.1\r\nHost: x\r\n"
                         "Authorization: Bearer %s\r\n%s\r\n",
                         path, stage_token(&stage, role, STAGE_CUSTOMER, STAGE_SESSION), headers)));
    ck_assert(raw_read_until(fd, head, sizeof(head), "\r\n\r\n", 3000));
    ck_assert_msg(strncmp(head + strlen("HTTP/1.1 "), code, 3) == 0, "%s", head);
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

TEST_MAIN_AROUND("live", (&(struct test_around){.before = start, .after = stop}),
                 a_screen_whose_session_is_ended_is_closed_and_asked_to_sign_in_again,
                 a_stream_whose_session_is_ended_says_reauth_and_ends,
                 a_screen_that_sends_more_than_is_answered_is_closed)
