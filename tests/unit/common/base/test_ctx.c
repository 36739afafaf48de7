/* How a unit of work fails, refuses fields, and how long it may take. */
#include "common/base/ctx.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"

#include <string.h>

static struct ctx *ctx;

static void make_ctx(void)
{
    ctx = ctx_new_system("order-service");
}

static void free_ctx(void)
{
    ctx_free(ctx);
}

START_TEST(a_failure_keeps_its_message_for_the_client_and_its_detail_for_the_log)
{
    enum status st = fail_with(ctx, ST_NOT_FOUND, "no such order", "order=%d", 7);

    ck_assert_int_eq(st, ST_NOT_FOUND);
    ck_assert_int_eq(ctx->failure.status, ST_NOT_FOUND);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_NOT_FOUND);
    ck_assert_str_eq(ctx->failure.message, "no such order");
    ck_assert_str_eq(ctx->failure.detail, "order=7");
    ck_assert_ptr_nonnull(strstr(ctx->failure.where, "test_ctx.c:"));
}
END_TEST

START_TEST(a_failure_outlives_the_ctx_it_was_taken_from)
{
    struct ctx *inner = ctx_new_system("outbox");

    (void)!fail_with(inner, ST_UNAVAILABLE, "later, please", "sink=%s", "kafka");
    ctx_take_failure(ctx, inner);
    ctx_free(inner);
    ck_assert_int_eq(ctx->failure.status, ST_UNAVAILABLE);
    ck_assert_str_eq(ctx->failure.message, "later, please");
    ck_assert_str_eq(ctx->failure.detail, "sink=kafka");
    ck_assert_ptr_nonnull(strstr(ctx->failure.where, "test_ctx.c:"));
}
END_TEST

START_TEST(a_problem_brings_its_own_status)
{
    enum status st = fail_problem(ctx, PROBLEM_HANDLE_TAKEN, "%s is taken", "ann");

    ck_assert_int_eq(st, ST_EXISTS);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_HANDLE_TAKEN);
    ck_assert_str_eq(ctx->failure.message, "ann is taken");
}
END_TEST

START_TEST(every_refused_field_is_told_in_its_order)
{
    refuse_field(ctx, "items[0].quantity", "must be from %d to %d", 1, 50);
    refuse_field(ctx, "shopId", "is not a UUID");
    ck_assert_int_eq(ctx_refused(ctx), ST_INVALID);

    const struct field_error *first = ctx->failure.fields;
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_INVALID_FIELDS);
    ck_assert_str_eq(ctx->failure.message, "items[0].quantity must be from 1 to 50");
    ck_assert_str_eq(first->field, "items[0].quantity");
    ck_assert_str_eq(first->message, "must be from 1 to 50");
    ck_assert_str_eq(first->next->field, "shopId");
    ck_assert_ptr_null(first->next->next);
}
END_TEST

START_TEST(nothing_refused_is_no_failure)
{
    ck_assert_int_eq(ctx_refused(ctx), ST_OK);
    ck_assert_int_eq(ctx->failure.status, ST_OK);
}
END_TEST

START_TEST(a_forgiven_failure_is_forgotten)
{
    refuse_field(ctx, "name", "is empty");
    ck_assert_int_eq(ctx_refused(ctx), ST_INVALID);
    ctx_forgive(ctx);
    ck_assert_int_eq(ctx->failure.status, ST_OK);
    ck_assert_int_eq(ctx_refused(ctx), ST_OK);
}
END_TEST

START_TEST(time_left_never_falls_below_zero)
{
    ctx->deadline_ms = clock_monotonic_ms() - 1000;
    ck_assert_int_eq(ctx_left_ms(ctx), 0);
    ctx->deadline_ms = clock_monotonic_ms() + 1000;
    ck_assert_int_gt(ctx_left_ms(ctx), 500);
    ck_assert_int_le(ctx_left_ms(ctx), 1000);
    ctx->deadline_ms = 0;
    ck_assert_int_gt(ctx_left_ms(ctx), 1000000);
}
END_TEST

START_TEST(system_work_says_which_daemon_acts)
{
    ck_assert_int_eq(ctx->caller.role, ROLE_SYSTEM);
    ck_assert_ptr_nonnull(strstr(ctx->caller.subject, "order-service"));
}
END_TEST

START_TEST(role_names_read_back)
{
    static const enum role roles[] = {ROLE_CUSTOMER, ROLE_BARISTA, ROLE_ADMIN, ROLE_DRIVER,
                                      ROLE_SYSTEM};

    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        ck_assert_int_eq(role_parse(role_name(roles[i])), roles[i]);
    }
    ck_assert_int_eq(role_parse("Customer"), ROLE_NOBODY);
    ck_assert_int_eq(role_parse(""), ROLE_NOBODY);
    ck_assert_int_eq(role_parse("anyone"), ROLE_NOBODY);
    ck_assert_str_eq(role_name(ROLE_NOBODY), "nobody");
    ck_assert_str_eq(role_name(ROLE_STAFF), "nobody");
}
END_TEST

TEST_MAIN_AROUND("ctx", (&(struct test_around){.before = make_ctx, .after = free_ctx}),
                 a_failure_keeps_its_message_for_the_client_and_its_detail_for_the_log,
                 a_failure_outlives_the_ctx_it_was_taken_from, a_problem_brings_its_own_status,
                 every_refused_field_is_told_in_its_order, nothing_refused_is_no_failure,
                 a_forgiven_failure_is_forgotten, time_left_never_falls_below_zero,
                 system_work_says_which_daemon_acts, role_names_read_back)
