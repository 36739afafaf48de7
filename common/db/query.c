/* Named statements on one connection: prepared at their first use, timed, and prepared once more
 * when a migration changed what they select. */
#include "common/db/db_internal.h"

#include "common/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PURGE_MS = 2000, PURGE_MANY = 100 }; /* fewer that went, and the rest can wait */

static const struct metric_def query_seconds = {
    METRIC_HISTOGRAM,
    "db_query_duration_seconds",
    "Time of a statement, by its name.",
    {"statement"},
};

static struct prepared *slot_of(struct db_conn *db, const struct sql *sql)
{
    size_t at = (uintptr_t)sql / sizeof(struct sql) % SLOT_COUNT;

    while (db->prepared[at].sql && db->prepared[at].sql != sql) {
        at = (at + 1) % SLOT_COUNT;
    }
    return &db->prepared[at];
}

/* As one statement; PQsendPrepare() may fail only on a broken connection. */
static enum status prepare_as(struct ctx *ctx, struct db_conn *db, const struct sql *sql,
                              const char *name)
{
    TRY(conn_in_time(ctx, db, sql->name));
    bool sent = PQsendPrepare(db->pg, name, sql->text, 0, NULL);
    return db_check(ctx, db, sql->name, sent ? conn_answer(ctx, db) : NULL, NULL);
}

static enum status prepare_once(struct ctx *ctx, struct db_conn *db, const struct sql *sql,
                                struct prepared **slot)
{
    char name[64];

    *slot = slot_of(db, sql);
    if ((*slot)->sql) {
        return ST_OK;
    }
    if (db->prepared_count == DB_MAX_PREPARED) {
        fprintf(stderr, "more statements than DB_MAX_PREPARED: %s\n", sql->name);
        abort();
    }
    snprintf(name, sizeof(name), "%.56s.%d", sql->name, (int)(*slot - db->prepared));
    TRY(prepare_as(ctx, db, sql, name));
    **slot = (struct prepared){
        .sql = sql,
        .name = strdup(name),
        .duration = METRIC_SERIES(metric_register(&query_seconds), sql->name),
    };
    db->prepared_count++;
    return ST_OK;
}

struct bound {
    const char *values[DB_MAX_ARGS];
    int sizes[DB_MAX_ARGS], binary[DB_MAX_ARGS];
    char numbers[DB_MAX_ARGS][24];
};

static void bind_args(struct db_args args, struct bound *bound)
{
    if (args.count > DB_MAX_ARGS) {
        abort(); /* a statement with more than DB_MAX_ARGS arguments */
    }
    for (int i = 0; i < args.count; i++) {
        const struct db_arg *arg = &args.v[i];

        bound->values[i] = arg->text;
        bound->binary[i] = arg->kind == DB_BYTES;
        bound->sizes[i] = arg->kind == DB_BYTES ? (int)arg->number : 0;
        if (arg->kind == DB_INT) {
            snprintf(bound->numbers[i], sizeof(bound->numbers[i]), "%lld", (long long)arg->number);
            bound->values[i] = bound->numbers[i];
        }
    }
}

static enum status execute(struct ctx *ctx, struct db_conn *db, const struct prepared *statement,
                           struct db_args args, const struct db_constraint *constraints,
                           PGresult **result)
{
    struct bound bound;
    struct span span;

    TRY(conn_in_time(ctx, db, statement->sql->name));
    bind_args(args, &bound);
    span_begin(&span, ctx);
    int64_t began = clock_monotonic_us();
    bool sent = PQsendQueryPrepared(db->pg, statement->name, args.count, bound.values, bound.sizes,
                                    bound.binary, 0);
    *result = sent ? conn_answer(ctx, db) : NULL;
    metric_observe(statement->duration, (double)(clock_monotonic_us() - began) / 1e6,
                   ctx->trace_id);
    enum status st = db_check(ctx, db, statement->sql->name, *result, constraints);
    conn_traced(&span, ctx, statement->sql->name, st);
    return st;
}

