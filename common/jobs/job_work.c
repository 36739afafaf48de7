/* A worker: takes what is handed out, runs its handler, and says in the rows how it went. What
 * is handed out together is begun, run and ended together. */
#include "common/base/clock.h"
#include "common/jobs/jobs_internal.h"
#include "common/obs/log.h"
#include "common/obs/span.h"
#include "common/obs/trace.h"

#include <string.h>

enum { LONGEST_PAUSE_MS = 300000, DATABASE_TRIES = 3, DATABASE_PAUSE_MS = 500, ERROR_SIZE = 400 };

/* From the dispatcher of this process, newest last. */
static bool take_own(struct ctx *ctx, struct job_lane *lane, struct job_entry *entry)
{
    int batch = job_batch(lane->kind);

    *entry =
        (struct job_entry){.job_ids = arena_new_array(ctx->arena, const char *, (size_t)batch)};
    pthread_mutex_lock(&lane->lock);
    int taken = lane->local_count < batch ? lane->local_count : batch;
    for (int i = 0; i < taken; i++) {
        entry->job_ids[i] = arena_strdup(ctx->arena, lane->local[i]);
    }
    lane->local_count -= taken;
    memmove(lane->local[0], lane->local[taken], (size_t)lane->local_count * ID_TEXT_SIZE);
    bool emptied = taken && !lane->local_count;
    pthread_mutex_unlock(&lane->lock);
    if (emptied) {
        jobs_wake(lane->jobs); /* there may be more, and room for it */
    }
    entry->count = (size_t)taken;
    return taken;
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
    return entry->count;
}

static int64_t pause_after(const struct job_kind *kind, int attempt)
{
    int64_t pause = kind->first_pause_ms;

    for (int i = 1; i < attempt && pause < LONGEST_PAUSE_MS; i++) {
        pause *= 2;
    }
    return pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
}

const char *job_reason(const struct ctx *ctx)
{
    const struct failure *f = &ctx->failure;

    return f->detail ? f->detail : f->message ? f->message : problem_title(f->problem);
}

static const char *error_text(struct ctx *ctx, const struct job_outcome *outcome)
{
    return arena_printf(ctx->arena, "%s: %.*s", status_name(outcome->status), ERROR_SIZE,
                        outcome->error ? outcome->error : "");
}

/* ---- saying how it went ---- */

static bool is_over(const struct job_kind *kind, const struct job *job, enum status st)
{
    return st == ST_INVALID || st == ST_UNIMPLEMENTED || job->attempt >= kind->max_attempts;
}

/* Nothing went wrong: it comes again. */
static bool only_waits(const struct job_kind *kind, const struct job *job, enum status st)
{
    return st == ST_RETRY && !is_over(kind, job, st);
}

static int64_t longer(int64_t one_ms, int64_t other_ms)
{
    return one_ms > other_ms ? one_ms : other_ms;
}

/* Each job belongs to one of the three. */
struct ends {
    struct job_ends done, later, dead;
};

static struct job_ends new_ends(struct ctx *ctx, size_t most)
{
    return (struct job_ends){
        .ids = arena_new_array(ctx->arena, const char *, most),
        .attempts = arena_new_array(ctx->arena, int64_t, most),
        .pauses_ms = arena_new_array(ctx->arena, int64_t, most),
        .errors = arena_new_array(ctx->arena, const char *, most),
    };
}

static void add_end(struct job_ends *ends, const struct job *job, int64_t pause_ms,
                    const char *error)
{
    ends->ids[ends->count] = job->id;
    ends->attempts[ends->count] = job->attempt;
    ends->pauses_ms[ends->count] = pause_ms;
    ends->errors[ends->count++] = error;
}

