/* links: test_temporal
 * Orders under random schedules: people move them, signals come late, twice and in any order,
 * timers and activities end when they like, answers get lost, clocks differ, Temporal and the
 * workers are away; the workflow is the real one, and so is the table of moves. SCHEDULES=100000 is
 * the long form, SCHEDULE=n one of them. */
#include "order-service/workflow/coffee_order.h"

#include "common/base/text.h"
#include "order-service/workflow/order_news.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/temporal/flow_sim.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECOND = 1000,
    MINUTE = 60 * SECOND,
    ACCEPT_MS = 5 * MINUTE,
    COLLECT_MS = 30 * MINUTE,
    SWEEP_AFTER_MS = MINUTE,
    STEPS = 80,
    MAX_ROWS = 200,
    MAX_ROUNDS = 600,
    SCHEDULES = 3000,
};

enum purse { HELD, CAPTURED, VOIDED, REFUNDED, REFUSED };

struct shop {
    struct sim *sim; /* NULL: no row has reached Temporal */
    struct ctx *ctx;
    uint64_t dice;
    int64_t now_ms, skew_ms; /* the database's clock, and Temporal's beside it */
    struct order order;
    enum purse purse;
    bool is_rolling; /* payments are being switched: later moves come from replicas that differ */
    bool pays, keeps, card_is_dead, is_found_unpaid, temporal_is_up, worker_is_up, was_cancelled;
    int captures, returns;
    struct row {
        const char *name, *json;
        bool is_sent;
    } rows[MAX_ROWS];
    int row_count;
};

static int64_t roll(struct shop *shop, int64_t below) /* splitmix64 */
{
    shop->dice += 0x9e3779b97f4a7c15u;
    uint64_t z = shop->dice;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)below);
}

static bool chance(struct shop *shop, int percent)
{
    return roll(shop, 100) < percent;
}

/* ---- the order, as the database has it ---------------------------------------------------- */

static const char *news(struct shop *shop)
{
    bool differs = shop->is_rolling && shop->row_count > 0 && chance(shop, 50);
    struct order_news now = {.pays = shop->pays && !differs,
                             .keeps_uncollected = shop->keeps != differs};

    shop->order.now_ms = shop->now_ms;
    order_news_of(&shop->order, &now);
    return order_news_json(shop->ctx->arena, &now);
}

static void tell(struct shop *shop, const char *signal)
{
    ck_assert_int_lt(shop->row_count, MAX_ROWS);
    const char *json = news(shop);

    shop->rows[shop->row_count++] = (struct row){signal, json, false};
}

static const char *reason_of(enum order_command command)
{
    return command == COMMAND_EXPIRE_ACCEPT    ? "not_accepted"
           : command == COMMAND_EXPIRE_COLLECT ? "not_collected"
           : command == COMMAND_STOP           ? "stopped"
                                               : "cancelled";
}

/* As order.c does: only what the table has, and deadlines only when they have passed. */
static bool move(struct shop *shop, enum order_command command)
{
    struct order *order = &shop->order;
    const struct transition *t = order_transition(order->status, command);

    if (!t || order_expires_by(order, command) > shop->now_ms) {
        return false;
    }
    order->seq += command == COMMAND_ACCEPT ? 2 : 1; /* AUTO_PREPARE */
    order->status = command == COMMAND_ACCEPT ? ORDER_PREPARING : t->to;
    order->collect_by_ms = order->status == ORDER_READY ? shop->now_ms + COLLECT_MS : 0;
    order->cancel_reason = order->status == ORDER_CANCELLED ? reason_of(command) : "";
    return true;
}

static void people_move(struct shop *shop)
{
    static const struct {
        enum order_command command;
        const char *signal;
        int weight;
    } moves[] = {
        {COMMAND_ACCEPT,     "accepted",     40},
        {COMMAND_DECLINE,    "cancelled",    4 },
        {COMMAND_CANCEL,     "cancelled",    6 },
        {COMMAND_READY,      "ready",        40},
        {COMMAND_UNDO_READY, "ready_undone", 10},
        {COMMAND_PICK_UP,    "completed",    30},
    };
    size_t i = (size_t)roll(shop, ARRAY_LEN(moves));

    if (chance(shop, moves[i].weight) && move(shop, moves[i].command)) {
        tell(shop, moves[i].signal);
    }
}

static bool expire(struct shop *shop)
{
    bool moved = move(shop, COMMAND_EXPIRE_ACCEPT) || move(shop, COMMAND_EXPIRE_COLLECT);

    if (moved) {
        tell(shop, "cancelled");
    }
    return moved;
}

