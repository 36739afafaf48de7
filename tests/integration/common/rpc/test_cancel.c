/* links: test_rpc */
/* Breaking off the calls of a client, as long polls are at shutdown. */
#include "tests/helpers/house_test.h"
#include "tests/helpers/rpc/echo_server.h"
#include "tests/helpers/valkey_server.h"

#include "common/base/clock.h"

#include <pthread.h>

struct call {
    struct rpc_client *client;
    enum status st;
};

static enum status wait_long(struct rpc_client *client)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *answer;

    request.act = ECHO_ACT(WAIT);
    request.count = 1400;
    enum status st =
        rpc_call(ctx, client, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, 5000, &answer);
    ctx_free(ctx);
    return st;
}

static void *run(void *user)
{
    struct call *call = user;

    call->st = wait_long(call->client);
    return NULL;
}

START_TEST(a_client_that_is_cancelled_ends_its_calls_and_takes_no_more)
{
    struct identity_keys *keys = echo_new_keys();
    int port = free_port();
    struct echo *echo =
        echo_start(&(struct echo_options){.port = port, .workers = 4, .keys = keys});
    struct rpc_client *client = echo_client(port, keys);
    struct rpc_client *other = echo_client(port, keys);
    struct call call = {client, ST_OK}, untouched = {other, ST_INTERNAL};
    pthread_t thread, beside;

    pthread_create(&thread, NULL, run, &call);
    pthread_create(&beside, NULL, run, &untouched);
    ck_assert(echo_wait(&echo->said, 2));
    int64_t began = clock_monotonic_ms();
    rpc_client_cancel(client);
    pthread_join(thread, NULL);
    ck_assert_int_eq(call.st, ST_CANCELLED);
    ck_assert_int_eq(wait_long(client), ST_CANCELLED);
    ck_assert_int_lt(clock_monotonic_ms() - began, 1000);
    pthread_join(beside, NULL);
    ck_assert_int_eq(untouched.st, ST_OK); /* the client beside it knows nothing of it */
    rpc_client_free(client);
    rpc_client_free(other);
    echo_stop(echo);
}
END_TEST

TEST_MAIN("rpc cancel", a_client_that_is_cancelled_ends_its_calls_and_takes_no_more)