static struct ends sort_ends(struct ctx *ctx, const struct job_kind *kind, const struct job *jobs,
                             const struct job_outcome *outcomes, size_t count)
{
    struct ends ends = {new_ends(ctx, count), new_ends(ctx, count), new_ends(ctx, count)};

    for (size_t i = 0; i < count; i++) {
        enum status st = outcomes[i].status;
        struct job_ends *of = st == ST_OK                   ? &ends.done
                              : is_over(kind, &jobs[i], st) ? &ends.dead
                                                            : &ends.later;

        add_end(of, &jobs[i], longer(pause_after(kind, jobs[i].attempt), outcomes[i].pause_ms),
                st == ST_OK ? "" : error_text(ctx, &outcomes[i]));
    }
    return ends;
}

static enum status record(struct ctx *ctx, struct job_lane *lane, const struct ends *ends)
{
    struct db_conn *db;
    int64_t *ages_ms;
    size_t count = 0;

    TRY(db_take(ctx, lane->jobs->pool, &db));
    if (ends->done.count) {
        TRY(job_store_finish(ctx, db, &ends->done, &ages_ms, &count));
    }
    for (size_t i = 0; i < count; i++) {
        metric_observe(lane->age, (double)ages_ms[i] / 1000, NULL);
    }
    if (ends->later.count) {
        TRY(job_store_later(ctx, db, &ends->later));
    }
    return ends->dead.count ? job_store_bury(ctx, db, &ends->dead) : ST_OK;
}

/* The work is done: not saying so would do it again, so a database that blinks is asked once
 * more. */
static void record_stubbornly(struct job_lane *lane, const struct ends *ends)
{
    for (int i = 0; i < DATABASE_TRIES; i++) {
        AUTO(ctx) struct ctx *ctx = job_ctx_new(lane->jobs);

        if (record(ctx, lane, ends) == ST_OK) {
            return;
        }
        log_failure(ctx, "jobs: record an outcome");
        clock_pause_ms(DATABASE_PAUSE_MS);
    }
}

static void tell_failure(struct job_lane *lane, const struct job *job,
                         const struct job_outcome *outcome)
{
    AUTO(ctx) struct ctx *ctx = job_ctx_new(lane->jobs); /* of whoever enqueued it */
    bool final = is_over(lane->kind, job, outcome->status);
    const char *error = error_text(ctx, outcome);

    trace_begin(ctx, job->traceparent);
    trace_correlation(ctx, job->correlation_id);
    metric_add(lane->failed, 1);
    metric_add(lane->dead, final);
    if (final) {
        log_error(ctx, "job is dead", log_text("kind", job->kind), log_text("job", job->id),
                  log_num("attempt", job->attempt), log_text("error", error));
    } else {
        log_warn(ctx, "job failed", log_text("kind", job->kind), log_text("job", job->id),
                 log_num("attempt", job->attempt), log_text("error", error));
    }
}

/* ---- running ---- */

static void run_one(struct ctx *ctx, struct job_lane *lane, const struct job *job,
                    const struct span *span, struct job_outcome *outcome)
{
    char below[TRACEPARENT_SIZE];

    trace_join(ctx, span_traceparent(span, job->traceparent, below));
    trace_correlation(ctx, job->correlation_id);
    outcome->status = lane->kind->run(ctx, lane->jobs->service, job);
    outcome->error = outcome->status == ST_OK ? NULL : job_reason(ctx);
}

/* Those that run together have the same times, each below whoever enqueued it. */
static struct span *begin_spans(struct ctx *ctx, const struct job *jobs, size_t count)
{
    struct span *spans = arena_new_array(ctx->arena, struct span, count);

    for (size_t i = 0; i < count; i++) {
        span_begin_below(&spans[i], jobs[i].traceparent);
    }
    return spans;
}

static void end_spans(const struct ctx *ctx, struct span *spans, const struct job *jobs,
                      size_t count, const struct job_outcome *outcomes)
{
    for (size_t i = 0; i < count; i++) {
        bool waits = outcomes[i].status == ST_RETRY; /* its turn will come */

        span_failed(&spans[i], ctx, waits ? ST_OK : outcomes[i].status);
        span_end(&spans[i], SPAN_CONSUMER, jobs[i].kind,
                 log_text("job.status", status_name(outcomes[i].status)),
                 log_num("job.attempt", jobs[i].attempt));
    }
}

