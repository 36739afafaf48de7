/* Reading an order and moving it on. A move is: read, check against the table, and one statement
 * that takes effect only if the order still is as it was read; whoever loses that race reads
 * again. */
#include "order-service/order/order.h"

#include "common/base/text.h"
#include "common/db/db.h"
#include "common/outbox/outbox.h"
#include "order-service/order/order_notice.h"
#include "order-service/order/order_store.h"
#include "order-service/service.h"

#include <string.h>

enum { MOVE_TRIES = 5 };

static bool is_owner(const struct ctx *ctx, const struct order *order)
{
    return strcmp(ctx->caller.subject, order->customer.text) == 0;
}

static bool may_see(const struct ctx *ctx, const struct order *order)
{
    return ctx->caller.role & (ROLE_STAFF | ROLE_SYSTEM) || is_owner(ctx, order);
}

/* To a stranger the order does not exist. */
static enum status read_visible(struct ctx *ctx, struct db_conn *db, struct service *service,
                                struct order_id id, struct order *found)
{
    TRY(order_store_get(ctx, db, id, found));
    if (!may_see(ctx, found)) {
        return fail_with(ctx, ST_NOT_FOUND, "There is no such order.", "order=%s is not of %s",
                         id.text, ctx->caller.subject);
    }
    found->eta_seconds =
        order_eta_seconds(found->queue_position, service_config(service)->seconds_a_drink);
    return ST_OK;
}

enum status order_get(struct ctx *ctx, struct service *service, struct order_id id,
                      struct order *found)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = read_visible(ctx, db, service, id, found);
    db_give_back(&db);
    return st;
}

static enum status illegal(struct ctx *ctx, const struct order *now, enum order_command command)
{
    return fail_problem(ctx, PROBLEM_ILLEGAL_MOVE, "The order is %s: nobody can %s now.",
                        order_status_name(now->status), order_command_name(command));
}

static enum status check_move(struct ctx *ctx, const struct order *now, const struct transition *t)
{
    enum order_command command = t->command;

    if (!(t->roles & ctx->caller.role) && !(t->owner_may && is_owner(ctx, now))) {
        /* The owner may cancel, though not any more: that is the order's state, not a right. */
        return command == COMMAND_CANCEL
                   ? fail_problem(ctx, PROBLEM_ILLEGAL_MOVE,
                                  "The order is %s: please ask the barista to cancel it.",
                                  order_status_name(now->status))
                   : fail_with(ctx, ST_FORBIDDEN, "", "%s may not %s: order=%s",
                               role_name(ctx->caller.role), order_command_name(command),
                               now->id.text);
    }
    if (command == COMMAND_UNDO_READY && now->now_ms - now->ready_ms > UNDO_READY_MS) {
        return fail_problem(ctx, PROBLEM_ILLEGAL_MOVE,
                            "The order has been ready for over 30 seconds: it stays so.");
    }
    if (order_expires_by(now, command) > now->now_ms) {
        return fail_problem(ctx, PROBLEM_ILLEGAL_MOVE, "The deadline has not passed.");
    }
    return ST_OK;
}

/* What one transition does to the order itself. */
static void take_step(struct service *service, struct order *order, const struct transition *t,
                      const char *actor, const char *reason)
{
    const struct config *config = service_config(service);

    order->seq++;
    order->status = t->to;
    order->queue_position =
        t->to == ORDER_ACCEPTED || t->to == ORDER_PREPARING ? order->queue_position : 0;
    order->eta_seconds = order_eta_seconds(order->queue_position, config->seconds_a_drink);
    switch (t->to) {
    case ORDER_PLACED:
        break;
    case ORDER_ACCEPTED:
        order->accepted_ms = order->now_ms;
        order->barista_id = actor;
        break;
    case ORDER_PREPARING:
        order->preparing_ms = order->preparing_ms ? order->preparing_ms : order->now_ms;
        order->ready_ms = 0;
        order->collect_by_ms = 0;
        break;
    case ORDER_READY:
        order->ready_ms = order->now_ms;
        order->collect_by_ms =
            order->now_ms + service_business_ms(service, config->pickup_timeout_s);
        break;
    case ORDER_COMPLETED:
        order->completed_ms = order->completed_ms ? order->completed_ms : order->now_ms;
        break;
    case ORDER_CANCELLED:
        order->cancelled_ms = order->now_ms;
        order->cancel_reason = order_cancel_reason(t->command, reason);
        break;
    }
}

