/* GET /orders/{id}/events: joins the hub, asks for the order (and, resuming, for what came after
 * Last-Event-ID), opens the stream with that, and is fed by the hub from then on. */
#include "gateway/live/hub.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/json/transcode.h"

#include <stdlib.h>
#include <string.h>

enum { SESSION_MS = 5000 };

#define GET_ORDER   "/coffee.order.v1.OrderService/GetOrder"
#define LIST_EVENTS "/coffee.order.v1.OrderService/ListOrderEvents"

typedef Coffee__Order__V1__Order order_message;

/* A stream that is being opened: what its two questions need between them. */
struct opening {
    struct exchange *exchange;
    struct live_listener *listener;
    struct live_ask ask;
    bool resumes;
    int64_t last_seq;
    const order_message *now;
};

/* ---- listeners ---- */

static struct live_listener *join(struct live *live, const char *id,
                                  const struct token_claims *claims)
{
    struct live_listener *listener = calloc(1, sizeof(*listener));

    if (!listener) {
        abort();
    }
    listener->live = live;
    text_copy(listener->id, sizeof(listener->id), id);
    listener->seq = -1;
    listener->refs = 1;
    listener->expires_ms = claims->expires_at * 1000;
    live_session_init(&listener->session, &claims->caller, SESSION_MS);
    listener->ping_ms = clock_monotonic_ms() + PING_MS;
    pthread_mutex_lock(&live->lock);
    listener->next = live->listeners;
    live->listeners = listener;
    live_share(live, claims->caller.subject);
    pthread_cond_signal(&live->wake);
    pthread_mutex_unlock(&live->lock);
    return listener;
}

static void forget_pending(struct live_listener *listener)
{
    for (size_t i = 0; i < listener->pending_count; i++) {
        free(listener->pending[i]);
    }
    listener->pending_count = 0;
}

/* Under the lock. */
static void unlist(struct live_listener *listener)
{
    for (struct live_listener **l = &listener->live->listeners; *l; l = &(*l)->next) {
        if (*l == listener) {
            *l = listener->next;
            return;
        }
    }
}

static void let_go(struct live_listener *listener, bool leave)
{
    struct live *live = listener->live;

    pthread_mutex_lock(&live->lock);
    if (leave) {
        listener->ended = true;
        unlist(listener);
    }
    bool last = --listener->refs == 0;
    pthread_mutex_unlock(&live->lock);
    if (last) {
        forget_pending(listener);
        if (listener->stream) {
            http_stream_unref(listener->stream);
        }
        free(listener);
    }
}

static void stream_closed(void *user)
{
    let_go(user, true);
}

static void end(struct live_listener *listener)
{
    listener->ended = true;
    http_stream_end(listener->stream);
}

static void write_or_end(struct live_listener *listener, const char *bytes, size_t size)
{
    if (!http_stream_write(listener->stream, bytes, size)) {
        end(listener); /* too slow: it comes back with Last-Event-ID */
    }
}

/* ---- events ---- */

static void add_event(struct text *out, int64_t seq, const char *view)
{
    text_printf(out, "id: %lld\nevent: order\ndata: ", (long long)seq);
    text_add(out, view); /* JSON of ours has no line breaks */
    text_add(out, "\n\n");
}

void listener_tell(struct live_listener *listener, const struct live_change *change)
{
    if (listener->ended || (listener->seq >= 0 && change->seq <= listener->seq)) {
        return;
    }
    if (listener->seq < 0) {
        if (listener->pending_count < PENDING_MOST) {
            listener->pending[listener->pending_count++] = strdup(change->view);
        }
        return;
    }
    AUTO(arena) struct arena *arena = arena_new(2048);
    struct text event = text_new(arena, strlen(change->view) + 64);

    add_event(&event, change->seq, change->view);
    listener->seq = change->seq;
    listener->queue_position = 0; /* the change may have said an older one: it is told again */
    write_or_end(listener, event.data, event.length);
    if (!listener->ended && live_is_final(change->status)) {
        end(listener);
    }
}

void listener_tell_queue(struct live_listener *listener, int position, int eta_seconds)
{
    if (listener->ended || listener->seq < 0 ||
        (listener->queue_position == position && listener->eta_seconds == eta_seconds)) {
        return;
    }
    AUTO(arena) struct arena *arena = arena_new(256);
    struct text event = text_new(arena, 128);

    listener->queue_position = position;
    listener->eta_seconds = eta_seconds;
    text_printf(&event, "event: queue\ndata: {\"queuePosition\":%d,\"etaSeconds\":%d}\n\n",
                position, eta_seconds);
    write_or_end(listener, event.data, event.length);
}

void listener_tick(struct live_listener *listener, int64_t wall_ms, int64_t monotonic_ms)
{
    static const char reauth[] = "event: reauth\ndata: {}\n\n", ping[] = ": ping\n\n";

    if (listener->ended || listener->seq < 0) {
        return;
    }
    if (wall_ms >= listener->expires_ms || listener->session.is_over) {
        write_or_end(listener, reauth, sizeof(reauth) - 1);
        end(listener);
    } else if (monotonic_ms >= listener->ping_ms) {
        listener->ping_ms = monotonic_ms + PING_MS;
        write_or_end(listener, ping, sizeof(ping) - 1);
    }
}

/* Its client shall not come back at once, and have the next one end. One that is still opening ends
 * when it has. */
