/* PostgreSQL for the stores: named statements in, rows out, SQLSTATE mapped.
 *
 * Statements come from the .sql files (see tools/sql2c.awk); each connection prepares one the first
 * time it is used. Rows live as long as ctx->arena. A connection is taken from the pool as late as
 * possible and goes back with the arena, or with db_give_back(); it is never held across a call to
 * another service. */
#ifndef COMMON_DB_DB_H
#define COMMON_DB_DB_H

#include "common/base/auto.h"
#include "common/base/ctx.h"

#include <stdbool.h>

struct pg_result; /* libpq stays behind this folder */
struct db_conn;
struct db_pool;

enum { DB_MAX_ARGS = 40, DB_MAX_PREPARED = 256 };

enum sql_kind { SQL_EXEC, SQL_ONE, SQL_MANY };

struct sql {
    const char *name;
    enum sql_kind kind;
    const char *text;
};

struct db_options {
    const char *host, *name, *user, *password;
    int port;
    const char *daemon;       /* application_name */
    int max;                  /* connections */
    int statement_timeout_ms; /* 0: 5000 */
    const char *settings;     /* more of the session's: "-c name=value ..."; NULL: none */
};

/* Never fails: the database may be away at start, and come later. */
struct db_pool *db_pool_new(const struct db_options *options);
void db_pool_free(struct db_pool *pool); /* all connections must be back */
/* Whether a connection can be had now; for readiness. Waits at most timeout_ms. */
bool db_pool_is_up(struct db_pool *pool, int timeout_ms);

/* One connection for this unit of work. Waits in order, until ctx's deadline and at most 2 s;
 * ST_UNAVAILABLE at once while the database is away, PROBLEM_OVERLOADED when the wait was too
 * long. */
enum status db_take(struct ctx *ctx, struct db_pool *pool, struct db_conn **db) MUST_CHECK;
/* Before the arena goes. '*db' becomes NULL; NULL in it is fine. */
void db_give_back(struct db_conn **db);

/* What a broken constraint means to the caller: a store hands in its own table. */
struct db_constraint {
    const char *name; /* as in the migration */
    enum problem problem;
    const char *message;
};

struct db_arg {
    enum { DB_NULL, DB_TEXT, DB_INT, DB_BYTES } kind;
    const char *text; /* DB_TEXT, DB_BYTES */
    int64_t number;   /* DB_INT; size of DB_BYTES */
};

struct db_args {
    const struct db_arg *v;
    int count;
};

#define DB_ARGS(...)                          \
    ((struct db_args){                        \
        (const struct db_arg[]){__VA_ARGS__}, \
        (int)(sizeof((const struct db_arg[]){__VA_ARGS__}) / sizeof(struct db_arg))})
#define DB_NO_ARGS ((struct db_args){0})

static inline struct db_arg db_text(const char *text) /* NULL is SQL NULL */
{
    return (struct db_arg){.kind = text ? DB_TEXT : DB_NULL, .text = text};
}

static inline struct db_arg db_int(int64_t number)
{
    return (struct db_arg){.kind = DB_INT, .number = number};
}

static inline struct db_arg db_bool(bool flag)
{
    return (struct db_arg){.kind = DB_TEXT, .text = flag ? "t" : "f"};
}

static inline struct db_arg db_bytes(const void *bytes, size_t size)
{
    return (struct db_arg){.kind = DB_BYTES, .text = bytes, .number = (int64_t)size};
}

/* A SQL array literal of texts, quoted as Postgres wants it; a NULL element is SQL NULL. */
struct db_arg db_text_array(struct arena *arena, const char *const *texts, size_t count);
struct db_arg db_int_array(struct arena *arena, const int64_t *numbers, size_t count);
/* A time as timestamptz; 0 is SQL NULL. */
struct db_arg db_time(struct arena *arena, int64_t wall_ms);

struct db_rows {
    const struct pg_result *result;
    int count;
};

/* For :exec, :one and :many statements. db_one() fails with ST_NOT_FOUND when there is no row.
 * 'constraints' ends with {0}, or is NULL. A connection that broke is ST_UNAVAILABLE and is not
 * used again; so is one in whose transaction a statement no longer fits a schema that was migrated.
 * When ctx's time is over nothing is sent: ST_TIMEOUT. */
enum status db_exec(struct ctx *ctx, struct db_conn *db, const struct sql *sql, struct db_args args,
                    const struct db_constraint *constraints) MUST_CHECK;
enum status db_one(struct ctx *ctx, struct db_conn *db, const struct sql *sql, struct db_args args,
                   const struct db_constraint *constraints, struct db_rows *row) MUST_CHECK;
enum status db_many(struct ctx *ctx, struct db_conn *db, const struct sql *sql, struct db_args args,
                    struct db_rows *rows) MUST_CHECK;

/* For a statement that deletes some of what is too old, with a LIMIT of 100 or more: goes on while
 * so many went, for two seconds at most, so that it fits into the time of any round. ST_RETRY: more
 * may be left, and it is to be called again soon. */
enum status db_purge(struct ctx *ctx, struct db_conn *db, const struct sql *sql) MUST_CHECK;

/* A transaction that rolls itself back on every way out but db_commit():
 *     AUTO(db_tx) struct db_conn *tx = NULL;
 *     TRY(db_begin(ctx, db, &tx));
 *     ...
 *     return db_commit(ctx, &tx); */
enum status db_begin(struct ctx *ctx, struct db_conn *db, struct db_conn **tx) MUST_CHECK;
enum status db_commit(struct ctx *ctx, struct db_conn **tx) MUST_CHECK;
void db_rollback(struct db_conn *tx);
DEFINE_AUTO(db_tx, struct db_conn *, db_rollback)

/* By column name; a name the statement does not select is a bug and aborts. NULL or 0 for SQL
 * NULL. */
const char *db_get_text(const struct db_rows *rows, int row, const char *column);
int64_t db_get_int(const struct db_rows *rows, int row, const char *column);
bool db_get_bool(const struct db_rows *rows, int row, const char *column);
int64_t db_get_time(const struct db_rows *rows, int row, const char *column); /* wall ms; 0: NULL */
const uint8_t *db_get_bytes(struct ctx *ctx, const struct db_rows *rows, int row,
                            const char *column, size_t *size);

/* For the test that prepares every statement against the migrated schema. */
enum status db_prepare(struct ctx *ctx, struct db_conn *db, const struct sql *sql) MUST_CHECK;

#endif
