/* links: test_gateway */
/* Streams end with the right that opened them. */
#include "common/base/clock.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/integration/gateway/live_stage.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CLOSE_FRAME = 8,
    TEXT_FRAME = 1,
    REAUTH_MS = 30000,
    STORM = 180,
    GET_MS = 25,
    TICKS_MS = 1200,     /* two of the streams' clock, and some more */
    HELD_MOST_MS = 1900, /* the gateway waits two seconds for the order */
    LONG_NOTE = 50000,
    SOON_MS = 8000, /* before streams are compared, every 15 s */
};

/* What order-service knows of the one order. A reader may be held with it, as by a slow answer. */
enum reader { NOBODY, GETS_ORDER, LISTS_QUEUE };
static atomic_int held_reader, held, lists;

static void read_order(struct ctx *ctx, const char *id, Coffee__Order__V1__Order *order)
{
    order->id = arena_strdup(ctx->arena, id);
    order->status = COFFEE__ORDER__V1__STATUS__STATUS_PLACED;
    order->seq = atomic_load(&seq);
}

static void hold(enum reader reader)
{
    while (atomic_load(&held_reader) == (int)reader) {
        atomic_store(&held, reader);
        clock_pause_ms(5);
    }
}

static Coffee__Order__V1__Order **one_order(struct ctx *ctx)
{
    Coffee__Order__V1__Order **orders = arena_new_array(ctx->arena, Coffee__Order__V1__Order *, 1);

    orders[0] = arena_new_struct(ctx->arena, Coffee__Order__V1__Order);
    coffee__order__v1__order__init(orders[0]);
    read_order(ctx, STAGE_ORDER, orders[0]);
    return orders;
}

static enum status get_order(struct ctx *ctx, void *service, const void *in, void *out)
{
    (void)service;
    clock_pause_ms(GET_MS);
    read_order(ctx, ((const Coffee__Order__V1__GetOrderRequest *)in)->id, out);
    hold(GETS_ORDER);
    return ST_OK;
}

static enum status list_queue(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Order__V1__ListQueueResponse *queue = out;

    (void)service;
    (void)in;
    atomic_fetch_add(&lists, 1);
    queue->n_orders = 1;
    queue->orders = one_order(ctx);
    hold(LISTS_QUEUE);
    return ST_OK;
}

static enum status compare_orders(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__CompareOrdersRequest *seen = in;
    Coffee__Order__V1__CompareOrdersResponse *newer = out;

    (void)service;
    for (size_t i = 0; i < seen->n_orders && !newer->n_orders; i++) {
        if (seen->orders[i]->seq < atomic_load(&seq)) {
            newer->n_orders = 1;
            newer->orders = one_order(ctx);
        }
    }
    return ST_OK;
}

static enum status slow_accept(struct ctx *ctx, void *service, const void *in, void *out)
{
    clock_pause_ms(200);
    return get_order(ctx, service, in, out);
}

static const struct rpc_handler handlers[] = {
    {"GetOrder",      get_order, NULL},
    {"ListQueue",           list_queue, NULL},
    {"CompareOrders",     compare_orders, NULL},
    {"AcceptOrder",           slow_accept, NULL},
    {0},
};

static void start(void)
{
    start_with(handlers);
}

static void tell_valkey(const char *command, const char *answer)
{
    char got[64];
    int fd = raw_connect(valkey.port);

    ck_assert(raw_send(fd, command));
    ck_assert(raw_read_until(fd, got, sizeof(got), answer, 30000));
    close(fd);
}

static void end_session(void)
{
    tell_valkey("SET customer:deny:" STAGE_SESSION " 1 EX 900\r\n", "+OK");
}

/* The order moves on: whoever asks from here on reads it so. The command tells it by the bus. */
static const char *next_change(const char *note)
{
    static char command[LONG_NOTE + 256];

    snprintf(command, sizeof(command),
             "PUBLISH order:pub:orders '{\"id\":\"%s\",\"status\":\"placed\",\"seq\":%d,"
             "\"note\":\"%s\"}'\r\n",
             STAGE_ORDER, atomic_fetch_add(&seq, 1) + 1, note);
    return command;
}

