/* One thread that wakes up now and then, forgets idempotency keys of yesterday and old photos, puts
 * the queue in Valkey right, voids what is held for no order, and applies the same use case as
 * everybody else: a tap, a timer and this sweep race through one compare-and-set, and one of them
 * wins. */
#include "order-service/order/order_sweep.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/db/db.h"
#include "common/db/idempotency.h"
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "order-service/menu/menu_photo.h"
#include "order-service/order/order_queue_cache.h"
#include "order-service/order/order_store.h"
#include "order-service/payment/payment.h"
#include "order-service/service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static const struct metric_def swept = {METRIC_COUNTER,
                                        "orders_swept_total",
                                        "Orders that the sweep ended: none while Temporal is up",
                                        {"reason"}};

static const struct metric_def unsettled = {
    METRIC_GAUGE,
    "orders_unsettled",
    "Orders that were over an hour ago, their money not taken or not given back; up to 100",
    {NULL}};

enum { SWEEP_EVERY_S = 10, OVERDUE_MS = 60000, SWEEP_MS = 5000, MONEY_EVERY_MS = 3600000 };

struct order_sweep {
    struct service *service;
    pthread_t thread;
    struct payment_sweep payments; /* how far that has come */
    int64_t money_at_ms;           /* monotonic: when to look for what is not settled */
    pthread_mutex_t lock;          /* with it 'stopping' is set */
    pthread_cond_t wake;
    atomic_bool stopping;
};

/* Each is a unit of work, with the time that the round still has. */
static void expire(const struct ctx *round, struct service *service, struct order_id overdue)
{
    struct ctx *ctx = ctx_new_system("order-service");
    struct order now;
    bool expired;

    ctx->deadline_ms = round->deadline_ms;
    if (order_expire(ctx, service, overdue, &now, &expired) != ST_OK) {
        log_failure(ctx, "sweep");
    } else if (expired) {
        metric_add(METRIC_SERIES(metric_register(&swept), now.cancel_reason), 1);
        log_warn(ctx, "overdue order swept", log_text("order", now.id.text),
                 log_text("reason", now.cancel_reason));
    }
    ctx_free(ctx);
}

static enum status next_overdue(struct ctx *ctx, struct service *service, struct order_id after,
                                const struct order_id **ids, size_t *count)
{
    int64_t grace_ms = OVERDUE_MS / service_config(service)->time_factor;
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = order_store_overdue(ctx, db, grace_ms, after, ids, count);
    db_give_back(&db);
    return st;
}

static bool has_time(const struct ctx *ctx, struct order_sweep *sweep)
{
    return ctx_left_ms(ctx) > 0 && !atomic_load(&sweep->stopping);
}

/* One that cannot be ended keeps none that are behind it. */
static enum status expire_overdue(struct ctx *ctx, struct order_sweep *sweep)
{
    struct order_id after = {"00000000-0000-0000-0000-000000000000"};
    const struct order_id *overdue;
    size_t count;

    do {
        TRY(next_overdue(ctx, sweep->service, after, &overdue, &count));
        for (size_t i = 0; i < count && has_time(ctx, sweep); i++) {
            expire(ctx, sweep->service, overdue[i]);
            after = overdue[i];
        }
    } while (count > 0 && has_time(ctx, sweep));
    return ST_OK;
}

static enum status forget_old_keys(struct ctx *ctx, struct order_sweep *sweep)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, sweep->service, &db));
    enum status st = idempotency_purge(ctx, db);
    db_give_back(&db);
    return st;
}

static enum status mend_queue(struct ctx *ctx, struct order_sweep *sweep)
{
    struct service *service = sweep->service;

    if (order_queue_cache_mend(ctx, service, service_queue_cache(service)) != ST_OK) {
        log_debug(ctx, "the queue in Valkey stays as it is for now");
        ctx_forgive(ctx);
    }
    return ST_OK;
}

static enum status void_holds(struct ctx *ctx, struct order_sweep *sweep)
{
    return payment_sweep(ctx, sweep->service, &sweep->payments);
}

