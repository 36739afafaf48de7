/* Who hears what: one list of streams, one of sockets, one lock. Nothing here blocks: writing to a
 * stream or socket queues bytes; one whose queue is full is ended and resumes, and a screen is sent
 * a snapshot once there is room. */
#include "gateway/live/hub.h"

#include "common/base/cond.h"
#include "common/base/text.h"
#include "common/json/transcode.h"

#include <stdlib.h>
#include <string.h>

bool live_is_final(Coffee__Order__V1__Status status)
{
    return status == COFFEE__ORDER__V1__STATUS__STATUS_COMPLETED ||
           status == COFFEE__ORDER__V1__STATUS__STATUS_CANCELLED;
}

bool live_read_view(struct ctx *ctx, const char *view, struct live_change *change)
{
    Coffee__Order__V1__Order order;

    coffee__order__v1__order__init(&order);
    if (json_to_message_of_ours(ctx, view, strlen(view), &order.base) != ST_OK) {
        return false;
    }
    *change = (struct live_change){
        .id = order.id, .view = view, .seq = order.seq, .status = order.status};
    return true;
}

void live_tell(struct live *live, const struct live_change *change)
{
    struct ctx *ctx = ctx_new_system("gateway");
    struct text message = text_new(ctx->arena, strlen(change->view) + 64);

    text_add(&message, "{\"type\":\"order\",\"order\":");
    text_add(&message, change->view);
    text_add_char(&message, '}');
    pthread_mutex_lock(&live->lock);
    live->told++;
    live->queue_changed = true;
    for (struct live_listener *l = live->listeners; l; l = l->next) {
        if (strcmp(l->id, change->id) == 0) {
            listener_tell(l, change);
        }
    }
    for (struct live_socket *s = live->sockets; s; s = s->next) {
        socket_tell(s, change, message.data);
    }
    pthread_mutex_unlock(&live->lock);
    ctx_free(ctx);
}

static bool anybody_listens(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    bool somebody = live->listeners || live->sockets;
    pthread_mutex_unlock(&live->lock);
    return somebody;
}

static void on_message(const char *channel, const char *message, size_t size, void *user)
{
    (void)channel;
    if (!anybody_listens(user)) { /* who joins from here on takes a snapshot */
        return;
    }
    struct ctx *ctx = ctx_new_system("gateway");
    struct live_change change;

    if (message[size] == '\0' && live_read_view(ctx, message, &change)) {
        live_tell(user, &change);
    }
    ctx_free(ctx);
}

/* What was published while the bus was away is found by looking at once. */
static void on_bus(bool up, void *user)
{
    struct live *live = user;

    pthread_mutex_lock(&live->lock);
    live->bus_up = up;
    live->look_now = true;
    pthread_cond_signal(&live->wake);
    pthread_mutex_unlock(&live->lock);
}

static const struct cache_subscriber_events bus = {.message = on_message, .up = on_bus};

struct live *live_new(const struct live_options *options)
{
    struct live *live = calloc(1, sizeof(*live));

    if (!live) {
        abort();
    }
    live->options = *options;
    pthread_mutex_init(&live->lock, NULL);
    cond_init(&live->wake);
    live->subscriber = cache_subscribe(&options->cache, "order:pub:orders", &bus, live);
    if (pthread_create(&live->thread, NULL, live_watch_run, live) != 0) {
        abort();
    }
    return live;
}

void live_free(struct live *live)
{
    if (!live) {
        return;
    }
    cache_unsubscribe(live->subscriber);
    pthread_mutex_lock(&live->lock);
    live->stopping = true;
    pthread_cond_signal(&live->wake);
    pthread_mutex_unlock(&live->lock);
    pthread_join(live->thread, NULL);
    pthread_mutex_lock(&live->lock);
    while (live->under_way || live->asking || live->is_pumping) {
        pthread_cond_wait(&live->wake, &live->lock);
    }
    pthread_mutex_unlock(&live->lock);
    pthread_cond_destroy(&live->wake);
    pthread_mutex_destroy(&live->lock);
    free(live);
}

bool live_is_up(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    bool up = live->bus_up;
    pthread_mutex_unlock(&live->lock);
    return up;
}
