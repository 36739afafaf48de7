/* Orders in PostgreSQL: one function a statement of order.sql, no rules. */
#include "order-service/order/order_store.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/db/db.h"
#include "common/obs/trace.h"
#include "common/outbox/outbox.h"
#include "order_sql.h"

#include <string.h>

static const struct db_constraint constraints[] = {
    {"orders_total",               PROBLEM_INVALID_FIELDS, "the total is out of range"},
    {0},
};

static const char *text_of(const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_get_text(rows, row, column);

    return text ? text : "";
}

static enum status read_order(struct ctx *ctx, const struct db_rows *rows, int row,
                              struct order *out)
{
    const char *status = text_of(rows, row, "status");

    *out = (struct order){
        .number = (int)db_get_int(rows, row, "number"),
        .channel = (enum order_channel)db_get_int(rows, row, "channel"),
        .seq = db_get_int(rows, row, "version"),
        .total_cents = db_get_int(rows, row, "total_cents"),
        .currency = text_of(rows, row, "currency"),
        .note = text_of(rows, row, "note"),
        .placed_by = text_of(rows, row, "placed_by"),
        .pickup_name = text_of(rows, row, "pickup_name"),
        .lines = text_of(rows, row, "lines"),
        .barista_id = text_of(rows, row, "barista_id"),
        .cancel_reason = text_of(rows, row, "cancel_reason"),
        .last_command = (enum order_command)db_get_int(rows, row, "last_command"),
        .last_actor = text_of(rows, row, "last_actor"),
        .placed_ms = db_get_time(rows, row, "placed_at"),
        .accepted_ms = db_get_time(rows, row, "accepted_at"),
        .preparing_ms = db_get_time(rows, row, "preparing_at"),
        .ready_ms = db_get_time(rows, row, "ready_at"),
        .completed_ms = db_get_time(rows, row, "completed_at"),
        .cancelled_ms = db_get_time(rows, row, "cancelled_at"),
        .accept_by_ms = db_get_time(rows, row, "accept_by"),
        .collect_by_ms = db_get_time(rows, row, "collect_by"),
        .now_ms = db_get_time(rows, row, "now"),
        .queue_position = (int)db_get_int(rows, row, "queue_position"),
    };
    text_copy(out->id.text, sizeof(out->id.text), text_of(rows, row, "id"));
    text_copy(out->customer.text, sizeof(out->customer.text), text_of(rows, row, "customer_id"));
    if (!order_status_parse(status, &out->status)) {
        return fail_with(ctx, ST_INTERNAL, "", "order=%s has status '%s'", out->id.text, status);
    }
    return ST_OK;
}

static enum status read_orders(struct ctx *ctx, const struct db_rows *rows,
                               const struct order **orders, size_t *count)
{
    struct order *list = arena_new_array(ctx->arena, struct order, (size_t)rows->count);

    for (int row = 0; row < rows->count; row++) {
        TRY(read_order(ctx, rows, row, &list[row]));
    }
    *orders = list;
    *count = (size_t)rows->count;
    return ST_OK;
}

static void read_day(const struct db_rows *row, struct order_day *day)
{
    text_copy(day->day, sizeof(day->day), text_of(row, 0, "day"));
    day->base = db_get_int(row, 0, "base");
    day->ends_ms = db_get_time(row, 0, "ends");
}

enum status order_store_day(struct ctx *ctx, struct db_conn *db, const char *zone,
                            struct order_day *day)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_ORDER_DAY, DB_ARGS(db_text(zone)), NULL, &row));
    read_day(&row, day);
    if (day->base) {
        return ST_OK;
    }
    TRY(db_exec(ctx, db, &SQL_ORDER_BEGIN_DAY, DB_ARGS(db_text(day->day)), NULL));
    TRY(db_one(ctx, db, &SQL_ORDER_DAY, DB_ARGS(db_text(zone)), NULL, &row));
    read_day(&row, day);
    return ST_OK;
}

struct notice_columns {
    const char *sinks[MOVE_NOTICES], *topics[MOVE_NOTICES];
    const char *befores[MOVE_NOTICES], *afters[MOVE_NOTICES];
};

static struct notice_columns columns_of(const struct order_notice *notices, size_t count)
{
    struct notice_columns columns;

    for (size_t i = 0; i < count; i++) {
        columns.sinks[i] = notices[i].sink;
        columns.topics[i] = notices[i].topic;
        columns.befores[i] = notices[i].before;
        columns.afters[i] = notices[i].after;
    }
    return columns;
}

/* Of whoever asked, kept in ctx's memory. */
static const char *traceparent(struct ctx *ctx, const struct ctx *asker)
{
    char text[TRACEPARENT_SIZE];

    trace_traceparent(asker, text);
    return arena_strdup(ctx->arena, text);
}

