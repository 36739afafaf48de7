/* Migrations: numbered SQL, forward only, each in a transaction of its own, under an advisory lock.
 * migrations/NNNN_name.sql of a daemon become one table (tools/migrations2c.awk). */
#ifndef COMMON_DB_MIGRATE_H
#define COMMON_DB_MIGRATE_H

#include "common/db/db.h"

#include <stdatomic.h>

struct migration {
    int number;
    const char *name, *text;
};

/* Brings the schema up to date, as the owner role. Waits for the database at most wait_ms, and for
 * another that migrates. Logs each step. */
enum status migrate(struct ctx *ctx, const struct db_options *owner, const struct migration *table,
                    size_t count, int wait_ms) MUST_CHECK;

/* The settings that a daemon's --migrate needs, by name; NULL ends them. */
extern const char *const migrate_settings[];

/* The number of the newest migration applied; 0: none. */
enum status migrate_version(struct ctx *ctx, struct db_conn *db, int *number) MUST_CHECK;

/* For readiness: a daemon runs on a newer schema than its own, not on an older one. That it is
 * older is said on the log, unless '*told'. */
bool migrate_is_current(struct ctx *ctx, struct db_conn *db, const struct migration *table,
                        size_t count, atomic_bool *told);

#endif
