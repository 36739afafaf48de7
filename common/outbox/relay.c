/* The thread that moves rows on: it looks after the session, its share of the parts, the floor and
 * the wake-ups, and gives each lane its turn. It never waits for a sink. */
#include "common/outbox/outbox.h"

#include "common/base/clock.h"
#include "common/db/listen.h"
#include "common/obs/log.h"
#include "common/outbox/lane.h"
#include "outbox_sql.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
    MAX_SINKS = 6,
    BALANCE_MS = 250,
    FLOOR_MS = 2000,
    COUNT_MS = 5000,
    RECONNECT_MS = 500,
    STILL_MS = 15000,
    FLOOR_TURNS = 30, /* after so many, look everywhere, whatever was assumed */
};

/* See raise_floor(). */
struct floor {
    int64_t id, xid; /* 0: not taken yet */
    int turns;
};

struct outbox_relay {
    struct db_pool *pool; /* of one */
    struct db_listener *listener;
    pthread_t thread;
    atomic_bool stopping, woken;
    _Atomic int64_t turned_at_ms;
    struct lane lanes[MAX_SINKS];
    int lane_count;
    /* of the session: */
    struct ctx *session; /* holds the connection */
    struct db_conn *db;  /* NULL: away */
    struct floor floor;
    bool notify;
    int64_t notified_at_ms, balance_at_ms, floor_at_ms, count_at_ms;
};

static void lose_session(struct outbox_relay *relay)
{
    ctx_free(relay->session);
    relay->session = NULL;
    relay->db = NULL;
    relay->floor = (struct floor){0};
    for (int i = 0; i < relay->lane_count; i++) {
        lane_disown(&relay->lanes[i]);
    }
}

/* The locks live as long as the session, so it is kept; where it broke, another may be at work. One
 * that comes back begins without locks. */
static enum status join(struct ctx *ctx, struct db_conn *db)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_OUTBOX_JOIN, DB_NO_ARGS, NULL, &row));
    return db_get_bool(&row, 0, "joined") ? ST_OK : ST_RETRY;
}

static bool have_session(struct outbox_relay *relay)
{
    if (relay->db) {
        return true;
    }
    relay->session = ctx_new_system("outbox");
    if (db_take(relay->session, relay->pool, &relay->db) == ST_OK &&
        join(relay->session, relay->db) == ST_OK) {
        relay->balance_at_ms = 0;
        return true;
    }
    lose_session(relay);
    return false;
}

static enum status balance(struct ctx *ctx, struct outbox_relay *relay)
{
    struct db_rows row;

    TRY(db_one(ctx, relay->db, &SQL_OUTBOX_MEMBERS, DB_NO_ARGS, NULL, &row));
    int members = (int)db_get_int(&row, 0, "members");
    for (int i = 0; members > 0 && i < relay->lane_count; i++) {
        TRY(lane_balance(ctx, &relay->lanes[i], relay->db, members));
    }
    return ST_OK;
}

static enum status number_of(struct ctx *ctx, struct db_conn *db, const struct sql *sql,
                             const char *column, int64_t *number)
{
    struct db_rows row;

    TRY(db_one(ctx, db, sql, DB_NO_ARGS, NULL, &row));
    *number = db_get_int(&row, 0, column);
    return ST_OK;
}

static enum status raise_lanes(struct ctx *ctx, struct outbox_relay *relay, int64_t id)
{
    for (int i = 0; i < relay->lane_count; i++) {
        TRY(lane_raise_floors(ctx, &relay->lanes[i], relay->db, id));
    }
    return ST_OK;
}

/* While a long reader holds vacuum back, dead rows pile up where fetches begin; the floor steps
 * over them. Ids up to 'id' were drawn by transactions whose xid is below 'xid', since that is
 * taken later, and they have theirs before they draw. When all below 'xid' have ended, nothing new
 * can appear up to 'id'. One step a turn: the pause between the two readings makes room for a
 * writer that had no xid yet. */
