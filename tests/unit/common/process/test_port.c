/* links: common_process common_obs common_crypto */
/* What a daemon does when its port is taken. */
#include "common/base/clock.h"
#include "common/process/daemon.h"
#include "tests/helpers/free_port.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HELD_MS = 400 };

static const struct sockaddr_in anywhere = {.sin_family = AF_INET,
                                            .sin_addr.s_addr = 0x0100007f /* 127.0.0.1 */};

static int socket_at_some_port(int *port)
{
    struct sockaddr_in name = anywhere;
    socklen_t size = sizeof(name);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&name, sizeof(name)), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &size), 0);
    *port = ntohs(name.sin_port);
    return fd;
}

/* A connection to a server; its own end is at 'port'. */
static int outgoing_connection(int *server, int *port)
{
    struct sockaddr_in there = anywhere;
    int server_port;

    *server = socket_at_some_port(&server_port);
    ck_assert_int_eq(listen(*server, 1), 0);
    there.sin_port = htons((uint16_t)server_port);

    int client = socket_at_some_port(port);
    ck_assert_int_eq(connect(client, (const struct sockaddr *)&there, sizeof(there)), 0);
    return client;
}

static void *end_after_a_while(void *fd)
{
    clock_pause_ms(HELD_MS);
    /* a reset, so that no end of it lingers on the port */
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(*(int *)fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(*(int *)fd);
    return NULL;
}

START_TEST(a_port_that_an_outgoing_connection_has_is_waited_for)
{
    int server, port;
    int client = outgoing_connection(&server, &port);
    int64_t began = clock_monotonic_ms();
    pthread_t ends;

    ck_assert_int_eq(pthread_create(&ends, NULL, end_after_a_while, &client), 0);
    ck_assert(daemon_await_port("127.0.0.1", port));
    ck_assert_int_ge(clock_monotonic_ms() - began, HELD_MS - 1);
    pthread_join(ends, NULL);
    close(server);
}
END_TEST

START_TEST(a_port_that_is_free_or_of_another_server_is_not_waited_for)
{
    int64_t began = clock_monotonic_ms();
    int port;
    int server = socket_at_some_port(&port);

    ck_assert_int_eq(listen(server, 1), 0);
    ck_assert(daemon_await_port("127.0.0.1", port));
    ck_assert(daemon_await_port("0.0.0.0", port));
    close(server);
    port = free_port(); /* the kernel may give the other away */
    ck_assert(daemon_await_port("127.0.0.1", port));
    ck_assert(daemon_await_port("::1", port));
    ck_assert(daemon_await_port("127.0.0.1", 0));
    ck_assert(daemon_await_port("no address", 80));
    ck_assert_int_lt(clock_monotonic_ms() - began, 2000);
}
END_TEST

/* It was stopped, and its queue is full: a connection to it would be tried for minutes. */
START_TEST(a_server_that_accepts_nobody_is_told_in_time)
{
    struct sockaddr_in there = anywhere;
    int port, callers[4];
    int server = socket_at_some_port(&port);

    ck_assert_int_eq(listen(server, 0), 0);
    there.sin_port = htons((uint16_t)port);
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        callers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(callers[i], (const struct sockaddr *)&there, sizeof(there));
    }
    ck_assert_quick(3000, ck_assert(daemon_await_port("127.0.0.1", port)));
    for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
        close(callers[i]);
    }
    close(server);
}
END_TEST

TEST_MAIN("port", a_port_that_an_outgoing_connection_has_is_waited_for,
          a_port_that_is_free_or_of_another_server_is_not_waited_for,
          a_server_that_accepts_nobody_is_told_in_time)