enum { PLACE_ROWS = PLACE_TOGETHER * PLACE_NOTICES };

/* An element an order, and one a row for the outbox. */
struct place_columns {
    const char *ids[PLACE_TOGETHER], *callers[PLACE_TOGETHER], *methods[PLACE_TOGETHER];
    const char *keys[PLACE_TOGETHER], *digests[PLACE_TOGETHER], *customers[PLACE_TOGETHER];
    const char *days[PLACE_TOGETHER], *currencies[PLACE_TOGETHER], *notes[PLACE_TOGETHER];
    const char *pickups[PLACE_TOGETHER], *lines[PLACE_TOGETHER], *rests[PLACE_TOGETHER];
    const char *events[PLACE_TOGETHER], *traces[PLACE_TOGETHER], *parents[PLACE_TOGETHER];
    const char *correlations[PLACE_TOGETHER], *holds[PLACE_TOGETHER];
    int64_t menus[PLACE_TOGETHER], bases[PLACE_TOGETHER], channels[PLACE_TOGETHER];
    int64_t totals[PLACE_TOGETHER], parts[PLACE_TOGETHER], mosts[PLACE_TOGETHER];
    int64_t owners[PLACE_ROWS]; /* whose row it is, from 1 */
    const char *sinks[PLACE_ROWS], *topics[PLACE_ROWS], *befores[PLACE_ROWS], *afters[PLACE_ROWS];
    size_t count, row_count;
};

/* Who sends no key has one made of the order's id, which nobody uses twice. */
static void add_asker(struct ctx *ctx, struct place_columns *c, const struct order_placing *p)
{
    const struct ctx *asker = p->ctx;
    size_t at = c->count;

    c->callers[at] = asker->caller.subject;
    c->methods[at] = p->method;
    c->keys[at] = asker->idempotency_key ? asker->idempotency_key
                                         : arena_printf(ctx->arena, "once %s", p->order->id.text);
    c->digests[at] = asker->request_sha256;
    c->traces[at] = asker->trace_id;
    c->parents[at] = traceparent(ctx, asker);
    c->correlations[at] = asker->correlation_id;
}

static void add_order(struct place_columns *c, const struct order_placing *p)
{
    const struct order *o = p->order;
    size_t at = c->count;

    c->ids[at] = o->id.text;
    c->customers[at] = o->customer.text;
    c->days[at] = p->day->day;
    c->bases[at] = p->day->base;
    c->menus[at] = p->menu_version;
    c->channels[at] = o->channel;
    c->totals[at] = o->total_cents;
    c->currencies[at] = o->currency;
    c->notes[at] = o->note;
    c->pickups[at] = o->pickup_name;
    c->lines[at] = o->lines;
    c->rests[at] = p->rest;
    c->events[at] = p->event_id;
    c->holds[at] = p->hold_id;
    c->mosts[at] = p->most_open;
    c->parts[at] = outbox_part(o->id.text);
    c->count++;
}

static void add_notices(struct place_columns *c, const struct order_placing *p)
{
    for (size_t i = 0; i < p->notice_count; i++) {
        size_t row = c->row_count++;

        c->owners[row] = (int64_t)c->count;
        c->sinks[row] = p->notices[i].sink;
        c->topics[row] = p->notices[i].topic;
        c->befores[row] = p->notices[i].before;
        c->afters[row] = p->notices[i].after;
    }
}

static enum status run_place(struct ctx *ctx, struct db_conn *db, const struct place_columns *c,
                             const struct order_placing *first, struct db_rows *rows)
{
    struct arena *a = ctx->arena;
    size_t n = c->count, m = c->row_count;

    return db_many(ctx, db, &SQL_ORDER_PLACE,
                   DB_ARGS(db_text_array(a, c->ids, n), db_text_array(a, c->callers, n),
                           db_text_array(a, c->methods, n), db_text_array(a, c->keys, n),
                           db_text_array(a, c->digests, n), db_int_array(a, c->menus, n),
                           db_text_array(a, c->customers, n), db_text_array(a, c->days, n),
                           db_int_array(a, c->bases, n), db_int_array(a, c->channels, n),
                           db_int_array(a, c->totals, n), db_text_array(a, c->currencies, n),
                           db_text_array(a, c->notes, n), db_text_array(a, c->pickups, n),
                           db_text_array(a, c->lines, n), db_text_array(a, c->rests, n),
                           db_text_array(a, c->events, n), db_text_array(a, c->traces, n),
                           db_int_array(a, c->parts, n), db_text_array(a, c->parents, n),
                           db_text_array(a, c->correlations, n), db_int(first->accept_within_ms),
                           db_int(first->seconds_a_drink), db_int_array(a, c->owners, m),
                           db_text_array(a, c->sinks, m), db_text_array(a, c->topics, m),
                           db_text_array(a, c->befores, m), db_text_array(a, c->afters, m),
                           db_text_array(a, c->holds, n), db_int_array(a, c->mosts, n)),
                   rows);
}

