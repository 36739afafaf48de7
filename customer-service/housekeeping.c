/* A table of small duties, each done when it is due and again after a pause when it failed:
 * database and Valkey may be away for hours. */
#include "customer-service/housekeeping.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/db/db.h"
#include "common/db/idempotency.h"
#include "common/obs/log.h"
#include "customer-service/auth/auth.h"
#include "customer-service/favourite/favourite.h"
#include "customer-service/loyalty/loyalty.h"
#include "customer-service/notify/notify.h"
#include "customer-service/service.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { LOOK_MS = 200, DUTY_MS = 5000, RETRY_MS = 1000, REMIND_MS = 1000, PURGE_MS = 600000 };

static enum status seed(struct ctx *ctx, struct service *service);

enum duty {
    SEED,
    TELL_DENIED,
    REMIND,
    PURGES, /* from here on: the first of them */
    PURGE_SESSIONS = PURGES,
    PURGE_DENIED,
    PURGE_FAILURES,
    PURGE_POINTS,
    PURGE_NOTICES,
    PURGE_EVENTS,
    PURGE_DEVICES,
    PURGE_ACTIVITIES,
    PURGE_REQUESTS,
    DUTIES
};

/* clang-format off */
static const struct {
    const char *name;
    enum status (*run)(struct ctx *ctx, struct service *service);
    enum status (*purge)(struct ctx *ctx, struct db_conn *db); /* where there is no 'run' */
    int64_t again_ms; /* 0: only when somebody asks for it */
} duties[] = {
    [SEED]             = {"seed demonstration",        seed,                NULL,                    0},
    [TELL_DENIED]      = {"tell denied sessions",      auth_publish_denied, NULL,                    0},
    [REMIND]           = {"remind of denied sessions", auth_remind_denied,  NULL,                    REMIND_MS},
    [PURGE_SESSIONS]   = {"purge of sessions",         NULL,                auth_purge_sessions,     PURGE_MS},
    [PURGE_DENIED]     = {"purge of denied sessions",  NULL,                auth_purge_denied,       PURGE_MS},
    [PURGE_FAILURES]   = {"purge of failed sign-ins",  NULL,                auth_purge_failures,     PURGE_MS},
    [PURGE_POINTS]     = {"purge of counted events",   NULL,                loyalty_purge,           PURGE_MS},
    [PURGE_NOTICES]    = {"purge of notices",          NULL,                notify_purge_notices,    PURGE_MS},
    [PURGE_EVENTS]     = {"purge of told events",      NULL,                notify_purge_events,     PURGE_MS},
    [PURGE_DEVICES]    = {"purge of devices",          NULL,                notify_purge_devices,    PURGE_MS},
    [PURGE_ACTIVITIES] = {"purge of activities",       NULL,                notify_purge_activities, PURGE_MS},
    [PURGE_REQUESTS]   = {"purge of requests",         NULL,                idempotency_purge,       PURGE_MS},
};
/* clang-format on */

struct housekeeping {
    struct service *service;
    pthread_t thread;
    pthread_mutex_t lock; /* guards the condition alone */
    pthread_cond_t woken;
    atomic_bool stopping, seeded;
    atomic_bool wanted[DUTIES];
    int64_t due_ms[DUTIES]; /* of the thread */
};

static enum status seed(struct ctx *ctx, struct service *service)
{
    const struct customer_id first = {"019aa1f0-0000-7000-8000-000000000001"};

    TRY(auth_seed_demo(ctx, service));
    return favourite_seed_demo(ctx, service, first);
}

static enum status fulfil(struct ctx *ctx, struct service *service, enum duty duty)
{
    struct db_conn *db; /* goes back with ctx */

    if (duties[duty].run) {
        return duties[duty].run(ctx, service);
    }
    TRY(service_db(ctx, service, &db));
    return duties[duty].purge(ctx, db);
}

static bool is_quiet(enum status st)
{
    return st == ST_OK || st == ST_RETRY || st == ST_UNAVAILABLE;
}

