/* What is said. A notice on a locked screen is read by others: it names the drink and the number,
 * never a person. */
#include "customer-service/notify/notify_plan.h"

#include "common/base/auto.h"
#include "common/base/text.h"

#include <string.h>

enum { DISMISS_AFTER_S = 15 * 60, STALE_AFTER_S = 60 * 60, NAME_SHOWN = 80 };

/* clang-format off */
static const struct notify_plan plans[] = {
    {"OrderPlaced",      BY_ANYONE,   false, "placed",    TELL_BARISTAS, "New order",          "%s",                                                   "NEW_ORDER",   LIVE_START,  0},
    {"OrderAccepted",    BY_ANYONE,   false, "accepted",  TELL_CUSTOMER, "Order accepted",     "Your %s will be made next.",                           "ORDER",       LIVE_UPDATE, 25},
    {"OrderPreparing",   BY_ANYONE,   false, "preparing", TELL_NOBODY,   NULL,                 NULL,                                                   NULL,          LIVE_UPDATE, 50},
    {"OrderReady",       BY_ANYONE,   false, "ready",     TELL_CUSTOMER, "Ready to pick up",   "Your %s is ready at the counter.",                     "ORDER_READY", LIVE_UPDATE, 100},
    {"OrderReadyUndone", BY_ANYONE,   false, "undone",    TELL_CUSTOMER, "Not quite yet",      "Your %s needs another moment.",                        "ORDER",       LIVE_UPDATE, 75},
    {"OrderCompleted",   BY_ANYONE,   false, "completed", TELL_CUSTOMER, "Picked up",          "Enjoy your %s.",                                       "ORDER_DONE",  LIVE_END,    100},
    {"OrderUnpaid",      BY_ANYONE,   false, "unpaid",    TELL_BARISTAS, "Not paid",           "%s was picked up, and then the card was refused.",     "ORDER_UNPAID", LIVE_NONE,  0},
    {"OrderUnpaid",      BY_ANYONE,   false, "refused",   TELL_CUSTOMER, "Not paid yet",       "Sorry, your card was refused for your %s. Please pay at the counter.", "ORDER_DONE", LIVE_NONE, 0},
    {"OrderCancelled",   BY_CUSTOMER, false, "cancelled", TELL_NOBODY,   NULL,                 NULL,                                                   NULL,          LIVE_END,    0},
    {"OrderCancelled",   BY_STAFF,    false, "cancelled", TELL_CUSTOMER, "Order declined",     "Sorry, we cannot make your %s. You are not charged.",  "ORDER_DONE",  LIVE_END,    0},
    {"OrderCancelled",   BY_STAFF,    true,  "cancelled", TELL_CUSTOMER, "Order cancelled",    "Sorry, your %s had to be cancelled. You are not charged.", "ORDER_DONE",  LIVE_END,    0},
    {"OrderCancelled",   BY_CLOCK,    false, "cancelled", TELL_CUSTOMER, "Order not accepted", "Nobody could take your %s in time. You are not charged.", "ORDER_DONE", LIVE_END,  0},
    {"OrderCancelled",   BY_CLOCK,    true,  "cancelled", TELL_CUSTOMER, "Not picked up",      "Your %s was not picked up, and the order is closed.",  "ORDER_DONE",  LIVE_END,    0},
    {"OrderCancelled",   BY_PAYMENT,  true,  "cancelled", TELL_CUSTOMER, "Order cancelled",    "Your %s had to be cancelled: the payment did not go through.", "ORDER_DONE", LIVE_END, 0},
};
/* clang-format on */

enum notify_by notify_by_reason(const char *reason)
{
    return text_equal(reason, "payment_failed")                                        ? BY_PAYMENT
           : text_equal(reason, "not_accepted") || text_equal(reason, "not_collected") ? BY_CLOCK
                                                                                       : BY_STAFF;
}

static bool is_told_alike(enum notify_by by) /* whether or not the order had been accepted */
{
    return by == BY_CUSTOMER || by == BY_PAYMENT;
}

const struct notify_plan *notify_plan_next(const struct notify_plan *last, const char *type,
                                           const struct notify_order *order)
{
    for (size_t i = last ? (size_t)(last - plans) + 1 : 0; i < ARRAY_LEN(plans); i++) {
        if (text_equal(plans[i].type, type) &&
            (plans[i].by == BY_ANYONE ||
             (plans[i].by == order->by &&
              (plans[i].accepted == order->accepted || is_told_alike(order->by))))) {
            return &plans[i];
        }
    }
    return NULL;
}

const struct notify_plan *notify_plan_find(const char *type, const struct notify_order *order)
{
    return notify_plan_next(NULL, type, order);
}

/* A notice has 4096 bytes and a lock screen a line: cut between characters. */
static const char *shorten(struct arena *arena, const char *name)
{
    size_t size = strlen(name);

    if (size <= NAME_SHOWN) {
        return name;
    }
    for (size = NAME_SHOWN; (name[size] & 0xc0) == 0x80; size--) {
    }
    return arena_printf(arena, "%.*s…", (int)size, name);
}

