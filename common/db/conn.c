/* One connection: opened with the settings that every statement of ours may rely on, and never
 * waited for without a limit. What libpq offers for waiting has none. */
#include "common/db/db_internal.h"

#include "common/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Statements name their schema; plans are made once; times are UTC in ISO form, as row.c reads
 * them. */
static const char every_connection[] =
    "-c search_path= -c plan_cache_mode=force_generic_plan -c timezone=UTC -c datestyle=ISO"
    " -c intervalstyle=iso_8601 -c bytea_output=hex -c client_min_messages=warning"
    " -c idle_in_transaction_session_timeout=30000";

static void copy_reason(char *reason, size_t size, const char *message)
{
    snprintf(reason, size, "%s", message);
    reason[strcspn(reason, "\n")] = '\0';
}

static PGconn *connect_with(const struct db_options *options, const char *settings)
{
    char port[12], timeout[12], all_settings[512];
    const struct {
        const char *key, *value;
    } params[] = {
        {"host",                options->host    },
        {"port",                port             },
        {"dbname",              options->name    },
        {"user",                options->user    },
        {"password",            options->password},
        {"application_name",    options->daemon  },
        {"client_encoding",     "UTF8"           },
        {"connect_timeout",     timeout          },
        {"options",             all_settings     },
        {"keepalives_idle",     "3"              },
        {"keepalives_interval", "1"              },
        {"keepalives_count",    "5"              },
        {"tcp_user_timeout",    "8000"           },
        {"gssencmode",          "disable"        }, /* no look for Kerberos tickets */
    };
    const char *keys[ARRAY_LEN(params) + 1] = {0}, *values[ARRAY_LEN(params) + 1] = {0};

    snprintf(port, sizeof(port), "%d", options->port);
    snprintf(timeout, sizeof(timeout), "%d", CONNECT_TIMEOUT_S);
    snprintf(all_settings, sizeof(all_settings), "%s %s", every_connection, settings);
    for (size_t i = 0; i < ARRAY_LEN(params); i++) {
        keys[i] = params[i].key;
        values[i] = params[i].value;
    }
    return PQconnectdbParams(keys, values, 0);
}

/* libpq would print them on stderr, between our lines of JSON. */
static void drop_notice(void *user, const char *message)
{
    (void)user;
    (void)message;
}

struct db_conn *conn_open(const struct db_options *options, const char *settings, char *reason,
                          size_t reason_size)
{
    struct db_conn *db = calloc(1, sizeof(*db));

    if (!db || !(db->pg = connect_with(options, settings))) {
        abort(); /* out of memory */
    }
    if (PQstatus(db->pg) != CONNECTION_OK) {
        copy_reason(reason, reason_size, PQerrorMessage(db->pg));
        conn_close(db);
        return NULL;
    }
    PQsetNoticeProcessor(db->pg, drop_notice, NULL);
    db->statement_timeout_ms = options->statement_timeout_ms ? options->statement_timeout_ms
                                                             : DEFAULT_STATEMENT_TIMEOUT_MS;
    return db;
}

void conn_close(struct db_conn *db)
{
    PQfinish(db->pg);
    for (int i = 0; i < SLOT_COUNT; i++) {
        free(db->prepared[i].name);
    }
    free(db);
}

bool conn_is_alive(struct db_conn *db)
{
    struct pollfd socket = {.fd = PQsocket(db->pg), .events = POLLIN};

    if (db->broken || PQstatus(db->pg) != CONNECTION_OK) {
        return false;
    }
    while (poll(&socket, 1, 0) > 0) { /* its last words, and after them the end */
        if (!PQconsumeInput(db->pg)) {
            return false;
        }
    }
    return PQstatus(db->pg) == CONNECTION_OK;
}

/* false when nothing came in time, or the connection broke. */
static bool wait_readable(struct db_conn *db, int64_t until_ms)
{
    struct pollfd socket = {.fd = PQsocket(db->pg), .events = POLLIN};
    int64_t left = until_ms - clock_monotonic_ms();
    int got = left > 0 ? poll(&socket, 1, (int)left) : 0;

    if (got < 0 && errno == EINTR) {
        return true;
    }
    return got > 0 && PQconsumeInput(db->pg);
}

PGresult *conn_answer(struct ctx *ctx, struct db_conn *db)
{
    int64_t left = ctx_left_ms(ctx), most = db->statement_timeout_ms + SILENCE_MS;
    int64_t until = clock_monotonic_ms() + (left < most ? left : most);
    PGresult *last = NULL, *next;

    for (;;) {
        while (PQisBusy(db->pg)) {
            if (!wait_readable(db,
                               until)) { /* the answer may still come: nobody else may read it */
                db->broken = true;
                PQclear(last);
                return NULL;
            }
        }
        next = PQgetResult(db->pg);
        if (!next) {
            return last;
        }
        if (last && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(next); /* of several commands the first failure is the answer */
            continue;
        }
        PQclear(last);
        last = next;
    }
}

void conn_traced(struct span *span, const struct ctx *ctx, const char *name, enum status st)
{
    span_failed(span, ctx, st);
    span_end(span, SPAN_CLIENT, name, log_text("db.system", "postgresql"),
             log_text("db.query.summary", name));
}

enum status conn_in_time(struct ctx *ctx, struct db_conn *db, const char *name)
{
    if (ctx_left_ms(ctx) > 0) {
        return ST_OK;
    }
    db->sqlstate[0] = '\0';
    return fail_with(ctx, ST_TIMEOUT, "", "statement=%s not sent: the time is over", name);
}

enum status conn_command(struct ctx *ctx, struct db_conn *db, const char *name, const char *text,
                         PGresult **result)
{
    struct span span;

    TRY(conn_in_time(ctx, db, name));
    span_begin(&span, ctx);
    PGresult *answer = PQsendQuery(db->pg, text) ? conn_answer(ctx, db) : NULL;
    enum status st = db_check(ctx, db, name, answer, NULL);
    conn_traced(&span, ctx, name, st);
    TRY(st);
    if (result) {
        *result = answer;
    }
    return ST_OK;
}
