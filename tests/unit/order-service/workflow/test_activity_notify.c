/* links: test_temporal
 * Which notices an order's workflow asks for when several signals come in one task, as they do when
 * Temporal or the workers were away. */
#include "order-service/workflow/activities.h"
#include "order-service/workflow/coffee_order.h"
#include "order-service/workflow/order_news.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/temporal/flow_sim.h"

#include <string.h>

enum { NOW_MS = 1000000, LATER_MS = 9000000 };

static const char *news(struct ctx *ctx, int64_t seq, enum order_status status)
{
    const struct order_news now = {.order = {"019aa1f0-5c3e-7000-8000-000000000001"},
                                   .seq = seq,
                                   .status = status,
                                   .accept_by_ms = LATER_MS,
                                   .collect_by_ms = LATER_MS,
                                   .reason = "",
                                   .pays = true};

    return order_news_json(ctx->arena, &now);
}

/* Without a service: whoever asks for a notice of these crashes. */
static void customer_is_told_nothing_by(const struct sim *sim)
{
    struct flow_task task = {.service = NULL};
    const char *result = NULL;
    size_t found = 0;

    for (size_t i = 0; i < sim->waiting_count; i++) {
        const struct sim_waiting *waiting = &sim->waiting[i];

        if (waiting->name && strcmp(waiting->name, "NotifyCustomer") == 0) {
            ck_assert_int_eq(activity_notify_customer(sim->ctx, &task, waiting->input, &result),
                             ST_OK);
            found++;
        }
    }
    ck_assert_uint_eq(found, 1);
}

static struct sim *with_signals(enum order_status last, const char *name)
{
    struct ctx *ctx = ctx_new_system("test");
    struct sim *sim = sim_new(coffee_order, news(ctx, 1, ORDER_PLACED), NOW_MS);

    sim_signal(sim, "accepted", news(ctx, 3, ORDER_PREPARING));
    sim_signal(sim, "ready", news(ctx, 4, ORDER_READY));
    sim_signal(sim, name, news(ctx, 5, last));
    ck_assert(sim_work(sim));
    ctx_free(ctx);
    return sim;
}

/* WF-06 */
START_TEST(ready_and_undone_in_one_task_tell_nobody_that_it_was_not_picked_up)
{
    struct sim *sim = with_signals(ORDER_PREPARING, "ready_undone");

    customer_is_told_nothing_by(sim);
    sim_free(sim);
}
END_TEST

/* WF-06 */
START_TEST(ready_and_completed_in_one_task_tell_nobody_that_it_was_not_picked_up)
{
    struct sim *sim = with_signals(ORDER_COMPLETED, "completed");

    customer_is_told_nothing_by(sim);
    sim_free(sim);
}
END_TEST

TEST_MAIN("activity_notify", ready_and_undone_in_one_task_tell_nobody_that_it_was_not_picked_up,
          ready_and_completed_in_one_task_tell_nobody_that_it_was_not_picked_up)
