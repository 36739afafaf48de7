/* /ws/queue: a snapshot of the open orders, then each change; and the barista's moves, which are
 * the same calls that REST makes. */
#include "gateway/live/hub.h"

#include "coffee/live/v1/live.pb-c.h"
#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/json/transcode.h"
#include "common/obs/span.h"
#include "common/obs/trace.h"
#include "gateway/edge/edge_error.h"
#include "gateway/edge/edge_limit.h"

#include <stdlib.h>
#include <string.h>

enum {
    ASK_MS = 2000,
    SESSION_MS = 1000,
    MOST_COMMANDS = 32,
    CLOSE_OVER = 1000,
    CLOSE_REAUTH = 4401,
    CLOSE_LATER = 1013
};

#define ORDER_SERVICE "/coffee.order.v1.OrderService/"

/* What a screen may say, and the call that it is. */
static const struct {
    const char *type, *path;
    const ProtobufCMessageDescriptor *in;
} commands[] = {
    {"accept",     ORDER_SERVICE "AcceptOrder",    &coffee__order__v1__move_order_request__descriptor  },
    {"decline",    ORDER_SERVICE "DeclineOrder",
     &coffee__order__v1__decline_order_request__descriptor                                             },
    {"preparing",  ORDER_SERVICE "StartPreparing",
     &coffee__order__v1__move_order_request__descriptor                                                },
    {"ready",      ORDER_SERVICE "MarkReady",      &coffee__order__v1__move_order_request__descriptor  },
    {"undo-ready", ORDER_SERVICE "UndoReady",      &coffee__order__v1__move_order_request__descriptor  },
    {"pickup",     ORDER_SERVICE "PickUp",         &coffee__order__v1__move_order_request__descriptor  },
    {"cancel",     ORDER_SERVICE "CancelOrder",    &coffee__order__v1__cancel_order_request__descriptor},
};

/* Under the lock. */
static void unlist(struct live_socket *socket)
{
    for (struct live_socket **s = &socket->live->sockets; *s; s = &(*s)->next) {
        if (*s == socket) {
            *s = socket->next;
            return;
        }
    }
}

static void let_go(struct live_socket *socket, bool leave)
{
    struct live *live = socket->live;

    pthread_mutex_lock(&live->lock);
    if (leave) {
        unlist(socket);
    }
    bool last = --socket->refs == 0;
    pthread_mutex_unlock(&live->lock);
    if (last) {
        if (socket->socket) {
            http_socket_unref(socket->socket);
        }
        free(socket);
    }
}

/* Under the lock: whether the right it was opened with has ended. */
static bool is_over(const struct live_socket *socket, int64_t wall_ms)
{
    return wall_ms >= socket->expires_ms || socket->session.is_over;
}

static bool send_text(const struct live_socket *socket, const char *message)
{
    return http_socket_send(socket->socket, message, strlen(message));
}

static void send_or_close(struct live_socket *socket, const char *message)
{
    if (!send_text(socket, message)) {
        http_socket_close(socket->socket, CLOSE_LATER, "too slow");
    }
}

void socket_tell_snapshot(struct live_socket *socket, const char *message, bool is_old)
{
    bool sent = send_text(socket, message);

    socket->has_snapshot |= sent;
    socket->wants_snapshot = is_old || !sent;
}

/* A screen that has no room for a change has a snapshot once it has: it was sent much just now, and
 * closing it would have it ask for as much again. */
static void tell_screen(struct live_socket *screen, const char *message)
{
    screen->wants_snapshot |= screen->has_snapshot && !send_text(screen, message);
}

void socket_tell(struct live_socket *socket, const struct live_change *change, const char *message)
{
    if (!*socket->order_id) {
        tell_screen(socket, message);
        return;
    }
    if (strcmp(socket->order_id, change->id) != 0 || change->seq <= socket->seq) {
        return;
    }
    socket->seq = change->seq;
    send_or_close(socket, message);
    if (live_is_final(change->status)) {
        http_socket_close(socket->socket, CLOSE_OVER, "the order is over");
    }
}

void socket_tick(struct live_socket *socket, int64_t wall_ms)
{
    if (is_over(socket, wall_ms)) {
        http_socket_close(socket->socket, CLOSE_REAUTH, "sign in again");
    }
}

void socket_give_way(struct live_socket *socket)
{
    socket->session.gave_way = true;
    http_socket_close(socket->socket, CLOSE_LATER, "too many at once");
}

/* ---- commands ---- */

/* One command under way; lives in its ctx's arena. */
struct asking {
    struct limit_wait wait; /* first */
    struct ctx *ctx;
    struct live_socket *socket;
    int64_t began_us;
    enum status read; /* why its text is refused */
    const char *ref, *path;
    ProtobufCMessage *in;
};

