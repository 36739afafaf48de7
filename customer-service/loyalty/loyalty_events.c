/* From an order's event to what it adds. Each adds to a count of its own, so that it does not
 * matter which of them comes first; points come with the completed one alone. */
#include "customer-service/loyalty/loyalty_events.h"

#include "common/base/uuid.h"
#include "common/events/event_data.h"
#include "customer-service/loyalty/loyalty.h"
#include "customer-service/loyalty/loyalty_points.h"

struct order_said {
    const char *id, *customer;
    int64_t total_cents, placed_ms;
};

static enum status read_order(struct ctx *ctx, const struct event *event, struct order_said *order,
                              struct loyalty_change *change)
{
    char id[ID_TEXT_SIZE];
    const struct event_member members[] = {
        {.name = "id",         .text = &order->id, .required = true},
        {.name = "customerId",    .text = &order->customer, .required = true},
        {.name = "totalCents", .number = &order->total_cents, .required = true},
        {.name = "placedAt",    .time_ms = &order->placed_ms},
        {0},
    };

    TRY(event_data_read(ctx, event, members));
    if (!*order->customer) {
        return ST_OK; /* somebody without an account: counted for nobody */
    }
    if (!uuid_parse(order->id, id) || !uuid_parse(order->customer, change->customer.text) ||
        order->total_cents < 0) {
        return fail_with(ctx, ST_INVALID, "", "event refused: order=%s customer=%s total=%lld",
                         order->id, order->customer, (long long)order->total_cents);
    }
    change->order_id = arena_strdup(ctx->arena, id);
    change->event_id = event->id;
    return ST_OK;
}

static enum status count(struct ctx *ctx, struct service *service,
                         const struct loyalty_change *change)
{
    return *change->customer.text ? loyalty_count(ctx, service, change) : ST_OK;
}

enum status loyalty_on_order_placed(struct ctx *ctx, void *service, const struct event *event)
{
    struct loyalty_change change = {.placed = 1};
    struct order_said order = {0};

    TRY(read_order(ctx, event, &order, &change));
    change.last_order_ms = order.placed_ms ? order.placed_ms : event->at_ms;
    return count(ctx, service, &change);
}

enum status loyalty_on_order_completed(struct ctx *ctx, void *service, const struct event *event)
{
    struct loyalty_change change = {.completed = 1};
    struct order_said order = {0};

    TRY(read_order(ctx, event, &order, &change));
    change.spent_cents = order.total_cents;
    change.points = loyalty_points(order.total_cents);
    return count(ctx, service, &change);
}

enum status loyalty_on_order_cancelled(struct ctx *ctx, void *service, const struct event *event)
{
    struct loyalty_change change = {.cancelled = 1};
    struct order_said order = {0};

    TRY(read_order(ctx, event, &order, &change));
    return count(ctx, service, &change);
}
