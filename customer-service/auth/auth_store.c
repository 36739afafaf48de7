/* Passwords, sessions and refresh tokens in PostgreSQL: one function per statement, no rules. */
#include "customer-service/auth/auth_store.h"

#include "auth_sql.h"
#include "common/base/text.h"
#include "common/token/token.h"

/* A token may still be accepted this long after the session that it names was ended. */
enum { DENY_S = TOKEN_LIFE_S + TOKEN_LEEWAY_S };

enum status auth_store_add_password(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                    const char *hash, bool once)
{
    return db_exec(ctx, tx, once ? &SQL_AUTH_PASSWORD_INSERT_ONCE : &SQL_AUTH_PASSWORD_INSERT,
                   DB_ARGS(db_text(id.text), db_text(hash)), NULL);
}

enum status auth_store_password(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                const char **hash)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_AUTH_PASSWORD, DB_ARGS(db_text(id.text)), NULL, &row));
    *hash = arena_strdup(ctx->arena, db_get_text(&row, 0, "hash"));
    return ST_OK;
}

enum status auth_store_change_password(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                       const char *old_hash, const char *new_hash)
{
    struct db_rows rows;

    TRY(db_many(ctx, tx, &SQL_AUTH_PASSWORD_CHANGE,
                DB_ARGS(db_text(id.text), db_text(old_hash), db_text(new_hash)), &rows));
    return rows.count ? ST_OK
                      : fail_with(ctx, ST_CONFLICT, "The password was changed meanwhile.",
                                  "customer=%s", id.text);
}

enum status auth_store_add_session(struct ctx *ctx, struct db_conn *tx, const char *hash,
                                   struct caller *who)
{
    struct db_rows rows;

    TRY(db_many(ctx, tx, &SQL_AUTH_SESSION_INSERT,
                DB_ARGS(db_text(who->session), db_text(who->subject), db_text(who->device),
                        db_text(who->methods), db_text(hash), db_int(SESSION_LIFE_S)),
                &rows));
    if (!rows.count) {
        return fail_with(ctx, ST_CONFLICT, "The password was changed meanwhile.", "customer=%s",
                         who->subject);
    }
    who->signed_in_at = db_get_time(&rows, 0, "signed_in_at") / 1000;
    return ST_OK;
}

enum status auth_store_add_token(struct ctx *ctx, struct db_conn *tx,
                                 const uint8_t digest[SHA256_SIZE], const char *session,
                                 int64_t generation)
{
    return db_exec(ctx, tx, &SQL_AUTH_TOKEN_INSERT,
                   DB_ARGS(db_bytes(digest, SHA256_SIZE), db_text(session), db_int(generation)),
                   NULL);
}

enum status auth_store_find_token(struct ctx *ctx, struct db_conn *tx,
                                  const uint8_t digest[SHA256_SIZE],
                                  struct refresh_token_row *found)
{
    struct db_rows row;

    TRY(db_one(ctx, tx, &SQL_AUTH_TOKEN_FIND, DB_ARGS(db_bytes(digest, SHA256_SIZE)), NULL, &row));
    text_copy(found->session, sizeof(found->session), db_get_text(&row, 0, "id"));
    text_copy(found->customer.text, sizeof(found->customer.text),
              db_get_text(&row, 0, "customer_id"));
    found->device_id = arena_strdup(ctx->arena, db_get_text(&row, 0, "device_id"));
    found->methods = arena_strdup(ctx->arena, db_get_text(&row, 0, "methods"));
    found->signed_in_ms = db_get_time(&row, 0, "signed_in_at");
    found->generation = db_get_int(&row, 0, "generation");
    found->used_generation = db_get_int(&row, 0, "used_generation");
    found->used_ago_s = db_get_int(&row, 0, "used_ago_s");
    found->minute_renewals = db_get_int(&row, 0, "minute_renewals");
    found->minute_left_s = db_get_int(&row, 0, "minute_left_s");
    found->is_over = db_get_bool(&row, 0, "is_over");
    return ST_OK;
}

enum status auth_store_use_session(struct ctx *ctx, struct db_conn *tx, const char *session,
                                   int64_t generation)
{
    return db_exec(ctx, tx, &SQL_AUTH_SESSION_USE,
                   DB_ARGS(db_text(session), db_int(generation), db_int(SESSION_LIFE_S)), NULL);
}