/* Told, not done: the workflow alone moves money. It is at it still, and the provider is away for
 * long, or Temporal has lost it; then an operator must see to it. */
static enum status tell_unsettled(struct ctx *ctx, struct order_sweep *sweep)
{
    const struct order_unsettled *orders;
    struct db_conn *db = NULL;
    size_t count;

    if (clock_monotonic_ms() < sweep->money_at_ms) {
        return ST_OK;
    }
    TRY(service_db(ctx, sweep->service, &db));
    sweep->money_at_ms = clock_monotonic_ms() + MONEY_EVERY_MS; /* also if this takes too long */
    enum status st = order_store_unsettled(
        ctx, db, service_config(sweep->service)->refunds_uncollected, &orders, &count);
    db_give_back(&db);
    TRY(st);
    for (size_t i = 0; i < count; i++) {
        log_error(ctx, "money of an order that is over is not settled",
                  log_text("order", orders[i].id.text), log_text("status", orders[i].status),
                  log_text("payment", orders[i].payment), log_text("hold", orders[i].hold_id),
                  log_num("amount_cents", orders[i].amount_cents));
    }
    metric_set(METRIC_SERIES(metric_register(&unsettled), NULL), (int64_t)count);
    return ST_OK;
}

static enum status forget_old_photos(struct ctx *ctx, struct order_sweep *sweep)
{
    return photo_forget_old(ctx, sweep->service);
}

static const struct {
    const char *name;
    enum status (*run)(struct ctx *ctx, struct order_sweep *sweep);
} steps[] = {
    {"sweep",              expire_overdue   },
    {"sweep of keys",      forget_old_keys  },
    {"sweep of the queue", mend_queue       },
    {"sweep of payments",  void_holds       },
    {"sweep of money",     tell_unsettled   },
    {"sweep of photos",    forget_old_photos},
};

/* Each with a time of its own: none of them waits for another's luck. A stop waits for one. */
static void sweep_all(struct order_sweep *sweep)
{
    for (size_t i = 0; i < ARRAY_LEN(steps) && !atomic_load(&sweep->stopping); i++) {
        struct ctx *ctx = ctx_new_system("order-service");

        ctx->deadline_ms = clock_monotonic_ms() + SWEEP_MS;
        if (steps[i].run(ctx, sweep) != ST_OK) {
            log_failure(ctx, steps[i].name);
        }
        ctx_free(ctx);
    }
}

static void *run(void *user)
{
    struct order_sweep *sweep = user;

    pthread_mutex_lock(&sweep->lock);
    while (!sweep->stopping) {
        struct timespec next = cond_limit(SWEEP_EVERY_S * 1000);
        pthread_cond_timedwait(&sweep->wake, &sweep->lock, &next);
        if (!sweep->stopping) {
            pthread_mutex_unlock(&sweep->lock);
            sweep_all(sweep);
            pthread_mutex_lock(&sweep->lock);
        }
    }
    pthread_mutex_unlock(&sweep->lock);
    return NULL;
}

struct order_sweep *order_sweep_start(struct service *service)
{
    struct order_sweep *sweep = calloc(1, sizeof(*sweep));

    if (!sweep) {
        abort();
    }
    sweep->service = service;
    pthread_mutex_init(&sweep->lock, NULL);
    cond_init(&sweep->wake);
    if (pthread_create(&sweep->thread, NULL, run, sweep) != 0) {
        abort();
    }
    return sweep;
}

void order_sweep_stop(struct order_sweep *sweep)
{
    if (!sweep) {
        return;
    }
    pthread_mutex_lock(&sweep->lock);
    sweep->stopping = true;
    pthread_cond_signal(&sweep->wake);
    pthread_mutex_unlock(&sweep->lock);
    pthread_join(sweep->thread, NULL);
    pthread_mutex_destroy(&sweep->lock);
    pthread_cond_destroy(&sweep->wake);
    free(sweep);
}
