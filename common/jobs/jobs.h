/* Background jobs: a row in the transaction that wants the work, a stream in Valkey that hands it
 * out.
 *
 * The row (jobs.jobs, migration of each daemon from common/jobs/jobs_schema.sql) is the promise and
 * the lock; the stream `<prefix>:jobs:<kind>` only wakes one of the replicas' workers. What
 * FLUSHALL or an eviction takes from the stream is put there again when the row's lease ends, and
 * with Valkey away the dispatcher hands due rows to the workers of its own process. A job runs at
 * least once: its handler makes the effect happen once. Jobs of a kind may overtake each other. */
#ifndef COMMON_JOBS_JOBS_H
#define COMMON_JOBS_JOBS_H

#include "common/cache/cache.h"
#include "common/db/db.h"

struct jobs;

/* What a handler gets; lives as long as its ctx, which carries the trace and correlation id of
 * whoever enqueued, and a deadline. */
struct job {
    const char *id, *kind, *payload;
    int attempt; /* from 1 */
    const char *traceparent, *correlation_id;
};

/* How one job of many went. */
struct job_outcome {
    enum status status; /* as run() returns it; ST_UNAVAILABLE until it is said */
    const char *error;  /* for the row and the log, where it failed; in ctx's arena, or NULL */
    int64_t pause_ms;   /* later, and not sooner than that; 0: as the kind says */
};

/* What an operator wants to read first of a ctx that failed: for job_outcome.error. */
const char *job_reason(const struct ctx *ctx);

/* One line of a daemon's jobs.c. */
struct job_kind {
    const char *name; /* "push.send" */
    int concurrency;  /* threads of each replica */
    int max_attempts; /* then it is dead */
    int timeout_ms;   /* the deadline of an attempt; a worker that died is replaced 5 s after it */
    int first_pause_ms; /* before the second attempt; doubles, to 5 minutes at most */
    /* ST_OK: done. ST_INVALID, ST_UNIMPLEMENTED: never again, dead at once. Else: later, which is a
     * failure, but for ST_RETRY: somebody else is at it, or it must wait. */
    enum status (*run)(struct ctx *ctx, void *service, const struct job *job);
    /* In place of run(): up to 'batch' jobs that wait are handed out together, and are worked on at
     * once, in a ctx that is none of theirs. */
    void (*run_many)(struct ctx *ctx, void *service, const struct job *jobs, size_t count,
                     struct job_outcome *outcomes);
    int batch;
};

struct job_request {
    const char *kind;
    const char *payload;    /* UTF-8; the handler's business */
    const char *dedupe_key; /* NULL: none. A key is used once as long as its row is kept (a day) */
    int64_t run_at_ms;      /* wall clock; 0: now */
};

/* In the caller's transaction. 'id' may be NULL; '*is_new' too: false when the dedupe key was
 * there. Call jobs_wake() after the commit. */
enum status job_enqueue(struct ctx *ctx, struct db_conn *tx, const struct job_request *request,
                        char id[ID_TEXT_SIZE], bool *is_new) MUST_CHECK;

struct jobs_options {
    struct db_pool *pool;
    struct cache_options valkey;
    const char *prefix;           /* "order": the streams are order:jobs:<kind> */
    const char *daemon;           /* who acts: system:<daemon> */
    const struct job_kind *kinds; /* ends with {0} */
    void *service;                /* for the handlers */
};

/* Threads: one dispatcher and those of the kinds. Never fails; Valkey and database may come
 * later. */
struct jobs *jobs_start(const struct jobs_options *options);
/* Waits for the handlers that run (their deadlines bound it); NULL is fine. */
void jobs_stop(struct jobs *jobs);
/* There may be new rows: from any thread, cheap. Without it they are found within a second. */
void jobs_wake(struct jobs *jobs);

#endif