static void answer(struct ctx *ctx, struct live_socket *socket, enum status st, const char *ref)
{
    struct text reply = text_new(ctx->arena, 256);

    text_add(&reply, st == ST_OK ? "{\"type\":\"ok\",\"ref\":" : "{\"type\":\"error\",\"ref\":");
    text_add_json(&reply, ref);
    if (st != ST_OK) {
        text_add(&reply, ",\"problem\":");
        problem_write(&reply, ctx);
    }
    text_add_char(&reply, '}');
    http_socket_send(socket->socket, reply.data, reply.length);
}

/* The reference that may_say() took. */
static void command_over(struct live_socket *socket)
{
    struct live *live = socket->live;

    let_go(socket, false);
    pthread_mutex_lock(&live->lock);
    live->under_way--;
    pthread_cond_broadcast(&live->wake);
    pthread_mutex_unlock(&live->lock);
}

static void command_done(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct asking *asking = user;
    struct live_socket *socket = asking->socket;

    struct span span = span_of(ctx, asking->began_us);

    (void)out;
    span_failed(&span, ctx, st);
    span_end(&span, SPAN_SERVER, "WS command", log_text("rpc.method", asking->path));
    answer(ctx, socket, st, asking->ref);
    ctx_free(ctx);
    command_over(socket);
}

static void send_command(struct asking *asking, const struct limit_answer *limit)
{
    struct ctx *ctx = asking->ctx;

    if (!limit->allowed) {
        ctx_forgive(ctx); /* what may be wrong with the text is another matter */
        asking->read = limit_refuse(ctx, limit);
    }
    if (asking->read != ST_OK) {
        command_done(ctx, asking->read, NULL, asking);
        return;
    }
    backend_call(ctx, asking->socket->live->options.orders, asking->path, asking->in,
                 &coffee__order__v1__order__descriptor, ASK_MS, command_done, asking);
}

static void limit_told(struct limit_wait *wait, const struct limit_answer *limit)
{
    send_command((struct asking *)wait, limit);
}

static enum status make_call(struct ctx *ctx, const Coffee__Live__V1__QueueCommand *command,
                             struct asking *asking)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].type, command->type) == 0) {
            asking->path = commands[i].path; /* order-service checks id and reason, as for REST */
            asking->in = message_new(ctx->arena, commands[i].in);
            TRY(text_to_field(ctx, asking->in, "id", command->id));
            return *command->reason ? text_to_field(ctx, asking->in, "reason", command->reason)
                                    : ST_OK;
        }
    }
    refuse_field(ctx, "type",
                 "is none of accept, decline, preparing, ready, undo-ready, pickup, "
                 "cancel");
    return ctx_refused(ctx);
}

static enum status read_command(struct ctx *ctx, struct asking *asking, const char *text,
                                size_t size)
{
    Coffee__Live__V1__QueueCommand command;

    coffee__live__v1__queue_command__init(&command);
    TRY(json_to_message(ctx, text, size, &command.base));
    asking->ref = command.ref;
    return make_call(ctx, &command, asking);
}

/* As often as the caller may make the same call by REST, both together; what is no command costs as
 * much as one. */
static void limit_command(struct asking *asking)
{
    const struct live_options *options = &asking->socket->live->options;
    const char *path = asking->path ? asking->path : commands[0].path;
    const char *limit = contract_find(options->contract, path)->call.limit;
    struct limit_answer told;

    if (limiter_take(options->limiter, limit, asking->socket->caller.subject, &asking->wait,
                     &told)) {
        send_command(asking, &told);
    }
}

/* A reference for command_over(), unless what it says counts no more: its right has ended, and so
 * will it; or it has more under way than a hand can tap, and is closed as a slow one is. */
static bool may_say(struct live_socket *socket)
{
    struct live *live = socket->live;

    pthread_mutex_lock(&live->lock);
    bool over = is_over(socket, clock_wall_ms());
    bool flooding = socket->refs > MOST_COMMANDS;
    if (!over && !flooding) {
        socket->refs++;
        live->under_way++;
    }
    pthread_mutex_unlock(&live->lock);
    if (flooding) {
        http_socket_close(socket->socket, CLOSE_LATER, "too much at once");
    }
    return !over && !flooding;
}

