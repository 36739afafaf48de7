/* From an order's event to who is told. All stages are read from one topic, so that those of an
 * order come in their order, and a step that has no topic of its own (undo) comes too. */
#include "customer-service/notify/notify_events.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/events/event_data.h"
#include "customer-service/notify/notify.h"

struct lines {
    const char *name, *photo; /* of the one that was just read */
    int64_t quantity;
    const char *first_name, *first_photo;
    int64_t first_quantity;
    size_t count;
};

/* The first says what the order is called, the first that has a photo what it looks like. */
static void take_line(void *user)
{
    struct lines *lines = user;

    if (lines->count == 0) {
        lines->first_name = lines->name;
        lines->first_quantity = lines->quantity;
    }
    if (!*lines->first_photo) {
        lines->first_photo = lines->photo;
    }
    lines->count++;
    lines->photo = "";
    lines->quantity = 1;
}

static enum status name_drink(struct ctx *ctx, const struct event *event, const char **drink,
                              const char **photo)
{
    struct lines lines = {.photo = "", .quantity = 1, .first_photo = ""};
    const struct event_member members[] = {
        {.name = "name",     .text = &lines.name, .required = true},
        {.name = "quantity",  .number = &lines.quantity},
        {.name = "photo", .text = &lines.photo},
        {0                 },
    };

    TRY(event_data_read_each(ctx, event, "items", members, take_line, &lines));
    *photo = lines.first_photo;
    *drink = notify_drink(ctx->arena, lines.first_name, lines.first_quantity, lines.count);
    return ST_OK;
}

static enum status read_actor(struct ctx *ctx, const struct event *event,
                              struct notify_order *order)
{
    const char *role = "", *id = "";
    const struct event_member members[] = {
        {.name = "role", .text = &role},
        {.name = "id",              .text = &id},
        {0},
    };

    TRY(event_actor_read(ctx, event, members));
    order->by = *order->customer && text_equal(id, order->customer) ? BY_CUSTOMER
                : role_parse(role) & ROLE_STAFF                     ? BY_STAFF
                                                : notify_by_reason(order->reason);
    return ST_OK;
}

static enum status read_order(struct ctx *ctx, struct service *service, const struct event *event,
                              struct notify_order *order)
{
    const char *photo;
    char id[ID_TEXT_SIZE], customer[ID_TEXT_SIZE] = "";
    int64_t accepted_ms = 0;
    const struct event_member members[] = {
        {.name = "id",         .text = &order->id, .required = true},
        {.name = "customerId",    .text = &order->customer, .required = true},
        {.name = "number", .number = &order->number},
        {.name = "cancelReason",    .text = &order->reason},
        {.name = "acceptedAt",     .time_ms = &accepted_ms},
        {0                   },
    };

    TRY(event_data_read(ctx, event, members));
    if (!uuid_parse(order->id, id) ||
        (*order->customer && !uuid_parse(order->customer, customer))) {
        return fail_with(ctx, ST_INVALID, "", "event refused: order=%s customer=%s", order->id,
                         order->customer);
    }
    order->id = arena_strdup(ctx->arena, id);
    order->customer = arena_strdup(ctx->arena, customer);
    order->accepted = accepted_ms != 0;
    TRY(name_drink(ctx, event, &order->drink, &photo));
    order->photo = notify_photo(ctx, service, photo);
    return read_actor(ctx, event, order);
}

enum status notify_on_audit(struct ctx *ctx, void *service, const struct event *event)
{
    struct notify_order order = {.reason = ""};

    if (!text_starts(event->type, "Order") || clock_wall_ms() - event->at_ms > NOTIFY_FRESH_MS) {
        return ST_OK;
    }
    TRY(read_order(ctx, service, event, &order));
    return notify_tell(ctx, service, &(struct notify_event){event->id, event->type, event->seq},
                       &order);
}
