/* links: test_rpc */
/* Breaking off the calls of a client, as long polls are at shutdown. */
#include "tests/helpers/free_port.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/rpc/echo_server.h"

#include "common/base/clock.h"

#include <pthread.h>
#include <stdio.h>

enum { SHORT_MS = 1400, LONG_MS = 10000 };

struct call {
    struct rpc_client *client;
    int ms; /* how long the handler takes */
    enum status st;
};

static enum status wait_for(struct rpc_client *client, int ms)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *answer;

    request.act = ECHO_ACT(WAIT);
    request.count = ms;
    enum status st =
        rpc_call(ctx, client, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, PATIENCE_MS, &answer);
    ctx_free(ctx);
    return st;
}

static void *run(void *user)
{
    struct call *call = user;

    call->st = wait_for(call->client, call->ms);
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
    struct call call = {client, LONG_MS, ST_OK}, untouched = {other, SHORT_MS, ST_INTERNAL};
    pthread_t thread, beside;

    pthread_create(&thread, NULL, run, &call);
    pthread_create(&beside, NULL, run, &untouched);
    ck_assert(echo_wait(&echo->said, 2));
    int64_t began = clock_monotonic_ms();
    rpc_client_cancel(client);
    pthread_join(thread, NULL);
    ck_assert_int_eq(call.st, ST_CANCELLED);
    ck_assert_int_eq(wait_for(client, LONG_MS), ST_CANCELLED);
    ck_assert_int_lt(clock_monotonic_ms() - began, LONG_MS - 1000);
    pthread_join(beside, NULL);
    ck_assert_int_eq(untouched.st, ST_OK); /* the client beside it knows nothing of it */
    rpc_client_free(client);
    rpc_client_free(other);
    echo_stop(echo);
}
END_TEST

START_TEST(a_client_beside_another_shares_its_channel_and_is_cancelled_alone)
{
    struct identity_keys *keys = echo_new_keys();
    int port = free_port();
    struct echo *echo =
        echo_start(&(struct echo_options){.port = port, .workers = 4, .keys = keys});
    struct rpc_client *first = echo_client(port, keys);
    struct rpc_client *second = rpc_client_new(
        &(struct rpc_client_options){.audience = "echo", .keys = keys, .beside = first});
    struct call untouched = {first, SHORT_MS, ST_INTERNAL}, call = {second, LONG_MS, ST_OK};
    pthread_t threads[2];

    pthread_create(&threads[0], NULL, run, &untouched);
    pthread_create(&threads[1], NULL, run, &call);
    ck_assert(echo_wait(&echo->said, 2));
    rpc_client_cancel(second);
    pthread_join(threads[1], NULL);
    ck_assert_int_eq(call.st, ST_CANCELLED);
    rpc_client_free(second); /* the channel and its threads stay */
    pthread_join(threads[0], NULL);
    ck_assert_int_eq(untouched.st, ST_OK);
    ck_assert_int_eq(wait_for(first, 0), ST_OK);
    rpc_client_free(first);
    echo_stop(echo);
}
END_TEST

START_TEST(a_client_beside_another_may_have_a_server_of_its_own)
{
    struct identity_keys *keys = echo_new_keys(), *others = echo_new_keys();
    int port = free_port(), other_port = free_port();
    char target[64], other_target[64]; /* live as long as the clients */
    struct echo *echo = echo_start(&(struct echo_options){.port = port, .keys = keys});
    struct echo *other = echo_start(&(struct echo_options){.port = other_port, .keys = others});

    snprintf(target, sizeof(target), "ipv4:127.0.0.1:%d", port);
    snprintf(other_target, sizeof(other_target), "ipv4:127.0.0.1:%d", other_port);
    struct rpc_client *first = rpc_client_new(
        &(struct rpc_client_options){.target = target, .audience = "echo", .keys = keys});
    struct rpc_client *second = rpc_client_new(&(struct rpc_client_options){
        .target = other_target, .audience = "echo", .keys = others, .beside = first});
    ck_assert_int_eq(wait_for(second, 0), ST_OK);
    ck_assert_int_eq(atomic_load(&other->said), 1);
    ck_assert_int_eq(atomic_load(&echo->said), 0);
    rpc_client_free(second);
    ck_assert_int_eq(wait_for(first, 0), ST_OK);
    rpc_client_free(first);
    echo_stop(other);
    echo_stop(echo);
}
END_TEST

TEST_MAIN("rpc cancel", a_client_that_is_cancelled_ends_its_calls_and_takes_no_more,
          a_client_beside_another_shares_its_channel_and_is_cancelled_alone,
          a_client_beside_another_may_have_a_server_of_its_own)