static enum status raise_floor(struct ctx *ctx, struct outbox_relay *relay)
{
    struct floor *floor = &relay->floor;
    int64_t oldest;

    if (++floor->turns % FLOOR_TURNS == 0) {
        *floor = (struct floor){0};
        return raise_lanes(ctx, relay, 0);
    }
    if (!floor->id) {
        return number_of(ctx, relay->db, &SQL_OUTBOX_DRAWN, "id", &floor->id);
    }
    if (!floor->xid) {
        return number_of(ctx, relay->db, &SQL_OUTBOX_NEW_XID, "xid", &floor->xid);
    }
    TRY(number_of(ctx, relay->db, &SQL_OUTBOX_OLDEST_XID, "xid", &oldest));
    if (oldest < floor->xid) {
        return ST_OK;
    }
    TRY(raise_lanes(ctx, relay, floor->id));
    floor->xid = 0;
    return number_of(ctx, relay->db, &SQL_OUTBOX_DRAWN, "id", &floor->id);
}

static enum status count_pending(struct ctx *ctx, struct outbox_relay *relay)
{
    for (int i = 0; i < relay->lane_count; i++) {
        TRY(lane_count(ctx, &relay->lanes[i], relay->db));
    }
    return ST_OK;
}

static bool is_due(int64_t *at_ms, int every_ms)
{
    int64_t now = clock_monotonic_ms();

    if (now < *at_ms) {
        return false;
    }
    *at_ms = now + every_ms;
    return true;
}

static enum status do_what_is_due(struct ctx *ctx, struct outbox_relay *relay)
{
    if (is_due(&relay->balance_at_ms, BALANCE_MS)) {
        TRY(balance(ctx, relay));
    }
    if (is_due(&relay->floor_at_ms, FLOOR_MS)) {
        TRY(raise_floor(ctx, relay));
    }
    if (is_due(&relay->count_at_ms, COUNT_MS)) {
        TRY(count_pending(ctx, relay));
    }
    return ST_OK;
}

static bool owns_all(const struct outbox_relay *relay)
{
    for (int i = 0; i < relay->lane_count; i++) {
        if (relay->lanes[i].owned_count < OUTBOX_PARTS) {
            return false;
        }
    }
    return true;
}

/* For the parts that others own; at most one a millisecond. */
static enum status tell_others(struct ctx *ctx, struct outbox_relay *relay)
{
    int64_t now = clock_monotonic_ms();

    if (!relay->notify || now <= relay->notified_at_ms) {
        return ST_OK;
    }
    relay->notify = false;
    relay->notified_at_ms = now;
    return owns_all(relay) ? ST_OK : db_exec(ctx, relay->db, &SQL_OUTBOX_NOTIFY, DB_NO_ARGS, NULL);
}

/* Whether no lane would look at the table now, though one soon will. */
static bool is_pacing(const struct outbox_relay *relay)
{
    int64_t now = clock_monotonic_ms();
    bool pacing = false;

    for (int i = 0; i < relay->lane_count; i++) {
        const struct lane *lane = &relay->lanes[i];
        bool is_held_up = now < lane->wait_until_ms || sender_is_busy(lane->sender);

        if (lane->owned_count == 0 || is_held_up) {
            continue;
        }
        if (now >= lane->pace_until_ms) {
            return false;
        }
        pacing = true;
    }
    return pacing;
}

static void look_soon(struct outbox_relay *relay)
{
    for (int i = 0; i < relay->lane_count; i++) {
        relay->lanes[i].more = true;
    }
}

/* Until the table is looked at, who wakes us again need not: 'woken' stays. It is taken back before
 * the look, so that a row committed after that wakes us once more; and who takes it owes a look. */
static void take_wake_up(struct outbox_relay *relay)
{
    if (!is_pacing(relay) && atomic_exchange(&relay->woken, false)) {
        relay->notify = true;
        look_soon(relay);
    }
}

