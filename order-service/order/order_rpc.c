/* The gRPC face of orders: decode, call order.c and its neighbours, encode. No rules, no SQL. */
#include "order-service/order/order_rpc.h"

#include "common/base/text.h"
#include "order-service/customer/customer_client.h"
#include "order-service/order/order_encode_rpc.h"
#include "order-service/service.h"

typedef Coffee__Order__V1__PlaceOrderRequest place_message;
typedef Coffee__Order__V1__OrderLine line_message;

static struct order_id id_of(const char *text)
{
    struct order_id id;

    text_copy(id.text, sizeof(id.text), text);
    return id;
}

enum status order_rpc_health(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Common__V1__HealthCheckResponse *reply = out;

    (void)ctx;
    (void)in;
    reply->status = service_is_ready(service)
                        ? COFFEE__COMMON__V1__HEALTH_CHECK_RESPONSE__STATUS__STATUS_SERVING
                        : COFFEE__COMMON__V1__HEALTH_CHECK_RESPONSE__STATUS__STATUS_NOT_SERVING;
    return ST_OK;
}

static const struct order_line *decode_lines(struct ctx *ctx, line_message *const *messages,
                                             size_t count)
{
    struct order_line *lines = arena_new_array(ctx->arena, struct order_line, count);

    for (size_t i = 0; i < count; i++) {
        lines[i] = (struct order_line){
            .menu_item_id = messages[i]->menu_item_id,
            .note = messages[i]->note,
            .quantity = messages[i]->quantity,
            .customization_ids = (const char *const *)messages[i]->customization_ids,
            .customization_count = messages[i]->n_customization_ids,
        };
    }
    return lines;
}

static enum status place_and_encode(struct ctx *ctx, struct service *service,
                                    const struct order_request *request, void *out)
{
    struct order placed;

    TRY(order_place(ctx, service, request, &placed));
    return order_encode(ctx, &placed, out);
}

enum status order_rpc_place(struct ctx *ctx, void *service, const void *in, void *out)
{
    const place_message *message = in;
    struct order_request request = {
        .lines = decode_lines(ctx, message->items, message->n_items),
        .count = message->n_items,
        .note = message->note,
        .on_behalf_of = message->on_behalf_of,
        .pickup_name = message->pickup_name,
        .method = "PlaceOrder",
    };

    return place_and_encode(ctx, service, &request, out);
}

enum status order_rpc_usual(struct ctx *ctx, void *service, const void *in, void *out)
{
    struct order_line line = {.note = "", .quantity = 1};
    struct order_request request = {
        .lines = &line,
        .count = 1,
        .note = "",
        .on_behalf_of = "",
        .pickup_name = "",
        .method = "OrderUsual",
    };

    struct order placed;
    bool found;

    (void)in;
    TRY(order_replay(ctx, service, request.method, &placed, &found));
    if (found) {
        return order_encode(ctx, &placed, out);
    }
    TRY(customer_get_usual(ctx, service, &line));
    return place_and_encode(ctx, service, &request, out);
}

/* The lines of the earlier order, as they were asked for. */
static enum status lines_again(struct ctx *ctx, const struct order *earlier,
                               struct order_request *request)
{
    Coffee__Order__V1__Order before;

    TRY(order_encode(ctx, earlier, &before));
    struct order_line *lines = arena_new_array(ctx->arena, struct order_line, before.n_items);
    for (size_t i = 0; i < before.n_items; i++) {
        const Coffee__Order__V1__OrderItem *item = before.items[i];
        const char **ids = arena_new_array(ctx->arena, const char *, item->n_customizations);

        for (size_t c = 0; c < item->n_customizations; c++) {
            ids[c] = item->customizations[c]->id;
        }
        lines[i] = (struct order_line){
            .menu_item_id = item->menu_item_id,
            .note = item->note,
            .quantity = item->quantity,
            .customization_ids = ids,
            .customization_count = item->n_customizations,
        };
    }
    request->lines = lines;
    request->count = before.n_items;
    return ST_OK;
}

enum status order_rpc_reorder(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__ReorderRequest *message = in;
    struct order_request request = {
        .note = "",
        .on_behalf_of = "",
        .pickup_name = "",
        .method = "Reorder",
    };
    struct order earlier;

    TRY(order_get(ctx, service, id_of(message->id), &earlier));
    TRY(lines_again(ctx, &earlier, &request));
    return place_and_encode(ctx, service, &request, out);
}

