/* A bounded number of connections. Whoever finds none waits in a queue and is handed the next one
 * directly, so that nobody is overtaken; while the database is away, one taker a second tries and
 * the others fail at once. */
#include "common/db/db_internal.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/obs/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DEFAULT_MAX = 6, LONGEST_WAIT_MS = 2000, PROBE_MS = 1000 };

/* Of one waiting thread. It is served with a connection, or with the right to open one. */
struct waiter {
    struct waiter *next;
    pthread_cond_t ready;
    struct db_conn *conn;
    bool served;
};

struct gauges {
    struct metric_series *open, *busy, *waiting, *timeouts;
};

struct db_pool {
    struct db_options options; /* its texts are ours */
    char settings[256];
    struct gauges gauges;
    pthread_mutex_t lock; /* guards all that follows */
    struct db_conn *idle; /* a stack: the warmest works, the others rest */
    struct waiter *first, **last;
    int open, busy, waiting;
    bool away;
    int64_t probe_at_ms; /* while away: when the next may try */
};

static const struct metric_def connections_metric = {
    METRIC_GAUGE,
    "db_pool_connections",
    "Connections and waiters of the pool.",
    {"state"},
};
static const struct metric_def timeouts_metric = {
    METRIC_COUNTER,
    "db_pool_timeouts_total",
    "Takers that waited in vain.",
    {0},
};

static char *copy_text(const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && !copy) {
        abort();
    }
    return copy;
}

struct db_pool *db_pool_new(const struct db_options *options)
{
    struct db_pool *pool = calloc(1, sizeof(*pool));

    if (!pool) {
        abort();
    }
    struct metric *connections = metric_register(&connections_metric);
    pool->gauges = (struct gauges){
        .open = METRIC_SERIES(connections, "open"),
        .busy = METRIC_SERIES(connections, "busy"),
        .waiting = METRIC_SERIES(connections, "waiting"),
        .timeouts = metric_series(metric_register(&timeouts_metric), NULL),
    };
    pool->options = *options;
    pool->options.host = copy_text(options->host);
    pool->options.name = copy_text(options->name);
    pool->options.user = copy_text(options->user);
    pool->options.password = copy_text(options->password);
    pool->options.daemon = copy_text(options->daemon);
    pool->options.max = options->max > 0 ? options->max : DEFAULT_MAX;
    snprintf(pool->settings, sizeof(pool->settings), "-c statement_timeout=%d %s",
             options->statement_timeout_ms ? options->statement_timeout_ms
                                           : DEFAULT_STATEMENT_TIMEOUT_MS,
             options->settings ? options->settings : "");
    pthread_mutex_init(&pool->lock, NULL);
    pool->last = &pool->first;
    return pool;
}

static void wipe_text(const char *text)
{
    if (text) {
        explicit_bzero((char *)text, strlen(text));
        free((char *)text);
    }
}

void db_pool_free(struct db_pool *pool)
{
    if (!pool) {
        return;
    }
    while (pool->idle) {
        struct db_conn *db = pool->idle;

        pool->idle = db->next;
        conn_close(db);
    }
    pthread_mutex_destroy(&pool->lock);
    wipe_text(pool->options.host);
    wipe_text(pool->options.name);
    wipe_text(pool->options.user);
    wipe_text(pool->options.password);
    wipe_text(pool->options.daemon);
    free(pool);
}

/* Lock held. */
static void tell_gauges(const struct db_pool *pool)
{
    metric_set(pool->gauges.open, pool->open);
    metric_set(pool->gauges.busy, pool->busy);
    metric_set(pool->gauges.waiting, pool->waiting);
}

/* Hands a connection, or with NULL a free seat, to the first in the queue. Lock held; false: nobody
 * waits. */
static bool serve_first(struct db_pool *pool, struct db_conn *db)
{
    struct waiter *waiter = pool->first;

    if (!waiter) {
        return false;
    }
    pool->first = waiter->next;
    if (!pool->first) {
        pool->last = &pool->first;
    }
    pool->waiting--;
    waiter->conn = db;
    waiter->served = true;
    pthread_cond_signal(&waiter->ready);
    return true;
}

/* Lock held. */
static void free_seat(struct db_pool *pool)
{
    if (!serve_first(pool, NULL)) {
        pool->open--;
        pool->busy--;
    }
    tell_gauges(pool);
}

static void leave_queue(struct db_pool *pool, struct waiter *waiter)
{
    struct waiter **at = &pool->first;

    while (*at != waiter) {
        at = &(*at)->next;
    }
    *at = waiter->next;
    if (!*at) {
        pool->last = at;
    }
    pool->waiting--;
}

/* Lock held. false: the wait was in vain. '*db' NULL with true: a seat, to open one. */
static bool wait_in_queue(struct db_pool *pool, int64_t wait_ms, struct db_conn **db)
{
    struct waiter waiter = {.ready = PTHREAD_COND_INITIALIZER};
    struct timespec end = cond_limit(wait_ms);

    *pool->last = &waiter;
    pool->last = &waiter.next;
    pool->waiting++;
    tell_gauges(pool);
    while (!waiter.served &&
           pthread_cond_clockwait(&waiter.ready, &pool->lock, CLOCK_MONOTONIC, &end) != ETIMEDOUT) {
    }
    if (!waiter.served) {
        leave_queue(pool, &waiter);
        metric_add(pool->gauges.timeouts, 1);
    }
    tell_gauges(pool);
    pthread_cond_destroy(&waiter.ready);
    *db = waiter.conn;
    return waiter.served;
}

