/* Payments in PostgreSQL: one function a statement of payment.sql, no rules. */
#include "order-service/payment/payment_store.h"

#include "common/base/text.h"
#include "common/db/db.h"
#include "common/obs/trace.h"
#include "common/outbox/outbox.h"
#include "payment_sql.h"

static const char *text_of(const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_get_text(rows, row, column);

    return text ? text : "";
}

static enum status read_payment(struct ctx *ctx, const struct db_rows *rows, int row,
                                struct payment *out)
{
    const char *state = text_of(rows, row, "state");

    *out = (struct payment){
        .hold_id = text_of(rows, row, "hold_id"),
        .currency = text_of(rows, row, "currency"),
        .failure_code = text_of(rows, row, "failure_code"),
        .version = db_get_int(rows, row, "version"),
        .amount_cents = db_get_int(rows, row, "amount_cents"),
        .captured_cents = db_get_int(rows, row, "captured_cents"),
        .refunded_cents = db_get_int(rows, row, "refunded_cents"),
        .created_ms = db_get_time(rows, row, "created_at"),
        .changed_ms = db_get_time(rows, row, "changed_at"),
    };
    text_copy(out->order.text, sizeof(out->order.text), text_of(rows, row, "order_id"));
    text_copy(out->customer.text, sizeof(out->customer.text), text_of(rows, row, "customer_id"));
    if (!payment_state_parse(state, &out->state)) {
        return fail_with(ctx, ST_INTERNAL, "", "hold=%s has state '%s'", out->hold_id, state);
    }
    return ST_OK;
}

static enum status read_page(struct ctx *ctx, const struct db_rows *rows, struct payment_page *page)
{
    struct payment *list = arena_new_array(ctx->arena, struct payment, (size_t)rows->count);

    for (int row = 0; row < rows->count; row++) {
        TRY(read_payment(ctx, rows, row, &list[row]));
    }
    *page = (struct payment_page){.payments = list, .count = (size_t)rows->count, .next_token = ""};
    return ST_OK;
}

enum status payment_store_of_order(struct ctx *ctx, struct db_conn *db, struct order_id order,
                                   struct payment *found)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_PAYMENT_OF_ORDER, DB_ARGS(db_text(order.text)), NULL, &row));
    return read_payment(ctx, &row, 0, found);
}

enum status payment_store_before(struct ctx *ctx, struct db_conn *db, const char *customer,
                                 const struct payment *before, int limit, struct payment_page *page)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_PAYMENT_OF_CUSTOMER,
                DB_ARGS(db_text(customer), db_time(ctx->arena, before->created_ms),
                        db_text(before->order.text), db_int(limit)),
                &rows));
    return read_page(ctx, &rows, page);
}

enum status payment_store_move(struct ctx *ctx, struct db_conn *db,
                               const struct payment_moving *moving, bool *moved)
{
    const struct payment *p = moving->after;
    const char *actor = *ctx->caller.subject ? ctx->caller.subject : role_name(ctx->caller.role);
    char traceparent[TRACEPARENT_SIZE];
    struct db_rows rows;

    trace_traceparent(ctx, traceparent);
    TRY(db_many(
        ctx, db, &SQL_PAYMENT_MOVE,
        DB_ARGS(db_text(p->hold_id), db_int(p->version), db_text(payment_state_name(p->state)),
                db_int(p->captured_cents), db_int(p->refunded_cents), db_text(p->failure_code),
                db_text(moving->event_id), db_text(actor), db_text(ctx->trace_id),
                db_int(outbox_part(p->order.text)), db_text(moving->topic), db_text(p->order.text),
                db_text(moving->payload), db_text(traceparent), db_text(ctx->correlation_id)),
        &rows));
    *moved = rows.count == 1;
    return ST_OK;
}

enum status payment_store_refund_refused(struct ctx *ctx, struct db_conn *db,
                                         const struct payment *payment, int64_t *seq)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_PAYMENT_REFUND_REFUSED,
               DB_ARGS(db_text(payment->hold_id), db_int(payment->version)), NULL, &row));
    *seq = db_get_int(&row, 0, "seq");
    return ST_OK;
}

enum status payment_store_give_up(struct ctx *ctx, struct db_conn *db,
                                  const struct provider_hold *holds, size_t count)
{
    const char **ids = arena_new_array(ctx->arena, const char *, count);
    const char **currencies = arena_new_array(ctx->arena, const char *, count);
    int64_t *cents = arena_new_array(ctx->arena, int64_t, count);

    for (size_t i = 0; i < count; i++) {
        ids[i] = holds[i].id;
        currencies[i] = holds[i].currency;
        cents[i] = holds[i].amount_cents;
    }
    return db_exec(ctx, db, &SQL_PAYMENT_GIVE_UP,
                   DB_ARGS(db_text_array(ctx->arena, ids, count),
                           db_int_array(ctx->arena, cents, count),
                           db_text_array(ctx->arena, currencies, count)),
                   NULL);
}

enum status payment_store_given_up(struct ctx *ctx, struct db_conn *db, const char *after,
                                   struct payment_page *page)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_PAYMENT_GIVEN_UP, DB_ARGS(db_text(after)), &rows));
    return read_page(ctx, &rows, page);
}
