/* Taking and giving back: each step is a compare-and-set, a question to the provider, and another
 * compare-and-set; who loses one looks again and goes on from there. No connection is held while
 * the provider is asked. */
#include "order-service/payment/payment.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/db/db.h"
#include "common/events/event.h"
#include "common/obs/log.h"
#include "common/outbox/outbox.h"
#include "order-service/payment/payment_return.h"
#include "order-service/payment/payment_store.h"
#include "order-service/service.h"

#include <string.h>

enum { STEPS_MOST = 12 }; /* the longest way has five; the rest is for races lost */

static enum status load(struct ctx *ctx, struct service *service, struct order_id order,
                        struct payment *found)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = payment_store_of_order(ctx, db, order, found);
    db_give_back(&db);
    return st;
}

static const char *make_payload(struct ctx *ctx, const struct payment *after, const char *type,
                                char event_id[ID_TEXT_SIZE])
{
    struct text data = text_new(ctx->arena, 192);
    struct event_draft draft = {
        .type = type,
        .subject = "orderId",
        .subject_id = after->order.text,
        .seq = after->version + 1,
        .at_ms = clock_wall_ms(),
        .actor = &ctx->caller,
    };

    text_printf(&data,
                "{\"state\":\"%s\",\"method\":\"card\",\"amountCents\":%lld,\"capturedCents\":%lld,"
                "\"refundedCents\":%lld,\"currency\":",
                payment_state_name(after->state), (long long)after->amount_cents,
                (long long)after->captured_cents, (long long)after->refunded_cents);
    text_add_json(&data, after->currency);
    text_add(&data, ",\"customerId\":");
    text_add_json(&data, after->customer.text);
    text_add(&data, ",\"code\":");
    text_add_json(&data, after->failure_code);
    text_add_char(&data, '}');
    draft.data = data.data;
    text_copy(draft.id, sizeof(draft.id), event_id);
    return event_envelope(ctx->arena, &draft);
}

/* What a command does to the sums. */
static void apply(struct payment *after, enum payment_command command, const char *code)
{
    if (command == PAYMENT_CAPTURE_DONE || command == PAYMENT_VOID_TOO_LATE) {
        after->captured_cents = after->amount_cents;
    }
    if (command == PAYMENT_REFUND_DONE) {
        after->refunded_cents = after->captured_cents;
    }
    if (*code) {
        after->failure_code = code;
    }
}

/* '*payment' becomes what it is now, whoever moved it. */
static enum status move(struct ctx *ctx, struct service *service, struct payment *payment,
                        enum payment_command command, const char *code)
{
    const struct payment_transition *transition = payment_transition(payment->state, command);
    char event_id[ID_TEXT_SIZE];
    struct payment after = *payment;
    struct payment_moving moving = {.after = &after, .event_id = event_id};
    struct db_conn *db = NULL;
    bool moved;

    if (!transition) {
        return fail_with(ctx, ST_INTERNAL, "", "payment of order=%s is %s, not for command %d",
                         payment->order.text, payment_state_name(payment->state), (int)command);
    }
    uuid_v7(event_id);
    after.state = transition->to;
    apply(&after, command, code);
    if (*payment->order.text) { /* of a hold without an order nobody is told */
        moving.topic = transition->topic;
        moving.payload = make_payload(ctx, &after, transition->type, event_id);
    }
    TRY(service_db(ctx, service, &db));
    enum status st = payment_store_move(ctx, db, &moving, &moved);
    db_give_back(&db);
    TRY(st);
    if (!moved) { /* somebody was faster: go on from what they did */
        return *payment->order.text
                   ? load(ctx, service, payment->order, payment)
                   : fail_with(ctx, ST_RETRY, "", "hold=%s moved meanwhile", payment->hold_id);
    }
    after.version++;
    *payment = after;
    if (moving.topic) {
        outbox_wake(service_outbox(service));
    }
    return ST_OK;
}

