/* From an order's event to who is told. All stages are read from one topic, so that those of an
 * order come in their order, and a step that has no topic of its own (undo) comes too. */
#include "customer-service/notify/notify_events.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/events/event_data.h"
#include "customer-service/notify/notify.h"

#include <string.h>

enum { NAME_SHOWN = 80 };

/* A notice has 4096 bytes and a lock screen a line: cut between characters. */
static const char *shorten(struct ctx *ctx, const char *name)
{
    size_t size = strlen(name);

    if (size <= NAME_SHOWN) {
        return name;
    }
    for (size = NAME_SHOWN; (name[size] & 0xc0) == 0x80; size--) {
    }
    return arena_printf(ctx->arena, "%.*s…", (int)size, name);
}

/* "Flat White", "2 Flat White", "Flat White and 2 more". */
static enum status name_drink(struct ctx *ctx, const struct event *event, const char **drink)
{
    const char *first = "order", *name = NULL;
    int64_t quantity = 1;
    const struct event_member members[] = {
        {.name = "name",     .text = &name, .required = true},
        {.name = "quantity",  .number = &quantity},
        {0},
    };
    size_t count = 0;
    bool found = true;

    TRY(event_data_read_item(ctx, event, "items", 0, members, &found));
    while (found) {
        if (count == 0) {
            name = shorten(ctx, name);
            first = quantity > 1 ? arena_printf(ctx->arena, "%lld %s", (long long)quantity, name)
                                 : name;
        }
        count++;
        TRY(event_data_read_item(ctx, event, "items", count, members, &found));
    }
    *drink = count > 1 ? arena_printf(ctx->arena, "%s and %zu more", first, count - 1) : first;
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
                                                                    : BY_CLOCK;
    return ST_OK;
}

static enum status read_order(struct ctx *ctx, const struct event *event,
                              struct notify_order *order)
{
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
    TRY(name_drink(ctx, event, &order->drink));
    return read_actor(ctx, event, order);
}

enum status notify_on_audit(struct ctx *ctx, void *service, const struct event *event)
{
    struct notify_order order = {.reason = ""};

    if (!text_starts(event->type, "Order") || clock_wall_ms() - event->at_ms > NOTIFY_FRESH_MS) {
        return ST_OK;
    }
    TRY(read_order(ctx, event, &order));
    return notify_tell(ctx, service, &(struct notify_event){event->id, event->type, event->seq},
                       &order);
}