void listener_give_way(struct live_listener *listener)
{
    static const char later[] = "retry: 60000\n\n";

    listener->session.gave_way = true;
    if (listener->stream && !listener->ended) {
        write_or_end(listener, later, sizeof(later) - 1);
        end(listener);
    }
}

/* ---- opening ---- */

/* There may have been more than there was room for. */
static void send_pending(struct live_listener *listener)
{
    struct ctx *ctx = ctx_new_system("gateway");

    listener->live->look_now |= listener->pending_count == PENDING_MOST;
    for (size_t i = 0; i < listener->pending_count; i++) {
        struct live_change change;

        if (live_read_view(ctx, listener->pending[i], &change)) {
            listener_tell(listener, &change);
        }
    }
    forget_pending(listener);
    ctx_free(ctx);
}

/* The exchange and its arena are gone once the stream is open: 'first' has an arena of its own. */
static void open_stream(struct opening *opening, const struct text *first, int64_t seq, bool final)
{
    struct live_listener *listener = opening->listener;
    struct live *live = listener->live;

    listener->refs++;
    struct http_stream *stream =
        exchange_stream(opening->exchange, STREAM_QUEUE_BYTES, stream_closed, listener);
    pthread_mutex_lock(&live->lock);
    listener->stream = stream;
    listener->seq = seq;
    if (!listener->ended) {
        write_or_end(listener, first->data, first->length);
    }
    if (final && !listener->ended) {
        end(listener);
    }
    send_pending(listener);
    if (listener->session.gave_way) {
        listener_give_way(listener);
    }
    live->queue_changed = true;
    pthread_cond_signal(&live->wake);
    pthread_mutex_unlock(&live->lock);
    let_go(listener, false);
}

static void begin(struct opening *opening, order_message *const *orders, size_t count)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct text first = text_new(arena, 2048);
    const order_message *last = count ? orders[count - 1] : opening->now;

    for (size_t i = 0; i < count; i++) {
        struct text view = text_new(arena, 1024);

        message_to_json(&view, &orders[i]->base);
        add_event(&first, orders[i]->seq, view.data);
    }
    text_add(&first, count ? "" : ": here\n\n"); /* so that the client sees that it is on */
    open_stream(opening, &first, last->seq, live_is_final(last->status));
}

static void refuse(struct opening *opening)
{
    struct live_listener *listener = opening->listener;

    exchange_problem(opening->exchange);
    let_go(listener, true);
}

static void got_events(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct opening *opening = user;
    const Coffee__Order__V1__ListOrderEventsResponse *missed = (const void *)out;

    (void)ctx;
    if (st != ST_OK) {
        refuse(opening);
        return;
    }
    begin(opening, missed->orders, missed->n_orders);
}

static void ask_for_missed(struct ctx *ctx, struct opening *opening)
{
    Coffee__Order__V1__ListOrderEventsRequest *ask =
        arena_new_struct(ctx->arena, Coffee__Order__V1__ListOrderEventsRequest);

    coffee__order__v1__list_order_events_request__init(ask);
    ask->id = opening->listener->id;
    ask->after_seq = opening->last_seq;
    opening->ask = (struct live_ask){
        .ctx = ctx,
        .path = LIST_EVENTS,
        .in = &ask->base,
        .out_type = &coffee__order__v1__list_order_events_response__descriptor,
        .done = got_events,
        .user = opening,
        .goes_first = true,
    };
    live_ask(opening->listener->live, &opening->ask);
}

static void got_order(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct opening *opening = user;
    order_message *now = (order_message *)out;

    if (st != ST_OK) {
        refuse(opening);
        return;
    }
    opening->now = now;
    if (opening->resumes && opening->last_seq < now->seq) {
        ask_for_missed(ctx, opening);
    } else if (!opening->resumes) {
        begin(opening, &now, 1);
    } else if (live_is_final(now->status)) { /* it has seen all there will ever be */
        struct live_listener *listener = opening->listener;

        exchange_reply(opening->exchange, 204, NULL, "", 0);
        let_go(listener, true);
    } else {
        begin(opening, NULL, 0);
    }
}

void live_order_events(struct exchange *exchange)
{
    struct live *live = exchange->gateway->live;
    struct ctx *ctx = exchange->ctx;
    const char *last = http_header(exchange->request, "Last-Event-ID");
    char id[ID_TEXT_SIZE];

    if (!uuid_parse(exchange->values[0], id)) {
        refuse_field(ctx, "id", "must be a UUID");
        (void)!ctx_refused(ctx);
        exchange_problem(exchange);
        return;
    }
    struct opening *opening = arena_new_struct(ctx->arena, struct opening);
    opening->exchange = exchange;
    opening->resumes = last && text_parse_int(last, 0, INT64_MAX, &opening->last_seq);
    opening->listener = join(live, id, &exchange->claims);
    Coffee__Order__V1__GetOrderRequest *ask =
        arena_new_struct(ctx->arena, Coffee__Order__V1__GetOrderRequest);
    coffee__order__v1__get_order_request__init(ask);
    ask->id = opening->listener->id;
    opening->ask = (struct live_ask){
        .ctx = ctx,
        .path = GET_ORDER,
        .in = &ask->base,
        .out_type = &coffee__order__v1__order__descriptor,
        .done = got_order,
        .user = opening,
    };
    live_ask(live, &opening->ask);
}