/* A migration ran under us: the plan's columns changed, or the session's statements were
 * dropped. */
static bool statement_is_stale(const struct db_conn *db)
{
    return strcmp(db->sqlstate, "0A000") == 0 || strcmp(db->sqlstate, "26000") == 0;
}

/* The transaction is lost, and with it the connection: who tries again gets another. */
static enum status leave_transaction(struct ctx *ctx, struct db_conn *db, const struct sql *sql)
{
    db->broken = true;
    return fail_with(ctx, ST_UNAVAILABLE, "",
                     "statement=%s sqlstate=%s prepared before a migration", sql->name,
                     db->sqlstate);
}

static enum status prepare_again(struct ctx *ctx, struct db_conn *db, const struct sql *sql)
{
    struct prepared *slot = slot_of(db, sql);
    const char *forget = arena_printf(ctx->arena, "DEALLOCATE \"%s\"", slot->name);

    if (conn_command(ctx, db, "deallocate", forget, NULL) != ST_OK && db->broken) {
        return ctx->failure.status;
    }
    ctx_forgive(ctx);
    return prepare_as(ctx, db, sql, slot->name);
}

static enum status run(struct ctx *ctx, struct db_conn *db, const struct sql *sql,
                       struct db_args args, const struct db_constraint *constraints,
                       PGresult **result)
{
    struct prepared *statement;

    if (db->broken) {
        return fail_with(ctx, ST_UNAVAILABLE, "", "statement=%s connection was lost", sql->name);
    }
    TRY(prepare_once(ctx, db, sql, &statement));
    enum status st = execute(ctx, db, statement, args, constraints, result);
    if (st == ST_OK || db->broken || !statement_is_stale(db)) {
        return st;
    }
    if (PQtransactionStatus(db->pg) != PQTRANS_IDLE) {
        return leave_transaction(ctx, db, sql);
    }
    TRY(prepare_again(ctx, db, sql));
    return execute(ctx, db, statement, args, constraints, result);
}

enum status db_exec(struct ctx *ctx, struct db_conn *db, const struct sql *sql, struct db_args args,
                    const struct db_constraint *constraints)
{
    PGresult *ignored;

    return run(ctx, db, sql, args, constraints, &ignored);
}

enum status db_purge(struct ctx *ctx, struct db_conn *db, const struct sql *sql)
{
    int64_t until = clock_monotonic_ms() + PURGE_MS;
    PGresult *gone;

    do {
        TRY(run(ctx, db, sql, DB_NO_ARGS, NULL, &gone));
        if (strtol(PQcmdTuples(gone), NULL, 10) < PURGE_MANY) {
            return ST_OK;
        }
    } while (clock_monotonic_ms() < until);
    return fail_with(ctx, ST_RETRY, "", "statement=%s more is left", sql->name);
}

static struct db_rows rows_of(const PGresult *result)
{
    return (struct db_rows){.result = result, .count = PQntuples(result)};
}

enum status db_one(struct ctx *ctx, struct db_conn *db, const struct sql *sql, struct db_args args,
                   const struct db_constraint *constraints, struct db_rows *row)
{
    PGresult *found;

    TRY(run(ctx, db, sql, args, constraints, &found));
    if (PQntuples(found) == 0) {
        return fail_with(ctx, ST_NOT_FOUND, "", "statement=%s no row", sql->name);
    }
    *row = rows_of(found);
    return ST_OK;
}

enum status db_many(struct ctx *ctx, struct db_conn *db, const struct sql *sql, struct db_args args,
                    struct db_rows *rows)
{
    PGresult *found;

    TRY(run(ctx, db, sql, args, NULL, &found));
    *rows = rows_of(found);
    return ST_OK;
}

enum status db_prepare(struct ctx *ctx, struct db_conn *db, const struct sql *sql)
{
    struct prepared *ignored;

    return prepare_once(ctx, db, sql, &ignored);
}
