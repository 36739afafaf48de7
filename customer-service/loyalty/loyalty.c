/* Counting events, and what they add up to. */
#include "customer-service/loyalty/loyalty.h"

#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/events/event.h"
#include "common/outbox/outbox.h"
#include "customer-service/loyalty/loyalty_store.h"
#include "customer-service/service.h"

static const char *const tier_names[] = {
    [TIER_BRONZE] = "bronze", [TIER_SILVER] = "silver", [TIER_GOLD] = "gold"};

static enum status tell_points(struct ctx *ctx, struct db_conn *tx,
                               const struct loyalty_change *change)
{
    struct event_draft draft = {
        .type = "PointsChanged",
        .subject = "customerId",
        .subject_id = change->customer.text,
        .at_ms = clock_wall_ms(),
    };
    int64_t points;

    TRY(loyalty_store_points(ctx, tx, change->customer, &points));
    uuid_v7(draft.id);
    draft.data = arena_printf(
        ctx->arena, "{\"delta\":%lld,\"balance\":%lld,\"tier\":\"%s\",\"orderId\":\"%s\"}",
        (long long)change->points, (long long)points, tier_names[loyalty_tier(points)],
        change->order_id);
    return outbox_add(ctx, tx,
                      &(struct outbox_row){
                          .sink = "kafka",
                          .topic = "loyalty.changed audit.events",
                          .key = change->customer.text,
                          .payload = event_envelope(ctx->arena, &draft),
                      });
}

enum status loyalty_count(struct ctx *ctx, struct service *service,
                          const struct loyalty_change *change)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    bool earned = false;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(loyalty_store_count(ctx, tx, change, &earned));
    if (earned) {
        TRY(tell_points(ctx, tx, change));
    }
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    if (earned) {
        service_wake_outbox(service);
    }
    return ST_OK;
}

enum status loyalty_stats_of(struct ctx *ctx, struct service *service, struct customer_id id,
                             struct loyalty_stats *stats)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    return loyalty_store_stats(ctx, db, id, stats);
}

enum status loyalty_account_of(struct ctx *ctx, struct service *service, struct customer_id id,
                               struct loyalty_account *account)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(loyalty_store_points(ctx, db, id, &account->points));
    account->tier = loyalty_tier(account->points);
    return loyalty_store_ledger(ctx, db, id, account);
}
