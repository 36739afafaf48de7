/* The rows of jobs.jobs: private to this folder. */
#ifndef COMMON_JOBS_JOB_STORE_H
#define COMMON_JOBS_JOB_STORE_H

#include "common/jobs/jobs.h"

struct job_depth {
    const char *kind;
    int64_t depth, oldest_s;
};

enum status job_store_due(struct ctx *ctx, struct db_conn *db, const char *const **kinds,
                          size_t *count) MUST_CHECK;
enum status job_store_claim(struct ctx *ctx, struct db_conn *db, const char *kind, int limit,
                            const char *const **ids, size_t *count) MUST_CHECK;
/* Those of them that nobody else has, and that are not over. */
enum status job_store_begin(struct ctx *ctx, struct db_conn *db, const char *const *ids,
                            size_t count, int lease_ms, struct job **jobs,
                            size_t *begun) MUST_CHECK;

/* Several jobs that went the same way. One that has begun another attempt since is left alone. */
struct job_ends {
    const char **ids;
    int64_t *attempts, *pauses_ms; /* pauses and errors: of those that go on later */
    const char **errors;
    size_t count;
};
/* How old they were, of those that were ours to end. */
enum status job_store_finish(struct ctx *ctx, struct db_conn *db, const struct job_ends *done,
                             int64_t **ages_ms, size_t *count) MUST_CHECK;
enum status job_store_later(struct ctx *ctx, struct db_conn *db,
                            const struct job_ends *failed) MUST_CHECK;
enum status job_store_bury(struct ctx *ctx, struct db_conn *db,
                           const struct job_ends *dead) MUST_CHECK;
enum status job_store_release(struct ctx *ctx, struct db_conn *db, const char *const *ids,
                              size_t count) MUST_CHECK;
enum status job_store_release_kind(struct ctx *ctx, struct db_conn *db,
                                   const char *kind) MUST_CHECK;
enum status job_store_depth(struct ctx *ctx, struct db_conn *db, const struct job_depth **depths,
                            size_t *count) MUST_CHECK;
enum status job_store_prune(struct ctx *ctx, struct db_conn *db) MUST_CHECK;

#endif
