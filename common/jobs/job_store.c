/* One function a statement of jobs.sql. */
#include "common/jobs/job_store.h"

#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/obs/trace.h"
#include "jobs_sql.h"

#include <stdio.h>
#include <string.h>

/* From handing out to beginning: longer, and the row is handed out again. */
enum { HANDED_LEASE_MS = 30000 };

static const char *text_of(struct ctx *ctx, const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_get_text(rows, row, column);

    return text ? arena_strdup(ctx->arena, text) : "";
}

enum status job_enqueue(struct ctx *ctx, struct db_conn *tx, const struct job_request *request,
                        char id[ID_TEXT_SIZE], bool *is_new)
{
    char fresh[ID_TEXT_SIZE], traceparent[TRACEPARENT_SIZE];
    struct db_rows row;

    uuid_v7(fresh);
    trace_traceparent(ctx, traceparent);
    TRY(db_one(ctx, tx, &SQL_JOB_INSERT,
               DB_ARGS(db_text(fresh), db_text(request->kind), db_text(request->payload),
                       db_text(request->dedupe_key), db_time(ctx->arena, request->run_at_ms),
                       db_text(traceparent), db_text(ctx->correlation_id)),
               NULL, &row));
    if (id) {
        text_copy(id, ID_TEXT_SIZE, db_get_text(&row, 0, "id"));
    }
    if (is_new) {
        *is_new = db_get_bool(&row, 0, "is_new");
    }
    return ST_OK;
}

/* One text column of all rows. */
static const char *const *column_of(struct ctx *ctx, const struct db_rows *rows, const char *column)
{
    const char **texts = arena_new_array(ctx->arena, const char *, (size_t)rows->count);

    for (int i = 0; i < rows->count; i++) {
        texts[i] = text_of(ctx, rows, i, column);
    }
    return texts;
}

enum status job_store_due(struct ctx *ctx, struct db_conn *db, const char *const **kinds,
                          size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_JOB_DUE, DB_NO_ARGS, &rows));
    *kinds = column_of(ctx, &rows, "kind");
    *count = (size_t)rows.count;
    return ST_OK;
}

enum status job_store_claim(struct ctx *ctx, struct db_conn *db, const char *kind, int limit,
                            const char *const **ids, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_JOB_CLAIM,
                DB_ARGS(db_text(kind), db_int(limit), db_int(HANDED_LEASE_MS)), &rows));
    *ids = column_of(ctx, &rows, "id");
    *count = (size_t)rows.count;
    return ST_OK;
}

/* NOLINTNEXTLINE(readability-function-size): seven things, none of them part of another */
enum status job_store_begin(struct ctx *ctx, struct db_conn *db, const char *const *ids,
                            size_t count, int lease_ms, struct job **jobs, size_t *begun)
{
    struct db_rows found;

    TRY(db_many(ctx, db, &SQL_JOB_BEGIN,
                DB_ARGS(db_text_array(ctx->arena, ids, count), db_int(lease_ms)), &found));
    *jobs = arena_new_array(ctx->arena, struct job, (size_t)found.count);
    *begun = (size_t)found.count;
    for (int i = 0; i < found.count; i++) { /* the rows live as long as the jobs */
        (*jobs)[i] = (struct job){
            .id = db_get_text(&found, i, "id"),
            .kind = db_get_text(&found, i, "kind"),
            .payload = db_get_text(&found, i, "payload"),
            .attempt = (int)db_get_int(&found, i, "attempts"),
            .traceparent = db_get_text(&found, i, "traceparent"),
            .correlation_id = db_get_text(&found, i, "correlation_id"),
        };
    }
    return ST_OK;
}

enum status job_store_finish(struct ctx *ctx, struct db_conn *db, const struct job_ends *done,
                             int64_t **ages_ms, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_JOB_FINISH,
                DB_ARGS(db_text_array(ctx->arena, done->ids, done->count),
                        db_int_array(ctx->arena, done->attempts, done->count)),
                &rows));
    *ages_ms = arena_new_array(ctx->arena, int64_t, (size_t)rows.count);
    *count = (size_t)rows.count;
    for (int i = 0; i < rows.count; i++) {
        (*ages_ms)[i] = db_get_int(&rows, i, "age_ms");
    }
    return ST_OK;
}

enum status job_store_later(struct ctx *ctx, struct db_conn *db, const struct job_ends *failed)
{
    return db_exec(ctx, db, &SQL_JOB_LATER,
                   DB_ARGS(db_text_array(ctx->arena, failed->ids, failed->count),
                           db_int_array(ctx->arena, failed->attempts, failed->count),
                           db_int_array(ctx->arena, failed->pauses_ms, failed->count),
                           db_text_array(ctx->arena, failed->errors, failed->count)),
                   NULL);
}

enum status job_store_bury(struct ctx *ctx, struct db_conn *db, const struct job_ends *dead)
{
    return db_exec(ctx, db, &SQL_JOB_BURY,
                   DB_ARGS(db_text_array(ctx->arena, dead->ids, dead->count),
                           db_int_array(ctx->arena, dead->attempts, dead->count),
                           db_text_array(ctx->arena, dead->errors, dead->count)),
                   NULL);
}

enum status job_store_release(struct ctx *ctx, struct db_conn *db, const char *const *ids,
                              size_t count)
{
    return db_exec(ctx, db, &SQL_JOB_RELEASE, DB_ARGS(db_text_array(ctx->arena, ids, count)), NULL);
}

enum status job_store_release_kind(struct ctx *ctx, struct db_conn *db, const char *kind)
{
    return db_exec(ctx, db, &SQL_JOB_RELEASE_KIND, DB_ARGS(db_text(kind)), NULL);
}

enum status job_store_depth(struct ctx *ctx, struct db_conn *db, const struct job_depth **depths,
                            size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_JOB_DEPTH, DB_NO_ARGS, &rows));
    struct job_depth *all = arena_new_array(ctx->arena, struct job_depth, (size_t)rows.count);
    for (int i = 0; i < rows.count; i++) {
        all[i].kind = text_of(ctx, &rows, i, "kind");
        all[i].depth = db_get_int(&rows, i, "depth");
        all[i].oldest_s = db_get_int(&rows, i, "oldest_s");
    }
    *depths = all;
    *count = (size_t)rows.count;
    return ST_OK;
}

enum status job_store_prune(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_JOB_PRUNE);
}
