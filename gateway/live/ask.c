/* What streams ask order-service for while they open. After a gateway was started anew all its
 * clients come back at once: only so many ask at a time, and the others wait their turn, since
 * order-service refuses what it cannot queue and has others to serve. */
#include "gateway/live/hub.h"

#include "common/base/clock.h"

enum { AT_ONCE = 16, WAIT_MOST = 4000, WAIT_MS = 10000, ASK_MS = 2000, RETRY_S = 2 };

static void pump(struct live *live);

static void answered(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    const struct live_ask *ask = user;
    struct live *live = ask->live;

    ask->done(ctx, st, out, ask->user); /* ends the ask, or asks with it once more */
    pthread_mutex_lock(&live->lock);
    live->asking--;
    pump(live);
    pthread_mutex_unlock(&live->lock);
}

static void refuse(struct live_ask *ask)
{
    enum status st = fail_problem(ask->ctx, PROBLEM_OVERLOADED, "Too many streams open just now");

    ask->ctx->failure.retry_after_s = RETRY_S;
    ask->done(ask->ctx, st, NULL, ask->user);
}

/* False: it waited for too long. */
static bool start(struct live *live, struct live_ask *ask)
{
    if (clock_monotonic_ms() > ask->until_ms) {
        refuse(ask);
        return false;
    }
    backend_call(ask->ctx, live->options.orders, ask->path, ask->in, ask->out_type, ASK_MS,
                 answered, ask);
    return true;
}

/* Under the lock. */
static struct live_ask *take(struct live *live)
{
    struct live_ask *ask = live->first_ask;

    live->first_ask = ask->next;
    live->last_ask = live->first_ask ? live->last_ask : NULL;
    live->waiting_asks--;
    return ask;
}

/* Under the lock, which is free while calls start. They may be answered at once, on this very
 * thread: who is pumping goes on with what that leaves. */
static void pump(struct live *live)
{
    if (live->is_pumping) {
        return;
    }
    live->is_pumping = true;
    while (live->first_ask && live->asking < AT_ONCE) {
        struct live_ask *ask = take(live);

        live->asking++;
        pthread_mutex_unlock(&live->lock);
        bool started = start(live, ask);
        pthread_mutex_lock(&live->lock);
        live->asking -= !started;
    }
    live->is_pumping = false;
    pthread_cond_broadcast(&live->wake); /* live_free() may wait for the last one */
}

/* Under the lock. Who has asked once before goes first: its client has waited already. */
static void line_up(struct live *live, struct live_ask *ask)
{
    bool alone = !live->first_ask;

    ask->next = ask->goes_first ? live->first_ask : NULL;
    if (ask->goes_first || alone) {
        live->first_ask = ask;
    } else {
        live->last_ask->next = ask;
    }
    live->last_ask = ask->goes_first && !alone ? live->last_ask : ask;
    live->waiting_asks++;
}

void live_ask(struct live *live, struct live_ask *ask)
{
    ask->live = live;
    ask->until_ms = clock_monotonic_ms() + WAIT_MS;
    pthread_mutex_lock(&live->lock);
    bool room = live->waiting_asks < WAIT_MOST;
    if (room) {
        line_up(live, ask);
        pump(live);
    }
    pthread_mutex_unlock(&live->lock);
    if (!room) {
        refuse(ask);
    }
}
