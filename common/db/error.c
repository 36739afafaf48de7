/* What a failure of Postgres means to the caller: the store's own table of constraints first, then
 * SQLSTATE. No text of Postgres reaches a client; it goes into the detail, for the log. */
#include "common/db/db_internal.h"

#include <stdio.h>
#include <string.h>

/* SQLSTATE, or its two-character class. The first match wins: single codes stand before their
 * class. */
static const struct {
    const char *sqlstate;
    enum problem problem;
} sqlstates[] = {
    {"23505", PROBLEM_ALREADY_EXISTS},
    {"23503", PROBLEM_CONFLICT      },
    {"23P01", PROBLEM_CONFLICT      },
    {"23",    PROBLEM_BAD_REQUEST   },
    {"22P05", PROBLEM_BAD_REQUEST   },
    {"22021", PROBLEM_BAD_REQUEST   }, /* not UTF-8, or NUL: refused above already */
    {"22",    PROBLEM_BAD_REQUEST   },
    {"40001", PROBLEM_BUSY          },
    {"40P01", PROBLEM_BUSY          },
    {"55P03", PROBLEM_BUSY          },
    {"57014", PROBLEM_TIMEOUT       }, /* statement_timeout */
    {"25P03", PROBLEM_UNAVAILABLE   }, /* idle in a transaction for too long */
    {"25006", PROBLEM_UNAVAILABLE   }, /* read-only: a standby, or a disk that is full */
    {"08P01", PROBLEM_INTERNAL      }, /* wrong number of arguments: ours to mend */
    {"08",    PROBLEM_UNAVAILABLE   },
    {"53",    PROBLEM_UNAVAILABLE   },
    {"57",    PROBLEM_UNAVAILABLE   },
    {"58",    PROBLEM_UNAVAILABLE   },
};

/* Classes after which the server has ended the session, or is about to. */
static bool ends_session(const char *sqlstate)
{
    return strncmp(sqlstate, "57P", 3) == 0 || strncmp(sqlstate, "25P03", 5) == 0 ||
           (strncmp(sqlstate, "08", 2) == 0 && strcmp(sqlstate, "08P01") != 0);
}

static enum problem problem_of(const char *sqlstate)
{
    for (size_t i = 0; i < ARRAY_LEN(sqlstates); i++) {
        const char *code = sqlstates[i].sqlstate;

        if (strncmp(code, sqlstate, strlen(code)) == 0) {
            return sqlstates[i].problem;
        }
    }
    return PROBLEM_INTERNAL;
}

static enum status fail_as(struct ctx *ctx, enum problem problem, const char *message,
                           const char *detail)
{
    enum status st = ctx_fail(ctx, problem_status(problem), message, FAIL_WHERE, "%s", detail);

    ctx->failure.problem = problem;
    return st;
}

static enum status fail_broken(struct ctx *ctx, struct db_conn *db, const char *name)
{
    const char *detail = arena_printf(ctx->arena, "statement=%s %s", name, PQerrorMessage(db->pg));
    bool silent = PQstatus(db->pg) == CONNECTION_OK;

    db->broken = true;
    db->sqlstate[0] = '\0';
    return fail_as(ctx, silent ? PROBLEM_TIMEOUT : PROBLEM_UNAVAILABLE, "", detail);
}

static enum status fail_by_sqlstate(struct ctx *ctx, struct db_conn *db, const char *name,
                                    const PGresult *result, const struct db_constraint *constraints)
{
    const char *constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
    const char *reason = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail =
        arena_printf(ctx->arena, "statement=%s sqlstate=%s constraint=%s %s", name, db->sqlstate,
                     constraint ? constraint : "-", reason ? reason : "");

    for (; constraint && constraints && constraints->name; constraints++) {
        if (strcmp(constraints->name, constraint) == 0) {
            return fail_as(ctx, constraints->problem, constraints->message, detail);
        }
    }
    db->broken = db->broken || ends_session(db->sqlstate);
    return fail_as(ctx, problem_of(db->sqlstate), "", detail);
}

static void clear_result(void *result)
{
    PQclear(result);
}

enum status db_check(struct ctx *ctx, struct db_conn *db, const char *name, PGresult *result,
                     const struct db_constraint *constraints)
{
    ExecStatusType got = PQresultStatus(result); /* NULL is PGRES_FATAL_ERROR */
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    if (result) {
        arena_defer(ctx->arena, clear_result, result);
    }
    if (got == PGRES_COMMAND_OK || got == PGRES_TUPLES_OK || got == PGRES_EMPTY_QUERY) {
        return ST_OK;
    }
    if (!sqlstate) {
        return fail_broken(ctx, db, name);
    }
    snprintf(db->sqlstate, sizeof(db->sqlstate), "%s", sqlstate);
    return fail_by_sqlstate(ctx, db, name, result, constraints);
}
