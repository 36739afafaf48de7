/* Placing an order: prices by our menu, everything in one statement, once per idempotency key.
 * Those that come together share the statement (order_batch.c). */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/db/db.h"
#include "common/outbox/outbox.h"
#include "order-service/menu/menu_photo.h"
#include "order-service/order/order_batch.h"
#include "order-service/order/order_notice.h"
#include "order-service/order/order_price.h"
#include "order-service/order/order_store.h"
#include "order-service/payment/payment.h"
#include "order-service/service.h"
#include "order-service/shop/shop.h"

#include <string.h>

enum { PLACE_TRIES = 4 };

/* What tries of one request hand on to each other. */
struct attempt {
    const struct menu *menu;
    struct order *order;
    struct payment_hold hold;
    enum place_outcome outcome; /* PLACE_NOTHING: try again with a newer menu */
    bool was_taken;             /* a try found its number, or its hold, taken */
};

/* Where a fault is, and what to say of it. */
static const struct {
    const char *field; /* below items[n]; %d is the customization */
    const char *message;
} faults[] = {
    [FAULT_UNKNOWN_ITEM] = {"menuItemId",       "is not on the menu"                     },
    [FAULT_SOLD_OUT] = {"menuItemId",       "is sold out"                            },
    [FAULT_QUANTITY] = {"quantity",         "must be from 1 to 50"                   },
    [FAULT_UNKNOWN_CUSTOMIZATION] = {"customizationIds", "cannot be had with this drink"          },
    [FAULT_CUSTOMIZATION_SOLD_OUT] = {"customizationIds", "is sold out"                            },
    [FAULT_CHOSEN_TWICE] = {"customizationIds", "was chosen already"                     },
    [FAULT_TWO_OF_A_KIND] = {"customizationIds", "is a second one of its kind: choose one"},
    [FAULT_TOO_MANY] = {"customizationIds", "has more than 20"                       },
    [FAULT_TOTAL] = {"quantity",         "makes a total that is too large"        },
};

static enum status refuse(struct ctx *ctx, const struct price_result *result)
{
    bool only_sold_out = true;

    for (int i = 0; i < result->fault_count; i++) {
        const struct price_fault *f = &result->faults[i];
        const char *field =
            f->customization < 0
                ? arena_printf(ctx->arena, "items[%d].%s", f->line, faults[f->kind].field)
                : arena_printf(ctx->arena, "items[%d].%s[%d]", f->line, faults[f->kind].field,
                               f->customization);

        refuse_field(ctx, field, "%s", faults[f->kind].message);
        only_sold_out &= f->kind == FAULT_SOLD_OUT || f->kind == FAULT_CUSTOMIZATION_SOLD_OUT;
    }
    if (only_sold_out) {
        return fail_problem(ctx, PROBLEM_SOLD_OUT, "%s %s", ctx->failure.fields->field,
                            ctx->failure.fields->message);
    }
    return ctx_refused(ctx);
}

/* Neither price nor menu is at fault, but that it is too much for one order. */
static enum status refuse_size(struct ctx *ctx, size_t size)
{
    refuse_field(ctx, "items",
                 "make an order of %zu bytes, and %d is the most: shorten the notes, or"
                 " make two orders of it",
                 size, ORDER_MAX_VIEW);
    return ctx_refused(ctx);
}

static void add_customizations(struct text *out, const struct priced_line *line)
{
    text_add_char(out, '[');
    for (int i = 0; i < line->count; i++) {
        text_add(out, i ? ",{\"id\":" : "{\"id\":");
        text_add_json(out, line->chosen[i]->id);
        text_add(out, ",\"name\":");
        text_add_json(out, line->chosen[i]->name);
        text_printf(out, ",\"extraCents\":%lld}", (long long)line->chosen[i]->extra_cents);
    }
    text_add_char(out, ']');
}

static const char *photo_of(struct arena *arena, const struct menu_item *item)
{
    return *item->photo_id ? photo_path(arena, item->photo_id, "medium") : "";
}

/* The lines as the API will show them for ever. */
static const char *freeze_lines(struct arena *arena, const struct order_request *request,
                                const struct priced_line *lines)
{
    struct text out = text_new(arena, 512);

    for (size_t i = 0; i < request->count; i++) {
        text_add(&out, i ? ",{\"menuItemId\":" : "[{\"menuItemId\":");
        text_add_json(&out, lines[i].item->id);
        text_add(&out, ",\"name\":");
        text_add_json(&out, lines[i].item->name);
        text_printf(&out, ",\"quantity\":%d,\"unitCents\":%lld,\"customizations\":",
                    request->lines[i].quantity, (long long)lines[i].unit_cents);
        add_customizations(&out, &lines[i]);
        text_add(&out, ",\"note\":");
        text_add_json(&out, request->lines[i].note);
        text_add(&out, ",\"photo\":");
        text_add_json(&out, photo_of(arena, lines[i].item));
        text_add_char(&out, '}');
    }
    text_add_char(&out, ']');
    return out.data;
}