enum status order_rpc_get(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__GetOrderRequest *message = in;
    struct order found;

    TRY(order_get(ctx, service, id_of(message->id), &found));
    return order_encode(ctx, &found, out);
}

enum status order_rpc_list(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__ListOrdersRequest *message = in;
    Coffee__Order__V1__ListOrdersResponse *reply = out;
    struct order_page page;

    TRY(order_history(ctx, service, text_equal(message->scope, "all"), message->page_size,
                      message->page_token, &page));
    reply->n_orders = page.count;
    reply->next_page_token = arena_strdup(ctx->arena, page.next_token);
    return order_encode_all(ctx, page.orders, page.count, &reply->orders);
}

/* Two hundred orders at their largest are more than an answer may be (4 MiB); as of more than two
 * hundred, the oldest come. */
static size_t how_many_fit(Coffee__Order__V1__Order *const *orders, size_t count)
{
    enum { ROOM = 3 << 20 };
    size_t fit = 0, size = 0;

    while (fit < count && size <= ROOM) {
        size += protobuf_c_message_get_packed_size(&orders[fit++]->base);
    }
    return fit;
}

enum status order_rpc_queue(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Order__V1__ListQueueResponse *reply = out;
    struct order_page page;

    (void)in;
    TRY(order_queue(ctx, service, &page));
    TRY(order_encode_all(ctx, page.orders, page.count, &reply->orders));
    reply->n_orders = how_many_fit(reply->orders, page.count);
    return ST_OK;
}

enum status order_rpc_events(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__ListOrderEventsRequest *message = in;
    Coffee__Order__V1__ListOrderEventsResponse *reply = out;
    const char *const *views;
    size_t count;

    TRY(order_events_after(ctx, service, id_of(message->id), message->after_seq, &views, &count));
    Coffee__Order__V1__Order *made = arena_new_array(ctx->arena, Coffee__Order__V1__Order, count);
    reply->orders = arena_new_array(ctx->arena, Coffee__Order__V1__Order *, count);
    for (size_t i = 0; i < count; i++) {
        TRY(order_encode_view(ctx, views[i], &made[i]));
        reply->orders[reply->n_orders++] = &made[i];
    }
    return ST_OK;
}

enum status order_rpc_compare(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__CompareOrdersRequest *message = in;
    Coffee__Order__V1__CompareOrdersResponse *reply = out;
    const char **ids = arena_new_array(ctx->arena, const char *, message->n_orders);
    int64_t *seqs = arena_new_array(ctx->arena, int64_t, message->n_orders);
    struct order_page newer;

    for (size_t i = 0; i < message->n_orders; i++) {
        ids[i] = message->orders[i]->id;
        seqs[i] = message->orders[i]->seq;
    }
    TRY(order_compare(ctx, service, ids, seqs, message->n_orders, &newer));
    reply->n_orders = newer.count;
    return order_encode_all(ctx, newer.orders, newer.count, &reply->orders);
}

static enum status apply(struct ctx *ctx, struct service *service, const char *id,
                         enum order_command command, const char *reason, void *out)
{
    struct order moved;

    TRY(order_apply(ctx, service, id_of(id), command, reason, &moved));
    return order_encode(ctx, &moved, out);
}

#define MOVE_HANDLER(name, command)                                             \
    enum status name(struct ctx *ctx, void *service, const void *in, void *out) \
    {                                                                           \
        const Coffee__Order__V1__MoveOrderRequest *message = in;                \
                                                                                \
        return apply(ctx, service, message->id, command, NULL, out);            \
    }

MOVE_HANDLER(order_rpc_accept, COMMAND_ACCEPT)
MOVE_HANDLER(order_rpc_prepare, COMMAND_PREPARE)
MOVE_HANDLER(order_rpc_ready, COMMAND_READY)
MOVE_HANDLER(order_rpc_undo_ready, COMMAND_UNDO_READY)
MOVE_HANDLER(order_rpc_pick_up, COMMAND_PICK_UP)

enum status order_rpc_decline(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__DeclineOrderRequest *message = in;

    return apply(ctx, service, message->id, COMMAND_DECLINE, message->reason, out);
}

enum status order_rpc_cancel(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Order__V1__CancelOrderRequest *message = in;

    return apply(ctx, service, message->id, COMMAND_CANCEL, message->reason, out);
}