static void change_with(const char *note)
{
    tell_valkey(next_change(note), "\r\n");
}

static const char *request_of(struct arena *arena, const char *subject, const char *path,
                              const char *headers, enum role role)
{
    return arena_printf(arena, "GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n",
                        path, stage_token(&stage, role, subject, STAGE_SESSION), headers);
}

/* A connection to the newest gateway on which it was sent. */
static int sent(const char *request)
{
    int fd = raw_connect(http_server_port(stage.gateways[stage.count - 1]->http));

    ck_assert(raw_send(fd, request));
    return fd;
}

static int asked_by(const char *subject, const char *path, const char *headers, enum role role)
{
    AUTO(arena) struct arena *arena = arena_new(4096);

    return sent(request_of(arena, subject, path, headers, role));
}

static int asked(const char *path, const char *headers, enum role role)
{
    return asked_by(STAGE_CUSTOMER, path, headers, role);
}

static int code_of(int fd)
{
    char head[4096];

    ck_assert(raw_read_until(fd, head, sizeof(head), "\r\n\r\n", PATIENCE_MS));
    return (int)strtol(head + strlen("HTTP/1.1 "), NULL, 10);
}

static void must_answer(int fd, int code)
{
    ck_assert_int_eq(code_of(fd), code);
}

static int opened(const char *path, const char *headers, enum role role, int code)
{
    int fd = asked(path, headers, role);

    must_answer(fd, code);
    return fd;
}

#define WS_HEADERS                                                               \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static int opened_socket(void)
{
    return opened("/ws/queue", WS_HEADERS, ROLE_BARISTA, 101);
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
    int fd = opened("/orders/" STAGE_ORDER "/events", "", ROLE_CUSTOMER, 200);

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

static int streams_of_a_storm(void)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    const char *request =
        request_of(arena, STAGE_CUSTOMER, "/orders/" STAGE_ORDER "/events", "", ROLE_CUSTOMER);
    int fds[STORM], got = 0;

    for (int i = 0; i < STORM; i++) {
        fds[i] = sent(request);
    }
    for (int i = 0; i < STORM; i++) {
        got += code_of(fds[i]) == 200;
        close(fds[i]);
    }
    return got;
}

/* RT-08: as after a gateway was started anew. order-service takes four at a time and queues 64. */
START_TEST(all_who_come_back_at_once_get_their_streams)
{
    int got = streams_of_a_storm();

    for (int i = 1; i < PATIENCE_TRIES && got < STORM; i++) {
        gateway_stop(stage.gateways[0]);
        stage.count = 0;
        stage_open(&stage, NULL);
        got = streams_of_a_storm();
    }
    ck_assert_int_eq(got, STORM);
}
END_TEST

/* ---- what was read before a change, and arrives after it ---- */

static void hold_next(enum reader reader)
{
    atomic_store(&held, NOBODY);
    atomic_store(&held_reader, reader);
}

static void await_held(void)
{
    while (atomic_load(&held) == NOBODY) {
        clock_pause_ms(5);
    }
}

static void let_go(void)
{
    atomic_store(&held_reader, NOBODY);
}

static void await_seq(int stream)
{
    char text[8192], id[32];

    snprintf(id, sizeof(id), "id: %d\n", atomic_load(&seq));
    ck_assert(raw_read_until(stream, text, sizeof(text), id, 30000));
}

/* A stream that has seen the order; what it hears the gateway has told all whom it concerns. */
static int witness(void)
{
    int fd = opened("/orders/" STAGE_ORDER "/events", "", ROLE_CUSTOMER, 200);

    await_seq(fd);
    return fd;
}

static void change_and_see(int witness_fd, int times)
{
    int bus = raw_connect(valkey.port);

    for (int i = 0; i < times; i++) {
        ck_assert(raw_send(bus, next_change("")));
    }
    await_seq(witness_fd);
    close(bus);
}