static enum status turn(struct ctx *ctx, struct outbox_relay *relay)
{
    TRY(do_what_is_due(ctx, relay));
    take_wake_up(relay);
    for (int i = 0; i < relay->lane_count; i++) {
        TRY(lane_turn(ctx, &relay->lanes[i], relay->db));
    }
    return tell_others(ctx, relay);
}

static int time_to_wait(const struct outbox_relay *relay)
{
    int64_t now = clock_monotonic_ms(), due = relay->balance_at_ms;

    if (!relay->db) {
        return RECONNECT_MS;
    }
    for (int i = 0; i < relay->lane_count; i++) {
        int64_t lane = lane_due_ms(&relay->lanes[i]);

        due = lane < due ? lane : due;
    }
    due = relay->notify && relay->notified_at_ms + 1 < due ? relay->notified_at_ms + 1 : due;
    return due > now ? (int)(due - now) : 0;
}

/* A wake-up that was left for later wakes nobody again: it is seen before the wait. */
static void wait_for_work(struct outbox_relay *relay)
{
    if (atomic_load(&relay->woken)) {
        look_soon(relay);
    }
    if (db_listener_hear(relay->listener, time_to_wait(relay)) == DB_HEARD_NOTIFY) {
        look_soon(relay);
    }
}

static void *run(void *user)
{
    struct outbox_relay *relay = user;

    pthread_setname_np(pthread_self(), "outbox");
    while (!atomic_load(&relay->stopping)) {
        atomic_store(&relay->turned_at_ms, clock_monotonic_ms());
        if (have_session(relay)) {
            struct ctx *ctx = ctx_new_system("outbox");

            if (turn(ctx, relay) != ST_OK) {
                log_failure(ctx, "outbox relay");
                lose_session(relay);
            }
            ctx_free(ctx);
        }
        wait_for_work(relay);
    }
    return NULL;
}

static void sender_done(void *user)
{
    struct outbox_relay *relay = user;

    db_listener_wake(relay->listener);
}

struct outbox_relay *outbox_relay_start(const struct db_options *options,
                                        const struct outbox_sink *sinks)
{
    struct outbox_relay *relay = calloc(1, sizeof(*relay));
    struct db_options own = *options;

    if (!relay) {
        abort();
    }
    own.max = 1;
    /* A lost DELETE only sends its rows again: it need not wait for the disk. */
    own.settings = "-c synchronous_commit=off -c enable_seqscan=off";
    relay->pool = db_pool_new(&own);
    relay->listener = db_listener_new(options, "outbox");
    relay->turned_at_ms = clock_monotonic_ms();
    for (; sinks->name; sinks++) {
        if (relay->lane_count == MAX_SINKS) {
            abort();
        }
        lane_init(&relay->lanes[relay->lane_count++], sinks, sender_done, relay);
    }
    if (pthread_create(&relay->thread, NULL, run, relay) != 0) {
        abort();
    }
    return relay;
}

void outbox_relay_stop(struct outbox_relay *relay)
{
    if (!relay) {
        return;
    }
    atomic_store(&relay->stopping, true);
    db_listener_wake(relay->listener);
    pthread_join(relay->thread, NULL);
    for (int i = 0; i < relay->lane_count; i++) {
        lane_finish(&relay->lanes[i]);
    }
    ctx_free(relay->session);
    db_pool_free(relay->pool);
    db_listener_free(relay->listener);
    free(relay);
}

void outbox_wake(struct outbox_relay *relay)
{
    if (!atomic_exchange(&relay->woken, true)) {
        db_listener_wake(relay->listener);
    }
}

bool outbox_relay_is_alive(struct outbox_relay *relay)
{
    return clock_monotonic_ms() - atomic_load(&relay->turned_at_ms) < STILL_MS;
}
