/* Asks customer-service whether a notice was sent. */
#include "order-service/customer/notice_client.h"

#include "coffee/notify/v1/notify.pb-c.h"
#include "common/json/members.h"
#include "common/rpc/rpc_client.h"
#include "order-service/service.h"

#include <string.h>

/* Much shorter than an attempt of the activity: its thread is needed by others too, and Temporal
 * asks again. */
enum { ENSURE_MS = 2500, MAX_ITEMS = 50 };

static const Coffee__Notify__V1__NoticeStage stages[] = {
    [NOTICE_BARISTA_NEW] = COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_BARISTA_NEW,
    [NOTICE_CUSTOMER_READY] = COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_CUSTOMER_READY,
    [NOTICE_CUSTOMER_CANCELLED] = COFFEE__NOTIFY__V1__NOTICE_STAGE__NOTICE_STAGE_CUSTOMER_CANCELLED,
};

static Coffee__Notify__V1__EnsureNoticeRequest__By who_cancelled(const struct order *order)
{
    if (order->last_command == COMMAND_CANCEL &&
        strcmp(order->last_actor, order_customer(order)) == 0) {
        return COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__BY__BY_CUSTOMER;
    }
    if (order->last_command == COMMAND_EXPIRE_ACCEPT ||
        order->last_command == COMMAND_EXPIRE_COLLECT) {
        return COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__BY__BY_CLOCK;
    }
    return order->last_command == COMMAND_STOP &&
                   strcmp(order->cancel_reason, ORDER_PAYMENT_FAILED) == 0
               ? COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__BY__BY_PAYMENT
               : COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__BY__BY_STAFF;
}

static enum status read_item(struct scan *scan, Coffee__Notify__V1__NoticeItem *item)
{
    const char *name = "", *photo = "";
    int64_t quantity = 0;
    const struct member members[] = {
        {.name = "name",       .text = &name},
        {.name = "quantity",                    .number = &quantity},
        {.name = "photo",.text = &photo},
        {0     },
    };

    TRY(members_scan(scan, members));
    item->name = arena_strdup(scan->ctx->arena, name);
    item->quantity = (int32_t)quantity;
    item->photo = arena_strdup(scan->ctx->arena, photo);
    return ST_OK;
}

/* What was ordered, from the lines as the API shows them. */
static enum status read_items(struct ctx *ctx, const char *lines,
                              Coffee__Notify__V1__EnsureNoticeRequest *request)
{
    struct scan scan = scan_begin(ctx, lines, strlen(lines));
    bool first = true, more = false;

    request->items = arena_new_array(ctx->arena, Coffee__Notify__V1__NoticeItem *, MAX_ITEMS);
    TRY(scan_open(&scan));
    TRY(scan_more(&scan, ']', &first, &more));
    while (more && request->n_items < MAX_ITEMS) {
        Coffee__Notify__V1__NoticeItem *item =
            arena_new_struct(ctx->arena, Coffee__Notify__V1__NoticeItem);

        coffee__notify__v1__notice_item__init(item);
        TRY(read_item(&scan, item));
        request->items[request->n_items++] = item;
        TRY(scan_more(&scan, ']', &first, &more));
    }
    return ST_OK;
}

enum status notice_ensure(struct ctx *ctx, struct service *service, const struct order *order,
                          const struct notice_due *due)
{
    Coffee__Notify__V1__EnsureNoticeRequest request =
        COFFEE__NOTIFY__V1__ENSURE_NOTICE_REQUEST__INIT;
    ProtobufCMessage *answer;

    request.order_id = arena_strdup(ctx->arena, order->id.text);
    request.customer_id = arena_strdup(ctx->arena, order_customer(order));
    request.stage = stages[due->stage];
    request.seq = due->seq;
    request.at_ms = due->at_ms;
    request.number = order->number;
    request.accepted = order->accepted_ms > 0;
    request.by = who_cancelled(order);
    TRY(read_items(ctx, order->lines, &request));
    return rpc_call(ctx, service_customers(service), "/coffee.notify.v1.NotifyService/EnsureNotice",
                    &request.base, &coffee__notify__v1__ensure_notice_response__descriptor,
                    ENSURE_MS, &answer);
}