enum status order_store_place(struct ctx *ctx, struct db_conn *db,
                              struct order_placing *const *placings, size_t count)
{
    struct place_columns columns = {.count = 0};
    struct db_rows rows;

    for (size_t i = 0; i < count; i++) {
        add_asker(ctx, &columns, placings[i]);
        add_order(&columns, placings[i]);
        add_notices(&columns, placings[i]);
    }
    TRY(run_place(ctx, db, &columns, placings[0], &rows));
    for (int row = 0; row < rows.count; row++) {
        struct order_placing *p = placings[db_get_int(&rows, row, "nth") - 1];

        p->created = true;
        p->number = (int)db_get_int(&rows, row, "number");
        p->placed_ms = db_get_time(&rows, row, "placed_at");
        p->queue_position = (int)db_get_int(&rows, row, "queue_position");
    }
    return ST_OK;
}

enum status order_store_replay(struct ctx *ctx, struct db_conn *db, const char *method,
                               struct order *placed, enum place_outcome *outcome)
{
    struct db_rows rows;

    *outcome = PLACE_NOTHING;
    TRY(db_many(ctx, db, &SQL_ORDER_REPLAY,
                DB_ARGS(db_text(ctx->caller.subject), db_text(method),
                        db_text(ctx->idempotency_key), db_text(ctx->request_sha256)),
                &rows));
    if (rows.count) {
        *outcome = db_get_bool(&rows, 0, "same") ? PLACE_REPLAYED : PLACE_MISMATCH;
        text_copy(placed->id.text, sizeof(placed->id.text), text_of(&rows, 0, "id"));
    }
    return ST_OK;
}

enum status order_store_count_open(struct ctx *ctx, struct db_conn *db,
                                   const struct customer_id *customer, int64_t *count)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_ORDER_COUNT_OPEN, DB_ARGS(db_text(customer->text)), NULL, &row));
    *count = db_get_int(&row, 0, "open");
    return ST_OK;
}

enum status order_store_get(struct ctx *ctx, struct db_conn *db, struct order_id id,
                            struct order *found)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_ORDER_BY_ID, DB_ARGS(db_text(id.text)), constraints, &row));
    TRY(read_order(ctx, &row, 0, found));
    found->pays = db_get_bool(&row, 0, "pays");
    return ST_OK;
}

enum status order_store_as_placed(struct ctx *ctx, struct db_conn *db, struct order_id id,
                                  struct order *found)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_ORDER_AS_PLACED, DB_ARGS(db_text(id.text)), constraints, &row));
    return read_order(ctx, &row, 0, found);
}

enum status order_store_place_in_queue(struct ctx *ctx, struct db_conn *db, struct order *order)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_ORDER_PLACE_IN_QUEUE, DB_ARGS(db_text(order->id.text)), NULL, &row));
    order->queue_position = (int)db_get_int(&row, 0, "queue_position");
    return ST_OK;
}

static enum status run_move(struct ctx *ctx, struct db_conn *db, const struct order_moving *m,
                            struct db_rows *rows)
{
    struct arena *arena = ctx->arena;
    const struct order *o = m->after;
    struct notice_columns n = columns_of(m->notices, m->notice_count);
    int64_t seqs[ORDER_MAX_STEPS];
    const char *ids[ORDER_MAX_STEPS], *types[ORDER_MAX_STEPS], *views[ORDER_MAX_STEPS];

    for (size_t i = 0; i < m->step_count; i++) {
        seqs[i] = m->steps[i].seq;
        ids[i] = m->steps[i].event_id;
        types[i] = m->steps[i].type;
        views[i] = m->steps[i].view;
    }
    return db_many(
        ctx, db, &SQL_ORDER_MOVE,
        DB_ARGS(
            db_text(o->id.text), db_int(m->seen_seq), db_text(order_status_name(o->status)),
            db_int(o->seq), db_time(arena, o->accepted_ms), db_time(arena, o->preparing_ms),
            db_time(arena, o->ready_ms), db_time(arena, o->completed_ms),
            db_time(arena, o->cancelled_ms), db_time(arena, o->collect_by_ms),
            db_text(o->barista_id), db_text(o->cancel_reason), db_int(o->last_command),
            db_text(o->last_actor), db_time(arena, o->now_ms), db_text(ctx->trace_id),
            db_int_array(arena, seqs, m->step_count), db_text_array(arena, ids, m->step_count),
            db_text_array(arena, types, m->step_count), db_text_array(arena, views, m->step_count),
            db_int(outbox_part(o->id.text)), db_text(traceparent(ctx, ctx)),
            db_text(ctx->correlation_id), db_text_array(arena, n.sinks, m->notice_count),
            db_text_array(arena, n.topics, m->notice_count),
            db_text_array(arena, n.befores, m->notice_count), db_bool(order_is_final(o->status)),
            db_bool(o->status != ORDER_READY), db_text(ctx->caller.subject)),
        rows);
}

