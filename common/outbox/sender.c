/* A hand-over of one: idle, given, done. */
#include "common/outbox/sender.h"

#include "common/obs/span.h"
#include "common/obs/trace.h"

#include <pthread.h>
#include <stdlib.h>

enum { SEND_MS = 10000 };

enum sender_state { SENDER_IDLE, SENDER_GIVEN, SENDER_DONE };

struct sender {
    const struct outbox_sink *sink;
    void (*done)(void *user);
    void *user;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the three below */
    pthread_cond_t changed;
    enum sender_state state;
    bool stopping;
    struct batch batch; /* whose it is, the state says */
};

static bool wait_for_batch(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    while (sender->state != SENDER_GIVEN && !sender->stopping) {
        pthread_cond_wait(&sender->changed, &sender->lock);
    }
    bool given = sender->state == SENDER_GIVEN && !sender->stopping;
    pthread_mutex_unlock(&sender->lock);
    return given;
}

/* What follows from a row is below the span of its sending, which is below who wrote it. */
static struct span *begin_spans(const struct batch *batch)
{
    struct arena *arena = batch->ctx->arena;
    struct span *spans = arena_new_array(arena, struct span, batch->count);
    char text[TRACEPARENT_SIZE];

    for (size_t i = 0; i < batch->count; i++) {
        struct outbox_row *row = &batch->rows[i];

        span_begin_below(&spans[i], row->traceparent);
        if (spans[i].is_on) {
            row->traceparent = arena_strdup(arena, span_traceparent(&spans[i], NULL, text));
        }
    }
    return spans;
}

/* A row that still waits will be sent again: it has no span until then. */
static void end_spans(const struct sender *sender, struct span *spans)
{
    const struct batch *batch = &sender->batch;

    for (size_t i = 0; i < batch->count; i++) {
        const struct outbox_row *row = &batch->rows[i];

        if (!spans[i].is_on || (row->outcome != ST_OK && row->outcome != ST_INVALID)) {
            continue;
        }
        span_failed(&spans[i], batch->ctx, row->outcome);
        span_end(&spans[i], SPAN_PRODUCER,
                 arena_printf(batch->ctx->arena, "send %s", sender->sink->name),
                 log_text("messaging.system", sender->sink->name),
                 log_text("messaging.destination.name", row->topic));
    }
}

static void *run(void *user)
{
    struct sender *sender = user;

    pthread_setname_np(pthread_self(), "outbox-sink");
    while (wait_for_batch(sender)) {
        const struct batch *batch = &sender->batch;
        struct span *spans = begin_spans(batch);

        sender->sink->send(batch->ctx, sender->sink->user, batch->rows, batch->count, SEND_MS);
        end_spans(sender, spans);
        pthread_mutex_lock(&sender->lock);
        sender->state = SENDER_DONE;
        pthread_mutex_unlock(&sender->lock);
        sender->done(sender->user);
    }
    return NULL;
}

struct sender *sender_new(const struct outbox_sink *sink, void (*done)(void *user), void *user)
{
    struct sender *sender = calloc(1, sizeof(*sender));

    if (!sender) {
        abort();
    }
    sender->sink = sink;
    sender->done = done;
    sender->user = user;
    pthread_mutex_init(&sender->lock, NULL);
    pthread_cond_init(&sender->changed, NULL);
    if (pthread_create(&sender->thread, NULL, run, sender) != 0) {
        abort();
    }
    return sender;
}

void sender_free(struct sender *sender)
{
    if (!sender) {
        return;
    }
    pthread_mutex_lock(&sender->lock);
    sender->stopping = true;
    pthread_cond_signal(&sender->changed);
    pthread_mutex_unlock(&sender->lock);
    pthread_join(sender->thread, NULL);
    if (sender->state != SENDER_IDLE) {
        ctx_free(sender->batch.ctx);
    }
    pthread_mutex_destroy(&sender->lock);
    pthread_cond_destroy(&sender->changed);
    free(sender);
}

bool sender_is_busy(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    bool busy = sender->state != SENDER_IDLE;
    pthread_mutex_unlock(&sender->lock);
    return busy;
}

void sender_give(struct sender *sender, const struct batch *batch)
{
    pthread_mutex_lock(&sender->lock);
    sender->batch = *batch;
    sender->state = SENDER_GIVEN;
    pthread_cond_signal(&sender->changed);
    pthread_mutex_unlock(&sender->lock);
}

bool sender_collect(struct sender *sender, struct batch *batch)
{
    pthread_mutex_lock(&sender->lock);
    bool done = sender->state == SENDER_DONE;
    if (done) {
        *batch = sender->batch;
        sender->state = SENDER_IDLE;
    }
    pthread_mutex_unlock(&sender->lock);
    return done;
}
