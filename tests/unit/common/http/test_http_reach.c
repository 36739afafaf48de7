/* links: common_http
 * A client that may only go out to public addresses opens no socket to others, by number or by
 * name. */
#include "common/base/clock.h"
#include "common/base/ctx.h"
#include "common/http/http_client.h"
#include "common/http/http_multi.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/unit/common/http/no_proxy.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on_loopback(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(fd, 4), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static bool connects_once(enum http_reach reach, const char *host)
{
    struct ctx *ctx = ctx_new_system("test");
    struct http_answer answer;
    int port;
    int fd = listen_on_loopback(&port);
    AUTO(http_client)
    struct http_client *client = http_client_new(&(struct http_client_options){
        .timeout_ms = 300, .connect_timeout_ms = 300, .reach = reach});
    struct http_call call = {.method = "POST",
                             .url = arena_printf(ctx->arena, "https://%s:%d/x", host, port),
                             .body = "x",
                             .size = 1};

    ck_assert_int_ne(http_client_call(ctx, client, &call, &answer), ST_OK); /* nobody answers */
    int came = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    close(came);
    close(fd);
    ctx_free(ctx);
    return came >= 0;
}

/* It tries for a moment only, which a busy machine may take from it. */
static bool connects(enum http_reach reach, const char *host)
{
    bool came = false;

    for (int i = 0; i < PATIENCE_TRIES && !came; i++) {
        came = connects_once(reach, host);
    }
    return came;
}

START_TEST(a_public_client_does_not_touch_loopback)
{
    ck_assert(connects(HTTP_ANYWHERE, "127.0.0.1"));
    ck_assert(!connects(HTTP_PUBLIC, "127.0.0.1"));
    ck_assert(!connects(HTTP_PUBLIC, "localhost"));
    ck_assert(!connects(HTTP_PUBLIC, "[::ffff:127.0.0.1]"));
    ck_assert(!connects(HTTP_PUBLIC, "2130706433")); /* the same as one number */
}
END_TEST

START_TEST(loopback_is_reached_where_that_is_said)
{
    ck_assert(connects(HTTP_PUBLIC_OR_LOOPBACK, "127.0.0.1"));
}
END_TEST

static void note_end(struct http_multi_call *call, const struct http_multi_answer *answer)
{
    (void)answer;
    atomic_store((atomic_bool *)call->user, true);
}

/* The same of the client that sends to push services, which strangers name. */
static bool many_connect_once(enum http_reach reach, const char *scheme, const char *host)
{
    struct ctx *ctx = ctx_new_system("test");
    atomic_bool ended = false;
    int port;
    int fd = listen_on_loopback(&port);
    struct http_multi *multi = http_multi_start(
        &(struct http_multi_options){.timeout_ms = 300, .connect_timeout_ms = 300, .reach = reach});
    struct http_multi_call call = {
        .url = arena_printf(ctx->arena, "%s://%s:%d/x", scheme, host, port),
        .body = "x",
        .size = 1,
        .done = note_end,
        .user = &ended,
    };

    http_multi_post(multi, &call);
    for (int i = 0; i < PATIENCE_MS / 5 && !atomic_load(&ended); i++) {
        clock_pause_ms(5);
    }
    http_multi_stop(multi);
    int came = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
    close(came);
    close(fd);
    ctx_free(ctx);
    return came >= 0;
}

static bool many_connect(enum http_reach reach, const char *scheme, const char *host)
{
    bool came = false;

    for (int i = 0; i < PATIENCE_TRIES && !came; i++) {
        came = many_connect_once(reach, scheme, host);
    }
    return came;
}

START_TEST(the_client_of_many_calls_has_the_same_bounds)
{
    ck_assert(many_connect(HTTP_PUBLIC_OR_LOOPBACK, "https", "127.0.0.1"));
    ck_assert(!many_connect(HTTP_PUBLIC_OR_LOOPBACK, "http", "127.0.0.1"));
    ck_assert(!many_connect(HTTP_PUBLIC, "https", "127.0.0.1"));
    ck_assert(!many_connect(HTTP_PUBLIC, "https", "localhost"));
    ck_assert(!many_connect(HTTP_PUBLIC, "https", "[::ffff:127.0.0.1]"));
    ck_assert(!many_connect(HTTP_PUBLIC, "https", "2130706433"));
}
END_TEST

TEST_MAIN_AROUND("http_reach", (&(struct test_around){.start = forget_proxies}),
                 a_public_client_does_not_touch_loopback, loopback_is_reached_where_that_is_said,
                 the_client_of_many_calls_has_the_same_bounds)
