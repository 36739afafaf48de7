/* The rows of jobs.jobs: private to this folder. */
#ifndef COMMON_JOBS_JOB_STORE_H
#define COMMON_JOBS_JOB_STORE_H

#include "common/jobs/jobs.h"

struct job_row {
    struct job job;
    const char *traceparent, *correlation_id;
};

struct job_depth {
    const char *kind;
    int64_t depth, oldest_s;
};

enum status job_store_due(struct ctx *ctx, struct db_conn *db, const char *const **kinds,
                          size_t *count) MUST_CHECK;
enum status job_store_claim(struct ctx *ctx, struct db_conn *db, const char *kind, int limit,
                            const char *const **ids, size_t *count) MUST_CHECK;
/* ST_NOT_FOUND: another has it, or it is over. */
enum status job_store_begin(struct ctx *ctx, struct db_conn *db, const char *id, int lease_ms,
                            struct job_row *row) MUST_CHECK;
/* '*age_ms' is -1 when another attempt has begun since. */
enum status job_store_finish(struct ctx *ctx, struct db_conn *db, const struct job *job,
                             int64_t *age_ms) MUST_CHECK;
enum status job_store_later(struct ctx *ctx, struct db_conn *db, const struct job *job,
                            int64_t pause_ms, const char *error) MUST_CHECK;
enum status job_store_bury(struct ctx *ctx, struct db_conn *db, const struct job *job,
                           const char *error) MUST_CHECK;
enum status job_store_release(struct ctx *ctx, struct db_conn *db, const char *id) MUST_CHECK;
enum status job_store_release_kind(struct ctx *ctx, struct db_conn *db,
                                   const char *kind) MUST_CHECK;
enum status job_store_depth(struct ctx *ctx, struct db_conn *db, const struct job_depth **depths,
                            size_t *count) MUST_CHECK;
enum status job_store_prune(struct ctx *ctx, struct db_conn *db) MUST_CHECK;

#endif
