/* links: test_gateway */
/* Places in the queue, as the streams of orders tell them. */
#include "common/base/clock.h"
#include "tests/helpers/house_test.h"
#include "tests/integration/gateway/live_stage.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    TICKS_MS = 1200, /* two of the streams' clock, and some more */
    SOON_MS = 8000,  /* before streams are compared, every 15 s */
    ANSWER_MS = 30000,
};

#define NEXT_ORDER  "019aa1f0-5c3e-7000-8000-00000000caff"
#define FIRST_PLACE "event: queue\ndata: {\"queuePosition\":1,\"etaSeconds\":90}\n\n"
#define NEXT_PLACE  "event: queue\ndata: {\"queuePosition\":2,\"etaSeconds\":180}\n\n"

/* What order-service knows: two orders, of which the first moves. */
static atomic_bool is_ready, holds, is_held;

static void read_order(struct ctx *ctx, const char *id, Coffee__Order__V1__Order *order)
{
    bool first = strcmp(id, STAGE_ORDER) == 0, ready = first && atomic_load(&is_ready);

    order->id = arena_strdup(ctx->arena, id);
    order->status =
        ready ? COFFEE__ORDER__V1__STATUS__STATUS_READY : COFFEE__ORDER__V1__STATUS__STATUS_PLACED;
    order->seq = first ? atomic_load(&seq) : 1;
    order->queue_position = ready ? 0 : first ? 1 : 2;
    order->eta_seconds = 90 * order->queue_position;
}

static Coffee__Order__V1__Order **both_orders(struct ctx *ctx)
{
    static const char *const ids[] = {STAGE_ORDER, NEXT_ORDER};
    Coffee__Order__V1__Order **orders =
        arena_new_array(ctx->arena, Coffee__Order__V1__Order *, ARRAY_LEN(ids));

    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        orders[i] = arena_new_struct(ctx->arena, Coffee__Order__V1__Order);
        coffee__order__v1__order__init(orders[i]);
        read_order(ctx, ids[i], orders[i]);
    }
    return orders;
}

static enum status get_order(struct ctx *ctx, void *service, const void *in, void *out)
{
    (void)service;
    read_order(ctx, ((const Coffee__Order__V1__GetOrderRequest *)in)->id, out);
    return ST_OK;
}

/* May be held with what it has read, as by a slow answer. */
static enum status list_queue(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Order__V1__ListQueueResponse *queue = out;

    (void)service;
    (void)in;
    queue->n_orders = 2;
    queue->orders = both_orders(ctx);
    while (atomic_load(&holds)) {
        atomic_store(&is_held, true);
        clock_pause_ms(5);
    }
    return ST_OK;
}

static enum status compare_orders(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__CompareOrdersRequest *seen = in;
    Coffee__Order__V1__CompareOrdersResponse *newer = out;

    (void)service;
    for (size_t i = 0; i < seen->n_orders && !newer->n_orders; i++) {
        if (strcmp(seen->orders[i]->id, STAGE_ORDER) == 0 &&
            seen->orders[i]->seq < atomic_load(&seq)) {
            newer->n_orders = 1;
            newer->orders = both_orders(ctx);
        }
    }
    return ST_OK;
}

static const struct rpc_handler handlers[] = {
    {"GetOrder",  get_order, NULL},
    {"ListQueue",       list_queue, NULL},
    {"CompareOrders", compare_orders, NULL},
    {0      },
};

static void start(void)
{
    start_with(handlers);
}

static bool hears(int fd, const char *what, int within_ms)
{
    char text[8192];

    return raw_read_until(fd, text, sizeof(text), what, within_ms);
}

static int events_of(const char *order)
{
    char request[2048];
    int fd = raw_connect(http_server_port(stage.gateways[0]->http));

    snprintf(request, sizeof(request),
             "GET /orders/%s/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", order,
             stage_token(&stage, ROLE_CUSTOMER, STAGE_CUSTOMER, STAGE_SESSION));
    ck_assert(raw_send(fd, request));
    ck_assert(hears(fd, "id: 1\n", ANSWER_MS));
    return fd;
}

/* The first order moves on: whoever asks from here on reads it so, and the bus tells it. */
static void change(bool to_ready)
{
    char command[256], got[64];
    int fd = raw_connect(valkey.port);

    atomic_store(&is_ready, to_ready);
    snprintf(command, sizeof(command),
             "PUBLISH order:pub:orders '{\"id\":\"%s\",\"status\":\"%s\",\"seq\":%d}'\r\n",
             STAGE_ORDER, to_ready ? "ready" : "accepted", atomic_fetch_add(&seq, 1) + 1);
    ck_assert(raw_send(fd, command));
    ck_assert(raw_read_until(fd, got, sizeof(got), "\r\n", ANSWER_MS));
    close(fd);
}

/* RT-08: what the change said of it may be old, or nothing. */
START_TEST(a_place_is_told_again_after_its_order_changed)
{
    int fd = events_of(STAGE_ORDER);

    ck_assert(hears(fd, FIRST_PLACE, SOON_MS));
    change(false);
    ck_assert(hears(fd, "id: 2\n", SOON_MS));
    ck_assert(hears(fd, FIRST_PLACE, SOON_MS));
    close(fd);
}
END_TEST

/* RT-08 */
START_TEST(a_change_of_one_order_tells_no_other_the_place_it_knows)
{
    char text[8192];
    int fd = events_of(STAGE_ORDER), next = events_of(NEXT_ORDER);

    ck_assert(hears(fd, FIRST_PLACE, SOON_MS));
    ck_assert(hears(next, NEXT_PLACE, SOON_MS));
    change(false);
    ck_assert(hears(fd, "id: 2\n", SOON_MS));
    ck_assert(hears(fd, FIRST_PLACE, SOON_MS));
    raw_read(next, text, sizeof(text), TICKS_MS);
    ck_assert_ptr_null(strstr(text, "event: queue"));
    close(fd);
    close(next);
}
END_TEST

/* RT-08: it is ready, and nobody would correct that. */
START_TEST(a_place_that_was_read_before_a_change_is_not_told_after_it)
{
    char text[8192];
    int fd = events_of(STAGE_ORDER);

    ck_assert(hears(fd, FIRST_PLACE, SOON_MS));
    clock_pause_ms(TICKS_MS); /* the queue is not asked for any more */
    atomic_store(&holds, true);
    int next = events_of(NEXT_ORDER); /* who joins makes the gateway ask for it */
    while (!atomic_load(&is_held)) {
        clock_pause_ms(5);
    }
    change(true);
    ck_assert(hears(fd, "id: 2\n", SOON_MS));
    atomic_store(&holds, false);
    ck_assert(hears(next, NEXT_PLACE, SOON_MS)); /* that answer was told */
    raw_read(fd, text, sizeof(text), TICKS_MS);
    ck_assert_ptr_null(strstr(text, "event: queue"));
    close(fd);
    close(next);
}
END_TEST

TEST_MAIN_AROUND("places", (&(struct test_around){.before = start, .after = stop}),
                 a_place_is_told_again_after_its_order_changed,
                 a_change_of_one_order_tells_no_other_the_place_it_knows,
                 a_place_that_was_read_before_a_change_is_not_told_after_it)
