/* links: test_gateway */
/* Two replicas of a daemon, one of which dies over its calls. */
#include "common/base/clock.h"
#include "tests/helpers/gateway/stage.h"
#include "tests/helpers/grpc_host.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

enum { LOST = 3 }; /* as many as open the breaker */

static struct valkey_server valkey;
static struct stage stage;
static struct grpc_host dying;
static struct gateway *gateway;
static struct raw_reply reply;
static char addresses[64];

static void start_valkey(void)
{
    valkey = valkey_server_start(0, NULL);
}

static void stop_valkey(void)
{
    valkey_server_stop(&valkey);
}

static void start(void)
{
    stage_make(&stage, valkey.port);
    stage_start_order(&stage);
    grpc_host_start(&dying, false);
    snprintf(addresses, sizeof(addresses), "ipv4:127.0.0.1:%d,127.0.0.1:%d", stage.order_port,
             dying.base.port);
    stage.config.order_service = addresses;
    gateway = stage_open(&stage, NULL);
}

static void stop(void)
{
    stage_close(&stage);
}

static int ask(void)
{
    return stage_ask(gateway, &(struct ask){.method = "GET", .path = "/menu"}, &reply);
}

/* False: the replica that dies has it. */
static bool is_answered(int fd)
{
    int before = atomic_load(&dying.calls);

    ck_assert(raw_send(fd, "GET /menu HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"));
    for (int i = 0; i < PATIENCE_MS / 5; i++) {
        if (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 5) == 1) {
            return true;
        }
        if (atomic_load(&dying.calls) > before) {
            return false;
        }
    }
    ck_abort_msg("nobody has it");
}

/* Calls under way at the replica that dies, none at the other. */
static int hold(int held[LOST])
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    int count = 0, last_code = 0;

    while (clock_monotonic_ms() < until && (count < LOST || last_code != 200)) {
        int fd = raw_connect(http_server_port(gateway->http));

        ck_assert_int_ge(fd, 0);
        if (is_answered(fd)) {
            ck_assert(raw_reply(fd, &reply));
            last_code = reply.code;
            close(fd);
            clock_pause_ms(5); /* it may have to find the other first */
        } else if (count < LOST) {
            held[count++] = fd;
        } else {
            close(fd);
        }
    }
    return count;
}

START_TEST(a_replica_that_dies_does_not_keep_people_from_the_other)
{
    int held[LOST], code = 503;

    ck_assert_int_eq(hold(held), LOST);
    grpc_host_stop(&dying);
    for (int i = 0; i < LOST; i++) {
        ck_assert(raw_reply(held[i], &reply));
        ck_assert_int_ge(reply.code, 503); /* 504: this machine stood still */
        close(held[i]);
    }
    for (int i = 0; i < PATIENCE_TRIES && code != 200; i++) {
        code = ask();
    }
    ck_assert_int_eq(code, 200);
}
END_TEST

TEST_MAIN_AROUND("replicas",
                 (&(struct test_around){
                     .start = start_valkey, .stop = stop_valkey, .before = start, .after = stop}),
                 a_replica_that_dies_does_not_keep_people_from_the_other)
