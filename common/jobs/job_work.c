/* A worker: takes what is handed out, runs its handler, and says in the row how it went. */
#include "common/base/clock.h"
#include "common/jobs/jobs_internal.h"
#include "common/obs/log.h"
#include "common/obs/trace.h"

#include <string.h>

enum { LONGEST_PAUSE_MS = 300000, DATABASE_TRIES = 3, DATABASE_PAUSE_MS = 500, ERROR_SIZE = 400 };

/* From the dispatcher of this process, newest last. */
static bool take_own(struct ctx *ctx, struct job_lane *lane, struct job_entry *entry)
{
    pthread_mutex_lock(&lane->lock);
    bool found = lane->local_count > 0;
    bool emptied = lane->local_count == 1;
    if (found) {
        *entry = (struct job_entry){.job_id = arena_strdup(ctx->arena, lane->local[0])};
        lane->local_count--;
        memmove(lane->local[0], lane->local[1], (size_t)lane->local_count * ID_TEXT_SIZE);
    }
    pthread_mutex_unlock(&lane->lock);
    if (emptied) {
        jobs_wake(lane->jobs); /* there may be more, and room for it */
    }
    return found;
}

static void wait_for_own(struct job_lane *lane)
{
    pthread_mutex_lock(&lane->lock);
    if (!lane->local_count && !atomic_load(&lane->jobs->stopping)) {
        job_cond_wait(&lane->handed, &lane->lock, JOB_STREAM_WAIT_MS);
    }
    pthread_mutex_unlock(&lane->lock);
}

/* What had been handed out through a stream that vanished is handed out again at once. */
static enum status hand_out_again(struct ctx *ctx, struct job_lane *lane)
{
    struct db_conn *db;

    TRY(db_take(ctx, lane->jobs->pool, &db));
    enum status st = job_store_release_kind(ctx, db, lane->kind->name);
    db_give_back(&db);
    jobs_wake(lane->jobs);
    return st;
}

static bool take_handed(struct ctx *ctx, struct job_lane *lane, struct job_entry *entry)
{
    bool lost = false;

    if (take_own(ctx, lane, entry)) {
        return true;
    }
    enum status st =
        job_stream_take(ctx, lane->jobs->cache, lane->stream, JOB_STREAM_WAIT_MS, entry, &lost);
    if (st != ST_OK) {
        wait_for_own(lane);
        return false;
    }
    if (lost && hand_out_again(ctx, lane) != ST_OK) {
        log_failure(ctx, "jobs: hand out again"); /* their leases end, too */
    }
    return entry->job_id != NULL;
}

static int64_t pause_after(const struct job_kind *kind, int attempt)
{
    int64_t pause = kind->first_pause_ms;

    for (int i = 1; i < attempt && pause < LONGEST_PAUSE_MS; i++) {
        pause *= 2;
    }
    return pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
}

/* For the row: what an operator wants to read first. */
static const char *error_text(struct ctx *ctx, enum status st)
{
    const struct failure *f = &ctx->failure;

    return arena_printf(ctx->arena, "%s: %.*s", status_name(st), ERROR_SIZE,
                        f->detail    ? f->detail
                        : f->message ? f->message
                                     : problem_title(f->problem));
}

struct outcome {
    enum status status;
    const char *error; /* where it failed */
    bool final;        /* failed for ever */
};

static enum status record(struct ctx *ctx, struct job_lane *lane, const struct job *job,
                          const struct outcome *outcome)
{
    struct db_conn *db;
    int64_t age_ms;

    TRY(db_take(ctx, lane->jobs->pool, &db));
    if (outcome->status == ST_OK) {
        TRY(job_store_finish(ctx, db, job, &age_ms));
        if (age_ms >= 0) {
            metric_observe(lane->age, (double)age_ms / 1000, NULL);
        }
        return ST_OK;
    }
    return outcome->final ? job_store_bury(ctx, db, job, outcome->error)
                          : job_store_later(ctx, db, job, pause_after(lane->kind, job->attempt),
                                            outcome->error);
}

/* The work is done: not saying so would do it again, so a database that blinks is asked once
 * more. */
static void record_stubbornly(struct job_lane *lane, const struct job *job,
                              const struct outcome *outcome)
{
    for (int i = 0; i < DATABASE_TRIES; i++) {
        AUTO(ctx) struct ctx *ctx = job_ctx_new(lane->jobs);

        if (record(ctx, lane, job, outcome) == ST_OK) {
            return;
        }
        log_failure(ctx, "jobs: record an outcome");
        clock_pause_ms(DATABASE_PAUSE_MS);
    }
}