/* The seq of the order in the last message that names it, until it is this, or for so long. */
static int last_seq(int fd, int wanted, int within_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    int64_t until = clock_monotonic_ms() + within_ms;
    static char text[LONG_NOTE + 4096];
    size_t length;
    int last = -1;

    while (last != wanted && clock_monotonic_ms() < until) {
        if (poll(&ready, 1, 50) > 0) {
            ck_assert_int_ge(raw_frame_read(fd, text, sizeof(text), &length), 0);
            const char *found = strstr(text, "\"seq\":");
            last = found ? (int)strtol(found + strlen("\"seq\":"), NULL, 10) : last;
        }
    }
    return last;
}

/* RT-01 */
START_TEST(a_screen_that_joins_while_an_order_changes_shows_the_change)
{
    int seeing = witness();

    hold_next(LISTS_QUEUE);
    int fd = opened_socket();
    await_held();
    change_and_see(seeing, 1);
    let_go();
    ck_assert_int_eq(last_seq(fd, 2, SOON_MS), 2);
    close(fd);
    close(seeing);
}
END_TEST

static int opened_order_socket(void)
{
    return opened("/ws/orders/" STAGE_ORDER, WS_HEADERS, ROLE_CUSTOMER, 101);
}

/* RT-01: a socket of an order that joins makes the gateway look at all there is. */
START_TEST(what_a_screen_shows_is_not_replaced_by_an_older_snapshot)
{
    int seeing = witness(), fd = opened_socket();

    ck_assert_int_eq(last_seq(fd, 1, SOON_MS), 1);
    clock_pause_ms(TICKS_MS); /* the queue is not asked for any more */
    hold_next(LISTS_QUEUE);
    close(opened_order_socket());
    await_held();
    change_and_see(seeing, 1);
    ck_assert_int_eq(last_seq(fd, 2, SOON_MS), 2);
    let_go();
    ck_assert_int_ne(last_seq(fd, 1, 2000), 1);
    close(fd);
    close(seeing);
}
END_TEST

static int full_screen(void)
{
    static char note[LONG_NOTE];
    int fd = opened_socket(), room = 16 * 1024;

    memset(note, 'n', sizeof(note) - 1);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
    for (int i = 0; i < 200; i++) { /* more than the kernel keeps */
        change_with(note);
    }
    return fd;
}

/* RT-01: it would only come back, to be sent as much again. */
START_TEST(a_screen_that_has_no_room_for_changes_stays_and_is_sent_the_whole_queue)
{
    int fd = full_screen();

    ck_assert_int_eq(last_seq(fd, atomic_load(&seq), SOON_MS), atomic_load(&seq));
    close(fd);
}
END_TEST

START_TEST(the_queue_is_not_asked_for_while_no_screen_has_room_for_it)
{
    int fd = full_screen(), seeing = witness();

    change_and_see(seeing, 1); /* and what came before */
    close(seeing);
    clock_pause_ms(TICKS_MS);
    int before = atomic_load(&lists);
    clock_pause_ms(2 * TICKS_MS);
    ck_assert_int_le(atomic_load(&lists), before + 1); /* all screens' look, every 15 s */
    close(fd);
}
END_TEST

/* False: the order was held for too long. */
static bool finds_at_once_what_changes_meanwhile(int seeing)
{
    int64_t asked_ms = clock_monotonic_ms();

    hold_next(GETS_ORDER);
    int fd = asked("/orders/" STAGE_ORDER "/events", "", ROLE_CUSTOMER);
    await_held();
    change_and_see(seeing, 20);
    clock_pause_ms(TICKS_MS);
    let_go();
    int64_t began_ms = clock_monotonic_ms();
    int code = code_of(fd);
    bool in_time = clock_monotonic_ms() - asked_ms <= HELD_MOST_MS;
    if (in_time) {
        ck_assert_int_eq(code, 200);
        await_seq(fd);
        ck_assert_int_lt(clock_monotonic_ms() - began_ms, SOON_MS);
    }
    close(fd);
    return in_time;
}

