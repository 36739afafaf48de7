/* /ws/queue: a snapshot of the open orders, then each change; and the barista's moves, which are
 * the same calls that REST makes. */
#include "gateway/live/hub.h"

#include "coffee/live/v1/live.pb-c.h"
#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/json/transcode.h"
#include "common/obs/trace.h"
#include "gateway/edge/edge_error.h"

#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 2000, CLOSE_REAUTH = 4401, CLOSE_SLOW = 1013 };

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

void socket_tell(struct live_socket *socket, const char *message)
{
    if (socket->wants_snapshot) {
        return; /* the snapshot that is on its way will hold it */
    }
    if (!http_socket_send(socket->socket, message, strlen(message))) {
        http_socket_close(socket->socket, CLOSE_SLOW, "too slow");
    }
}

void socket_tick(struct live_socket *socket, int64_t wall_ms)
{
    if (wall_ms >= socket->expires_ms) {
        http_socket_close(socket->socket, CLOSE_REAUTH, "sign in again");
    }
}

/* ---- commands ---- */

/* One command under way; lives in its ctx's arena. */
struct asking {
    struct live_socket *socket;
    const char *ref;
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

static void command_done(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct asking *asking = user;
    struct live_socket *socket = asking->socket;

    (void)out;
    answer(ctx, socket, st, asking->ref);
    ctx_free(ctx);
    let_go(socket, false);
}

static enum status read_command(struct ctx *ctx, struct live_socket *socket, const char *text,
                                size_t size, Coffee__Live__V1__QueueCommand *command)
{
    coffee__live__v1__queue_command__init(command);
    TRY(json_to_message(ctx, text, size, &command->base));
    return contract_check(ctx, socket->live->options.contract, &command->base);
}

static enum status make_call(struct ctx *ctx, const Coffee__Live__V1__QueueCommand *command,
                             const char **path, ProtobufCMessage **in)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        if (strcmp(commands[i].type, command->type) == 0) {
            *path = commands[i].path;
            *in = message_new(ctx->arena, commands[i].in);
            TRY(text_to_field(ctx, *in, "id", command->id));
            return *command->reason ? text_to_field(ctx, *in, "reason", command->reason) : ST_OK;
        }
    }
    refuse_field(ctx, "type",
                 "is none of accept, decline, preparing, ready, undo-ready, pickup, "
                 "cancel");
    return ctx_refused(ctx);
}

static enum status start_command(struct ctx *ctx, struct live_socket *socket, const char *text,
                                 size_t size, const char **ref)
{
    Coffee__Live__V1__QueueCommand command;
    struct asking *asking = arena_new_struct(ctx->arena, struct asking);
    ProtobufCMessage *in = NULL;
    const char *path = NULL;

    TRY(read_command(ctx, socket, text, size, &command));
    *ref = command.ref;
    TRY(make_call(ctx, &command, &path, &in));
    *asking = (struct asking){.socket = socket, .ref = command.ref};
    backend_call(ctx, socket->live->options.orders, path, in, &coffee__order__v1__order__descriptor,
                 ASK_MS, command_done, asking);
    return ST_OK;
}

static void on_text(struct http_socket *unused, const char *text, size_t size, void *user)
{
    struct live_socket *socket = user;
    struct ctx *ctx = ctx_new_system("gateway");
    const char *ref = "";

    (void)unused;
    ctx->caller = socket->caller;
    trace_begin(ctx, NULL);
    trace_correlation(ctx, NULL);
    pthread_mutex_lock(&socket->live->lock);
    socket->refs++; /* for command_done() */
    pthread_mutex_unlock(&socket->live->lock);
    enum status st = start_command(ctx, socket, text, size, &ref);
    if (st != ST_OK) {
        answer(ctx, socket, st, ref);
        ctx_free(ctx);
        let_go(socket, false);
    }
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

void live_queue(struct exchange *exchange)
{
    struct live *live = exchange->gateway->live;
    struct live_socket *socket = calloc(1, sizeof(*socket));

    if (!socket) {
        abort();
    }
    *socket = (struct live_socket){
        .live = live,
        .caller = exchange->ctx->caller,
        .expires_ms = exchange->claims.expires_at * 1000,
        .wants_snapshot = true,
        .refs = 1,
    };
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
    pthread_cond_signal(&live->wake);
    pthread_mutex_unlock(&live->lock);
}
