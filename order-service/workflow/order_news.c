/* News of an order as JSON, and back. */
#include "order-service/workflow/order_news.h"

#include "common/base/auto.h"
#include "common/base/text.h"
#include "common/json/scan.h"

#include <stddef.h>
#include <string.h>

enum kind { KIND_NUMBER, KIND_FLAG, KIND_TEXT, KIND_ID, KIND_STATUS };

/* clang-format off */
static const struct field {
    const char *name;
    enum kind kind;
    size_t at;
} fields[] = {
    {"orderId",          KIND_ID,     offsetof(struct order_news, order)},
    {"seq",              KIND_NUMBER, offsetof(struct order_news, seq)},
    {"status",           KIND_STATUS, offsetof(struct order_news, status)},
    {"at",               KIND_NUMBER, offsetof(struct order_news, at_ms)},
    {"acceptBy",         KIND_NUMBER, offsetof(struct order_news, accept_by_ms)},
    {"collectBy",        KIND_NUMBER, offsetof(struct order_news, collect_by_ms)},
    {"reason",           KIND_TEXT,   offsetof(struct order_news, reason)},
    {"pays",             KIND_FLAG,   offsetof(struct order_news, pays)},
    {"keepsUncollected", KIND_FLAG,   offsetof(struct order_news, keeps_uncollected)},
};
/* clang-format on */

void order_news_of(const struct order *order, struct order_news *news)
{
    news->order = order->id;
    news->seq = order->seq;
    news->status = order->status;
    news->at_ms = order->now_ms;
    news->accept_by_ms = order->accept_by_ms;
    news->collect_by_ms = order->collect_by_ms;
    news->reason = order->cancel_reason;
}

static void add_value(struct text *out, const struct field *field, const struct order_news *news)
{
    const char *at = (const char *)news + field->at;

    switch (field->kind) {
    case KIND_NUMBER:
        text_add_number(out, *(const int64_t *)(const void *)at);
        break;
    case KIND_FLAG:
        text_add(out, *(const bool *)at ? "true" : "false");
        break;
    case KIND_TEXT:
        text_add_json(out, news->reason ? news->reason : "");
        break;
    case KIND_ID:
        text_add_json(out, news->order.text);
        break;
    case KIND_STATUS:
        text_add_json(out, order_status_name(news->status));
        break;
    }
}

const char *order_news_json(struct arena *arena, const struct order_news *news)
{
    struct text out = text_new(arena, 256);

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        text_printf(&out, "%s\"%s\":", i ? "," : "{", fields[i].name);
        add_value(&out, &fields[i], news);
    }
    text_add_char(&out, '}');
    return out.data;
}

static enum status read_text(struct scan *scan, const char **text)
{
    struct scan_text found;

    TRY(scan_string(scan, &found));
    *text = scan_keep(scan, &found);
    return ST_OK;
}

static enum status read_number(struct scan *scan, int64_t *number)
{
    struct scan_number found;

    TRY(scan_number(scan, &found));
    *number = found.fits ? found.value : 0;
    return ST_OK;
}

static enum status read_flag(struct scan *scan, bool *flag)
{
    *flag = scan_peek(scan) == 't';
    return scan_word(scan, *flag ? "true" : "false");
}

static enum status read_value(struct scan *scan, const struct field *field, struct order_news *news)
{
    char *at = (char *)news + field->at;
    const char *text;

    switch (field->kind) {
    case KIND_NUMBER:
        return read_number(scan, (int64_t *)(void *)at);
    case KIND_FLAG:
        return read_flag(scan, (bool *)at);
    case KIND_TEXT:
        return read_text(scan, &news->reason);
    case KIND_ID:
        TRY(read_text(scan, &text));
        return text_copy(at, sizeof(news->order.text), text)
                   ? ST_OK
                   : scan_bad(scan, scan->at, "no order id");
    case KIND_STATUS:
        TRY(read_text(scan, &text));
        return order_status_parse(text, &news->status) ? ST_OK
                                                       : scan_bad(scan, scan->at, "no status");
    }
    return ST_INTERNAL;
}

static enum status read_member(struct scan *scan, struct order_news *news)
{
    struct scan_text name;

    TRY(scan_name(scan, &name));
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strlen(fields[i].name) == name.length &&
            memcmp(fields[i].name, name.data, name.length) == 0) {
            return read_value(scan, &fields[i], news);
        }
    }
    return scan_skip(scan);
}

enum status order_news_read(struct ctx *ctx, const char *json, struct order_news *news)
{
    struct scan scan = scan_begin(ctx, json, strlen(json));
    struct order_news read = {.reason = ""};
    bool first = true, more = false;

    TRY(scan_open(&scan));
    TRY(scan_more(&scan, '}', &first, &more));
    while (more) {
        TRY(read_member(&scan, &read));
        TRY(scan_more(&scan, '}', &first, &more));
    }
    TRY(scan_end(&scan));
    if (!*read.order.text || !read.status || read.seq < 1) {
        return fail_with(ctx, ST_INVALID, "", "no news of an order: %.200s", json);
    }
    *news = read;
    return ST_OK;
}

const char *order_news_before_view(struct arena *arena, const struct order_news *news,
                                   int64_t accept_within_ms)
{
    return arena_printf(arena, "{\"news\":%s,\"acceptWithin\":%lld,\"order\":",
                        order_news_json(arena, news), (long long)accept_within_ms);
}

/* The JSON is ours: what is looked for is at its beginning, before anything that people wrote. */
enum status order_news_read_placed(struct ctx *ctx, const char *json, struct order_news *news)
{
    const char *end = strstr(json, ",\"acceptWithin\":"), *view = strstr(json, ",\"order\":");
    struct order_glance glance;
    int64_t within_ms = 0;

    if (!text_starts(json, "{\"news\":") || !end || !view ||
        !order_view_glance(view + strlen(",\"order\":"), &glance)) {
        return fail_with(ctx, ST_INVALID, "", "no new order: %.200s", json);
    }
    const char *inner = arena_printf(ctx->arena, "%.*s", (int)(end - json) - 8, json + 8);
    const char *number = end + strlen(",\"acceptWithin\":");
    const char *digits = arena_printf(ctx->arena, "%.*s", (int)(view - number), number);
    TRY(order_news_read(ctx, inner, news));
    if (!text_parse_int(digits, 0, INT64_MAX / 2, &within_ms)) {
        return fail_with(ctx, ST_INVALID, "", "no new order: %.200s", json);
    }
    news->at_ms = glance.placed_ms;
    news->accept_by_ms = glance.placed_ms + within_ms;
    return ST_OK;
}
