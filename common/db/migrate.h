/* Migrations: numbered SQL, forward only, each in a transaction of its own, under an advisory lock.
 * migrations/NNNN_name.sql of a daemon become one table (tools/migrations2c.awk). */
#ifndef COMMON_DB_MIGRATE_H
#define COMMON_DB_MIGRATE_H

#include "common/db/db_settings.h"

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

/* A daemon's --migrate: what it cannot do is on the log. */
bool migrate_all(const struct db_settings *where, const char *daemon, const struct migration *table,
                 size_t count);

/* What a daemon knows of its own schema: zeroed but for the first two. */
struct schema {
    const struct migration *table;
    size_t count;
    atomic_bool current, told; /* told: that it is older, on the log */
};

/* For readiness: a daemon runs on a newer schema than its own, not on an older one. Asks the
 * database, until it once was so. */
bool schema_is_current(struct schema *schema, struct db_pool *pool, int within_ms);

#endif
