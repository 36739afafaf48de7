/* links: common_jobs
 * What a failed job's row and log say first. */
#include "common/jobs/jobs.h"
#include "tests/helpers/house_test.h"

START_TEST(the_detail_is_the_reason)
{
    struct ctx *ctx = ctx_new_system("test");

    ctx->failure = (struct failure){.message = "not now", .detail = "the pool is empty"};
    ck_assert_str_eq(job_reason(ctx), "the pool is empty");
    ctx_free(ctx);
}
END_TEST

START_TEST(without_a_detail_the_message_is)
{
    struct ctx *ctx = ctx_new_system("test");

    ctx->failure = (struct failure){.message = "not now"};
    ck_assert_str_eq(job_reason(ctx), "not now");
    ctx_free(ctx);
}
END_TEST

START_TEST(there_always_is_a_reason)
{
    struct ctx *ctx = ctx_new_system("test");

    ck_assert_ptr_nonnull(job_reason(ctx));
    ctx_free(ctx);
}
END_TEST

TEST_MAIN("job_reason", the_detail_is_the_reason, without_a_detail_the_message_is,
          there_always_is_a_reason)
