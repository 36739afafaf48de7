/* Notices in PostgreSQL: one function per statement, no rules. */
#include "customer-service/notify/notice_store.h"

#include "common/base/text.h"
#include "common/base/uuid.h"
#include "notice_sql.h"

enum status notice_store_claim_event(struct ctx *ctx, struct db_conn *tx, const char *event,
                                     bool *is_new)
{
    struct db_rows rows;

    TRY(db_many(ctx, tx, &SQL_NOTICE_CLAIM_EVENT, DB_ARGS(db_text(event)), &rows));
    *is_new = rows.count > 0;
    return ST_OK;
}

enum status notice_store_lock(struct ctx *ctx, struct db_conn *tx, const char *order)
{
    return db_exec(ctx, tx, &SQL_NOTICE_LOCK, DB_ARGS(db_text(order)), NULL);
}

static const char *copy(struct ctx *ctx, const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_get_text(rows, row, column);

    return arena_strdup(ctx->arena, text ? text : "");
}

enum status notice_store_targets(struct ctx *ctx, struct db_conn *tx,
                                 const struct notify_plan *plan, const struct notify_order *order,
                                 struct notice_batch *batch)
{
    static const char *const audiences[] = {
        [TELL_NOBODY] = "nobody", [TELL_CUSTOMER] = "customer", [TELL_BARISTAS] = "baristas"};
    struct db_rows rows;

    TRY(db_many(ctx, tx, &SQL_NOTICE_TARGETS,
                DB_ARGS(db_text(audiences[plan->audience]),
                        db_text(*order->customer ? order->customer : NULL), db_text(order->id),
                        db_bool(plan->live == LIVE_START), db_bool(plan->live != LIVE_NONE)),
                &rows));
    struct notice_target *targets =
        arena_new_array(ctx->arena, struct notice_target, (size_t)rows.count);
    for (int i = 0; i < rows.count; i++) {
        targets[i] = (struct notice_target){
            .device = copy(ctx, &rows, i, "device_id"),
            .channel = copy(ctx, &rows, i, "channel"),
            .kind = copy(ctx, &rows, i, "kind"),
            .token = copy(ctx, &rows, i, "token"),
            .customer = copy(ctx, &rows, i, "customer_id"),
        };
    }
    batch->targets = targets;
    batch->count = (size_t)rows.count;
    return ST_OK;
}

/* One column of the targets as an array. */
static struct db_arg column(struct ctx *ctx, const struct notice_batch *batch, size_t offset)
{
    const char **texts = arena_new_array(ctx->arena, const char *, batch->count);

    for (size_t i = 0; i < batch->count; i++) {
        const char *base = (const char *)&batch->targets[i];

        texts[i] = *(const char *const *)(const void *)(base + offset);
    }
    return db_text_array(ctx->arena, texts, batch->count);
}

static struct db_arg new_ids(struct ctx *ctx, size_t count)
{
    const char **ids = arena_new_array(ctx->arena, const char *, count);

    for (size_t i = 0; i < count; i++) {
        char *id = arena_alloc(ctx->arena, ID_TEXT_SIZE);

        uuid_v7(id);
        ids[i] = id;
    }
    return db_text_array(ctx->arena, ids, count);
}

enum status notice_store_reached(struct ctx *ctx, struct db_conn *db, const char *order,
                                 int64_t seq, bool *there)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_NOTICE_REACHED, DB_ARGS(db_text(order), db_int(seq)), NULL, &row));
    *there = db_get_bool(&row, 0, "there");
    return ST_OK;
}

enum status notice_store_stage(struct ctx *ctx, struct db_conn *db, const char *order, int64_t seq,
                               const char *name, struct notice_stage *stage)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_NOTICE_STAGE, DB_ARGS(db_text(order), db_int(seq), db_text(name)),
               NULL, &row));
    stage->notices = (int)db_get_int(&row, 0, "notices");
    stage->open = (int)db_get_int(&row, 0, "open");
    stage->sent = (int)db_get_int(&row, 0, "sent");
    return ST_OK;
}

enum status notice_store_insert(struct ctx *ctx, struct db_conn *tx,
                                const struct notice_batch *batch, bool *any_open)
{
    struct db_rows made;

    TRY(db_many(ctx, tx, &SQL_NOTICE_INSERT,
                DB_ARGS(db_text(batch->order), db_int(batch->seq), db_text(batch->stage),
                        db_text(batch->collapse_id), new_ids(ctx, batch->count),
                        column(ctx, batch, offsetof(struct notice_target, customer)),
                        column(ctx, batch, offsetof(struct notice_target, channel)),
                        column(ctx, batch, offsetof(struct notice_target, kind)),
                        column(ctx, batch, offsetof(struct notice_target, device)),
                        column(ctx, batch, offsetof(struct notice_target, token)),
                        db_text_array(ctx->arena, batch->payloads, batch->count)),
                &made));
    *any_open = false;
    for (int i = 0; i < made.count; i++) {
        *any_open = *any_open || text_equal(db_get_text(&made, i, "state"), "pending");
    }
    return ST_OK;
}

enum status notice_store_catch_up(struct ctx *ctx, struct db_conn *tx, const char *activity,
                                  const char **order)
{
    char id[ID_TEXT_SIZE];
    struct db_rows made;

    uuid_v7(id);
    TRY(db_many(ctx, tx, &SQL_NOTICE_CATCH_UP, DB_ARGS(db_text(id), db_text(activity)), &made));
    *order = made.count ? db_get_text(&made, 0, "order_id") : NULL;
    return ST_OK;
}

