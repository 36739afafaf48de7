/* The streams in Valkey that hand jobs out: private to this folder. An entry names rows, nothing
 * more: it may be lost, doubled or stale. */
#ifndef COMMON_JOBS_JOB_STREAM_H
#define COMMON_JOBS_JOB_STREAM_H

#include "common/cache/cache.h"

struct job_entry {
    const char *entry_id; /* NULL: handed over within the process, no stream knows of it */
    const char **job_ids;
    size_t count; /* 0: nothing came */
};

/* All fail with ST_UNAVAILABLE while Valkey is away. */
enum status job_stream_length(struct ctx *ctx, struct cache *cache, const char *stream,
                              int *length) MUST_CHECK;
enum status job_stream_put(struct ctx *ctx, struct cache *cache, const char *stream,
                           const char *const *job_ids, size_t count) MUST_CHECK;
/* Waits for one. '*lost': the stream or its group was gone, and is there again, empty. */
enum status job_stream_take(struct ctx *ctx, struct cache *cache, const char *stream, int wait_ms,
                            struct job_entry *entry, bool *lost) MUST_CHECK;
enum status job_stream_settle(struct ctx *ctx, struct cache *cache, const char *stream,
                              const struct job_entry *entry) MUST_CHECK;
/* Takes over what dead workers left pending, and drops it: the lease of its row is over as well. */
enum status job_stream_tidy(struct ctx *ctx, struct cache *cache, const char *stream,
                            int64_t idle_ms) MUST_CHECK;

#endif
