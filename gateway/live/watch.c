/* The clock of the streams: pings, token ends, places in the queue, snapshots, and a comparison
 * with order-service, so that what the bus lost is found. One thread, which may block. */
#include "gateway/live/hub.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/text.h"
#include "common/json/transcode.h"
#include "common/obs/log.h"
#include "common/rpc/rpc_client.h"

#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 500,
    LOOK_MS = 15000,
    LOOK_WITHOUT_BUS_MS = 2000,
    ASK_MS = 2000,
    ASK_MOST = 500,
    PLACES_AT_ONCE = 50,
    PLACES_PAUSE_MS = 5,
};

#define LIST_QUEUE     "/coffee.order.v1.OrderService/ListQueue"
#define COMPARE_ORDERS "/coffee.order.v1.OrderService/CompareOrders"

typedef Coffee__Order__V1__SeenOrder seen_message;
typedef Coffee__Order__V1__CompareOrdersRequest compare_message;
typedef Coffee__Order__V1__ListQueueResponse queue_message;

static void add_seen(struct ctx *ctx, compare_message *ask, const char *id, int64_t seq)
{
    seen_message *seen = arena_new_struct(ctx->arena, seen_message);

    coffee__order__v1__seen_order__init(seen);
    seen->id = arena_strdup(ctx->arena, id);
    seen->seq = seq;
    ask->orders[ask->n_orders++] = seen;
}

/* Under the lock: every stream that has its snapshot, with the seq it has. */
static compare_message *what_was_sent(struct live *live, struct ctx *ctx)
{
    compare_message *ask = arena_new_struct(ctx->arena, compare_message);
    size_t count = 0;

    coffee__order__v1__compare_orders_request__init(ask);
    for (struct live_listener *l = live->listeners; l; l = l->next) {
        count++;
    }
    for (struct live_socket *s = live->sockets; s; s = s->next) {
        count++;
    }
    ask->orders = arena_new_array(ctx->arena, seen_message *, count);
    for (struct live_listener *l = live->listeners; l; l = l->next) {
        if (!l->ended && l->seq >= 0) {
            add_seen(ctx, ask, l->id, l->seq);
        }
    }
    for (struct live_socket *s = live->sockets; s; s = s->next) {
        if (*s->order_id) {
            add_seen(ctx, ask, s->order_id, s->seq);
        }
    }
    return ask;
}

static void tell_newer(struct live *live, struct ctx *ctx,
                       const Coffee__Order__V1__CompareOrdersResponse *newer)
{
    for (size_t i = 0; i < newer->n_orders; i++) {
        struct text view = text_new(ctx->arena, 1024);

        message_to_json(&view, &newer->orders[i]->base);
        live_tell(live, &(struct live_change){.id = newer->orders[i]->id,
                                              .view = view.data,
                                              .seq = newer->orders[i]->seq,
                                              .status = newer->orders[i]->status});
    }
}

static void compare(struct live *live, struct ctx *ctx, const compare_message *all)
{
    for (size_t from = 0; from < all->n_orders; from += ASK_MOST) {
        compare_message ask = COFFEE__ORDER__V1__COMPARE_ORDERS_REQUEST__INIT;
        ProtobufCMessage *answer;

        ask.orders = all->orders + from;
        ask.n_orders = all->n_orders - from < ASK_MOST ? all->n_orders - from : ASK_MOST;
        if (rpc_call(ctx, backend_client(live->options.orders), COMPARE_ORDERS, &ask.base,
                     &coffee__order__v1__compare_orders_response__descriptor, ASK_MS,
                     &answer) != ST_OK) {
            return; /* order-service is away: the next look finds it */
        }
        tell_newer(live, ctx, (const void *)answer);
    }
}