/* Lock held. A connection from the stack, or a seat ('*db' NULL), at once or after a wait. */
static bool take_place(struct db_pool *pool, int64_t wait_ms, struct db_conn **db)
{
    *db = pool->idle;
    if (*db) {
        pool->idle = (*db)->next;
    } else if (pool->open < pool->options.max) {
        pool->open++;
    } else {
        return wait_in_queue(pool, wait_ms, db);
    }
    pool->busy++;
    tell_gauges(pool);
    return true;
}

/* Lock held. While the database is away, one a second may look whether it came back. */
static bool may_open(struct db_pool *pool)
{
    int64_t now = clock_monotonic_ms();

    if (pool->away && now < pool->probe_at_ms) {
        return false;
    }
    if (pool->away) {
        pool->probe_at_ms =
            now + (int64_t)CONNECT_TIMEOUT_S * 1000 + PROBE_MS; /* moved on when it is known */
    }
    return true;
}

static void note_outcome(struct db_pool *pool, bool opened, const char *reason)
{
    pthread_mutex_lock(&pool->lock);
    bool changed = pool->away == opened;
    pool->away = !opened;
    pool->probe_at_ms = clock_monotonic_ms() + PROBE_MS;
    if (!opened) {
        free_seat(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (changed && opened) {
        log_info(NULL, "database is back", log_text("database", pool->options.name));
    } else if (changed) {
        log_warn(NULL, "database is away", log_text("database", pool->options.name),
                 log_text("reason", reason));
    }
}

/* With a seat taken, which is free again when it returns NULL. */
static struct db_conn *open_seat(struct db_pool *pool, char *reason, size_t reason_size)
{
    pthread_mutex_lock(&pool->lock);
    bool may = may_open(pool);
    if (!may) {
        free_seat(pool);
    }
    pthread_mutex_unlock(&pool->lock);
    if (!may) {
        snprintf(reason, reason_size, "away");
        return NULL;
    }
    struct db_conn *db = conn_open(&pool->options, pool->settings, reason, reason_size);
    note_outcome(pool, db, reason);
    if (db) {
        db->pool = pool;
    }
    return db;
}

static void give_back_held(void *user)
{
    struct holding *holding = user;

    db_give_back(&holding->conn);
}

static void hold(struct ctx *ctx, struct db_conn *db)
{
    struct holding *holding = arena_new_struct(ctx->arena, struct holding);

    holding->conn = db;
    db->holding = holding;
    arena_defer(ctx->arena, give_back_held, holding);
}

static int64_t wait_of(const struct ctx *ctx)
{
    int64_t left = ctx_left_ms(ctx);

    return left < LONGEST_WAIT_MS ? left : LONGEST_WAIT_MS;
}

enum status db_take(struct ctx *ctx, struct db_pool *pool, struct db_conn **db)
{
    struct db_conn *taken = NULL;
    char reason[256] = "";

    pthread_mutex_lock(&pool->lock);
    bool placed = take_place(pool, wait_of(ctx), &taken);
    pthread_mutex_unlock(&pool->lock);
    if (!placed) {
        return fail_problem(ctx, PROBLEM_OVERLOADED, "%s", problem_title(PROBLEM_OVERLOADED));
    }
    if (taken && !conn_is_alive(taken)) {
        conn_close(taken);
        taken = NULL;
    }
    if (!taken) {
        taken = open_seat(pool, reason, sizeof(reason));
    }
    if (!taken) {
        return fail_with(ctx, ST_UNAVAILABLE, "", "database %s: %s", pool->options.name, reason);
    }
    hold(ctx, taken);
    *db = taken;
    return ST_OK;
}

/* Half done or broken, a connection is closed: nobody can tell what state it is in. */
static void return_conn(struct db_conn *db)
{
    struct db_pool *pool = db->pool;
    bool usable = !db->broken && PQstatus(db->pg) == CONNECTION_OK &&
                  PQtransactionStatus(db->pg) == PQTRANS_IDLE;

    if (!usable) {
        conn_close(db);
    }
    pthread_mutex_lock(&pool->lock);
    if (!usable) {
        free_seat(pool);
    } else if (!serve_first(pool, db)) {
        db->next = pool->idle;
        pool->idle = db;
        pool->busy--;
    }
    tell_gauges(pool);
    pthread_mutex_unlock(&pool->lock);
}

void db_give_back(struct db_conn **db)
{
    struct db_conn *given = *db;

    *db = NULL;
    if (!given) {
        return;
    }
    if (given->holding) {
        given->holding->conn = NULL;
        given->holding = NULL;
    }
    return_conn(given);
}

/* true also when all connections are at work: a busy database is not away. */
static bool answers(struct ctx *ctx, struct db_pool *pool)
{
    struct db_conn *db = NULL;

    if (db_take(ctx, pool, &db) != ST_OK) {
        return ctx->failure.problem == PROBLEM_OVERLOADED;
    }
    bool answered = conn_command(ctx, db, "is up", "", NULL) == ST_OK;
    db_give_back(&db);
    return answered;
}

bool db_pool_is_up(struct db_pool *pool, int timeout_ms)
{
    struct ctx *ctx = ctx_new_system("db");

    ctx->deadline_ms = clock_monotonic_ms() + timeout_ms;
    bool up = answers(ctx, pool);
    ctx_free(ctx);
    return up;
}