/* A failure is quiet while readiness already says that the database is away, and where a purge has
 * more to do. */
static bool run(struct housekeeping *keeping, enum duty duty)
{
    struct ctx *ctx = ctx_new_system("customer-service");

    ctx->deadline_ms = clock_monotonic_ms() + DUTY_MS;
    bool done = service_is_ready(keeping->service) && fulfil(ctx, keeping->service, duty) == ST_OK;
    if (!done && !is_quiet(ctx->failure.status)) {
        log_failure(ctx, duties[duty].name);
    }
    ctx_free(ctx);
    return done;
}

static void look(struct housekeeping *keeping, enum duty duty)
{
    int64_t now = clock_monotonic_ms();

    if (!atomic_load(&keeping->wanted[duty]) || now < keeping->due_ms[duty]) {
        return;
    }
    atomic_store(&keeping->wanted[duty], false); /* before: what is asked meanwhile is not lost */
    bool done = run(keeping, duty);
    int64_t retry_ms = duty == SEED ? LOOK_MS : RETRY_MS; /* readiness waits for it */
    keeping->due_ms[duty] = now + (done ? duties[duty].again_ms : retry_ms);
    if (!done || duties[duty].again_ms) {
        atomic_store(&keeping->wanted[duty], true);
    }
    if (done && duty == SEED) {
        atomic_store(&keeping->seeded, true);
    }
}

static void rest(struct housekeeping *keeping)
{
    struct timespec until = cond_limit(LOOK_MS);

    pthread_mutex_lock(&keeping->lock);
    if (!atomic_load(&keeping->stopping)) {
        pthread_cond_timedwait(&keeping->woken, &keeping->lock, &until);
    }
    pthread_mutex_unlock(&keeping->lock);
}

/* One purge at a time between the others, which are not to wait until a table is unlocked. */
static void *keep_house(void *argument)
{
    struct housekeeping *keeping = argument;
    enum duty purge = PURGES;

    while (!atomic_load(&keeping->stopping)) {
        for (enum duty duty = 0; duty < PURGES; duty++) {
            look(keeping, duty);
        }
        look(keeping, purge);
        purge = purge + 1 < DUTIES ? purge + 1 : PURGES;
        rest(keeping);
    }
    return NULL;
}

struct housekeeping *housekeeping_start(struct service *service, bool demo)
{
    struct housekeeping *keeping = calloc(1, sizeof(*keeping));

    if (!keeping) {
        abort();
    }
    keeping->service = service;
    atomic_store(&keeping->seeded, !demo);
    atomic_store(&keeping->wanted[SEED], demo);
    atomic_store(&keeping->wanted[REMIND], true);
    for (enum duty purge = PURGES; purge < DUTIES; purge++) {
        atomic_store(&keeping->wanted[purge], true);
    }
    pthread_mutex_init(&keeping->lock, NULL);
    cond_init(&keeping->woken);
    if (pthread_create(&keeping->thread, NULL, keep_house, keeping) != 0) {
        abort();
    }
    return keeping;
}

static void wake(struct housekeeping *keeping)
{
    pthread_mutex_lock(&keeping->lock);
    pthread_cond_signal(&keeping->woken);
    pthread_mutex_unlock(&keeping->lock);
}

void housekeeping_stop(struct housekeeping *keeping)
{
    if (!keeping) {
        return;
    }
    atomic_store(&keeping->stopping, true);
    wake(keeping);
    pthread_join(keeping->thread, NULL);
    pthread_cond_destroy(&keeping->woken);
    pthread_mutex_destroy(&keeping->lock);
    free(keeping);
}

bool housekeeping_is_seeded(struct housekeeping *keeping)
{
    return atomic_load(&keeping->seeded);
}

void housekeeping_tell_denied(struct housekeeping *keeping)
{
    atomic_store(&keeping->wanted[TELL_DENIED], true);
    wake(keeping);
}