/* A provider replays its refusals. Voiding twice is voiding: a void has a turn of its own each
 * time. Refunding twice is not: all who try after the same refusal share a turn. */
static enum status turn_of(struct ctx *ctx, struct service *service, const struct payment *payment,
                           enum provider_act act, const char **turn)
{
    struct db_conn *db = NULL;
    char id[ID_TEXT_SIZE];
    int64_t refused;

    *turn = "";
    if (act == PROVIDER_VOID) {
        uuid_v7(id);
        *turn = arena_printf(ctx->arena, "-%s", id);
    }
    if (act != PROVIDER_REFUND) {
        return ST_OK;
    }
    TRY(service_db(ctx, service, &db));
    enum status st = payment_store_refund_refused(ctx, db, payment, &refused);
    db_give_back(&db);
    TRY(st);
    if (refused) {
        *turn = arena_printf(ctx->arena, "-%lld", (long long)refused);
    }
    return ST_OK;
}

static enum status ask(struct ctx *ctx, struct service *service, const struct payment *payment,
                       enum provider_act act, const char **refusal)
{
    static const char *const prefixes[] = {
        [PROVIDER_CAPTURE] = "capture", [PROVIDER_VOID] = "void", [PROVIDER_REFUND] = "refund"};
    const char *of = *payment->order.text ? payment->order.text : payment->hold_id, *turn;

    TRY(turn_of(ctx, service, payment, act, &turn));
    const struct provider_request request = {
        .act = act,
        .key = arena_printf(ctx->arena, "%s-%s%s", prefixes[act], of, turn),
        .hold_id = payment->hold_id,
        .amount_cents = payment->captured_cents,
    };
    struct provider_answer answer;

    if (!service_payment_provider(service)) {
        return fail_with(ctx, ST_UNAVAILABLE, "", "order=%s has a payment, but payments are off",
                         payment->order.text);
    }
    TRY(payment_provider_ask(ctx, service_payment_provider(service), &request, &answer));
    *refusal = answer.refusal;
    return ST_OK;
}

/* ---- capture ---- */

static enum status never(struct ctx *ctx, const struct payment *payment)
{
    return fail_with(ctx, ST_CONFLICT, "The payment cannot be taken.", "order=%s payment %s %s",
                     payment->order.text, payment_state_name(payment->state),
                     payment->failure_code);
}

static enum status finish_capture(struct ctx *ctx, struct service *service, struct payment *payment)
{
    const char *refusal = "";

    TRY(ask(ctx, service, payment, PROVIDER_CAPTURE, &refusal));
    bool taken = !*refusal || strcmp(refusal, PROVIDER_ALREADY_CAPTURED) == 0;
    return move(ctx, service, payment, taken ? PAYMENT_CAPTURE_DONE : PAYMENT_CAPTURE_REFUSED,
                taken ? "" : refusal);
}

static enum status capture_step(struct ctx *ctx, struct service *service, struct payment *payment,
                                bool *done)
{
    switch (payment->state) {
    case PAYMENT_AUTHORIZED:
        return move(ctx, service, payment, PAYMENT_BEGIN_CAPTURE, "");
    case PAYMENT_CAPTURING:
        return finish_capture(ctx, service, payment);
    case PAYMENT_CAPTURED:
    case PAYMENT_SETTLED:
        *done = true;
        return ST_OK;
    case PAYMENT_VOIDING:
    case PAYMENT_VOIDED:
    case PAYMENT_REFUNDING:
    case PAYMENT_REFUNDED:
    case PAYMENT_FAILED:
        return never(ctx, payment);
    }
    return never(ctx, payment);
}

enum status payment_capture(struct ctx *ctx, struct service *service, struct order_id order)
{
    struct payment payment;
    bool done = false;
    enum status st = load(ctx, service, order, &payment);

