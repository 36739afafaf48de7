/* Idempotency-Key within a use case's own transaction (ADR 0004): the same key gives the
 * same answer for 24 hours, whatever happened in between.
 *
 *     AUTO(db_tx) struct db_conn *tx = NULL;
 *     struct idempotency_answer before;
 *     TRY(db_begin(ctx, db, &tx));
 *     TRY(idempotency_claim(ctx, tx, METHOD, &before));
 *     if (before.found) { ... answer with before.bytes ... }
 *     ... the work ...
 *     TRY(idempotency_keep(ctx, tx, METHOD, 201, bytes, size));
 *     return db_commit(ctx, &tx);
 *
 * The key, the request's digest and the caller come from ctx; without a key nothing is done. The
 * table belongs to the daemon's own database; its migration says
 *     CREATE SCHEMA idempotency;
 *     CREATE TABLE idempotency.requests (
 *         caller text NOT NULL, method text NOT NULL, key text NOT NULL,
 *         request_sha256 text NOT NULL, status smallint NOT NULL, answer bytea NOT NULL,
 *         created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (caller, method, key));
 *     CREATE INDEX requests_created_at ON idempotency.requests (created_at);
 * and grants SELECT, INSERT, UPDATE and DELETE on it to the runtime role. */
#ifndef COMMON_DB_IDEMPOTENCY_H
#define COMMON_DB_IDEMPOTENCY_H

#include "common/db/db.h"

#include <stdint.h>

struct idempotency_answer {
    bool found; /* the request was worked on before: this was its answer */
    int status; /* its HTTP status */
    const uint8_t *bytes;
    size_t size;
};

/* Claims the key, first thing in the transaction. A twin in flight is waited for.
 * PROBLEM_IDEMPOTENCY_MISMATCH when the key was used for another request, PROBLEM_IN_FLIGHT when
 * the deadline ended the wait for a twin. */
enum status idempotency_claim(struct ctx *ctx, struct db_conn *tx, const char *method,
                              struct idempotency_answer *before) MUST_CHECK;

/* Keeps the answer, last thing before the commit. */
enum status idempotency_keep(struct ctx *ctx, struct db_conn *tx, const char *method, int status,
                             const void *bytes, size_t size) MUST_CHECK;

/* Drops what is older than 24 hours, as db_purge() does: call it now and then. */
enum status idempotency_purge(struct ctx *ctx, struct db_conn *db) MUST_CHECK;

/* Its statements, for the test that prepares every statement. */
const struct sql *const *idempotency_sql(size_t *count);

#endif
