/* The dispatcher: hands due rows out, to the stream or, with Valkey away, to the workers of this
 * process; and what is to be done from time to time. Replicas each have one and share the rows by
 * SKIP LOCKED. */
#include "common/jobs/jobs_internal.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/log.h"

#include <string.h>

/* So many entries of a kind are in its stream at most: few enough that none waits longer than its
 * lease. */
enum { STREAM_ROOM = 128, SHORT_PAUSE_MS = 20, LONG_PAUSE_MS = 1000 };

static struct job_lane *lane_of(struct jobs *jobs, const char *kind)
{
    for (int i = 0; i < jobs->lane_count; i++) {
        if (strcmp(jobs->lanes[i].kind->name, kind) == 0) {
            return &jobs->lanes[i];
        }
    }
    return NULL; /* of a newer version, or an older: its row waits for a replica that knows it */
}

static bool hand_to_own(struct job_lane *lane, const char *const *ids, size_t count)
{
    pthread_mutex_lock(&lane->lock);
    bool room = (size_t)lane->local_count + count <= JOB_LOCAL_ROOM;
    for (size_t i = 0; room && i < count; i++) {
        text_copy(lane->local[lane->local_count++], ID_TEXT_SIZE, ids[i]);
        pthread_cond_signal(&lane->handed);
    }
    pthread_mutex_unlock(&lane->lock);
    return room;
}

/* How many more jobs may be handed out now. */
static int room_of(struct ctx *ctx, struct job_lane *lane)
{
    int length;

    if (job_stream_length(ctx, lane->jobs->cache, lane->stream, &length) == ST_OK) {
        return length < STREAM_ROOM ? (STREAM_ROOM - length) * job_batch(lane->kind) : 0;
    }
    ctx_forgive(ctx);
    pthread_mutex_lock(&lane->lock);
    int room = job_local_room(lane->kind) - lane->local_count;
    pthread_mutex_unlock(&lane->lock);
    return room > 0 ? room : 0; /* more were handed over when Valkey went in between */
}

/* What is in the streams of a Valkey that has just gone away is out of reach: those rows are due
 * again at once, not when their leases end. */
static enum status look_after_valkey(struct ctx *ctx, struct db_conn *db, struct jobs *jobs)
{
    bool up = cache_is_up(jobs->cache);

    for (int i = 0; !up && jobs->valkey_was_up && i < jobs->lane_count; i++) {
        TRY(job_store_release_kind(ctx, db, jobs->lanes[i].kind->name));
    }
    jobs->valkey_was_up = up;
    return ST_OK;
}

static enum status hand_out(struct ctx *ctx, struct db_conn *db, struct job_lane *lane,
                            const char *const *ids, size_t count)
{
    if (job_stream_put(ctx, lane->jobs->cache, lane->stream, ids, count) == ST_OK) {
        return ST_OK;
    }
    ctx_forgive(ctx);
    return hand_to_own(lane, ids, count) ? ST_OK : job_store_release(ctx, db, ids, count);
}

static enum status dispatch_lane(struct ctx *ctx, struct db_conn *db, struct job_lane *lane,
                                 bool *more)
{
    const char *const *ids;
    size_t count, batch = (size_t)job_batch(lane->kind);
    int room = room_of(ctx, lane);

    *more = *more || room == 0;
    if (room == 0) {
        return ST_OK;
    }
    TRY(job_store_claim(ctx, db, lane->kind->name, room, &ids, &count));
    for (size_t i = 0; i < count; i += batch) {
        TRY(hand_out(ctx, db, lane, ids + i, count - i < batch ? count - i : batch));
    }
    *more = *more || count == (size_t)room;
    return ST_OK;
}

static enum status dispatch(struct ctx *ctx, struct jobs *jobs, bool *more)
{
    const char *const *kinds;
    size_t count;
    struct db_conn *db;
    enum status st = ST_OK;

    TRY(db_take(ctx, jobs->pool, &db));
    TRY(look_after_valkey(ctx, db, jobs));
    TRY(job_store_due(ctx, db, &kinds, &count));
    for (size_t i = 0; st == ST_OK && i < count; i++) {
        struct job_lane *lane = lane_of(jobs, kinds[i]);

        if (lane) {
            st = dispatch_lane(ctx, db, lane, more);
        }
    }
    return st;
}

static enum status show_depth(struct ctx *ctx, struct jobs *jobs)
{
    const struct job_depth *depths;
    size_t count;
    struct db_conn *db;

    TRY(db_take(ctx, jobs->pool, &db));
    TRY(job_store_depth(ctx, db, &depths, &count));
    for (int i = 0; i < jobs->lane_count; i++) {
        struct job_lane *lane = &jobs->lanes[i];
        struct job_depth now = {0};

        for (size_t j = 0; j < count; j++) {
            now = strcmp(depths[j].kind, lane->kind->name) == 0 ? depths[j] : now;
        }
        metric_set(lane->depth, now.depth);
        metric_set(lane->oldest, now.oldest_s);
    }
    return ST_OK;
}

static enum status tidy_streams(struct ctx *ctx, struct jobs *jobs)
{
    for (int i = 0; i < jobs->lane_count; i++) {
        struct job_lane *lane = &jobs->lanes[i];

        TRY(job_stream_tidy(ctx, jobs->cache, lane->stream, lane->kind->timeout_ms + JOB_GRACE_MS));
    }
    return ST_OK;
}

static enum status prune(struct ctx *ctx, struct jobs *jobs)
{
    struct db_conn *db;

    TRY(db_take(ctx, jobs->pool, &db));
    return job_store_prune(ctx, db);
}

static const struct chore {
    enum status (*run)(struct ctx *ctx, struct jobs *jobs);
    int64_t every_ms;
} chores[] = {
    {show_depth,   2000 },
    {tidy_streams, 10000},
    {prune,        60000}, /* often: a round keeps jobs waiting, two seconds at most */
};

/* What fails here is tried again at its next turn; database and Valkey tell of themselves. */
static void do_chores(struct jobs *jobs, int64_t due_ms[])
{
    for (size_t i = 0; i < ARRAY_LEN(chores); i++) {
        int64_t now = clock_monotonic_ms();

        if (now >= due_ms[i]) {
            AUTO(ctx) struct ctx *ctx = job_ctx_new(jobs);

            due_ms[i] = now + chores[i].every_ms;
            if (chores[i].run(ctx, jobs) == ST_INTERNAL) {
                log_failure(ctx, "jobs: chore");
            }
        }
    }
}

static bool dispatch_once(struct jobs *jobs)
{
    AUTO(ctx) struct ctx *ctx = job_ctx_new(jobs);
    bool more = false;

    if (dispatch(ctx, jobs, &more) == ST_INTERNAL) {
        log_failure(ctx, "jobs: dispatch");
    }
    return more;
}

static void wait_for_wake(struct jobs *jobs, int timeout_ms)
{
    pthread_mutex_lock(&jobs->lock);
    if (!jobs->woken) {
        job_cond_wait(&jobs->wake, &jobs->lock, timeout_ms);
    }
    jobs->woken = false;
    pthread_mutex_unlock(&jobs->lock);
}

void *job_dispatcher_main(void *argument)
{
    struct jobs *jobs = argument;
    int64_t due_ms[ARRAY_LEN(chores)] = {0};

    while (!atomic_load(&jobs->stopping)) {
        bool more = dispatch_once(jobs);

        do_chores(jobs, due_ms);
        wait_for_wake(jobs, more ? SHORT_PAUSE_MS : LONG_PAUSE_MS);
    }
    return NULL;
}