static void sweep(struct shop *shop)
{
    int64_t by =
        shop->order.status == ORDER_PLACED ? shop->order.accept_by_ms : shop->order.collect_by_ms;

    if (by && by + SWEEP_AFTER_MS < shop->now_ms) {
        expire(shop);
    }
}

/* ---- activities --------------------------------------------------------------------------- */

static enum status capture(struct shop *shop)
{
    const struct order *order = &shop->order;

    if (order->status == ORDER_CANCELLED &&
        !(shop->keeps && strcmp(order->cancel_reason, "not_collected") == 0)) {
        return ST_OK;
    }
    if (shop->purse == HELD) {
        shop->purse = shop->card_is_dead ? REFUSED : CAPTURED;
        shop->captures += shop->purse == CAPTURED;
    }
    return shop->purse == CAPTURED ? ST_OK : ST_CONFLICT;
}

static void give_back(struct shop *shop)
{
    if (shop->purse == HELD || shop->purse == REFUSED) {
        shop->purse = VOIDED;
        shop->returns++;
    } else if (shop->purse == CAPTURED) {
        shop->purse = REFUNDED;
        shop->returns++;
    }
}

static enum status act(struct shop *shop, const char *name, const char **answer)
{
    *answer = NULL;
    if (strcmp(name, "CapturePayment") == 0) {
        return capture(shop);
    }
    if (strcmp(name, "ReturnPayment") == 0) {
        give_back(shop);
        shop->is_found_unpaid |= move(shop, COMMAND_FIND_UNPAID);
    } else if (strcmp(name, "ExpireOrder") == 0) {
        expire(shop);
        *answer = news(shop);
    } else if (strcmp(name, "StopOrder") == 0) {
        if (move(shop, COMMAND_STOP)) {
            tell(shop, "cancelled");
        }
        *answer = news(shop);
    }
    return ST_OK;
}

/* One attempt of one activity: it may come to nothing, or be done without anybody hearing. */
static void attempt(struct shop *shop, size_t i, bool goes_well)
{
    const struct sim_waiting *waiting = &shop->sim->waiting[i];
    int64_t limit = waiting->options->schedule_to_close_ms;
    const char *answer;

    if (limit && shop->sim->now_ms > waiting->at_ms + limit) {
        sim_end(shop->sim, i, ST_TIMEOUT, NULL);
        return;
    }
    if (!goes_well && chance(shop, 25)) {
        return;
    }
    enum status st = act(shop, waiting->name, &answer);

    if (goes_well || chance(shop, 80)) {
        sim_end(shop->sim, i, st, answer);
    }
}

static void attempt_any(struct shop *shop)
{
    if (shop->sim && shop->worker_is_up && shop->temporal_is_up && shop->sim->waiting_count) {
        size_t i = (size_t)roll(shop, (int64_t)shop->sim->waiting_count);

        if (shop->sim->waiting[i].name) {
            attempt(shop, i, false);
        }
    }
}

/* ---- Temporal ----------------------------------------------------------------------------- */

static void fire_timers(struct shop *shop)
{
    for (size_t i = 0; shop->sim && shop->temporal_is_up && i < shop->sim->waiting_count; i++) {
        if (!shop->sim->waiting[i].name && shop->sim->waiting[i].at_ms <= shop->sim->now_ms) {
            sim_end(shop->sim, i, ST_OK, NULL);
            return;
        }
    }
}

/* The relay keeps the order of a key; what if it did not. */
static void send(struct shop *shop, bool in_order)
{
    int at = 0;

    while (at < shop->row_count && shop->rows[at].is_sent) {
        at++;
    }
    at = in_order || (shop->is_rolling && !shop->sim) ? at : at + (int)roll(shop, 3);
    if (!shop->temporal_is_up || at >= shop->row_count) {
        return;
    }
    struct row *row = &shop->rows[at];
    bool is_new = !shop->sim;

    if (is_new) {
        shop->sim = sim_new(coffee_order, row->json, shop->now_ms + shop->skew_ms);
    }
    if (!shop->sim->closed_by && (!is_new || strcmp(row->name, "placed") != 0)) {
        sim_signal(shop->sim, row->name, row->json);
    }
    row->is_sent = !chance(shop, 10); /* else it comes again */
}

static void work(struct shop *shop)
{
    if (shop->sim && shop->worker_is_up && shop->temporal_is_up) {
        sim_work(shop->sim);
    }
}

