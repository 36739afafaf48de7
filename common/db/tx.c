/* Transactions. A COMMIT that the server answers with ROLLBACK, because a statement before it had
 * failed, is a failure here: nothing was kept. */
#include "common/db/db_internal.h"

#include <string.h>

enum status db_begin(struct ctx *ctx, struct db_conn *db, struct db_conn **tx)
{
    if (db->broken) {
        return fail_with(ctx, ST_UNAVAILABLE, "", "begin: connection was lost");
    }
    if (PQtransactionStatus(db->pg) != PQTRANS_IDLE) {
        return fail_with(ctx, ST_INTERNAL, "", "begin: a transaction is open already");
    }
    TRY(conn_command(ctx, db, "begin", "BEGIN", NULL));
    *tx = db;
    return ST_OK;
}

enum status db_commit(struct ctx *ctx, struct db_conn **tx)
{
    struct db_conn *db = *tx;
    PGresult *result;

    *tx = NULL;
    if (db->broken) {
        return fail_with(ctx, ST_UNAVAILABLE, "", "commit: connection was lost");
    }
    enum status st = conn_command(ctx, db, "commit", "COMMIT", &result);
    if (st != ST_OK) {
        db_rollback(db); /* there is something to it when the COMMIT was not sent */
        return st;
    }
    if (strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        return fail_with(ctx, ST_INTERNAL, "", "commit of a transaction that had failed");
    }
    return ST_OK;
}

void db_rollback(struct db_conn *tx)
{
    if (!tx || tx->broken || PQtransactionStatus(tx->pg) == PQTRANS_IDLE) {
        return;
    }
    struct ctx *ctx =
        ctx_new_system("db"); /* the caller's deadline may be over: this must still go */
    if (conn_command(ctx, tx, "rollback", "ROLLBACK", NULL) != ST_OK) {
        tx->broken = true;
    }
    ctx_free(ctx);
}
