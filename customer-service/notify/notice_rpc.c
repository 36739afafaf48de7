/* Notices over gRPC: decode, call, encode. */
#include "customer-service/notify/notice_rpc.h"

#include "coffee/notify/v1/notify.pb-c.h"
#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/json/timestamp.h"
#include "customer-service/notify/notice_store.h"
#include "customer-service/notify/notify.h"

enum { PAGE_SIZE = 20 };

/* clang-format off */
static const char *const events[] = {
    [COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_BARISTA_NEW]        = "OrderPlaced",
    [COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_CUSTOMER_ACCEPTED]  = "OrderAccepted",
    [COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_CUSTOMER_PREPARING] = "OrderPreparing",
    [COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_CUSTOMER_READY]     = "OrderReady",
    [COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_CUSTOMER_COMPLETED] = "OrderCompleted",
    [COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_CUSTOMER_CANCELLED] = "OrderCancelled",
};
static const enum notify_by actors[] = {
    [COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__BY__BY_CLOCK]    = BY_CLOCK,
    [COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__BY__BY_CUSTOMER] = BY_CUSTOMER,
    [COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__BY__BY_STAFF]    = BY_STAFF,
    [COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__BY__BY_PAYMENT]  = BY_PAYMENT,
};
/* clang-format on */

static const char *first_photo(const Coffee__Notify__V1__EnsureNoticeRequest *request)
{
    for (size_t i = 0; i < request->n_items; i++) {
        if (*request->items[i]->photo) {
            return request->items[i]->photo;
        }
    }
    return "";
}

static enum status read_request(struct ctx *ctx, struct service *service,
                                const Coffee__Notify__V1__EnsureNoticeRequest *request,
                                struct notify_event *event, struct notify_order *order)
{
    const Coffee__Notify__V1__NoticeItem *first = request->n_items ? request->items[0] : NULL;

    if ((size_t)request->stage >= ARRAY_LEN(events) || (size_t)request->by >= ARRAY_LEN(actors)) {
        return fail_with(ctx, ST_INVALID, "", "stage=%d by=%d", (int)request->stage,
                         (int)request->by);
    }
    *event = (struct notify_event){.id = "", .type = events[request->stage], .seq = request->seq};
    *order = (struct notify_order){
        .id = request->order_id,
        .customer = request->customer_id,
        .number = request->number,
        .drink = notify_drink(ctx->arena, first ? first->name : "", first ? first->quantity : 0,
                              request->n_items),
        .photo = notify_photo(ctx, service, first_photo(request)),
        .reason = "",
        .accepted = request->accepted,
        .by = actors[request->by],
    };
    return ST_OK;
}

enum status notice_rpc_ensure(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Notify__V1__EnsureNoticeRequest *request = in;
    Coffee__Notify__V1__EnsureNoticeResponse *answer = out;
    struct notify_event event;
    struct notify_order order;
    struct notice_stage stage;

    if (!text_equal(ctx->caller.subject, "order-service")) {
        return fail_with(ctx, ST_FORBIDDEN, "", "caller=%s", ctx->caller.subject);
    }
    if (request->at_ms && clock_wall_ms() - request->at_ms > NOTIFY_FRESH_MS) {
        return ST_OK;
    }
    TRY(read_request(ctx, service, request, &event, &order));
    TRY(notify_ensure(ctx, service, &event, &order, &stage));
    answer->notices = stage.notices;
    answer->sent = stage.sent;
    return ST_OK;
}

static Coffee__Notify__V1__InboxNotice *encode(struct ctx *ctx, const struct inbox_notice *notice)
{
    Coffee__Notify__V1__InboxNotice *out = arena_alloc(ctx->arena, sizeof(*out));

    coffee__notify__v1__inbox_notice__init(out);
    out->id = (char *)notice->id; /* protobuf-c only reads them */
    out->order_id = (char *)notice->order;
    out->kind = (char *)notice->kind;
    out->stage = (char *)notice->stage;
    out->title = (char *)notice->title;
    out->body = (char *)notice->body;
    out->activity = (char *)notice->activity;
    out->progress = (int32_t)notice->progress;
    out->created_at = timestamp(ctx, notice->created_ms);
    return out;
}

enum status notice_rpc_list(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Notify__V1__ListNoticesRequest *request = in;
    Coffee__Notify__V1__ListNoticesResponse *answer = out;
    struct inbox_notice *notices;

    TRY(notify_inbox(ctx, service, request->page_size ? request->page_size : PAGE_SIZE, &notices,
                     &answer->n_notices));
    answer->notices =
        arena_new_array(ctx->arena, Coffee__Notify__V1__InboxNotice *, answer->n_notices);
    for (size_t i = 0; i < answer->n_notices; i++) {
        answer->notices[i] = encode(ctx, &notices[i]);
    }
    return ST_OK;
}