static int compare_ids(const void *a, const void *b)
{
    const Coffee__Order__V1__Order *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

/* Those that wait, by id. */
static size_t waiting_orders(struct ctx *ctx, const queue_message *queue,
                             const Coffee__Order__V1__Order ***waiting)
{
    size_t count = 0;

    *waiting = arena_new_array(ctx->arena, const Coffee__Order__V1__Order *, queue->n_orders + 1);
    for (size_t i = 0; i < queue->n_orders; i++) {
        if (queue->orders[i]->queue_position) {
            (*waiting)[count++] = queue->orders[i];
        }
    }
    qsort(*waiting, count, sizeof(**waiting), compare_ids);
    return count;
}

/* Under the lock; the next so many that have not been told in this round. False: all have been. */
static bool tell_some(struct live *live, const Coffee__Order__V1__Order **waiting, size_t count)
{
    Coffee__Order__V1__Order wanted;
    const Coffee__Order__V1__Order *key = &wanted;
    int left = PLACES_AT_ONCE;

    for (struct live_listener *l = live->listeners; l; l = l->next) {
        if (l->round == live->round) {
            continue;
        }
        if (left-- == 0) {
            return true;
        }
        wanted.id = l->id;
        l->round = live->round;
        const Coffee__Order__V1__Order **order =
            bsearch(&key, waiting, count, sizeof(*waiting), compare_ids);
        if (order && (*order)->seq >= l->seq) { /* else it was read before what was told since */
            listener_tell_queue(l, (*order)->queue_position, (*order)->eta_seconds);
        }
    }
    return false;
}

/* One drink that is ready changes the places of all who wait: told some at a time, so that a change
 * of somebody's own order gets through between them. */
static void tell_places(struct live *live, struct ctx *ctx, const queue_message *queue)
{
    const Coffee__Order__V1__Order **waiting;
    size_t count = waiting_orders(ctx, queue, &waiting);
    bool more = true;

    pthread_mutex_lock(&live->lock);
    live->round++;
    while (more && !live->stopping) {
        more = tell_some(live, waiting, count);
        pthread_mutex_unlock(&live->lock);
        clock_pause_ms(more ? PLACES_PAUSE_MS : 0);
        pthread_mutex_lock(&live->lock);
    }
    pthread_mutex_unlock(&live->lock);
}

static const char *snapshot_of(struct ctx *ctx, const queue_message *queue)
{
    struct text snapshot = text_new(ctx->arena, 4096);

    text_add(&snapshot, "{\"type\":\"snapshot\",");
    size_t at = snapshot.length;
    message_to_json(&snapshot, &queue->base);
    /* {"orders":[...]} without its brace, behind ours */
    memmove(snapshot.data + at, snapshot.data + at + 1, snapshot.length - at);
    return snapshot.data;
}

/* Under the lock. */
static void tell_snapshot(struct live *live, struct ctx *ctx, const queue_message *queue,
                          bool is_old)
{
    const char *snapshot = NULL;

    for (struct live_socket *s = live->sockets; s; s = s->next) {
        if (s->wants_snapshot && !(is_old && s->has_snapshot)) {
            snapshot = snapshot ? snapshot : snapshot_of(ctx, queue);
            socket_tell_snapshot(s, snapshot, is_old);
        }
    }
}

static unsigned told_so_far(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    unsigned told = live->told;
    pthread_mutex_unlock(&live->lock);
    return told;
}

static void ask_queue(struct live *live, struct ctx *ctx)
{
    Coffee__Order__V1__ListQueueRequest ask = COFFEE__ORDER__V1__LIST_QUEUE_REQUEST__INIT;
    ProtobufCMessage *answer;
    unsigned told = told_so_far(live);

    if (rpc_call(ctx, backend_client(live->options.orders), LIST_QUEUE, &ask.base,
                 &coffee__order__v1__list_queue_response__descriptor, ASK_MS, &answer) != ST_OK) {
        pthread_mutex_lock(&live->lock);
        live->queue_changed = true; /* again at the next tick */
        pthread_mutex_unlock(&live->lock);
        return;
    }
    pthread_mutex_lock(&live->lock);
    tell_snapshot(live, ctx, (const queue_message *)answer, live->told != told);
    pthread_mutex_unlock(&live->lock);
    tell_places(live, ctx, (const queue_message *)answer);
}

/* Under the lock: whoever waits for a snapshot and has room gets one, though no order changed; with
 * 'look' every screen waits. */
static bool tick_all(struct live *live, bool look)
{
    int64_t wall_ms = clock_wall_ms(), monotonic_ms = clock_monotonic_ms();
    bool wanted = false;

    for (struct live_listener *l = live->listeners; l; l = l->next) {
        live_session_look(live, &l->session, monotonic_ms);
        listener_tick(l, wall_ms, monotonic_ms);
    }
    for (struct live_socket *s = live->sockets; s; s = s->next) {
        live_session_look(live, &s->session, monotonic_ms);
        socket_tick(s, wall_ms);
        s->wants_snapshot |= look && !*s->order_id;
        wanted |= s->wants_snapshot && http_socket_has_room(s->socket);
    }
    return wanted;
}

/* Under the lock: sleeps for a tick, or until somebody joins when nobody is there. */
static void rest(struct live *live)
{
    struct timespec until = cond_limit(TICK_MS);

    if (live->stopping) {
        return; /* it was said while we asked, and is not said again */
    }
    if (!live->listeners && !live->sockets) {
        pthread_cond_wait(&live->wake, &live->lock);
        return;
    }
    pthread_cond_timedwait(&live->wake, &live->lock, &until);
}

void *live_watch_run(void *user)
{
    struct live *live = user;
    int64_t looked_ms = clock_monotonic_ms();

    pthread_mutex_lock(&live->lock);
    while (!live->stopping) {
        struct ctx *ctx = ctx_new_system("gateway");
        int64_t pause_ms = live->bus_up ? LOOK_MS : LOOK_WITHOUT_BUS_MS;
        bool look = live->look_now || clock_monotonic_ms() - looked_ms >= pause_ms;
        bool queue = tick_all(live, look) || live->queue_changed || look;
        const compare_message *sent = look ? what_was_sent(live, ctx) : NULL;

        queue = queue && (live->listeners || live->sockets);
        live->queue_changed = live->look_now = false;
        pthread_mutex_unlock(&live->lock);
        if (look) {
            compare(live, ctx, sent);
            looked_ms = clock_monotonic_ms();
        }
        if (queue) {
            ask_queue(live, ctx);
        }
        ctx_free(ctx);
        pthread_mutex_lock(&live->lock);
        rest(live);
    }
    pthread_mutex_unlock(&live->lock);
    return NULL;
}
