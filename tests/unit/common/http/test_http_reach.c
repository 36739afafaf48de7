/* links: common_http
 * A client that may only go out to public addresses opens no socket to others, by number or by
 * name. */
#include "common/base/ctx.h"
#include "common/http/http_client.h"
#include "tests/helpers/house_test.h"

#include <arpa/inet.h>
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

static bool connects(enum http_reach reach, const char *host)
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

TEST_MAIN("http_reach", a_public_client_does_not_touch_loopback,
          loopback_is_reached_where_that_is_said)
