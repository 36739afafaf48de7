/* The same request, asked again: the same answer. The insert of the claim makes a twin wait until
 * the first has committed or failed, so two never work on one key. */
#include "common/db/idempotency.h"

#include "idempotency_sql.h"

#include <string.h>

static struct db_arg key_arg(const struct ctx *ctx)
{
    return db_text(ctx->idempotency_key);
}

static enum status read_before(struct ctx *ctx, struct db_conn *tx, const char *method,
                               struct idempotency_answer *before)
{
    struct db_rows row;

    TRY(db_one(ctx, tx, &SQL_IDEMPOTENCY_BEFORE,
               DB_ARGS(db_text(ctx->caller.subject), db_text(method), key_arg(ctx),
                       db_text(ctx->request_sha256)),
               NULL, &row));
    if (!db_get_bool(&row, 0, "same")) {
        return fail_problem(ctx, PROBLEM_IDEMPOTENCY_MISMATCH,
                            "This Idempotency-Key was used for another request; take a new one.");
    }
    before->found = true;
    before->status = (int)db_get_int(&row, 0, "status");
    before->bytes = db_get_bytes(ctx, &row, 0, "answer", &before->size);
    return ST_OK;
}

enum status idempotency_claim(struct ctx *ctx, struct db_conn *tx, const char *method,
                              struct idempotency_answer *before)
{
    struct db_rows rows;

    memset(before, 0, sizeof(*before));
    if (!ctx->idempotency_key) {
        return ST_OK;
    }
    enum status st = db_many(ctx, tx, &SQL_IDEMPOTENCY_CLAIM,
                             DB_ARGS(db_text(ctx->caller.subject), db_text(method), key_arg(ctx),
                                     db_text(ctx->request_sha256)),
                             &rows);
    if (st == ST_TIMEOUT) {
        return fail_problem(ctx, PROBLEM_IN_FLIGHT,
                            "The same request is still being worked on; ask again in a moment.");
    }
    TRY(st);
    return rows.count > 0 ? ST_OK : read_before(ctx, tx, method, before);
}

enum status idempotency_keep(struct ctx *ctx, struct db_conn *tx, const char *method, int status,
                             const void *bytes, size_t size)
{
    if (!ctx->idempotency_key) {
        return ST_OK;
    }
    return db_exec(ctx, tx, &SQL_IDEMPOTENCY_KEEP,
                   DB_ARGS(db_text(ctx->caller.subject), db_text(method), key_arg(ctx),
                           db_int(status), db_bytes(bytes, size)),
                   NULL);
}

enum status idempotency_purge(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_IDEMPOTENCY_PURGE);
}

const struct sql *const *idempotency_sql(size_t *count)
{
    *count = ARRAY_LEN(idempotency_statements);
    return idempotency_statements;
}
