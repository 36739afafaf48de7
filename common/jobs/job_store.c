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

enum status job_store_begin(struct ctx *ctx, struct db_conn *db, const char *id, int lease_ms,
                            struct job_row *row)
{
    struct db_rows found;

    TRY(db_one(ctx, db, &SQL_JOB_BEGIN, DB_ARGS(db_text(id), db_int(lease_ms)), NULL, &found));
    *row = (struct job_row){
        .job = {.id = arena_strdup(ctx->arena, id),
                .kind = text_of(ctx, &found, 0, "kind"),
                .payload = text_of(ctx, &found, 0, "payload"),
                .attempt = (int)db_get_int(&found, 0, "attempts")},
        .traceparent = text_of(ctx, &found, 0, "traceparent"),
        .correlation_id = text_of(ctx, &found, 0, "correlation_id"),
    };
    return ST_OK;
}

enum status job_store_finish(struct ctx *ctx, struct db_conn *db, const struct job *job,
                             int64_t *age_ms)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_JOB_FINISH, DB_ARGS(db_text(job->id), db_int(job->attempt)), &rows));
    *age_ms = rows.count ? db_get_int(&rows, 0, "age_ms") : -1;
    return ST_OK;
}

enum status job_store_later(struct ctx *ctx, struct db_conn *db, const struct job *job,
                            int64_t pause_ms, const char *error)
{
    return db_exec(
        ctx, db, &SQL_JOB_LATER,
        DB_ARGS(db_text(job->id), db_int(job->attempt), db_int(pause_ms), db_text(error)), NULL);
}

enum status job_store_bury(struct ctx *ctx, struct db_conn *db, const struct job *job,
                           const char *error)
{
    return db_exec(ctx, db, &SQL_JOB_BURY,
                   DB_ARGS(db_text(job->id), db_int(job->attempt), db_text(error)), NULL);
}

enum status job_store_release(struct ctx *ctx, struct db_conn *db, const char *id)
{
    return db_exec(ctx, db, &SQL_JOB_RELEASE, DB_ARGS(db_text(id)), NULL);
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
    return db_exec(ctx, db, &SQL_JOB_PRUNE, DB_NO_ARGS, NULL);
}