static void run(struct ctx *ctx, struct job_lane *lane, const struct job *jobs, size_t count,
                struct job_outcome *outcomes)
{
    struct span *spans = begin_spans(ctx, jobs, count);
    int64_t started = clock_monotonic_us();

    ctx->deadline_ms = clock_monotonic_ms() + lane->kind->timeout_ms;
    for (size_t i = 0; i < count; i++) {
        outcomes[i].status = ST_UNAVAILABLE;
    }
    if (lane->kind->run_many) {
        lane->kind->run_many(ctx, lane->jobs->service, jobs, count, outcomes);
    } else {
        run_one(ctx, lane, jobs, &spans[0], outcomes);
    }
    end_spans(ctx, spans, jobs, count, outcomes);
    for (size_t i = 0; i < count; i++) {
        metric_observe(lane->ran, (double)(clock_monotonic_us() - started) / 1e6,
                       ctx->sampled ? ctx->trace_id : NULL);
    }
}

/* Begun more often than it may be, and never recorded: they are dead, and go behind the others.
 * Tells how many are not. */
static size_t set_dead_aside(const struct job_kind *kind, struct job *jobs, size_t count,
                             struct job_outcome *outcomes)
{
    size_t good = 0;

    for (size_t i = 0; i < count; i++) {
        if (jobs[i].attempt <= kind->max_attempts) {
            struct job job = jobs[i];

            jobs[i] = jobs[good];
            jobs[good++] = job;
        }
    }
    for (size_t i = good; i < count; i++) {
        outcomes[i].status = ST_UNAVAILABLE;
        outcomes[i].error = "no attempt came to an end: its worker died each time";
    }
    return good;
}

/* A connection of its own for the moment: none is held while the handler runs. */
static enum status begin_once(struct ctx *ctx, struct job_lane *lane, const struct job_entry *entry,
                              struct job **jobs, size_t *count)
{
    struct db_conn *db;

    TRY(db_take(ctx, lane->jobs->pool, &db));
    enum status st = job_store_begin(ctx, db, entry->job_ids, entry->count,
                                     lane->kind->timeout_ms + JOB_GRACE_MS, jobs, count);
    db_give_back(&db);
    return st;
}

/* A job that could not begin waits for its lease: a database that blinks is asked once more
 * first. */
static enum status begin(struct ctx *ctx, struct job_lane *lane, const struct job_entry *entry,
                         struct job **jobs, size_t *count)
{
    enum status st = begin_once(ctx, lane, entry, jobs, count);

    for (int i = 1; i < DATABASE_TRIES && st == ST_UNAVAILABLE; i++) {
        clock_pause_ms(DATABASE_PAUSE_MS);
        st = begin_once(ctx, lane, entry, jobs, count);
    }
    return st;
}

static void run_all(struct ctx *ctx, struct job_lane *lane, struct job *jobs, size_t count)
{
    struct job_outcome *outcomes = arena_new_array(ctx->arena, struct job_outcome, count);
    size_t good = set_dead_aside(lane->kind, jobs, count, outcomes);

    if (good) {
        run(ctx, lane, jobs, good, outcomes);
    }
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i].status != ST_OK && !only_waits(lane->kind, &jobs[i], outcomes[i].status)) {
            tell_failure(lane, &jobs[i], &outcomes[i]);
        }
    }
    struct ends ends = sort_ends(ctx, lane->kind, jobs, outcomes, count);
    record_stubbornly(lane, &ends);
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
    struct job *jobs;
    size_t count = 0;

    if (!take_handed(ctx, lane, &entry)) {
        return;
    }
    ctx_forgive(ctx);
    if (begin(ctx, lane, &entry, &jobs, &count) != ST_OK) {
        log_failure(ctx, "jobs: begin"); /* the rows keep their leases and come again */
    }
    if (count) { /* else others have them */
        run_all(ctx, lane, jobs, count);
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