static void tell_placed(struct ctx *ctx, struct service *service, struct order_placing *placing,
                        const struct order *order)
{
    char *event_id = arena_alloc(ctx->arena, ID_TEXT_SIZE), created_id[ID_TEXT_SIZE];
    struct order_telling telling = {
        .event_id = created_id,
        .type = "OrderCreated",
        .topics = "order.created",
        .seq = 1,
        .at_ms = clock_wall_ms(),
        .order = order,
    };

    uuid_v7(created_id);
    placing->notices[0] = order_notice_kafka(ctx, &telling);
    uuid_v7(event_id);
    telling.event_id = event_id;
    telling.type = "OrderPlaced";
    telling.topics = "order.placed audit.events";
    placing->notices[1] = order_notice_kafka(ctx, &telling);
    placing->notices[2] = order_notice_live("");
    placing->notices[3] = order_notice_workflow(ctx, service, order, placing->accept_within_ms);
    placing->notice_count = placing->notices[3].sink ? 4 : 3;
    placing->event_id = event_id;
}

static enum status check_who(struct ctx *ctx, const struct order_request *request,
                             struct order *order)
{
    bool for_another = *request->on_behalf_of || *request->pickup_name;

    if (for_another && !(ctx->caller.role & ROLE_STAFF)) {
        return fail_with(ctx, ST_FORBIDDEN, "Only staff may order for somebody else.", "subject=%s",
                         ctx->caller.subject);
    }
    order->channel = for_another ? CHANNEL_POS : CHANNEL_APP;
    text_copy(order->customer.text, sizeof(order->customer.text),
              *request->on_behalf_of ? request->on_behalf_of : ctx->caller.subject);
    return ST_OK;
}

/* What the key was used for; nothing where there is none. */
static enum status look_up_key(struct ctx *ctx, struct service *service, const char *method,
                               struct order *order, enum place_outcome *outcome)
{
    struct db_conn *db = NULL;

    if (!ctx->idempotency_key) {
        return ST_OK;
    }
    TRY(service_db(ctx, service, &db));
    enum status st = order_store_replay(ctx, db, method, order, outcome);
    db_give_back(&db);
    return st;
}

/* Those whom staff take orders down for share the subject of who does. */
static int most_open(const struct ctx *ctx, const struct config *config)
{
    return ctx->caller.role & ROLE_STAFF ? 0 : config->max_open_orders;
}

static enum status must_have_room(struct ctx *ctx, struct service *service,
                                  const struct order *order)
{
    int most = most_open(ctx, service_config(service));
    struct db_conn *db = NULL;
    int64_t open;

    if (!most) {
        return ST_OK;
    }
    TRY(service_db(ctx, service, &db));
    enum status st = order_store_count_open(ctx, db, &order->customer, &open);
    db_give_back(&db);
    TRY(st);
    return open < most ? ST_OK
                       : fail_problem(ctx, PROBLEM_TOO_MANY_OPEN_ORDERS,
                                      "You have %lld open orders, and %d is the most: pick one up,"
                                      " cancel one, or wait until one is over.",
                                      (long long)open, most);
}

/* Money is held before the statement that places the order, and with no connection in hand. A key
 * that was used needs none: a replay is answered while the provider is away. What no order came of
 * is voided by payment_sweep(). */
static enum status hold_money(struct ctx *ctx, struct service *service, const char *method,
                              struct attempt *attempt)
{
    const struct order *order = attempt->order;
    const struct payment_request wanted = {
        .method = method,
        .currency = order->currency,
        .customer = order->customer,
        .amount_cents = order->total_cents,
    };

    if (!payment_is_on(service) ||
        (*attempt->hold.id && attempt->hold.amount_cents == order->total_cents)) {
        return ST_OK;
    }
    TRY(look_up_key(ctx, service, method, attempt->order, &attempt->outcome));
    if (attempt->outcome != PLACE_NOTHING) {
        return ST_OK;
    }
    TRY(shop_must_be_open(ctx, service));
    TRY(must_have_room(ctx, service, order));
    return payment_authorize(ctx, service, &wanted, &attempt->hold);
}

/* A number that somebody has: the database was set back under us, and the day begun anew. So it is
 * looked at once more, and what is taken then is the hold. */
static enum status look_again(struct ctx *ctx, struct service *service, struct attempt *attempt)
{
    if (!attempt->was_taken) {
        attempt->was_taken = true;
        ctx_forgive(ctx);
        order_doubt_today(service);
        return ST_OK; /* nothing is placed: another try */
    }
    return !*attempt->hold.id
               ? ctx->failure.status
               : fail_with(ctx, ST_UNAVAILABLE, "The payment took too long; please try again.",
                           "hold=%s was given up meanwhile", attempt->hold.id);
}

