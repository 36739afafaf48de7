/* The workflows: straight-line C, as their authors would write them. */
#include "tests/helpers/temporal/shop_flows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct flow_activity notify = {
    .start_to_close_ms = 5000, .retry = {.first_ms = 200, .attempts = 5}
};
static const struct flow_activity refund = {.start_to_close_ms = 5000, .retry = {.first_ms = 200}};

int64_t shop_number(const char *json, const char *field, int64_t otherwise)
{
    char key[64];

    snprintf(key, sizeof(key), "\"%s\":", field);
    const char *found = strstr(json, key);
    return found ? strtoll(found + strlen(key), NULL, 10) : otherwise;
}

/* ---- an order ----------------------------------------------------------------------------- */

static enum status refunded(struct flow *flow, const char *order, const char *why,
                            const char **result)
{
    bool was_cancelled = flow_is_cancelled(flow);

    flow_shield(flow, true);
    flow_step(flow, "refunding");
    TRY(flow_activity(flow, "CancelAndRefund", order, &refund, NULL));
    flow_step(flow, "refunded");
    *result = arena_printf(flow_ctx(flow)->arena, "{\"status\":\"refunded\",\"why\":\"%s\"}", why);
    return was_cancelled ? ST_CANCELLED : ST_OK;
}

static enum status coffee_order(struct flow *flow, const char *order, const char **result)
{
    struct flow_signal accepted;

    flow_step(flow, "placed");
    if (flow_activity(flow, "NotifyBarista", order, &notify, NULL) != ST_OK) {
        return refunded(flow, order, "barista not reachable", result);
    }
    flow_step(flow, "waiting");
    if (flow_wait_signal(flow, FLOW_SIGNALS("accepted"), shop_number(order, "accept_ms", 300000),
                         &accepted) != ST_OK) {
        return refunded(flow, order, "not accepted", result);
    }
    if (flow_activity(flow, "MarkPreparing", order, &notify, NULL) != ST_OK) {
        return refunded(flow, order, "preparing failed", result);
    }
    flow_step(flow, "preparing");
    if (flow_wait_signal(flow, FLOW_SIGNALS("ready"), FLOW_FOREVER, NULL) != ST_OK) {
        return refunded(flow, order, "not made", result);
    }
    TRY(flow_activity(flow, "NotifyReady", order, &notify, NULL));
    flow_step(flow, "ready");
    if (flow_wait_signal(flow, FLOW_SIGNALS("picked_up"), shop_number(order, "pickup_ms", 1800000),
                         NULL) != ST_OK) {
        return refunded(flow, order, "not picked up", result);
    }
    TRY(flow_activity(flow, "Complete", order, &notify, NULL));
    flow_step(flow, "completed");
    *result = arena_printf(flow_ctx(flow)->arena, "{\"status\":\"completed\",\"barista\":%s}",
                           accepted.json ? accepted.json : "null");
    return ST_OK;
}

/* ---- others ------------------------------------------------------------------------------- */

struct half {
    const char *activity, *result;
    enum status st;
};

static void run_half(struct flow *flow, void *user)
{
    struct half *half = user;

    half->st = flow_activity(flow, half->activity, "{}", &notify, &half->result);
}

static enum status daily_summary(struct flow *flow, const char *input, const char **result)
{
    struct half orders = {.activity = "CountOrders"}, revenue = {.activity = "SumRevenue"};
    struct flow_branch *a = flow_fork(flow, run_half, &orders);
    struct flow_branch *b = flow_fork(flow, run_half, &revenue);

    (void)input;
    flow_join(flow, a);
    flow_join(flow, b);
    TRY(orders.st);
    TRY(revenue.st);
    *result = arena_printf(flow_ctx(flow)->arena, "{\"orders\":%s,\"revenue\":%s}", orders.result,
                           revenue.result);
    return ST_OK;
}

static enum status subscription(struct flow *flow, const char *input, const char **result)
{
    struct arena *arena = flow_ctx(flow)->arena;
    int64_t month = shop_number(input, "month", 1), months = shop_number(input, "months", 3);
    int64_t gap_ms = shop_number(input, "gap_ms", 500);
    const struct flow_child summary = {
        .type = "DailySummary",
        .id = arena_printf(arena, "%s-month-%" PRId64, flow_id(flow), month)};
    const char *said;

    TRY(flow_child(flow, &summary, "{}", &said));
    if (month >= months) {
        *result = arena_printf(arena, "{\"months\":%" PRId64 ",\"last\":%s}", month, said);
        return ST_OK;
    }
    TRY(flow_sleep(flow, gap_ms));
    return flow_continue_as_new(flow, arena_printf(arena,
                                                   "{\"month\":%" PRId64 ",\"months\":%" PRId64
                                                   ",\"gap_ms\":%" PRId64 "}",
                                                   month + 1, months, gap_ms));
}

