/* How long an answer is repeated while nobody listens at the other end. */
#include "common/temporal/call.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"

#include <temporal/worker.pb-c.h>

enum { INSISTS_MS = 4000, SOON_MS = 2000 };

static int64_t insisting_ms(bool hurries)
{
    struct ctx *ctx = ctx_new_system("test");
    struct temporal *temporal =
        temporal_new(&(struct temporal_options){.target = "dns:///127.0.0.1:1"});
    Temporal__RespondActivityTaskCompletedRequest in =
        TEMPORAL__RESPOND_ACTIVITY_TASK_COMPLETED_REQUEST__INIT;
    atomic_bool is_hurrying = hurries;
    int64_t began = clock_monotonic_ms();
    const struct insistence insistence = {"RespondActivityTaskCompleted", began + INSISTS_MS,
                                          &is_hurrying};

    ck_assert_int_ne(
        temporal_insist(ctx, temporal, &insistence, &in,
                        &temporal__respond_activity_task_completed_response__descriptor),
        ST_OK);
    int64_t took = clock_monotonic_ms() - began;

    temporal_free(temporal);
    ctx_free(ctx);
    return took;
}

START_TEST(an_answer_is_repeated_while_temporal_is_away_but_not_by_a_worker_that_hurries)
{
    ck_assert_int_gt(insisting_ms(false), SOON_MS);
    ck_assert_quick(SOON_MS, insisting_ms(true));
}
END_TEST

TEST_MAIN("call", an_answer_is_repeated_while_temporal_is_away_but_not_by_a_worker_that_hurries)
