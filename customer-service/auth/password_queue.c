/* A turnstile around argon2id: 64 MiB a container leave room for one hash (ADR 0006). */
#include "customer-service/auth/password_queue.h"

#include "common/base/cond.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct password_queue {
    int room;
    pthread_mutex_t lock; /* guards the two below */
    pthread_cond_t freed;
    int inside; /* waiting or hashing */
    bool busy;
};

/* No password has this hash; it costs what others cost. */
static const char nobodys_hash[] = "$argon2id$v=19$m=19456,t=2,p=1$"
                                   "c2FsdCBvZiBub2JvZHkuLg$"
                                   "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY";

struct password_queue *password_queue_new(int room)
{
    struct password_queue *queue = calloc(1, sizeof(*queue));

    if (!queue) {
        abort();
    }
    queue->room = room;
    pthread_mutex_init(&queue->lock, NULL);
    cond_init(&queue->freed);
    return queue;
}

void password_queue_free(struct password_queue *queue)
{
    if (queue) {
        pthread_cond_destroy(&queue->freed);
        pthread_mutex_destroy(&queue->lock);
        free(queue);
    }
}

static enum status enter(struct ctx *ctx, struct password_queue *queue)
{
    struct timespec deadline = cond_limit(ctx_left_ms(ctx));
    int waited = 0;

    pthread_mutex_lock(&queue->lock);
    if (queue->inside > queue->room) {
        pthread_mutex_unlock(&queue->lock);
        return fail_problem(ctx, PROBLEM_OVERLOADED, "Too many people sign in just now.");
    }
    queue->inside++;
    while (queue->busy && waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&queue->freed, &queue->lock, &deadline);
    }
    bool our_turn = !queue->busy;
    queue->inside -= !our_turn;
    queue->busy = true;
    pthread_mutex_unlock(&queue->lock);
    return our_turn ? ST_OK : fail_with(ctx, ST_TIMEOUT, "", "waited for other passwords");
}

static void leave(struct password_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->busy = false;
    queue->inside--;
    pthread_cond_signal(&queue->freed);
    pthread_mutex_unlock(&queue->lock);
}

enum status password_queue_hash(struct ctx *ctx, struct password_queue *queue, const char *password,
                                char hash[PASSWORD_HASH_SIZE])
{
    TRY(enter(ctx, queue));
    bool made = password_hash(password, hash);
    leave(queue);
    return made ? ST_OK : fail_problem(ctx, PROBLEM_OVERLOADED, "Too busy just now.");
}

enum status password_queue_check(struct ctx *ctx, struct password_queue *queue,
                                 const char *password, const char *hash, bool *matches)
{
    TRY(enter(ctx, queue));
    bool fits = password_matches(password, hash ? hash : nobodys_hash);
    leave(queue);
    *matches = fits && hash;
    return ST_OK;
}