enum status order_store_move(struct ctx *ctx, struct db_conn *db, const struct order_moving *moving,
                             bool *moved)
{
    struct db_rows rows;

    TRY(run_move(ctx, db, moving, &rows));
    *moved = rows.count == 1;
    return ST_OK;
}

enum status order_store_open(struct ctx *ctx, struct db_conn *db, const struct order **orders,
                             size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_ORDER_OPEN, DB_NO_ARGS, &rows));
    return read_orders(ctx, &rows, orders, count);
}

enum status order_store_queue_entries(struct ctx *ctx, struct db_conn *db,
                                      const char *const **entries, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_ORDER_QUEUE_ENTRIES, DB_NO_ARGS, &rows));
    const char **list = arena_new_array(ctx->arena, const char *, (size_t)rows.count * 2);
    for (int row = 0; row < rows.count; row++) {
        list[2 * row] = text_of(&rows, row, "placed_ms");
        list[2 * row + 1] = text_of(&rows, row, "id");
    }
    *entries = list;
    *count = (size_t)rows.count * 2;
    return ST_OK;
}

/* NOLINTNEXTLINE(readability-function-size): seven things, none of them part of another */
enum status order_store_before(struct ctx *ctx, struct db_conn *db, const char *customer,
                               const struct order *before, int limit, const struct order **orders,
                               size_t *count)
{
    struct db_arg moment = db_time(ctx->arena, before->placed_ms);
    struct db_rows rows;

    if (customer) {
        TRY(db_many(ctx, db, &SQL_ORDER_OF_CUSTOMER,
                    DB_ARGS(db_text(customer), moment, db_text(before->id.text), db_int(limit)),
                    &rows));
    } else {
        TRY(db_many(ctx, db, &SQL_ORDER_OF_ALL,
                    DB_ARGS(moment, db_text(before->id.text), db_int(limit)), &rows));
    }
    return read_orders(ctx, &rows, orders, count);
}

enum status order_store_views(struct ctx *ctx, struct db_conn *db, struct order_id id,
                              int64_t after_seq, const char *const **views, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_ORDER_VIEWS_AFTER, DB_ARGS(db_text(id.text), db_int(after_seq)),
                &rows));
    const char **list = arena_new_array(ctx->arena, const char *, (size_t)rows.count);
    for (int row = 0; row < rows.count; row++) {
        list[row] = text_of(&rows, row, "payload");
    }
    *views = list;
    *count = (size_t)rows.count;
    return ST_OK;
}

enum status order_store_newer(struct ctx *ctx, struct db_conn *db, const char *const *ids,
                              const int64_t *seqs, size_t count, struct order_page *newer)
{
    struct db_rows rows;

    TRY(db_many(
        ctx, db, &SQL_ORDER_NEWER,
        DB_ARGS(db_text_array(ctx->arena, ids, count), db_int_array(ctx->arena, seqs, count)),
        &rows));
    return read_orders(ctx, &rows, &newer->orders, &newer->count);
}

enum status order_store_overdue(struct ctx *ctx, struct db_conn *db, int64_t grace_ms,
                                struct order_id after, const struct order_id **ids, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_ORDER_OVERDUE, DB_ARGS(db_int(grace_ms), db_text(after.text)),
                &rows));
    struct order_id *list = arena_new_array(ctx->arena, struct order_id, (size_t)rows.count);
    for (int row = 0; row < rows.count; row++) {
        text_copy(list[row].text, sizeof(list[row].text), text_of(&rows, row, "id"));
    }
    *ids = list;
    *count = (size_t)rows.count;
    return ST_OK;
}

enum status order_store_unsettled(struct ctx *ctx, struct db_conn *db, bool refunds_uncollected,
                                  const struct order_unsettled **orders, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_ORDER_UNSETTLED, DB_ARGS(db_bool(refunds_uncollected)), &rows));
    struct order_unsettled *list =
        arena_new_array(ctx->arena, struct order_unsettled, (size_t)rows.count);
    for (int row = 0; row < rows.count; row++) {
        text_copy(list[row].id.text, sizeof(list[row].id.text), text_of(&rows, row, "id"));
        list[row].status = text_of(&rows, row, "status");
        list[row].hold_id = text_of(&rows, row, "hold_id");
        list[row].payment = text_of(&rows, row, "state");
        list[row].amount_cents = db_get_int(&rows, row, "amount_cents");
    }
    *orders = list;
    *count = (size_t)rows.count;
    return ST_OK;
}