/* Writes it, and when it was not to be written sees whether the key was used. */
static enum status write_placing(struct ctx *ctx, struct service *service,
                                 struct order_placing *placing, struct attempt *attempt)
{
    struct order *order = attempt->order;

    placing->hold_id = *attempt->hold.id ? attempt->hold.id : NULL;
    order->pays = placing->hold_id != NULL;
    tell_placed(ctx, service, placing, order);
    enum status st = order_batch_place(service, placing);
    if (st == ST_EXISTS) {
        return look_again(ctx, service, attempt);
    }
    TRY(st);
    if (!placing->created) {
        return look_up_key(ctx, service, placing->method, order, &attempt->outcome);
    }
    attempt->outcome = PLACE_CREATED;
    order->number = placing->number;
    order->placed_ms = placing->placed_ms;
    order->queue_position = placing->queue_position;
    return ST_OK;
}

/* One try: price by this menu, hold the money, then the statement. */
static enum status try_place(struct ctx *ctx, struct service *service,
                             const struct order_request *request, struct attempt *attempt)
{
    const struct menu *menu = attempt->menu;
    struct order *order = attempt->order;
    const struct config *config = service_config(service);
    struct priced_line *lines = arena_new_array(ctx->arena, struct priced_line, request->count);
    struct order_day day;
    struct order_placing placing = {
        .ctx = ctx,
        .order = order,
        .day = &day,
        .menu_version = menu->version,
        .accept_within_ms = service_business_ms(service, config->accept_timeout_s),
        .method = request->method,
        .seconds_a_drink = config->seconds_a_drink,
        .most_open = most_open(ctx, config),
    };
    struct price_result result;

    order_price(menu, request->lines, request->count, clock_wall_ms(), lines, &result);
    if (!result.fault_count) {
        order->total_cents = result.total_cents;
        order->lines = freeze_lines(ctx->arena, request, lines);
        placing.rest = order_view_rest(ctx->arena, order);
    }
    if (!placing.rest || strlen(placing.rest) > ORDER_MAX_VIEW) {
        TRY(look_up_key(ctx, service, request->method, order, &attempt->outcome));
        return attempt->outcome != PLACE_NOTHING ? ST_OK
               : result.fault_count              ? refuse(ctx, &result)
                                                 : refuse_size(ctx, strlen(placing.rest));
    }
    TRY(order_today(ctx, service, &day));
    TRY(hold_money(ctx, service, request->method, attempt));
    return attempt->outcome == PLACE_NOTHING ? write_placing(ctx, service, &placing, attempt)
                                             : ST_OK;
}

static enum status answer(struct ctx *ctx, struct service *service, enum place_outcome outcome,
                          struct order *placed)
{
    struct db_conn *db = NULL;

    if (outcome == PLACE_MISMATCH) {
        return fail_problem(ctx, PROBLEM_IDEMPOTENCY_MISMATCH,
                            "This Idempotency-Key was used for another request; take a new one.");
    }
    if (outcome == PLACE_REPLAYED) {
        struct order_id id = placed->id;

        TRY(service_db(ctx, service, &db));
        TRY(order_store_as_placed(ctx, db, id, placed));
        db_give_back(&db);
    } else {
        outbox_wake(service_outbox(service));
    }
    placed->eta_seconds =
        order_eta_seconds(placed->queue_position, service_config(service)->seconds_a_drink);
    return ST_OK;
}

enum status order_replay(struct ctx *ctx, struct service *service, const char *method,
                         struct order *placed, bool *found)
{
    enum place_outcome outcome = PLACE_NOTHING;

    TRY(look_up_key(ctx, service, method, placed, &outcome));
    *found = outcome != PLACE_NOTHING;
    return *found ? answer(ctx, service, outcome, placed) : ST_OK;
}

enum status order_place(struct ctx *ctx, struct service *service,
                        const struct order_request *request, struct order *placed)
{
    struct order order = {
        .status = ORDER_PLACED,
        .seq = 1,
        .currency = service_config(service)->currency,
        .note = request->note,
        .pickup_name = request->pickup_name,
        .placed_by = ctx->caller.subject,
        .barista_id = "",
        .cancel_reason = "",
        .last_actor = "",
    };
    struct attempt attempt = {.order = placed, .outcome = PLACE_NOTHING};

    TRY(check_who(ctx, request, &order));
    TRY(menu_current(ctx, service, &attempt.menu));
    uuid_v7(order.id.text);
    for (int i = 0; i < PLACE_TRIES; i++) {
        *placed = order;
        TRY(try_place(ctx, service, request, &attempt));
        if (attempt.outcome != PLACE_NOTHING) {
            return answer(ctx, service, attempt.outcome, placed);
        }
        TRY(shop_must_be_open(ctx, service));
        TRY(must_have_room(ctx, service, &order));
        TRY(menu_reload(ctx, service, &attempt.menu));
    }
    return fail_problem(ctx, PROBLEM_IN_FLIGHT, "The same request is still being worked on.");
}
