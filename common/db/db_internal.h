/* What the files of this folder share: a connection, its pool, and how a statement is sent. */
#ifndef COMMON_DB_DB_INTERNAL_H
#define COMMON_DB_DB_INTERNAL_H

#include "common/db/db.h"
#include "common/obs/metrics.h"
#include "common/obs/span.h"

#include <libpq-fe.h>

enum {
    SLOT_COUNT = 2 * DB_MAX_PREPARED, /* open addressing: at most half full */
    DEFAULT_STATEMENT_TIMEOUT_MS = 5000,
    CONNECT_TIMEOUT_S = 2,
    SILENCE_MS = 2000, /* how long past its time-out a server may keep silent */
};

/* A statement this connection knows. The name on the server has a number behind it, since two
 * .sql files may use one name. */
struct prepared {
    const struct sql *sql;
    char *name;
    struct metric_series *duration;
};

/* Where a ctx keeps the connection it took: its arena gives back what is still in it. */
struct holding {
    struct db_conn *conn;
};

struct db_conn {
    PGconn *pg;
    struct db_pool *pool;    /* NULL: one of our own, outside any pool */
    struct holding *holding; /* NULL: nobody's arena knows it */
    struct db_conn *next;    /* in the pool's stack */
    char sqlstate[6];        /* of the last failure; "" when the connection broke */
    int statement_timeout_ms;
    int prepared_count;
    bool broken;
    struct prepared prepared[SLOT_COUNT];
};

/* conn.c. Statement time-out 0 in 'timeout_ms' means none. NULL, with the reason, when it cannot be
 * had. */
struct db_conn *conn_open(const struct db_options *options, const char *settings, char *reason,
                          size_t reason_size);
void conn_close(struct db_conn *db);
bool conn_is_alive(struct db_conn *db); /* looks at the socket, asks nobody */
/* Runs text that is no named statement: BEGIN, a migration. */
enum status conn_command(struct ctx *ctx, struct db_conn *db, const char *name, const char *text,
                         PGresult **result) MUST_CHECK;
/* Before anything is sent: the server would do it, though nobody waits for the answer any more. */
enum status conn_in_time(struct ctx *ctx, struct db_conn *db, const char *name) MUST_CHECK;
/* Waits for the answer of what was sent, until ctx's deadline or the time-out of statements. */
PGresult *conn_answer(struct ctx *ctx, struct db_conn *db);

/* A statement's span, by its name: neither its text nor its values. */
void conn_traced(struct span *span, const struct ctx *ctx, const char *name, enum status st);

/* error.c */
enum status db_check(struct ctx *ctx, struct db_conn *db, const char *name, PGresult *result,
                     const struct db_constraint *constraints) MUST_CHECK;

#endif