static struct outcome run(struct ctx *ctx, struct job_lane *lane, const struct job *job)
{
    const struct job_kind *kind = lane->kind;
    int64_t started = clock_monotonic_us();
    struct outcome outcome = {.status = ST_UNAVAILABLE, .final = true};

    if (job->attempt > kind->max_attempts) { /* begun so often, and never recorded */
        outcome.error = "no attempt came to an end: its worker died each time";
        return outcome;
    }
    ctx->deadline_ms = clock_monotonic_ms() + kind->timeout_ms;
    outcome.status = kind->run(ctx, lane->jobs->service, job);
    metric_observe(lane->ran, (double)(clock_monotonic_us() - started) / 1e6,
                   ctx->sampled ? ctx->trace_id : NULL);
    if (outcome.status == ST_OK) {
        return outcome;
    }
    outcome.error = error_text(ctx, outcome.status);
    outcome.final = outcome.status == ST_INVALID || outcome.status == ST_UNIMPLEMENTED ||
                    job->attempt == kind->max_attempts;
    return outcome;
}

static void tell_failure(struct ctx *ctx, struct job_lane *lane, const struct job *job,
                         const struct outcome *outcome)
{
    metric_add(lane->failed, 1);
    metric_add(lane->dead, outcome->final);
    if (outcome->final) {
        log_error(ctx, "job is dead", log_text("kind", job->kind), log_text("job", job->id),
                  log_num("attempt", job->attempt), log_text("error", outcome->error));
    } else {
        log_warn(ctx, "job failed", log_text("kind", job->kind), log_text("job", job->id),
                 log_num("attempt", job->attempt), log_text("error", outcome->error));
    }
}

/* A connection of its own for the moment: none is held while the handler runs. */
static enum status begin_once(struct ctx *ctx, struct job_lane *lane, const char *id,
                              struct job_row *row)
{
    struct db_conn *db;

    TRY(db_take(ctx, lane->jobs->pool, &db));
    enum status st = job_store_begin(ctx, db, id, lane->kind->timeout_ms + JOB_GRACE_MS, row);
    db_give_back(&db);
    return st;
}

/* A job that could not begin waits for its lease: a database that blinks is asked once more
 * first. */
static enum status begin(struct ctx *ctx, struct job_lane *lane, const char *id,
                         struct job_row *row)
{
    enum status st = begin_once(ctx, lane, id, row);

    for (int i = 1; i < DATABASE_TRIES && st == ST_UNAVAILABLE; i++) {
        clock_pause_ms(DATABASE_PAUSE_MS);
        st = begin_once(ctx, lane, id, row);
    }
    return st;
}

static void run_row(struct ctx *ctx, struct job_lane *lane, const struct job_row *row)
{
    trace_begin(ctx, row->traceparent);
    trace_correlation(ctx, row->correlation_id);
    struct outcome outcome = run(ctx, lane, &row->job);
    if (outcome.status != ST_OK) {
        tell_failure(ctx, lane, &row->job, &outcome);
    }
    record_stubbornly(lane, &row->job, &outcome);
}

static void settle(struct job_lane *lane, const struct job_entry *entry)
{
    AUTO(ctx) struct ctx *ctx = job_ctx_new(lane->jobs);

    if (job_stream_settle(ctx, lane->jobs->cache, lane->stream, entry) == ST_INTERNAL) {
        log_failure(ctx, "jobs: settle an entry"); /* else: tidied up later */
    }
}

static void work_once(struct job_lane *lane)
{
    AUTO(ctx) struct ctx *ctx = job_ctx_new(lane->jobs);
    struct job_entry entry;
    struct job_row row;

    if (!take_handed(ctx, lane, &entry)) {
        return;
    }
    ctx_forgive(ctx);
    enum status st = begin(ctx, lane, entry.job_id, &row);
    if (st == ST_OK) {
        run_row(ctx, lane, &row);
    } else if (st != ST_NOT_FOUND) { /* the row keeps its lease and comes again */
        log_failure(ctx, "jobs: begin");
    }
    settle(lane, &entry);
}

void *job_worker_main(void *lane)
{
    struct job_lane *mine = lane;

    while (!atomic_load(&mine->jobs->stopping)) {
        work_once(mine);
    }
    return NULL;
}
