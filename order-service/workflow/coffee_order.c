/* The life of one order: told by signals how it moves, it sees to what must follow: people are
 * told, deadlines end it, what is sold is paid and what is not sold is paid back. It
 * decides nothing that the database decides: a deadline that passed is handed to the same
 * compare-and-set that the taps of people go through. */
#include "order-service/workflow/coffee_order.h"

#include "common/base/text.h"
#include "order-service/workflow/order_news.h"

#include <string.h>

#define NEWS FLOW_SIGNALS("accepted", "ready", "ready_undone", "completed", "cancelled")

enum { ASK_AGAIN_MS = 1000, ASK_AGAIN_MOST_MS = 60000 };

/* A notice is old news in the end; the database and the money must be right in the end. */
static const struct flow_activity notice = {
    .start_to_close_ms = 12000,
    .schedule_to_close_ms = 600000,
    .retry = {.first_ms = 1000, .most_ms = 60000},
    .task_queue = COFFEE_NOTICE_QUEUE,
};
static const struct flow_activity change = {
    .start_to_close_ms = 10000,
    .retry = {.first_ms = 500, .most_ms = 30000},
};
static const struct flow_activity money = {
    .start_to_close_ms = 20000,
    .retry = {.first_ms = 1000, .most_ms = 60000},
};

struct coffee {
    struct flow *flow;
    struct order_news now;       /* the newest that was heard */
    struct flow_branch *capture; /* NULL: not begun */
    enum status captured;
    int64_t told_seq;      /* of the "ready" that the customer is told of */
    int64_t least_wait_ms; /* the database's clock may be behind Temporal's */
    bool was_cancelled;    /* the workflow, by an operator */
};

/* clang-format off */
static const char *const steps[] = {
    [ORDER_PLACED]    = "waiting for the barista",
    [ORDER_ACCEPTED]  = "accepted",
    [ORDER_PREPARING] = "being made",
    [ORDER_READY]     = "waiting to be picked up",
    [ORDER_COMPLETED] = "completed",
    [ORDER_CANCELLED] = "cancelled",
};
/* clang-format on */

static int64_t deadline_of(const struct order_news *now) /* 0: none */
{
    switch (now->status) {
    case ORDER_PLACED:
        return now->accept_by_ms;
    case ORDER_READY:
        return now->collect_by_ms;
    case ORDER_ACCEPTED:
    case ORDER_PREPARING:
    case ORDER_COMPLETED:
    case ORDER_CANCELLED:
        return 0;
    }
    return 0;
}

static const char *as_json(struct coffee *coffee)
{
    return order_news_json(flow_ctx(coffee->flow)->arena, &coffee->now);
}

/* False when it says nothing new: a repetition, or older than what is known. */
static bool hear(struct coffee *coffee, const char *json)
{
    struct ctx *ctx = flow_ctx(coffee->flow);
    struct order_news news;

    if (!json || order_news_read(ctx, json, &news) != ST_OK) {
        ctx_forgive(ctx);
        return false;
    }
    /* That there is a payment is never taken back, whatever an older replica says of it by its own
     * setting while it is rolled out: what is held must be seen to. And the rule is the first. */
    coffee->now.pays = coffee->now.pays || news.pays;
    if (news.seq <= coffee->now.seq) {
        return false;
    }
    news.pays = coffee->now.pays;
    news.keeps_uncollected = coffee->now.keeps_uncollected;
    coffee->now = news;
    coffee->least_wait_ms = 0;
    return true;
}

static const char *answer_remaining(struct flow *flow, void *state, const char *args)
{
    const struct coffee *coffee = state;
    int64_t deadline = deadline_of(&coffee->now);

    (void)args;
    return arena_printf(flow_ctx(flow)->arena, "{\"status\":\"%s\",\"by\":%lld,\"remaining\":%lld}",
                        order_status_name(coffee->now.status), (long long)deadline,
                        deadline ? (long long)flow_until(flow, deadline) : 0);
}

/* ---- lines of work beside the main one ---------------------------------------------------- */

static void tell_barista(struct flow *flow, void *user)
{
    enum status st = flow_activity(flow, "NotifyBarista", as_json(user), &notice, NULL);

    (void)st; /* was tried for long enough; the deadline is what counts */
}

static void tell_customer(struct flow *flow, void *user)
{
    enum status st = flow_activity(flow, "NotifyCustomer", as_json(user), &notice, NULL);

    (void)st;
}

/* Ends the order whatever state it is in; it may be over already, which is fine. */
static enum status stop(struct coffee *coffee, const char *reason, const char **answer)
{
    struct order_news wanted = coffee->now;

    wanted.reason = reason;
    return flow_activity(coffee->flow, "StopOrder",
                         order_news_json(flow_ctx(coffee->flow)->arena, &wanted), &change, answer);
}

/* The answer of stop() is not heard here: the signal that it causes wakes the main line. */
static void capture(struct flow *flow, void *user)
{
    struct coffee *coffee = user;

    flow_shield(flow, true);
    coffee->captured = flow_activity(flow, "CapturePayment", as_json(coffee), &money, NULL);
    if (coffee->captured == ST_CONFLICT) {
        enum status st = stop(coffee, ORDER_PAYMENT_FAILED, NULL);

        (void)st;
    }
}

