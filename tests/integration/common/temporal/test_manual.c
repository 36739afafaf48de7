/* links: test_temporal */
/* The examples of docs/TEMPORAL.md as they stand there (tools/md2c.awk cuts them out); only the
 * server is this test's. */
#include "common/temporal/flow_worker.h"
#include "tests/helpers/temporal/flow_desk.h"

#include "common/base/text.h"

#include <string.h>

/* ---- what the manual leaves to its reader ---- */

static enum status push_send(struct ctx *ctx, void *service, const char *order)
{
    (void)ctx;
    (void)service;
    return strcmp(order, "{}") == 0 ? ST_OK : ST_INVALID;
}

#define ACTIVITY(name, answer)                                                          \
    static enum status name(struct ctx *ctx, struct flow_task *task, const char *input, \
                            const char **result)                                        \
    {                                                                                   \
        (void)ctx, (void)task, (void)input;                                             \
        *result = answer;                                                               \
        return ST_OK;                                                                   \
    }
ACTIVITY(cancel_and_refund, "\"refunded\"")
ACTIVITY(say_thanks, NULL)
ACTIVITY(complete, "\"completed\"")

static struct temporal *here(const struct temporal_options *written)
{
    struct temporal_options options = *written;

    options.target = desk.server.target;
    return temporal_new(&options);
}

/* ---- the manual ---- */

#define EXAMPLE 1
#include "temporal_manual.h"
#define EXAMPLE 2
#include "temporal_manual.h"

#define temporal_new here
static struct flow_worker *work(struct temporal **its)
{
#define EXAMPLE 3
#include "temporal_manual.h"
    *its = temporal;
    return worker;
}
#undef temporal_new

static enum status place_and_accept(struct ctx *ctx, struct temporal *temporal)
{
#define EXAMPLE 4
#include "temporal_manual.h"
}
_Static_assert(EXAMPLES == 4, "each example is run");

START_TEST(the_examples_of_the_manual_run_as_they_stand)
{
    struct temporal *temporal;
    struct flow_worker *worker = work(&temporal);

    text_copy(desk.queue, sizeof(desk.queue), "coffee");
    desk_begin("CoffeeOrder", "declined", "{}");
    desk_until_step("declined", "waiting for the barista");
    desk_signal("declined", "declined", NULL);
    ck_assert_str_eq(desk_end("declined"), "completed \"refunded\"");
    ck_assert_int_eq(place_and_accept(desk.ctx, desk.temporal), ST_OK);
    ck_assert_str_eq(desk_end("order-7"), "completed \"completed\"");
    flow_worker_stop(worker, 0);
    temporal_free(temporal);
}
END_TEST

static const struct test_around around = {desk_start, desk_stop, desk_open, desk_close};
TEST_MAIN_AROUND("manual", &around, the_examples_of_the_manual_run_as_they_stand)
