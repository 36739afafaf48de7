/* Points and statistics over gRPC: call, encode. */
#include "customer-service/loyalty/loyalty_rpc.h"

#include "coffee/customer/v1/customer.pb-c.h"
#include "common/json/timestamp.h"
#include "customer-service/loyalty/loyalty.h"

typedef Coffee__Customer__V1__LedgerEntry entry_message;

enum status loyalty_rpc_stats(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Customer__V1__Stats *answer = out;
    struct loyalty_stats stats;

    (void)in;
    TRY(loyalty_stats_of(ctx, service, customer_caller(ctx), &stats));
    answer->orders_placed = stats.orders_placed;
    answer->orders_completed = stats.orders_completed;
    answer->orders_cancelled = stats.orders_cancelled;
    answer->spent_cents = stats.spent_cents;
    answer->last_order_at = timestamp(ctx, stats.last_order_ms);
    return ST_OK;
}

static void encode_entry(struct ctx *ctx, const struct loyalty_entry *from, entry_message *to)
{
    coffee__customer__v1__ledger_entry__init(to);
    to->id = (char *)from->id; /* protobuf-c only reads them */
    to->reason = (char *)from->reason;
    to->order_id = (char *)from->order_id;
    to->delta = from->delta;
    to->at = timestamp(ctx, from->at_ms);
}

enum status loyalty_rpc_balance(struct ctx *ctx, void *service, const void *in, void *out)
{
    static const Coffee__Customer__V1__Tier tiers[] = {
        [TIER_BRONZE] = COFFEE__CUSTOMER__V1__TIER__TIER_BRONZE,
        [TIER_SILVER] = COFFEE__CUSTOMER__V1__TIER__TIER_SILVER,
        [TIER_GOLD] = COFFEE__CUSTOMER__V1__TIER__TIER_GOLD,
    };
    Coffee__Customer__V1__Loyalty *answer = out;
    struct loyalty_account account;

    (void)in;
    TRY(loyalty_account_of(ctx, service, customer_caller(ctx), &account));
    entry_message *entries = arena_new_array(ctx->arena, entry_message, account.count);
    answer->points = account.points;
    answer->tier = tiers[account.tier];
    answer->n_ledger = account.count;
    answer->ledger = arena_new_array(ctx->arena, entry_message *, account.count);
    for (size_t i = 0; i < account.count; i++) {
        encode_entry(ctx, &account.ledger[i], &entries[i]);
        answer->ledger[i] = &entries[i];
    }
    return ST_OK;
}