enum status notice_store_inbox(struct ctx *ctx, struct db_conn *db, const char *customer,
                               int64_t most, struct inbox_notice **notices, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_NOTICE_INBOX, DB_ARGS(db_text(customer), db_int(most)), &rows));
    *notices = arena_new_array(ctx->arena, struct inbox_notice, (size_t)rows.count);
    *count = (size_t)rows.count;
    for (int i = 0; i < rows.count; i++) {
        (*notices)[i] = (struct inbox_notice){
            .id = db_get_text(&rows, i, "id"),
            .order = db_get_text(&rows, i, "order_id"),
            .kind = db_get_text(&rows, i, "kind"),
            .stage = db_get_text(&rows, i, "stage"),
            .title = db_get_text(&rows, i, "title"),
            .body = db_get_text(&rows, i, "body"),
            .activity = db_get_text(&rows, i, "activity"),
            .created_ms = db_get_time(&rows, i, "created_at"),
            .progress = db_get_int(&rows, i, "progress"),
        };
    }
    return ST_OK;
}

enum status notice_store_set_aside(struct ctx *ctx, struct db_conn *tx, const char *order,
                                   int64_t seq)
{
    return db_exec(ctx, tx, &SQL_NOTICE_SET_ASIDE, DB_ARGS(db_text(order), db_int(seq)), NULL);
}

static enum push_kind kind_of(const char *name)
{
    return text_equal(name, "liveactivity") ? PUSH_LIVE_ACTIVITY
           : text_equal(name, "background") ? PUSH_BACKGROUND
                                            : PUSH_ALERT;
}

/* The rows live as long as ctx: nothing is copied. */
static void read_notice(const struct db_rows *rows, int row, struct notice *notice)
{
    *notice = (struct notice){
        .order = db_get_text(rows, row, "order_id"),
        .channel = db_get_text(rows, row, "channel"),
        .device = db_get_text(rows, row, "device_id"),
        .token = db_get_text(rows, row, "token"),
        .wave = db_get_int(rows, row, "wave"),
        .created_ms = db_get_time(rows, row, "created_at"),
        .state = db_get_text(rows, row, "known"),
    };
    const char *environment = db_get_text(rows, row, "environment");
    bool is_live = text_equal(notice->channel, "live");
    notice->push = (struct push){
        .id = db_get_text(rows, row, "id"),
        .kind = kind_of(db_get_text(rows, row, "kind")),
        .address = is_live ? notice->token : db_get_text(rows, row, "address"),
        .sandbox = environment && text_equal(environment, "sandbox"),
        .p256dh = db_get_text(rows, row, "p256dh"),
        .secret = db_get_text(rows, row, "secret"),
        .collapse_id = db_get_text(rows, row, "collapse_id"),
        .payload = db_get_text(rows, row, "payload"),
        .reason = "",
        .wait_ms = db_get_int(rows, row, "wait_ms"),
    };
    if (!notice->state && notice->push.wait_ms) {
        notice->state = "pending";
        notice->push.verdict = PUSH_LATER;
        notice->push.reason = "it was asked to wait";
    }
}

/* NOLINTNEXTLINE(readability-function-size): seven things, none of them part of another */
enum status notice_store_begin(struct ctx *ctx, struct db_conn *db, const char *const *orders,
                               size_t order_count, int64_t lease_ms, struct notice **notices,
                               size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_NOTICE_BEGIN,
                DB_ARGS(db_text_array(ctx->arena, orders, order_count), db_int(lease_ms)), &rows));
    *notices = arena_new_array(ctx->arena, struct notice, (size_t)rows.count);
    *count = (size_t)rows.count;
    for (int i = 0; i < rows.count; i++) {
        read_notice(&rows, i, &(*notices)[i]);
    }
    return ST_OK;
}

enum status notice_store_open_orders(struct ctx *ctx, struct db_conn *db, const char *const *orders,
                                     size_t order_count, const char ***open, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_NOTICE_OPEN_ORDERS,
                DB_ARGS(db_text_array(ctx->arena, orders, order_count)), &rows));
    *open = arena_new_array(ctx->arena, const char *, (size_t)rows.count);
    *count = (size_t)rows.count;
    for (int i = 0; i < rows.count; i++) {
        (*open)[i] = db_get_text(&rows, i, "order_id");
    }
    return ST_OK;
}

/* What was sent is nearly all of it. */
enum status notice_store_record(struct ctx *ctx, struct db_conn *db, const struct notice *notices,
                                size_t count)
{
    const char **sent = arena_new_array(ctx->arena, const char *, count);
    const char **ids = arena_new_array(ctx->arena, const char *, count);
    const char **states = arena_new_array(ctx->arena, const char *, count);
    const char **reasons = arena_new_array(ctx->arena, const char *, count);
    const char **tokens = arena_new_array(ctx->arena, const char *, count);
    size_t sent_count = 0, others = 0;

    for (size_t i = 0; i < count; i++) {
        if (text_equal(notices[i].state, "sent")) {
            sent[sent_count++] = notices[i].push.id;
        } else {
            ids[others] = notices[i].push.id;
            states[others] = notices[i].state;
            tokens[others] = notices[i].token;
            reasons[others++] = notices[i].push.reason;
        }
    }
    if (sent_count) {
        TRY(db_exec(ctx, db, &SQL_NOTICE_SENT, DB_ARGS(db_text_array(ctx->arena, sent, sent_count)),
                    NULL));
    }
    return others ? db_exec(ctx, db, &SQL_NOTICE_RECORD,
                            DB_ARGS(db_text_array(ctx->arena, ids, others),
                                    db_text_array(ctx->arena, states, others),
                                    db_text_array(ctx->arena, reasons, others),
                                    db_text_array(ctx->arena, tokens, others)),
                            NULL)
                  : ST_OK;
}

enum status notify_purge_notices(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_NOTICE_PURGE);
}

enum status notify_purge_events(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_NOTICE_PURGE_EVENTS);
}
