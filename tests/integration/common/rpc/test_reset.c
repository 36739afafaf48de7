/* links: test_rpc PkgConfig::libssl */
/* A proxy between two daemons that resets a call: its handler may have run. */
#include "tests/helpers/grpc_host.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/rpc/echo_server.h"

#include "common/base/clock.h"
#include "common/rpc/identity.h"

static struct grpc_host host;
static struct identity_keys *keys;
static struct rpc_client *client;

static void start(void)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    keys = echo_new_keys();
    grpc_host_start(&host, true);
    client = echo_client(host.base.port, keys);
    while (!rpc_client_is_up(client)) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(5);
    }
}

static void stop(void)
{
    rpc_client_free(client);
    grpc_host_stop(&host);
    identity_keys_free(keys);
}

static void expect_unavailable(const char *key)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *out;

    ctx->deadline_ms = 0;
    ctx->idempotency_key = key;
    ck_assert_int_eq(
        rpc_call(ctx, client, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, PATIENCE_MS, &out),
        ST_UNAVAILABLE);
    ctx_free(ctx);
}

START_TEST(a_call_without_a_key_that_was_reset_is_not_repeated)
{
    expect_unavailable(NULL);
    ck_assert_int_eq(atomic_load(&host.calls), 1);
}
END_TEST

START_TEST(a_call_with_a_key_that_was_reset_runs_again)
{
    expect_unavailable("key");
    ck_assert_int_gt(atomic_load(&host.calls), 1);
}
END_TEST

TEST_MAIN_AROUND("rpc reset", (&(struct test_around){.before = start, .after = stop}),
                 a_call_without_a_key_that_was_reset_is_not_repeated,
                 a_call_with_a_key_that_was_reset_runs_again)