enum status auth_store_sessions(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                const struct auth_session **sessions, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_AUTH_SESSIONS, DB_ARGS(db_text(id.text)), &rows));
    struct auth_session *list =
        arena_new_array(ctx->arena, struct auth_session, (size_t)rows.count);
    for (int i = 0; i < rows.count; i++) {
        text_copy(list[i].id, sizeof(list[i].id), db_get_text(&rows, i, "id"));
        list[i].device_id = arena_strdup(ctx->arena, db_get_text(&rows, i, "device_id"));
        list[i].signed_in_ms = db_get_time(&rows, i, "signed_in_at");
        list[i].last_seen_ms = db_get_time(&rows, i, "last_seen_at");
    }
    *sessions = list;
    *count = (size_t)rows.count;
    return ST_OK;
}

enum status auth_store_hold_session(struct ctx *ctx, struct db_conn *tx, const char *session,
                                    struct customer_id id)
{
    struct db_rows row;

    return db_one(ctx, tx, &SQL_AUTH_SESSION_HOLD, DB_ARGS(db_text(session), db_text(id.text)),
                  NULL, &row);
}

static struct session_ids read_ids(struct ctx *ctx, const struct db_rows *rows)
{
    const char **ids = arena_new_array(ctx->arena, const char *, (size_t)rows->count);

    for (int i = 0; i < rows->count; i++) {
        ids[i] = arena_strdup(ctx->arena, db_get_text(rows, i, "id"));
    }
    return (struct session_ids){ids, (size_t)rows->count};
}

enum status auth_store_end_session(struct ctx *ctx, struct db_conn *tx, const char *session,
                                   struct customer_id id, const char *reason,
                                   struct session_ids *ended)
{
    struct db_rows rows;

    TRY(db_many(ctx, tx, &SQL_AUTH_END_SESSION,
                DB_ARGS(db_text(session), db_text(id.text), db_text(reason), db_int(DENY_S)),
                &rows));
    *ended = read_ids(ctx, &rows);
    return ST_OK;
}

enum status auth_store_end_sessions(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                    const char *but_session, const char *reason,
                                    struct session_ids *ended)
{
    struct db_rows rows;

    TRY(db_many(ctx, tx, &SQL_AUTH_END_SESSIONS,
                DB_ARGS(db_text(id.text), db_text(but_session), db_text(reason), db_int(DENY_S)),
                &rows));
    *ended = read_ids(ctx, &rows);
    return ST_OK;
}

enum status auth_store_denied(struct ctx *ctx, struct db_conn *db,
                              const struct denied_session **denied, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_AUTH_DENIED, DB_NO_ARGS, &rows));
    struct denied_session *list =
        arena_new_array(ctx->arena, struct denied_session, (size_t)rows.count);
    for (int i = 0; i < rows.count; i++) {
        list[i].id = arena_strdup(ctx->arena, db_get_text(&rows, i, "id"));
        list[i].left_s = db_get_int(&rows, i, "left_s");
    }
    *denied = list;
    *count = (size_t)rows.count;
    return ST_OK;
}

enum status auth_store_count_failure(struct ctx *ctx, struct db_conn *db, const char *who,
                                     int window_s, int64_t *failures)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_AUTH_FAILURE_COUNT, DB_ARGS(db_text(who), db_int(window_s)), NULL,
               &row));
    *failures = db_get_int(&row, 0, "failures");
    return ST_OK;
}

enum status auth_store_block(struct ctx *ctx, struct db_conn *db, const char *who, int pause_s)
{
    return db_exec(ctx, db, &SQL_AUTH_FAILURE_BLOCK, DB_ARGS(db_text(who), db_int(pause_s)), NULL);
}

enum status auth_store_block_left(struct ctx *ctx, struct db_conn *db, const char *who,
                                  int64_t *left_s)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_AUTH_FAILURE_LEFT, DB_ARGS(db_text(who)), NULL, &row));
    *left_s = db_get_int(&row, 0, "left_s");
    return ST_OK;
}

enum status auth_store_forget_failures(struct ctx *ctx, struct db_conn *db, const char *who)
{
    return db_exec(ctx, db, &SQL_AUTH_FAILURE_FORGET, DB_ARGS(db_text(who)), NULL);
}

enum status auth_purge_sessions(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_AUTH_PURGE_SESSIONS);
}

enum status auth_purge_denied(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_AUTH_PURGE_DENIED);
}

enum status auth_purge_failures(struct ctx *ctx, struct db_conn *db)
{
    return db_purge(ctx, db, &SQL_AUTH_PURGE_FAILURES);
}

const struct sql *const *auth_store_sql(size_t *count)
{
    *count = ARRAY_LEN(auth_statements);
    return auth_statements;
}