static enum status grinding(struct flow *flow, const char *input, const char **result)
{
    const struct flow_activity options = {.start_to_close_ms = 60000,
                                          .heartbeat_ms = 8000,
                                          .finish_on_cancel = true,
                                          .retry = {.attempts = 1}};

    return flow_activity(flow, "Grind", input, &options, result);
}

/* The step of a later build; 'build' is what differs between the tables below. */
static enum status versioned(struct flow *flow, int build, const char **result)
{
    bool thanks = build == 3 || (build == 2 && flow_version(flow, "thanks", 1) >= 1);

    if (thanks) {
        TRY(flow_activity(flow, "SumRevenue", "{}", &notify, NULL));
    }
    TRY(flow_activity(flow, "CountOrders", "{}", &notify, NULL));
    TRY(flow_wait_signal(flow, FLOW_SIGNALS("go"), FLOW_FOREVER, NULL));
    *result = thanks ? "\"with thanks\"" : "\"without\"";
    return ST_OK;
}

static enum status versioned_1(struct flow *flow, const char *input, const char **result)
{
    (void)input;
    return versioned(flow, 1, result);
}

static enum status versioned_2(struct flow *flow, const char *input, const char **result)
{
    (void)input;
    return versioned(flow, 2, result);
}

static enum status versioned_3(struct flow *flow, const char *input, const char **result)
{
    (void)input;
    return versioned(flow, 3, result);
}

/* One activity whose name and retries the input does not choose, but whose fate it does. */
static enum status one_activity(struct flow *flow, const char *input, const char **result)
{
    const struct flow_activity options = {
        .start_to_close_ms = shop_number(input, "start_to_close_ms", 5000),
        .retry = {
                  .first_ms = 300, .factor = 2, .attempts = (int)shop_number(input, "attempts", 4)}
    };

    return flow_activity(flow, "Fail", input, &options, result);
}

static enum status trace(struct flow *flow, const char *input, const char **result)
{
    return flow_activity(flow, "TellTrace", input, &notify, result);
}

static enum status bench(struct flow *flow, const char *input, const char **result)
{
    TRY(flow_activity(flow, "Echo", input, &notify, result));
    return flow_activity(flow, "Echo", *result, &notify, result);
}

/* A parent whose child waits for a signal; cancelled, the child refunds before both end. */
static enum status parent(struct flow *flow, const char *input, const char **result)
{
    const struct flow_child child = {
        .type = "CoffeeOrder",
        .id = arena_printf(flow_ctx(flow)->arena, "%s-child", flow_id(flow))};

    return flow_child(flow, &child, input, result);
}

/* Counts the signals "add" until "stop" came and all are taken. */
static enum status counter(struct flow *flow, const char *input, const char **result)
{
    struct flow_signal signal;
    int64_t sum = 0;

    (void)input;
    for (bool stopped = false; !stopped;) {
        TRY(flow_wait_signal(flow, FLOW_SIGNALS("add", "stop"), FLOW_FOREVER, &signal));
        sum += strcmp(signal.name, "add") == 0;
        stopped = strcmp(signal.name, "stop") == 0;
    }
    while (flow_wait_signal(flow, FLOW_SIGNALS("add"), 0, NULL) == ST_OK) {
        sum++;
    }
    *result = arena_printf(flow_ctx(flow)->arena, "%" PRId64, sum);
    return ST_OK;
}

static enum status messenger(struct flow *flow, const char *input, const char **result)
{
    enum status st = flow_signal_other(flow, input, "add", NULL);

    *result = arena_printf(flow_ctx(flow)->arena, "\"%s\"", status_name(st));
    return ST_OK;
}

/* Gives a command that Temporal never takes. */
static enum status broken(struct flow *flow, const char *input, const char **result)
{
    return flow_activity(flow, "", input, &notify, result);
}

/* clang-format off */
#define SAME_IN_ALL_BUILDS                                                                        \
    {"CoffeeOrder", coffee_order}, {"DailySummary", daily_summary}, {"Parent", parent},           \
    {"Subscription", subscription}, {"Grinding", grinding}, {"OneActivity", one_activity},        \
    {"Trace", trace}, {"Bench", bench}, {"Counter", counter}, {"Messenger", messenger},           \
    {"Broken", broken}
/* clang-format on */

const struct flow_type *shop_flows(int build)
{
    static const struct flow_type builds[][13] = {
        {SAME_IN_ALL_BUILDS, {"Versioned", versioned_1}, {0}},
        {SAME_IN_ALL_BUILDS, {"Versioned", versioned_2}, {0}},
        {SAME_IN_ALL_BUILDS, {"Versioned", versioned_3}, {0}},
    };

    return builds[build - 1];
}
