/* A list of watchers under one lock: a shop has few streams here (gateways have their own hub). */
#include "order-service/order/order_watch.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/db/db.h"
#include "order-service/order/order_store.h"
#include "order-service/service.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOOK_MS = 2000 };

struct order_watcher {
    struct order_watcher *next;
    struct order_id id;
    int64_t seq;
    order_seen *seen;
    void *user;
};

struct order_watch {
    struct service *service;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the three below */
    pthread_cond_t wake;
    struct order_watcher *watchers;
    bool stopping;
};

void order_watch_message(struct order_watch *watch, const char *view)
{
    struct order_glance now;

    if (!order_view_glance(view, &now)) {
        return;
    }
    pthread_mutex_lock(&watch->lock);
    for (struct order_watcher *w = watch->watchers; w; w = w->next) {
        if (strcmp(w->id.text, now.id.text) == 0 && w->seq < now.seq) {
            w->seq = now.seq;
            w->seen(w->user, view, now.status);
        }
    }
    pthread_mutex_unlock(&watch->lock);
}

struct order_watcher *order_watch_join(struct order_watch *watch, struct order_id id, int64_t seq,
                                       order_seen *seen, void *user)
{
    struct order_watcher *watcher = calloc(1, sizeof(*watcher));

    if (!watcher) {
        abort();
    }
    *watcher = (struct order_watcher){.id = id, .seq = seq, .seen = seen, .user = user};
    pthread_mutex_lock(&watch->lock);
    watcher->next = watch->watchers;
    watch->watchers = watcher;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    return watcher;
}

void order_watch_leave(struct order_watch *watch, struct order_watcher *watcher)
{
    pthread_mutex_lock(&watch->lock);
    for (struct order_watcher **w = &watch->watchers; *w; w = &(*w)->next) {
        if (*w == watcher) {
            *w = watcher->next;
            break;
        }
    }
    pthread_mutex_unlock(&watch->lock);
    free(watcher);
}

/* The ids watched now, with the seq each watcher has; copied, since asking the database takes
 * time. */
static struct order_watcher *copy_watchers(struct order_watch *watch, struct arena *arena,
                                           size_t *count)
{
    size_t n = 0;

    for (struct order_watcher *w = watch->watchers; w; w = w->next) {
        n++;
    }
    struct order_watcher *copies = arena_new_array(arena, struct order_watcher, n);
    *count = n;
    for (struct order_watcher *w = watch->watchers; w; w = w->next) {
        copies[--n] = *w;
    }
    return copies;
}

static void look(struct order_watch *watch, struct ctx *ctx, const struct order_watcher *watchers,
                 size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct db_conn *db = NULL;
        const char *const *views;
        size_t n;

        if (service_db(ctx, watch->service, &db) != ST_OK) {
            return;
        }
        enum status st = order_store_views(ctx, db, watchers[i].id, watchers[i].seq, &views, &n);
        db_give_back(&db);
        for (size_t v = 0; st == ST_OK && v < n; v++) {
            order_watch_message(watch, views[v]);
        }
    }
}

/* Under the lock: LOOK_MS, or until a stop. Those who join meanwhile have just looked
 * themselves. */
static void rest(struct order_watch *watch)
{
    struct timespec until = cond_limit(LOOK_MS);

    while (!watch->stopping &&
           pthread_cond_timedwait(&watch->wake, &watch->lock, &until) != ETIMEDOUT) {
    }
}

static void *run(void *user)
{
    struct order_watch *watch = user;

    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping) {
        if (!watch->watchers) {
            pthread_cond_wait(&watch->wake, &watch->lock);
            continue;
        }
        struct ctx *ctx = ctx_new_system("order-service");
        size_t count;
        struct order_watcher *watchers = copy_watchers(watch, ctx->arena, &count);

        pthread_mutex_unlock(&watch->lock);
        ctx->deadline_ms = clock_monotonic_ms() + LOOK_MS;
        look(watch, ctx, watchers, count);
        ctx_free(ctx);
        pthread_mutex_lock(&watch->lock);
        rest(watch);
    }
    pthread_mutex_unlock(&watch->lock);
    return NULL;
}

struct order_watch *order_watch_new(struct service *service)
{
    struct order_watch *watch = calloc(1, sizeof(*watch));

    if (!watch) {
        abort();
    }
    watch->service = service;
    pthread_mutex_init(&watch->lock, NULL);
    cond_init(&watch->wake);
    if (pthread_create(&watch->thread, NULL, run, watch) != 0) {
        abort();
    }
    return watch;
}

void order_watch_free(struct order_watch *watch)
{
    if (!watch) {
        return;
    }
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_signal(&watch->wake);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    pthread_mutex_destroy(&watch->lock);
    pthread_cond_destroy(&watch->wake);
    free(watch);
}