static void pass_time(struct shop *shop, int64_t ms)
{
    shop->now_ms += ms;
    if (shop->sim) {
        shop->sim->now_ms = shop->now_ms + shop->skew_ms;
    }
}

static void operator_cancels(struct shop *shop)
{
    if (shop->sim && !shop->sim->closed_by && !shop->was_cancelled) {
        sim_request_cancel(shop->sim);
        shop->was_cancelled = true;
    }
}

static void one_step(struct shop *shop)
{
    static const int64_t spans[] = {10, SECOND, 20 * SECOND, 4 * MINUTE, 20 * MINUTE};
    int what = (int)roll(shop, 100);

    if (what < 20) {
        people_move(shop);
    } else if (what < 38) {
        send(shop, chance(shop, 70));
    } else if (what < 50) {
        pass_time(shop, roll(shop, spans[roll(shop, ARRAY_LEN(spans))]));
    } else if (what < 60) {
        fire_timers(shop);
    } else if (what < 75) {
        attempt_any(shop);
    } else if (what < 92) {
        work(shop);
    } else if (what < 94) {
        shop->worker_is_up = !shop->worker_is_up;
    } else if (what < 96) {
        shop->temporal_is_up = !shop->temporal_is_up;
    } else if (what < 99) {
        sweep(shop);
    } else if (chance(shop, 15)) {
        operator_cancels(shop);
    }
}

/* ---- the end: everything is up, and all that is under way comes to rest -------------------- */

static void rest(struct shop *shop)
{
    int rounds = 0;

    shop->worker_is_up = shop->temporal_is_up = true;
    while (!shop->sim || !shop->sim->closed_by) {
        send(shop, true);
        work(shop);
        for (size_t i = shop->sim ? shop->sim->waiting_count : 0; i-- > 0;) {
            if (i < shop->sim->waiting_count && shop->sim->waiting[i].name) {
                attempt(shop, i, true);
            }
        }
        fire_timers(shop);
        people_move(shop);
        pass_time(shop, roll(shop, 2 * MINUTE));
        ck_assert_int_lt(rounds++, MAX_ROUNDS);
    }
}

static struct shop *open_shop(uint64_t number)
{
    struct shop *shop = calloc(1, sizeof(*shop));

    ck_assert_ptr_nonnull(shop);
    shop->ctx = ctx_new_system("test");
    shop->dice = number;
    shop->now_ms = 1800000000000;
    shop->skew_ms = roll(shop, 4 * SECOND) - 2 * SECOND;
    shop->pays = chance(shop, 85);
    shop->keeps = chance(shop, 25);
    shop->card_is_dead = chance(shop, 15);
    shop->is_rolling = chance(shop, 20);
    shop->temporal_is_up = chance(shop, 80);
    shop->worker_is_up = chance(shop, 80);
    shop->order = (struct order){.id = {"019aa1f0-5c3e-7000-8000-000000000001"},
                                 .status = ORDER_PLACED,
                                 .seq = 1,
                                 .cancel_reason = "",
                                 .accept_by_ms = shop->now_ms + ACCEPT_MS};
    tell(shop, "placed");
    return shop;
}

static void close_shop(struct shop *shop)
{
    if (shop->sim) {
        sim_free(shop->sim);
    }
    ctx_free(shop->ctx);
    free(shop);
}

static bool is_sold(const struct shop *shop)
{
    return shop->order.status == ORDER_COMPLETED ||
           (shop->keeps && strcmp(shop->order.cancel_reason, "not_collected") == 0);
}

static void judge(const struct shop *shop, uint64_t number)
{
    enum purse purse = shop->purse;
    bool is_unpaid = shop->is_found_unpaid == (shop->order.status == ORDER_COMPLETED);
    bool is_right = !shop->pays          ? purse == HELD
                    : !is_sold(shop)     ? purse == VOIDED || purse == REFUNDED
                    : shop->card_is_dead ? purse == VOIDED && is_unpaid
                                         : purse == CAPTURED && !shop->is_found_unpaid;
    const char *status =
        arena_printf(shop->ctx->arena, "{\"status\":\"%s\"", order_status_name(shop->order.status));

    ck_assert_msg(order_is_final(shop->order.status), "schedule %llu: the order is %s",
                  (unsigned long long)number, order_status_name(shop->order.status));
    ck_assert_msg(is_right, "schedule %llu: the order is %s %s, the payment in state %d",
                  (unsigned long long)number, order_status_name(shop->order.status),
                  shop->order.cancel_reason, purse);
    ck_assert_int_le(shop->captures, 1);
    ck_assert_int_le(shop->returns, 1);
    ck_assert_msg(text_starts(shop->sim->result, status), "schedule %llu: %s, but it is %s",
                  (unsigned long long)number, shop->sim->result, status);
    ck_assert(shop->sim->closed_by == COMMAND(COMPLETE_WORKFLOW_EXECUTION) ||
              (shop->was_cancelled && shop->sim->closed_by == COMMAND(CANCEL_WORKFLOW_EXECUTION)));
}

