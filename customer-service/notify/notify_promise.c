/* Promising: the rows of a stage's notices and the job that sends them, in one transaction. An
 * event asks for it, and the workflow of the order too; whoever comes first makes the rows. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/jobs/jobs.h"
#include "customer-service/customer/customer.h"
#include "customer-service/notify/notice_store.h"
#include "customer-service/notify/notify.h"
#include "customer-service/service.h"

#include <string.h>

enum { FIRST_LOOK_MS = 10, LONGEST_LOOK_MS = 200, ANSWER_MS = 50 };

const char *notify_photo(struct ctx *ctx, struct service *service, const char *path)
{
    const char *shop = service_senders(service)->public_url;
    size_t length = shop ? strlen(shop) : 0;

    return length && text_starts(path, "/photos/")
               ? arena_printf(ctx->arena, "%.*s%s",
                              (int)(shop[length - 1] == '/' ? length - 1 : length), shop, path)
               : NULL;
}

static void write_payloads(struct ctx *ctx, const struct notify_plan *plan,
                           const struct notify_order *order, struct notice_batch *batch)
{
    const char **payloads = arena_new_array(ctx->arena, const char *, batch->count);

    for (size_t i = 0; i < batch->count; i++) {
        const struct notice_target *target = &batch->targets[i];

        payloads[i] = text_equal(target->kind, "liveactivity")
                          ? notify_live_activity(ctx->arena, plan, order, clock_wall_ms())
                      : text_equal(target->channel, "apns") ? notify_alert(ctx->arena, plan, order)
                                                            : notify_web(ctx->arena, plan, order);
    }
    batch->payloads = payloads;
}

/* '*open' tells whether there is more to send than there was. */
static enum status promise_one(struct ctx *ctx, struct db_conn *tx, int64_t seq,
                               const struct notify_plan *plan, const struct notify_order *order,
                               bool *open)
{
    bool made_open;
    struct notice_batch batch = {
        .order = order->id,
        .stage = plan->stage,
        .seq = seq,
        .collapse_id = notify_collapse_id(ctx->arena, plan, order),
    };

    if (text_equal(plan->stage, "undone")) {
        TRY(notice_store_set_aside(ctx, tx, order->id, seq));
    }
    TRY(notice_store_targets(ctx, tx, plan, order, &batch));
    if (batch.count == 0) {
        return ST_OK;
    }
    write_payloads(ctx, plan, order, &batch);
    TRY(notice_store_insert(ctx, tx, &batch, &made_open));
    *open = *open || made_open;
    return ST_OK;
}

static enum status promise(struct ctx *ctx, struct db_conn *tx, const struct notify_event *event,
                           const struct notify_order *order)
{
    bool open = false;

    TRY(notice_store_lock(ctx, tx, order->id));
    for (const struct notify_plan *plan = notify_plan_find(event->type, order); plan;
         plan = notify_plan_next(plan, event->type, order)) {
        TRY(promise_one(ctx, tx, event->seq, plan, order, &open));
    }
    if (!open) { /* the job of whoever made them sends them, or nobody has a device */
        return ST_OK;
    }
    return job_enqueue(ctx, tx, &(struct job_request){.kind = NOTIFY_JOB, .payload = order->id},
                       NULL, NULL);
}

enum status notify_tell(struct ctx *ctx, struct service *service, const struct notify_event *event,
                        const struct notify_order *order)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    bool is_new = false;

    if (!notify_plan_find(event->type, order)) {
        return ST_OK;
    }
    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(notice_store_claim_event(ctx, tx, event->id, &is_new));
    if (!is_new) {
        return ST_OK; /* the transaction rolls back, and changed nothing */
    }
    TRY(promise(ctx, tx, event, order));
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    service_wake_jobs(service);
    return ST_OK;
}

/* ---- for the workflow of the order ---- */

/* Unless it was, or the order has moved on and its notices with it. */
static enum status promise_once(struct ctx *ctx, struct service *service,
                                const struct notify_event *event, const struct notify_order *order)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    bool there;

    TRY(service_db(ctx, service, &db));
    TRY(notice_store_reached(ctx, db, order->id, event->seq, &there));
    if (!there) {
        TRY(db_begin(ctx, db, &tx));
        TRY(promise(ctx, tx, event, order));
        TRY(db_commit(ctx, &tx));
        service_wake_jobs(service);
    }
    db_give_back(&db);
    return ST_OK;
}

static enum status look(struct ctx *ctx, struct service *service, const struct notify_event *event,
                        const struct notify_plan *plan, const char *order,
                        struct notice_stage *stage)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = notice_store_stage(ctx, db, order, event->seq, plan->stage, stage);
    db_give_back(&db);
    return st;
}

/* Of all calls that wait few may: each holds a worker, which others need. */
static void wait_no_more(atomic_int *waiting)
{
    atomic_fetch_sub(waiting, 1);
}
DEFINE_AUTO(waiting, atomic_int *, wait_no_more)

enum status notify_ensure(struct ctx *ctx, struct service *service,
                          const struct notify_event *event, const struct notify_order *order,
                          struct notice_stage *stage)
{
    AUTO(waiting) atomic_int *waiting = service_senders(service)->waiting;
    bool patient = atomic_fetch_add(waiting, 1) < NOTIFY_WAITERS;
    const struct notify_plan *plan = notify_plan_find(event->type, order);
    int pause_ms = FIRST_LOOK_MS;

    *stage = (struct notice_stage){0};
    if (!plan) {
        return ST_OK;
    }
    TRY(promise_once(ctx, service, event, order));
    TRY(look(ctx, service, event, plan, order->id, stage));
    while (stage->open && patient && ctx_left_ms(ctx) > pause_ms + ANSWER_MS) {
        clock_pause_ms(pause_ms);
        pause_ms = pause_ms * 2 < LONGEST_LOOK_MS ? pause_ms * 2 : LONGEST_LOOK_MS;
        TRY(look(ctx, service, event, plan, order->id, stage));
    }
    return stage->open ? fail_with(ctx, ST_UNAVAILABLE, "not yet sent", "order=%s stage=%s open=%d",
                                   order->id, plan->stage, stage->open)
                       : ST_OK;
}

enum status notify_inbox(struct ctx *ctx, struct service *service, int64_t most,
                         struct inbox_notice **notices, size_t *count)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = notice_store_inbox(ctx, db, customer_caller(ctx).text, most, notices, count);
    db_give_back(&db);
    return st;
}
