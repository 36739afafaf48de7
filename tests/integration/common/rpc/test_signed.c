/* links: test_rpc */
/* Who may call: every call is signed, nobody's too, and what is not signed is not believed. */
#include "tests/helpers/free_port.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/rpc/echo_server.h"

#include "common/base/text.h"
#include "common/rpc/identity.h"

#include <stdio.h>
#include <string.h>

static int port; /* of the echo server: one that was free */
static struct echo *echo;
static struct rpc_client *client;

static void start(void)
{
    port = free_port();
    echo = echo_start(&(struct echo_options){.port = port});
    client = echo_client(port, echo->keys);
}

static void stop(void)
{
    rpc_client_free(client);
    echo_stop(echo);
}

/* GRPC-24 */
START_TEST(a_call_without_identity_is_refused)
{
    struct rpc_client *stranger = echo_client(port, NULL);
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *out;

    ck_assert_int_eq(
        rpc_call(ctx, stranger, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, PATIENCE_MS, &out),
        ST_UNAUTHENTICATED);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_UNAUTHENTICATED);
    ck_assert_int_eq(atomic_load(&echo->said), 0);
    ctx_free(ctx);
    rpc_client_free(stranger);
}
END_TEST

START_TEST(an_identity_under_another_key_is_refused_even_where_none_is_needed)
{
    struct identity_keys *others = echo_new_keys();
    struct rpc_client *forger = echo_client(port, others);
    struct ctx *ctx = echo_ctx(ROLE_ADMIN);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *out;

    ck_assert_int_eq(rpc_call(ctx, forger, ECHO("SayToAnyone"), &request.base, ECHO_ANSWER_TYPE,
                              PATIENCE_MS, &out),
                     ST_UNAUTHENTICATED);
    ck_assert_str_eq(ctx->failure.message, problem_title(PROBLEM_UNAUTHENTICATED));
    ctx_free(ctx);
    rpc_client_free(forger);
    identity_keys_free(others);
}
END_TEST

/* GRPC-24: nobody is an identity too (ADR 0018). */
START_TEST(a_call_without_identity_is_refused_even_where_anyone_may)
{
    struct rpc_client *stranger = echo_client(port, NULL);
    struct ctx *ctx = echo_ctx(ROLE_ADMIN);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *out;

    ck_assert_int_eq(rpc_call(ctx, stranger, ECHO("SayToAnyone"), &request.base, ECHO_ANSWER_TYPE,
                              PATIENCE_MS, &out),
                     ST_UNAUTHENTICATED);
    ck_assert_int_eq(atomic_load(&echo->said), 0);
    ctx_free(ctx);
    rpc_client_free(stranger);
}
END_TEST

START_TEST(nobody_may_where_anyone_may)
{
    struct ctx *ctx = echo_ctx(ROLE_NOBODY);
    const echo_answer *answer;

    *ctx->caller.subject = '\0';
    ck_assert_int_eq(echo_say(ctx, client, ECHO("SayToAnyone"), "", &answer), ST_OK);
    ck_assert_str_eq(answer->role, "nobody");
    ck_assert_str_eq(answer->subject, "");
    ctx_free(ctx);
}
END_TEST

START_TEST(a_probe_needs_no_identity_and_runs_as_nobody)
{
    struct rpc_client *stranger = echo_client(port, NULL);
    struct ctx *ctx = echo_ctx(ROLE_ADMIN);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *out;

    ck_assert_int_eq(rpc_call(ctx, stranger, ECHO("SayToProbes"), &request.base, ECHO_ANSWER_TYPE,
                              PATIENCE_MS, &out),
                     ST_OK);
    ck_assert_str_eq(((echo_answer *)out)->role, "nobody");
    ctx_free(ctx);
    rpc_client_free(stranger);
}
END_TEST

/* As a pod would that can reach the daemon and has no key. */
START_TEST(an_address_beside_the_identity_is_not_believed)
{
    static const char *const pair[] = {"x-client-address", "192.0.2.66", NULL};
    char target[64];
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    echo_request request = ECHO_REQUEST;
    ProtobufCMessage *out;

    snprintf(target, sizeof(target), "ipv4:127.0.0.1:%d", port);
    struct rpc_client *liar = rpc_client_new(&(struct rpc_client_options){
        .target = target, .audience = "echo", .keys = echo->keys, .metadata = pair});
    ck_assert_int_eq(
        rpc_call(ctx, liar, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, PATIENCE_MS, &out),
        ST_OK);
    ck_assert_str_eq(((echo_answer *)out)->client_address, "");
    text_copy(ctx->client_address, sizeof(ctx->client_address), "192.0.2.7");
    ck_assert_int_eq(
        rpc_call(ctx, liar, ECHO("Say"), &request.base, ECHO_ANSWER_TYPE, PATIENCE_MS, &out),
        ST_OK);
    ck_assert_str_eq(((echo_answer *)out)->client_address, "192.0.2.7");
    ctx_free(ctx);
    rpc_client_free(liar);
}
END_TEST

START_TEST(a_role_that_the_contract_does_not_name_is_forbidden)
{
    struct ctx *ctx = echo_ctx(ROLE_CUSTOMER);
    const echo_answer *answer;

    ck_assert_int_eq(echo_say(ctx, client, ECHO("SayToAdmins"), "", &answer), ST_FORBIDDEN);
    ctx_free(ctx);
    ctx = echo_ctx(ROLE_ADMIN);
    ck_assert_int_eq(echo_say(ctx, client, ECHO("SayToAdmins"), "", &answer), ST_OK);
    ctx_free(ctx);
}
END_TEST

START_TEST(somebody_not_signed_in_is_asked_to_sign_in)
{
    struct ctx *ctx = echo_ctx(ROLE_NOBODY);
    const echo_answer *answer;

    ck_assert_int_eq(echo_say(ctx, client, ECHO("Say"), "", &answer), ST_UNAUTHENTICATED);
    ctx_free(ctx);
}
END_TEST

TEST_MAIN_AROUND("rpc signed", (&(struct test_around){.before = start, .after = stop}),
                 a_call_without_identity_is_refused,
                 an_identity_under_another_key_is_refused_even_where_none_is_needed,
                 a_call_without_identity_is_refused_even_where_anyone_may,
                 nobody_may_where_anyone_may, a_probe_needs_no_identity_and_runs_as_nobody,
                 an_address_beside_the_identity_is_not_believed,
                 a_role_that_the_contract_does_not_name_is_forbidden,
                 somebody_not_signed_in_is_asked_to_sign_in)