struct ends { /* that all kinds came up */
    int completed, not_accepted, not_collected, cancelled, stopped, unpayable, unpaid, kept;
};

static void count(struct ends *ends, const struct shop *shop)
{
    const char *reason = shop->order.cancel_reason;

    ends->completed += shop->order.status == ORDER_COMPLETED;
    ends->not_accepted += strcmp(reason, "not_accepted") == 0;
    ends->not_collected += strcmp(reason, "not_collected") == 0;
    ends->cancelled += strcmp(reason, "cancelled") == 0;
    ends->stopped += strcmp(reason, "stopped") == 0;
    ends->unpayable += strcmp(reason, "stopped") == 0 && !shop->was_cancelled;
    ends->unpaid += shop->pays && shop->card_is_dead && is_sold(shop);
    ends->kept += shop->order.status == ORDER_CANCELLED && shop->purse == CAPTURED;
}

static void run_schedule(uint64_t number, struct ends *ends)
{
    struct shop *shop = open_shop(number);

    for (int i = 0; i < STEPS; i++) {
        one_step(shop);
    }
    rest(shop);
    judge(shop, number);
    count(ends, shop);
    close_shop(shop);
}

/* WF-04 WF-08 WF-10 WF-16 ORD-09 */
START_TEST(no_schedule_leaves_an_order_in_a_state_that_its_payment_contradicts)
{
    const char *one = getenv("SCHEDULE"), *many = getenv("SCHEDULES");
    uint64_t first = one ? strtoull(one, NULL, 10) : 0;
    uint64_t end = one ? first + 1 : many ? strtoull(many, NULL, 10) : SCHEDULES;
    struct ends ends = {0};

    for (uint64_t number = first; number < end; number++) {
        run_schedule(number, &ends);
    }
    if (!one) { /* what never comes up is not tested */
        ck_assert_int_gt(ends.completed, 100);
        ck_assert_int_gt(ends.not_accepted, 100);
        ck_assert_int_gt(ends.not_collected, 100);
        ck_assert_int_gt(ends.cancelled, 100);
        ck_assert_int_gt(ends.stopped, 20);
        ck_assert_int_gt(ends.unpayable, 20);
        ck_assert_int_gt(ends.unpaid, 5); /* picked up before the card was found dead */
        ck_assert_int_gt(ends.kept, 10);
    }
}
END_TEST

/* To where the next timer fires. */
static void sleep_until_timer(struct shop *shop)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < shop->sim->waiting_count; i++) {
        const struct sim_waiting *waiting = &shop->sim->waiting[i];

        if (!waiting->name && waiting->at_ms < next) {
            next = waiting->at_ms;
        }
    }
    if (next > shop->sim->now_ms && next < INT64_MAX) {
        pass_time(shop, next - shop->sim->now_ms);
    }
    fire_timers(shop);
}

static void do_all(struct shop *shop)
{
    send(shop, true);
    work(shop);
    for (size_t i = shop->sim->waiting_count; i-- > 0;) {
        if (i < shop->sim->waiting_count && shop->sim->waiting[i].name) {
            attempt(shop, i, true);
        }
    }
    work(shop);
}

/* Temporal ends a run that has 50,000. WF-08 ORD-07 */
START_TEST(a_database_whose_clock_is_set_back_an_hour_costs_an_order_few_events)
{
    struct shop *shop = open_shop(0);

    shop->temporal_is_up = shop->worker_is_up = true;
    do_all(shop);
    shop->now_ms -= 60 * MINUTE;
    shop->skew_ms += 60 * MINUTE;
    while (!shop->sim->closed_by) {
        do_all(shop);
        sleep_until_timer(shop);
    }
    ck_assert_str_eq(shop->order.cancel_reason, "not_accepted");
    ck_assert_uint_lt(shop->sim->count, 1000);
    close_shop(shop);
}
END_TEST

TEST_MAIN("schedules", no_schedule_leaves_an_order_in_a_state_that_its_payment_contradicts,
          a_database_whose_clock_is_set_back_an_hour_costs_an_order_few_events)
