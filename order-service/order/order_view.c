/* An order as the API shows it, for events, streams and the audit log. What the database assigns at
 * placing (number, time, place in the queue) comes first, so that the statement can put it
 * there. */
#include "order-service/order/order.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void add_text(struct text *out, const char *name, const char *value)
{
    text_printf(out, ",\"%s\":", name);
    text_add_json(out, value ? value : "");
}

static void add_time(struct text *out, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    if (ms) {
        clock_format(ms, text);
        text_printf(out, ",\"%s\":\"%s\"", name, text);
    }
}

const char *order_customer(const struct order *order)
{
    return *order->pickup_name && strcmp(order->placed_by, order->customer.text) == 0
               ? ""
               : order->customer.text;
}

static void add_rest(struct text *out, const struct order *order)
{
    text_printf(out, "\"id\":\"%s\",\"status\":\"%s\",\"customerId\":\"%s\",\"items\":%s",
                order->id.text, order_status_name(order->status), order_customer(order),
                order->lines);
    text_printf(out, ",\"totalCents\":%lld", (long long)order->total_cents);
    add_text(out, "currency", order->currency);
    add_text(out, "note", order->note);
    add_text(out, "channel", order->channel == CHANNEL_POS ? "pos" : "app");
    add_text(out, "bucket", order_bucket_name(order->status));
    add_time(out, "acceptedAt", order->accepted_ms);
    add_time(out, "preparingAt", order->preparing_ms);
    add_time(out, "readyAt", order->ready_ms);
    add_time(out, "completedAt", order->completed_ms);
    add_time(out, "cancelledAt", order->cancelled_ms);
    add_text(out, "cancelReason", order->cancel_reason);
    text_printf(out, ",\"seq\":%lld", (long long)order->seq);
    add_text(out, "baristaId", order->barista_id);
    add_text(out, "pickupName", order->pickup_name);
    text_printf(out, ",\"unpaid\":%s", order_is_unpaid(order) ? "true" : "false");
    text_add_char(out, '}');
}

const char *order_view_rest(struct arena *arena, const struct order *order)
{
    struct text out = text_new(arena, 1024);

    add_rest(&out, order);
    return out.data;
}

const char *order_view(struct arena *arena, const struct order *order)
{
    struct text out = text_new(arena, 1024);
    char placed[CLOCK_TEXT_SIZE];

    clock_format(order->placed_ms, placed);
    text_printf(&out, "{\"number\":%d,\"placedAt\":\"%s\",\"queuePosition\":%d,\"etaSeconds\":%d,",
                order->number, placed, order->queue_position, order->eta_seconds);
    add_rest(&out, order);
    return out.data;
}

/* "2026-11-21T05:08:51.540Z", as clock_format() writes it. */
static bool read_time(const char *text, int64_t *ms)
{
    struct tm parts = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S.", &parts);

    if (!rest) {
        return false;
    }
    *ms = (int64_t)timegm(&parts) * 1000 + strtol(rest, NULL, 10);
    return true;
}

/* Plain search is enough: the JSON is ours, and quotes within texts are escaped. */
bool order_view_glance(const char *view, struct order_glance *glance)
{
    const char *at_id = strstr(view, "\"id\":\""), *at_status = strstr(view, "\"status\":\"");
    const char *at_seq = strstr(view, ",\"seq\":"), *at_placed = strstr(view, "\"placedAt\":\"");
    char name[16];

    if (!at_id || !at_status || !at_seq || !at_placed || strlen(at_id) < 6 + ID_TEXT_SIZE) {
        return false;
    }
    text_copy(glance->id.text, sizeof(glance->id.text), at_id + 6);
    glance->seq = strtoll(at_seq + 7, NULL, 10);
    text_copy(name, sizeof(name), at_status + 10);
    name[strcspn(name, "\"")] = '\0';
    return order_status_parse(name, &glance->status) &&
           read_time(at_placed + 12, &glance->placed_ms);
}