/* Accept is two steps where the shop prepares at once (AUTO_PREPARE). */
static enum order_command follow_up(struct service *service, enum order_command command)
{
    return command == COMMAND_ACCEPT && service_config(service)->auto_prepare ? COMMAND_PREPARE
                                                                              : command;
}

/* NOLINTNEXTLINE(readability-function-size): seven things, none of them part of another */
struct wanted { /* a move, as somebody asked for it */
    struct order_id id;
    enum order_command command;
    const char *reason;
};

/* Changes the order to what it shall be, and writes down what is to be told of that. */
static struct order_moving plan(struct ctx *ctx, struct service *service,
                                const struct transition *first, const char *reason,
                                struct order *order)
{
    struct order_moving moving = {.after = order, .seen_seq = order->seq};
    const char *actor = ctx->caller.subject;
    enum order_command then = follow_up(service, first->command);

    take_step(service, order, first, actor, reason);
    order->last_command = first->command;
    if (first->command != COMMAND_FIND_UNPAID) { /* that it was picked up stays somebody's deed */
        order->last_actor = actor;
    }
    order_tell_step(ctx, &moving, order, first);
    if (then != first->command) {
        const struct transition *second = order_transition(order->status, then);

        take_step(service, order, second, actor, reason);
        order_tell_step(ctx, &moving, order, second);
    }
    order_tell_workflow(ctx, service, &moving, order);
    return moving;
}

/* A double tap, or an answer that was lost: the same actor finds what it wanted already done, also
 * when the system found since that nobody paid for it. */
static bool is_repetition(const struct ctx *ctx, const struct order *now,
                          enum order_command command)
{
    bool is_its_own = strcmp(now->last_actor, ctx->caller.subject) == 0;

    if (order_is_unpaid(now)) {
        return command == COMMAND_FIND_UNPAID || (command == COMMAND_PICK_UP && is_its_own);
    }
    return now->last_command == command && is_its_own;
}

/* NOLINTNEXTLINE(readability-function-size): seven things, none of them part of another */
static enum status move_on(struct ctx *ctx, struct db_conn *db, struct service *service,
                           const struct wanted *wanted, struct order *order, bool *done)
{
    TRY(read_visible(ctx, db, service, wanted->id, order));
    if (is_repetition(ctx, order, wanted->command)) {
        *done = true;
        return ST_OK;
    }
    const struct transition *first = order_transition(order->status, wanted->command);
    if (!first) {
        return illegal(ctx, order, wanted->command);
    }
    TRY(check_move(ctx, order, first));
    if (wanted->command == COMMAND_UNDO_READY) { /* it was in no queue, and is again */
        TRY(order_store_place_in_queue(ctx, db, order));
    }
    struct order_moving moving = plan(ctx, service, first, wanted->reason, order);
    TRY(order_store_move(ctx, db, &moving, done));
    if (*done) {
        outbox_wake(service_outbox(service));
    }
    return ST_OK;
}

/* The connection goes back also when it was refused: the unit of work may go on. */
static enum status try_move(struct ctx *ctx, struct service *service, const struct wanted *wanted,
                            struct order *order, bool *done)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = move_on(ctx, db, service, wanted, order, done);
    db_give_back(&db);
    return st;
}

enum status order_apply(struct ctx *ctx, struct service *service, struct order_id id,
                        enum order_command command, const char *reason, struct order *moved)
{
    const struct wanted wanted = {id, command, reason};
    bool done = false;

    for (int i = 0; i < MOVE_TRIES; i++) {
        TRY(try_move(ctx, service, &wanted, moved, &done));
        if (done) {
            return ST_OK;
        }
    }
    return fail_with(ctx, ST_RETRY, "", "order=%s moved %d times under us", id.text, MOVE_TRIES);
}

static enum order_command expiry_of(enum order_status status)
{
    return status == ORDER_PLACED ? COMMAND_EXPIRE_ACCEPT : COMMAND_EXPIRE_COLLECT;
}

enum status order_expire(struct ctx *ctx, struct service *service, struct order_id id,
                         struct order *now, bool *expired)
{
    *expired = false;
    TRY(order_get(ctx, service, id, now));
    enum order_command command = expiry_of(now->status);

    if (!order_transition(now->status, command) || order_expires_by(now, command) > now->now_ms) {
        return ST_OK;
    }
    enum status st = order_apply(ctx, service, id, command, NULL, now);
    if (st != ST_OK && ctx->failure.problem == PROBLEM_ILLEGAL_MOVE) { /* somebody was faster */
        ctx_forgive(ctx);
        return order_get(ctx, service, id, now);
    }
    *expired = st == ST_OK;
    return st;
}