const char *notify_drink(struct arena *arena, const char *first, int64_t quantity, size_t lines)
{
    if (!lines) {
        return "order";
    }
    const char *name = shorten(arena, first);
    if (quantity > 1) {
        name = arena_printf(arena, "%lld %s", (long long)quantity, name);
    }
    return lines > 1 ? arena_printf(arena, "%s and %zu more", name, lines - 1) : name;
}

const char *notify_collapse_id(struct arena *arena, const struct notify_plan *plan,
                               const struct notify_order *order)
{
    return arena_printf(arena, "%s-%s", plan->audience == TELL_BARISTAS ? "new" : "order",
                        order->id);
}

/* The one %s of a body, by hand: a format must be a literal. */
static const char *body_of(struct arena *arena, const struct notify_plan *plan,
                           const struct notify_order *order)
{
    struct text body = text_new(arena, 128);

    for (const char *c = plan->body; *c; c++) {
        if (c[0] == '%' && c[1] == 's') {
            text_add(&body, order->drink);
            c++;
        } else {
            text_add_char(&body, *c);
        }
    }
    return body.data;
}

static void add_pair(struct text *out, const char *name, const char *value)
{
    text_add_json(out, name);
    text_add_char(out, ':');
    text_add_json(out, value);
}

static void add_alert(struct text *out, const struct notify_plan *plan,
                      const struct notify_order *order)
{
    text_add(out, "\"alert\":{");
    add_pair(out, "title",
             arena_printf(out->arena, "%s (%lld)", plan->title, (long long)order->number));
    text_add_char(out, ',');
    add_pair(out, "body", body_of(out->arena, plan, order));
    text_add(out, "},\"sound\":\"default\"");
}

/* What waits at the counter is shown; the app fetches it before the notice is. */
static bool shows_photo(const struct notify_plan *plan, const struct notify_order *order)
{
    return order->photo && text_equal(plan->stage, "ready");
}

static void add_image(struct text *out, const struct notify_plan *plan,
                      const struct notify_order *order)
{
    if (shows_photo(plan, order)) {
        text_add_char(out, ',');
        add_pair(out, "image", order->photo);
    }
}

const char *notify_alert(struct arena *arena, const struct notify_plan *plan,
                         const struct notify_order *order)
{
    struct text out = text_new(arena, 512);

    text_add(&out, "{\"aps\":{");
    add_alert(&out, plan, order);
    text_add_char(&out, ',');
    add_pair(&out, "category", plan->category);
    text_add(&out, shows_photo(plan, order) ? ",\"mutable-content\":1" : "");
    text_printf(&out, ",\"thread-id\":\"order-%s\"},\"stage\":\"%s\",\"orderId\":\"%s\"", order->id,
                plan->stage, order->id);
    add_image(&out, plan, order);
    text_add_char(&out, '}');
    return out.data;
}

const char *notify_web(struct arena *arena, const struct notify_plan *plan,
                       const struct notify_order *order)
{
    struct text out = text_new(arena, 512);

    text_add_char(&out, '{');
    add_pair(&out, "title", plan->title);
    text_add_char(&out, ',');
    add_pair(&out, "body", body_of(arena, plan, order));
    text_printf(&out, ",\"number\":%lld,\"stage\":\"%s\",\"orderId\":\"%s\",\"tag\":\"%s\"",
                (long long)order->number, plan->stage, order->id,
                notify_collapse_id(arena, plan, order));
    add_image(&out, plan, order);
    text_add_char(&out, '}');
    return out.data;
}

const char *notify_live_activity(struct arena *arena, const struct notify_plan *plan,
                                 const struct notify_order *order, int64_t now_ms)
{
    static const char *const events[] = {
        [LIVE_START] = "start", [LIVE_UPDATE] = "update", [LIVE_END] = "end"};
    struct text out = text_new(arena, 512);
    long long now_s = (long long)(now_ms / 1000);

    text_printf(&out, "{\"aps\":{\"timestamp\":%lld,\"event\":\"%s\",\"content-state\":{", now_s,
                events[plan->live]);
    add_pair(&out, "stage", plan->stage);
    text_printf(&out, ",\"progress\":%d},\"stale-date\":%lld", plan->progress,
                now_s + STALE_AFTER_S);
    if (plan->live == LIVE_START) {
        text_add(&out, ",\"attributes-type\":\"OrderAttributes\",\"attributes\":{");
        add_pair(&out, "orderId", order->id);
        text_printf(&out, ",\"number\":%lld,", (long long)order->number);
        add_pair(&out, "drink", order->drink);
        text_add(&out, "},\"alert\":{\"title\":\"Order placed\",");
        add_pair(&out, "body", order->drink);
        text_add_char(&out, '}');
    }
    if (plan->live == LIVE_END) {
        text_printf(&out, ",\"dismissal-date\":%lld", now_s + DISMISS_AFTER_S);
    }
    text_add(&out, "}}");
    return out.data;
}

const char *notify_background(struct arena *arena, const char *what)
{
    return arena_printf(arena, "{\"aps\":{\"content-available\":1},\"refresh\":\"%s\"}", what);
}
