/* WatchOrder: join first, then the present state, then whatever is newer, until a final state. And
 * the history as a stream, newest first. */
#include "order-service/order/order_stream.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "order-service/order/order_encode_rpc.h"
#include "order-service/order/order_watch.h"
#include "order-service/service.h"

#include <stdlib.h>

enum { HISTORY_MOST = 100 };

typedef Coffee__Order__V1__Order order_message;

/* What one watching stream keeps; freed when it closes. */
struct watching {
    struct rpc_stream *stream;
    struct order_watch *watch;
    struct order_watcher *watcher;
};

static void seen(void *user, const char *view, enum order_status status)
{
    struct watching *watching = user;
    struct ctx *ctx = ctx_new_system("order-service");
    order_message message;
    bool sent = order_encode_view(ctx, view, &message) == ST_OK &&
                rpc_stream_send(watching->stream, &message.base);

    if (!sent) {
        enum status st = fail_with(ctx, ST_UNAVAILABLE, "The stream fell behind.", "too slow");
        rpc_stream_end(watching->stream, st, ctx);
    } else if (order_is_final(status)) {
        rpc_stream_end(watching->stream, ST_OK, NULL);
    }
    ctx_free(ctx);
}

static enum status open_watch(struct ctx *ctx, struct rpc_stream *stream, void *service,
                              const void *in)
{
    const Coffee__Order__V1__GetOrderRequest *request = in;
    struct order_id id;
    struct order now;
    order_message message;

    text_copy(id.text, sizeof(id.text), request->id);
    TRY(order_get(ctx, service, id, &now)); /* may the caller see it at all? */
    TRY(order_encode(ctx, &now, &message));
    struct watching *watching = calloc(1, sizeof(*watching));
    if (!watching) {
        abort();
    }
    watching->stream = stream;
    watching->watch = service_watch(service);
    rpc_stream_set_user(stream, watching);
    rpc_stream_send(stream, &message.base);
    if (order_is_final(now.status)) {
        rpc_stream_end(stream, ST_OK, NULL);
        return ST_OK;
    }
    watching->watcher = order_watch_join(watching->watch, id, now.seq, seen, watching);
    if (order_get(ctx, service, id, &now) == ST_OK) { /* what happened between read and join */
        order_watch_message(watching->watch, order_view(ctx->arena, &now));
    }
    return ST_OK; /* else the watch's own look at the database finds it */
}

static void close_watch(struct rpc_stream *stream, void *service)
{
    struct watching *watching = rpc_stream_user(stream);

    (void)service;
    if (watching && watching->watcher) {
        order_watch_leave(watching->watch, watching->watcher);
    }
    free(watching);
}

const struct rpc_stream_handler order_stream_watch = {.open = open_watch, .closed = close_watch};

static enum status open_history(struct ctx *ctx, struct rpc_stream *stream, void *service,
                                const void *in)
{
    struct order_page page = {.next_token = ""};
    int sent = 0;

    (void)in;
    do {
        TRY(order_history(ctx, service, false, 50, page.next_token, &page));
        for (size_t i = 0; i < page.count && sent < HISTORY_MOST; i++, sent++) {
            order_message message;

            TRY(order_encode(ctx, &page.orders[i], &message));
            while (!rpc_stream_send(stream, &message.base)) {
                if (ctx_left_ms(ctx) == 0) {
                    return fail_with(ctx, ST_TIMEOUT, "", "client reads too slowly");
                }
                clock_pause_ms(5);
            }
        }
    } while (*page.next_token && sent < HISTORY_MOST);
    rpc_stream_end(stream, ST_OK, NULL);
    return ST_OK;
}

const struct rpc_stream_handler order_stream_history = {.open = open_history};
