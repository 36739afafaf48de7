/* links: test_rpc */
/* Health and reflection, by our own client and by a stranger's: grpcurl. Its path comes from
 * GRPCURL, else it is where the front door keeps downloads. */
#include "tests/helpers/free_port.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/rpc/echo_server.h"

#include "common/base/clock.h"
#include "common/rpc/identity.h"

#include "grpc/health/v1/health.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef Grpc__Health__V1__HealthCheckRequest health_request;
typedef Grpc__Health__V1__HealthCheckResponse health_response;

#define IS(what) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##what

static int port; /* of the echo server: one that was free */
static struct echo *echo;
static struct rpc_client *stranger; /* without identity: probes have none */
static struct ctx *ctx;

static void start(void)
{
    port = free_port();
    echo = echo_start(&(struct echo_options){.port = port});
    stranger = echo_client(port, NULL);
    ctx = echo_ctx(ROLE_NOBODY);
}

static void stop(void)
{
    ctx_free(ctx);
    rpc_client_free(stranger);
    echo_stop(echo);
}

static enum status check(const char *service, int *is)
{
    health_request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    ProtobufCMessage *out;

    request.service = (char *)(uintptr_t)service;
    TRY(rpc_call(ctx, stranger, "/grpc.health.v1.Health/Check", &request.base,
                 &grpc__health__v1__health_check_response__descriptor, PATIENCE_MS, &out));
    *is = (int)((health_response *)out)->status;
    return ST_OK;
}

/* GRPC-02 */
START_TEST(health_answers_for_the_server_and_each_service_without_identity)
{
    int is = -1;

    ck_assert_int_eq(check("", &is), ST_OK);
    ck_assert_int_eq(is, IS(SERVING));
    ck_assert_int_eq(check("everything.test.v1.EchoService", &is), ST_OK);
    ck_assert_int_eq(is, IS(SERVING));
    ck_assert_int_eq(check("no.such.Service", &is), ST_NOT_FOUND);
    rpc_server_set_serving(echo->server, false);
    ck_assert_int_eq(check("", &is), ST_OK);
    ck_assert_int_eq(is, IS(NOT_SERVING));
}
END_TEST

/* GRPC-02 */
START_TEST(a_server_that_was_started_unready_serves_once_it_is_told)
{
    int is = -1;

    rpc_client_free(stranger);
    echo_stop(echo);
    echo = echo_start(&(struct echo_options){.port = port, .unready = true});
    stranger = echo_client(port, NULL);
    ck_assert_int_eq(check("", &is), ST_OK);
    ck_assert_int_eq(is, IS(NOT_SERVING));
    rpc_server_set_serving(echo->server, true);
    ck_assert_int_eq(check("everything.test.v1.EchoService", &is), ST_OK);
    ck_assert_int_eq(is, IS(SERVING));
}
END_TEST

struct watcher {
    atomic_int heard, ended;
    int states[8];
    enum status st;
};

static bool heard(struct rpc_watch *watch, const ProtobufCMessage *message, void *user)
{
    struct watcher *watcher = user;

    (void)watch;
    watcher->states[atomic_load(&watcher->heard)] = (int)((const health_response *)message)->status;
    return atomic_fetch_add(&watcher->heard, 1) < 7;
}

static void ended(struct rpc_watch *watch, enum status st, const struct ctx *why, void *user)
{
    struct watcher *watcher = user;

    (void)watch;
    (void)why;
    watcher->st = st;
    atomic_fetch_add(&watcher->ended, 1);
}