    if (st == ST_NOT_FOUND) {
        ctx_forgive(ctx);
        return ST_OK;
    }
    TRY(st);
    for (int i = 0; i < STEPS_MOST && !done; i++) {
        TRY(capture_step(ctx, service, &payment, &done));
    }
    return done ? ST_OK : fail_with(ctx, ST_RETRY, "", "order=%s: others were faster", order.text);
}

/* ---- void and refund ---- */

/* Codes of the provider that mean: there is nothing to void. Any other may leave money held. */
static bool holds_nothing(const char *refusal)
{
    static const char *const codes[] = {"", "already_voided", "no_such_hold", "expired"};
    bool found = false;

    for (size_t i = 0; i < ARRAY_LEN(codes) && !found; i++) {
        found = strcmp(codes[i], refusal) == 0;
    }
    return found;
}

static enum status finish_void(struct ctx *ctx, struct service *service, struct payment *payment)
{
    const char *refusal = "";

    TRY(ask(ctx, service, payment, PROVIDER_VOID, &refusal));
    if (strcmp(refusal, PROVIDER_ALREADY_CAPTURED) == 0) {
        return move(ctx, service, payment, PAYMENT_VOID_TOO_LATE, "");
    }
    if (!holds_nothing(refusal)) {
        log_error(ctx, "void refused, the money stays held", log_text("order", payment->order.text),
                  log_text("hold", payment->hold_id), log_text("code", refusal));
        return fail_with(ctx, ST_UNAVAILABLE, "", "hold=%s void refused: %s", payment->hold_id,
                         refusal);
    }
    return move(ctx, service, payment, PAYMENT_VOID_DONE, refusal);
}

static enum status finish_refund(struct ctx *ctx, struct service *service, struct payment *payment)
{
    const char *refusal = "";

    TRY(ask(ctx, service, payment, PROVIDER_REFUND, &refusal));
    if (!*refusal) {
        return move(ctx, service, payment, PAYMENT_REFUND_DONE, "");
    }
    TRY(move(ctx, service, payment, PAYMENT_REFUND_REFUSED, refusal));
    return fail_with(ctx, ST_CONFLICT, "The payment cannot be given back.",
                     "order=%s refund refused: %s", payment->order.text, refusal);
}

static enum status return_step(struct ctx *ctx, struct service *service, struct payment *payment,
                               bool *done)
{
    switch (payment->state) {
    case PAYMENT_AUTHORIZED:
    case PAYMENT_CAPTURING:
    case PAYMENT_CAPTURED:
    case PAYMENT_FAILED:
    case PAYMENT_SETTLED:
        return move(ctx, service, payment, PAYMENT_BEGIN_RETURN, "");
    case PAYMENT_VOIDING:
        return finish_void(ctx, service, payment);
    case PAYMENT_REFUNDING:
        return finish_refund(ctx, service, payment);
    case PAYMENT_VOIDED:
    case PAYMENT_REFUNDED:
        *done = true;
        return ST_OK;
    }
    return never(ctx, payment);
}

enum status payment_give_back(struct ctx *ctx, struct service *service, struct payment *payment)
{
    bool done = false;

    for (int i = 0; i < STEPS_MOST && !done; i++) {
        TRY(return_step(ctx, service, payment, &done));
    }
    return done ? ST_OK
                : fail_with(ctx, ST_RETRY, "", "hold=%s: others were faster", payment->hold_id);
}

enum status payment_return(struct ctx *ctx, struct service *service, struct order_id order,
                           enum payment_returned *what, int64_t *cents)
{
    struct payment payment;
    enum status st = load(ctx, service, order, &payment);

    if (st == ST_NOT_FOUND) {
        ctx_forgive(ctx);
        *what = PAYMENT_NOTHING_TO_RETURN;
        *cents = 0;
        return ST_OK;
    }
    TRY(st);
    TRY(payment_give_back(ctx, service, &payment));
    *what = payment.state == PAYMENT_REFUNDED ? PAYMENT_WAS_REFUNDED : PAYMENT_WAS_VOIDED;
    *cents = payment.amount_cents;
    return ST_OK;
}