/* RT-08: sixteen are kept for it. */
START_TEST(many_changes_while_a_stream_opens_are_found_at_once)
{
    int seeing = witness();
    bool found = false;

    for (int i = 0; i < PATIENCE_TRIES && !found; i++) {
        found = finds_at_once_what_changes_meanwhile(seeing);
    }
    ck_assert(found);
    close(seeing);
}
END_TEST

/* ---- how many one person may have ---- */

#define STRANGER "019aa1f0-5c3e-7000-8000-00000000face"

static void allow_three(void)
{
    stage.config.max_streams_per_person = 3;
    stage_open(&stage, NULL);
}

static int events_of(const char *subject)
{
    int fd = asked_by(subject, "/orders/" STAGE_ORDER "/events", "", ROLE_CUSTOMER);

    must_answer(fd, 200);
    return fd;
}

static void must_hear(int fd, const char *what)
{
    char text[8192];

    ck_assert(raw_read_until(fd, text, sizeof(text), what, 30000));
    close(fd);
}

static void must_have_given_way(int fd)
{
    must_hear(fd, "retry: 60000\n\n\r\n0\r\n\r\n");
}

/* RT-07 RT-08 */
START_TEST(one_more_stream_than_a_person_may_have_ends_the_oldest)
{
    int fds[5], stranger;

    allow_three();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = events_of(STAGE_CUSTOMER);
    }
    stranger = events_of(STRANGER);
    must_have_given_way(fds[0]);
    must_have_given_way(fds[1]);
    change_with("");
    for (size_t i = 2; i < ARRAY_LEN(fds); i++) {
        must_hear(fds[i], "id: 2\n");
    }
    must_hear(stranger, "id: 2\n");
}
END_TEST

/* RT-07: a tablet that lost its network three times is in again. */
START_TEST(sockets_and_streams_of_a_person_count_together)
{
    allow_three();
    int screen = opened_socket(), stream = events_of(STAGE_CUSTOMER);
    int order = opened_order_socket(), second = opened_socket();

    ck_assert_int_eq(close_code(screen), 1013);
    close(screen);
    screen = opened_socket();
    must_have_given_way(stream);
    ck_assert_int_ge(last_seq(second, 1, SOON_MS), 1);
    ck_assert_int_ge(last_seq(screen, 1, SOON_MS), 1);
    close(order);
    close(second);
    close(screen);
}
END_TEST

/* RT-08: before it has its first event. */
START_TEST(a_stream_that_is_still_opening_gives_way_too)
{
    int fds[4];

    allow_three();
    hold_next(GETS_ORDER);
    fds[0] = asked("/orders/" STAGE_ORDER "/events", "", ROLE_CUSTOMER);
    await_held();
    for (size_t i = 1; i < ARRAY_LEN(fds); i++) {
        fds[i] = asked("/orders/" STAGE_ORDER "/events", "", ROLE_CUSTOMER);
    }
    clock_pause_ms(GET_MS * 8); /* all are listed */
    let_go();
    must_answer(fds[0], 200);
    must_have_given_way(fds[0]);
    for (size_t i = 1; i < ARRAY_LEN(fds); i++) {
        must_answer(fds[i], 200);
        must_hear(fds[i], "id: 1\n");
    }
}
END_TEST

TEST_MAIN_AROUND("live", (&(struct test_around){.before = start, .after = stop}),
                 a_screen_whose_session_is_ended_is_closed_and_asked_to_sign_in_again,
                 a_stream_whose_session_is_ended_says_reauth_and_ends,
                 a_screen_that_sends_more_than_is_answered_is_closed,
                 all_who_come_back_at_once_get_their_streams,
                 a_screen_that_joins_while_an_order_changes_shows_the_change,
                 what_a_screen_shows_is_not_replaced_by_an_older_snapshot,
                 a_screen_that_has_no_room_for_changes_stays_and_is_sent_the_whole_queue,
                 the_queue_is_not_asked_for_while_no_screen_has_room_for_it,
                 many_changes_while_a_stream_opens_are_found_at_once,
                 one_more_stream_than_a_person_may_have_ends_the_oldest,
                 sockets_and_streams_of_a_person_count_together,
                 a_stream_that_is_still_opening_gives_way_too)
