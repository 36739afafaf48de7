/* Roles and step-up, without a token in sight. */
#include "common/base/clock.h"
#include "gateway/edge/edge_auth.h"
#include "gateway/gateway.h"
#include "gateway/routes.h"
#include "tests/helpers/house_test.h"

static struct ctx *ctx;
static struct gateway gateway;
static struct route route;
static struct exchange exchange;

static void start(void)
{
    ctx = ctx_new_system("test");
    ctx->caller = (struct caller){0};
    gateway = (struct gateway){.verifier = token_verifier_new(TOKEN_ISSUER, TOKEN_AUDIENCE)};
    route = (struct route){.label = "GET /test", .roles = ROLE_CUSTOMER};
    exchange = (struct exchange){.gateway = &gateway, .ctx = ctx, .route = &route};
}

static void stop(void)
{
    token_verifier_free(gateway.verifier);
    ctx_free(ctx);
}

static enum problem refusal(enum role role, int signed_in_ago_s)
{
    ctx_forgive(ctx);
    ctx->caller.role = role;
    ctx->caller.signed_in_at = clock_wall_ms() / 1000 - signed_in_ago_s;
    return auth_check(&exchange) == ST_OK ? PROBLEM_NONE : ctx->failure.problem;
}

/* AUTH-03 */
START_TEST(a_role_that_the_route_does_not_name_is_forbidden)
{
    ck_assert_int_eq(refusal(ROLE_CUSTOMER, 0), PROBLEM_NONE);
    ck_assert_int_eq(refusal(ROLE_BARISTA, 0), PROBLEM_FORBIDDEN);
    ck_assert_int_eq(refusal(ROLE_NOBODY, 0), PROBLEM_UNAUTHENTICATED);
    route.roles = ROLE_NOBODY; /* named nobody: default deny */
    ck_assert_int_eq(refusal(ROLE_ADMIN, 0), PROBLEM_FORBIDDEN);
}
END_TEST

START_TEST(a_step_up_wants_a_sign_in_of_the_last_five_minutes)
{
    route.step_up = true;
    ck_assert_int_eq(refusal(ROLE_CUSTOMER, 290), PROBLEM_NONE);
    ck_assert_int_eq(refusal(ROLE_CUSTOMER, 310), PROBLEM_STEP_UP_REQUIRED);
}
END_TEST

START_TEST(an_ended_sign_in_says_so_where_someone_is_needed)
{
    ctx->caller.role = ROLE_CUSTOMER;
    auth_revoke(&exchange);
    token_verifier_set_keys(gateway.verifier, NULL, 0);
    ck_assert(!auth_is_signed_in(&exchange));
    route.roles = ROLE_ANYONE;
    ck_assert_int_eq(auth_check(&exchange), ST_OK);
}
END_TEST

TEST_MAIN_AROUND("edge auth", (&(struct test_around){.before = start, .after = stop}),
                 a_role_that_the_route_does_not_name_is_forbidden,
                 a_step_up_wants_a_sign_in_of_the_last_five_minutes,
                 an_ended_sign_in_says_so_where_someone_is_needed)