static void on_text(struct http_socket *unused, const char *text, size_t size, void *user)
{
    struct live_socket *socket = user;

    (void)unused;
    if (!may_say(socket)) {
        return;
    }
    struct ctx *ctx = ctx_new_system("gateway");
    struct asking *asking = arena_new_struct(ctx->arena, struct asking);

    ctx->caller = socket->caller;
    text_copy(ctx->client_address, sizeof(ctx->client_address), socket->address);
    trace_begin(ctx, NULL);
    trace_correlation(ctx, NULL);
    *asking = (struct asking){.wait.told = limit_told, .ctx = ctx, .socket = socket, .ref = ""};
    asking->began_us = clock_monotonic_us();
    asking->read = read_command(ctx, asking, text, size);
    limit_command(asking);
}

static void on_closed(struct http_socket *unused, void *user)
{
    (void)unused;
    let_go(user, true);
}

static const struct http_socket_events events = {.text = on_text, .closed = on_closed};

/* ---- opening ---- */

/* A browser cannot set headers on a WebSocket: it names "bearer" and its token as protocols. */
static const char *protocol_of(struct exchange *exchange)
{
    const char *named = http_header(exchange->request, "Sec-WebSocket-Protocol");

    return named && text_starts(named, "bearer") ? "bearer" : NULL;
}

static struct live_socket *new_socket(struct exchange *exchange)
{
    struct live_socket *socket = calloc(1, sizeof(*socket));

    if (!socket) {
        abort();
    }
    *socket = (struct live_socket){
        .live = exchange->gateway->live,
        .caller = exchange->ctx->caller,
        .expires_ms = exchange->claims.expires_at * 1000,
        .refs = 1,
    };
    text_copy(socket->address, sizeof(socket->address), exchange->ctx->client_address);
    live_session_init(&socket->session, &exchange->claims.caller, SESSION_MS);
    return socket;
}

/* The exchange is over either way. 'first' is told before anything else; NULL: the snapshot comes.
 * Neither it nor its message may be the exchange's memory. */
static void accept_socket(struct exchange *exchange, struct live_socket *socket,
                          const struct live_change *first, const char *message)
{
    struct live *live = socket->live;

    pthread_mutex_lock(&live->lock); /* its first text cannot be handled before it is listed */
    socket->socket = exchange_socket(exchange, protocol_of(exchange), &events, socket);
    if (!socket->socket) {
        pthread_mutex_unlock(&live->lock);
        free(socket);
        (void)fail_with(exchange->ctx, ST_INVALID,
                        "This address is a WebSocket: connect with an upgrade.", "no upgrade");
        exchange_problem(exchange);
        return;
    }
    socket->next = live->sockets;
    live->sockets = socket;
    live_share(live, socket->session.subject);
    if (first) {
        socket_tell(socket, first, message);
        live->look_now = true; /* what happened between the answer and here */
    }
    pthread_cond_signal(&live->wake);
    pthread_mutex_unlock(&live->lock);
}

void live_queue(struct exchange *exchange)
{
    struct live_socket *socket = new_socket(exchange);

    socket->wants_snapshot = true;
    accept_socket(exchange, socket, NULL, NULL);
}

static void got_order(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct exchange *exchange = user;
    const Coffee__Order__V1__Order *order = (const void *)out;

    (void)ctx;
    if (st != ST_OK) {
        exchange_problem(exchange);
        return;
    }
    AUTO(arena) struct arena *arena = arena_new(2048);
    struct text first = text_new(arena, 1024);
    struct live_socket *socket = new_socket(exchange);

    text_copy(socket->order_id, sizeof(socket->order_id), order->id);
    struct live_change as_it_is = {
        .id = socket->order_id, .seq = order->seq, .status = order->status};
    text_add(&first, "{\"type\":\"order\",\"order\":");
    message_to_json(&first, out);
    text_add_char(&first, '}');
    accept_socket(exchange, socket, &as_it_is, first.data);
}

void live_order(struct exchange *exchange)
{
    struct ctx *ctx = exchange->ctx;
    char *id = arena_alloc(ctx->arena, ID_TEXT_SIZE);
    Coffee__Order__V1__GetOrderRequest *in =
        arena_new_struct(ctx->arena, Coffee__Order__V1__GetOrderRequest);

    if (!uuid_parse(exchange->values[0], id)) {
        refuse_field(ctx, "id", "must be a UUID");
        (void)!ctx_refused(ctx);
        exchange_problem(exchange);
        return;
    }
    coffee__order__v1__get_order_request__init(in);
    in->id = id;
    struct live_ask *ask = arena_new_struct(ctx->arena, struct live_ask);
    *ask = (struct live_ask){
        .ctx = ctx,
        .path = ORDER_SERVICE "GetOrder",
        .in = &in->base,
        .out_type = &coffee__order__v1__order__descriptor,
        .done = got_order,
        .user = exchange,
    };
    live_ask(exchange->gateway->live, ask);
}