/* GRPC-02 */
START_TEST(who_watches_health_is_told_of_each_change_and_of_the_drain)
{
    static const struct rpc_watch_events events = {.message = heard, .ended = ended};
    health_request request = GRPC__HEALTH__V1__HEALTH_CHECK_REQUEST__INIT;
    struct watcher watcher = {0};
    struct rpc_watch *watch =
        rpc_watch_open(ctx, stranger, "/grpc.health.v1.Health/Watch",
                       &grpc__health__v1__health_check_response__descriptor, &events, &watcher);

    rpc_watch_send(watch, &request.base);
    rpc_watch_no_more(watch);
    ck_assert(echo_wait(&watcher.heard, 1));
    rpc_server_set_serving(echo->server, false);
    rpc_server_set_serving(echo->server, false); /* no change: not told */
    ck_assert(echo_wait(&watcher.heard, 2));
    rpc_server_set_serving(echo->server, true);
    ck_assert(echo_wait(&watcher.heard, 3));
    rpc_server_drain(echo->server, PATIENCE_MS);
    ck_assert(echo_wait(&watcher.ended, 1));
    ck_assert_int_eq(atomic_load(&watcher.heard), 4);
    ck_assert_int_eq(watcher.states[0], IS(SERVING));
    ck_assert_int_eq(watcher.states[1], IS(NOT_SERVING));
    ck_assert_int_eq(watcher.states[2], IS(SERVING));
    ck_assert_int_eq(watcher.states[3], IS(NOT_SERVING));
    ck_assert_int_eq(watcher.st, ST_UNAVAILABLE);
    rpc_watch_unref(watch);
}
END_TEST

/* What grpcurl says; asserts that it ends as expected. */
static const char *grpcurl(int expected, const char *options, const char *words)
{
    static char said[65536];
    const char *path = getenv("GRPCURL");
    const char *cache = getenv("XDG_CACHE_HOME");
    char *where = path ? arena_strdup(ctx->arena, path)
                       : arena_printf(ctx->arena, "%s%s/everything/grpcurl-1.9.3/bin/grpcurl",
                                      cache ? cache : getenv("HOME"), cache ? "" : "/.cache");
    char *line = arena_printf(ctx->arena, "timeout 20 '%s' -plaintext %s %s %s 2>&1", where,
                              options, echo->address, words);

    ck_assert_msg(access(where, X_OK) == 0, "no grpcurl at %s", where);
    FILE *out = popen(line, "r");
    size_t size = fread(said, 1, sizeof(said) - 1, out);
    said[size] = 0;
    int rc = pclose(out);
    ck_assert_msg(WEXITSTATUS(rc) == expected, "%s: exit %d: %s", words, WEXITSTATUS(rc), said);
    return said;
}

#define must_say(text, part) \
    ck_assert_msg(strstr((text), (part)) != NULL, "no %s in: %s", part, text)

/* GRPC-01 */
START_TEST(grpcurl_lists_and_describes_what_is_served)
{
    const char *list = grpcurl(0, "", "list");

    must_say(list, "everything.test.v1.EchoService");
    must_say(list, "grpc.health.v1.Health");
    must_say(list, "grpc.reflection.v1.ServerReflection");
    const char *service = grpcurl(0, "", "describe everything.test.v1.EchoService");
    must_say(service, "rpc Say (");
    must_say(service, "rpc Talk ( stream");
    const char *message = grpcurl(0, "", "describe everything.test.v1.EchoRequest");
    must_say(message, "string text = 1");
}
END_TEST

/* GRPC-02 */
START_TEST(grpcurl_finds_the_server_serving)
{
    must_say(grpcurl(0, "", "grpc.health.v1.Health/Check"), "SERVING");
}
END_TEST

START_TEST(grpcurl_calls_as_a_role_and_is_refused_without_one)
{
    char identity[IDENTITY_TEXT_SIZE];
    struct caller caller = {.role = ROLE_CUSTOMER, .subject = "somebody"};

    identity_sign(echo->keys, &caller, "", "echo", ECHO("Say"), identity);
    char *header =
        arena_printf(ctx->arena, "-H 'x-identity: %s' -d '{\"text\":\"hello\"}' ", identity);
    must_say(grpcurl(0, header, "everything.test.v1.EchoService/Say"), "\"text\": \"hello\"");
    const char *refused =
        grpcurl(64 + ST_UNAUTHENTICATED, "", "everything.test.v1.EchoService/Say");
    must_say(refused, "Unauthenticated");
}
END_TEST

TEST_MAIN_AROUND("rpc health and reflection",
                 (&(struct test_around){.before = start, .after = stop}),
                 health_answers_for_the_server_and_each_service_without_identity,
                 a_server_that_was_started_unready_serves_once_it_is_told,
                 who_watches_health_is_told_of_each_change_and_of_the_drain,
                 grpcurl_lists_and_describes_what_is_served, grpcurl_finds_the_server_serving,
                 grpcurl_calls_as_a_role_and_is_refused_without_one)