static void begin_what_is_due(struct coffee *coffee)
{
    const struct order_news *now = &coffee->now;

    if (now->pays && now->status != ORDER_PLACED && !coffee->capture) {
        coffee->capture = flow_fork(coffee->flow, capture, coffee);
    }
    if (now->status == ORDER_READY && now->seq != coffee->told_seq) {
        coffee->told_seq = now->seq;
        flow_fork(coffee->flow, tell_customer, coffee);
    }
}

/* ---- the main line ------------------------------------------------------------------------ */

/* ST_TIMEOUT: the deadline of where the order stands has passed. */
static enum status wait_for_news(struct coffee *coffee)
{
    int64_t deadline = deadline_of(&coffee->now);
    struct flow_signal signal;

    do {
        int64_t left = deadline ? flow_until(coffee->flow, deadline) : FLOW_FOREVER;

        if (deadline && left < coffee->least_wait_ms) {
            left = coffee->least_wait_ms;
        }
        TRY(flow_wait_signal(coffee->flow, NEWS, left, &signal));
    } while (!hear(coffee, signal.json));
    return ST_OK;
}

/* Twice as long each time: the database's clock may be hours behind, and a history has an end. */
static int64_t longer(int64_t wait_ms)
{
    int64_t next = wait_ms ? 2 * wait_ms : ASK_AGAIN_MS;

    return next < ASK_AGAIN_MOST_MS ? next : ASK_AGAIN_MOST_MS;
}

/* The database says whether it is so: a tap, the sweep or a newer deadline may have been first. */
static enum status expire(struct coffee *coffee)
{
    const char *answer;

    TRY(flow_activity(coffee->flow, "ExpireOrder", as_json(coffee), &change, &answer));
    if (!hear(coffee, answer)) {
        coffee->least_wait_ms = longer(coffee->least_wait_ms);
    }
    return ST_OK;
}

/* An operator cancelled the workflow: that is the order's end, and what follows is still done. */
static enum status give_up(struct coffee *coffee)
{
    const char *answer;

    coffee->was_cancelled = true;
    flow_shield(coffee->flow, true);
    TRY(stop(coffee, ORDER_WORKFLOW_CANCELLED, &answer));
    hear(coffee, answer);
    return ST_OK;
}

static enum status go_on(struct coffee *coffee)
{
    begin_what_is_due(coffee);
    flow_step(coffee->flow, steps[coffee->now.status]);
    enum status st = wait_for_news(coffee);

    if (st == ST_TIMEOUT) {
        st = expire(coffee);
    }
    return st == ST_CANCELLED ? give_up(coffee) : st;
}

/* What was sold is paid, and what was not sold is paid back: for as long as it takes. */
static enum status settle(struct coffee *coffee, const char **paid)
{
    const struct order_news *now = &coffee->now;
    bool is_sold = now->status == ORDER_COMPLETED ||
                   (now->keeps_uncollected && strcmp(now->reason, ORDER_NOT_COLLECTED) == 0);

    flow_step(coffee->flow, "settling the payment");
    if (is_sold && !coffee->capture) {
        coffee->capture = flow_fork(coffee->flow, capture, coffee);
    }
    if (coffee->capture) { /* also before a return: it must know what there is to return */
        flow_join(coffee->flow, coffee->capture);
    }
    if (is_sold && coffee->captured != ST_CONFLICT) {
        *paid = coffee->captured == ST_OK ? "captured" : "refused";
        return ST_OK;
    }
    /* Also where what is sold cannot be paid: the hold would only keep the customer's money. */
    enum status st = flow_activity(coffee->flow, "ReturnPayment", as_json(coffee), &money, NULL);
    *paid = st == ST_OK && !is_sold ? "returned" : "refused";
    return st;
}

static const char *how_it_ended(struct coffee *coffee, const char *paid)
{
    struct text out = text_new(flow_ctx(coffee->flow)->arena, 128);

    text_printf(&out, "{\"status\":\"%s\",\"reason\":", order_status_name(coffee->now.status));
    text_add_json(&out, coffee->now.reason);
    text_printf(&out, ",\"payment\":\"%s\"}", paid);
    return out.data;
}

static enum status finish(struct coffee *coffee, const char **result)
{
    const char *paid = "none";
    enum status st = ST_OK;

    flow_shield(coffee->flow, true);
    if (coffee->now.pays) {
        st = settle(coffee, &paid);
    }
    if (coffee->now.status == ORDER_CANCELLED) {
        flow_step(coffee->flow, "telling the customer");
        tell_customer(coffee->flow, coffee);
    }
    flow_step(coffee->flow, steps[coffee->now.status]);
    *result = how_it_ended(coffee, paid);
    return st == ST_OK && coffee->was_cancelled ? ST_CANCELLED : st;
}

enum status coffee_order(struct flow *flow, const char *input, const char **result)
{
    struct coffee *coffee = arena_new_struct(flow_ctx(flow)->arena, struct coffee);

    coffee->flow = flow;
    flow_on_query(flow, "remaining", answer_remaining, coffee);
    TRY(order_news_read(flow_ctx(flow), input, &coffee->now));
    flow_fork(flow, tell_barista, coffee);
    while (!order_is_final(coffee->now.status)) {
        TRY(go_on(coffee));
    }
    return finish(coffee, result);
}
