/* Brings a schema up to date. Which migrations a database has had stands in migrations.applied,
 * which every role may read and only the owner may write. */
#include "common/db/migrate.h"

#include "common/base/clock.h"
#include "common/db/db_internal.h"
#include "common/obs/log.h"
#include "migrate_sql.h"

#include <string.h>

enum { LOOK_AGAIN_MS = 200, DATABASE_WAIT_MS = 60000 };

const char *const migrate_settings[] = {"LOG_LEVEL",     "DB_HOST",           "DB_PORT", "DB_NAME",
                                        "DB_OWNER_USER", "DB_OWNER_PASSWORD", NULL};

/* A migration may rewrite a table: no statement ends by time. It gives up rather than stop the shop
 * by queueing for a lock. */
static const char settings[] = "-c statement_timeout=0 -c lock_timeout=10000";

static const char own_schema[] =
    "CREATE SCHEMA IF NOT EXISTS migrations;"
    "GRANT USAGE ON SCHEMA migrations TO PUBLIC;"
    "CREATE TABLE IF NOT EXISTS migrations.applied ("
    " number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"
    " at timestamptz NOT NULL DEFAULT clock_timestamp());"
    "GRANT SELECT ON migrations.applied TO PUBLIC";

static void conn_close_if(struct db_conn *db)
{
    conn_close(db);
}
DEFINE_AUTO(db_conn, struct db_conn *, conn_close_if)

/* NULL, with the failure in ctx, when it does not come. */
static struct db_conn *wait_for_database(struct ctx *ctx, const struct db_options *owner,
                                         int64_t until_ms)
{
    char reason[256] = "";

    for (bool told = false;; told = true) {
        struct db_conn *db = conn_open(owner, settings, reason, sizeof(reason));

        if (db) {
            db->statement_timeout_ms = INT32_MAX / 2;
            return db;
        }
        if (clock_monotonic_ms() >= until_ms) {
            fail_with(ctx, ST_UNAVAILABLE, "", "database %s: %s", owner->name, reason);
            return NULL;
        }
        if (!told) {
            log_info(ctx, "waiting for the database", log_text("database", owner->name),
                     log_text("reason", reason));
        }
        clock_pause_ms(LOOK_AGAIN_MS);
    }
}

/* The lock goes with the session. */
static enum status wait_for_lock(struct ctx *ctx, struct db_conn *db, int64_t until_ms)
{
    struct db_rows row;

    for (;;) {
        TRY(db_one(ctx, db, &SQL_MIGRATION_LOCK, DB_NO_ARGS, NULL, &row));
        if (db_get_bool(&row, 0, "locked")) {
            return ST_OK;
        }
        if (clock_monotonic_ms() >= until_ms) {
            return fail_with(ctx, ST_TIMEOUT, "", "another is still migrating this database");
        }
        clock_pause_ms(LOOK_AGAIN_MS);
    }
}

static enum status apply(struct ctx *ctx, struct db_conn *db, const struct migration *migration,
                         const char *sha256)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    int64_t began = clock_monotonic_ms();

    TRY(db_begin(ctx, db, &tx));
    TRY(conn_command(ctx, tx, migration->name, migration->text, NULL));
    TRY(db_exec(ctx, tx, &SQL_MIGRATION_RECORD,
                DB_ARGS(db_int(migration->number), db_text(migration->name), db_text(sha256)),
                NULL));
    TRY(db_commit(ctx, &tx));
    log_info(ctx, "migration applied", log_num("number", migration->number),
             log_text("name", migration->name), log_num("took_ms", clock_monotonic_ms() - began));
    return ST_OK;
}

/* Forward only: what was applied never changes, and nothing goes in below it. */
static enum status step(struct ctx *ctx, struct db_conn *db, const struct migration *migration,
                        int newest)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_MIGRATION_SHA256, DB_ARGS(db_text(migration->text)), NULL, &row));
    const char *sha256 = db_get_text(&row, 0, "sha256");
    enum status st =
        db_one(ctx, db, &SQL_MIGRATION_APPLIED, DB_ARGS(db_int(migration->number)), NULL, &row);
    if (st == ST_OK && strcmp(db_get_text(&row, 0, "sha256"), sha256) != 0) {
        return fail_with(ctx, ST_CONFLICT, "", "migration %d (%s) was changed after it was applied",
                         migration->number, migration->name);
    }
    if (st != ST_NOT_FOUND) {
        return st;
    }
    ctx_forgive(ctx);
    if (migration->number <= newest) {
        return fail_with(ctx, ST_CONFLICT, "", "migration %d (%s) comes after %d was applied",
                         migration->number, migration->name, newest);
    }
    return apply(ctx, db, migration, sha256);
}

enum status migrate(struct ctx *ctx, const struct db_options *owner, const struct migration *table,
                    size_t count, int wait_ms)
{
    int64_t until = clock_monotonic_ms() + wait_ms;
    AUTO(db_conn) struct db_conn *db = wait_for_database(ctx, owner, until);
    int newest;

    if (!db) {
        return ctx->failure.status;
    }
    TRY(wait_for_lock(ctx, db, until));
    TRY(migrate_version(ctx, db, &newest));
    if (newest == 0) {
        TRY(conn_command(ctx, db, "migrations", own_schema, NULL));
    }
    for (size_t i = 0; i < count; i++) {
        TRY(step(ctx, db, &table[i], newest));
    }
    return ST_OK;
}

enum status migrate_version(struct ctx *ctx, struct db_conn *db, int *number)
{
    struct db_rows row;
    enum status st = db_one(ctx, db, &SQL_MIGRATION_NEWEST, DB_NO_ARGS, NULL, &row);

    if (st == ST_INTERNAL &&
        strcmp(db->sqlstate, "42P01") == 0) { /* no such table: a new database */
        ctx_forgive(ctx);
        *number = 0;
        return ST_OK;
    }
    TRY(st);
    *number = (int)db_get_int(&row, 0, "number");
    return ST_OK;
}

bool migrate_all(const struct db_settings *where, const char *daemon, const struct migration *table,
                 size_t count)
{
    struct ctx *ctx = ctx_new_system(daemon);
    struct db_options owner = db_options_of(where, daemon);

    owner.user = where->owner_user;
    owner.password = secret_reveal(&where->owner_password);
    enum status st = migrate(ctx, &owner, table, count, DATABASE_WAIT_MS);
    if (st != ST_OK) {
        log_failure(ctx, "migrate");
    }
    ctx_free(ctx);
    return st == ST_OK;
}

static bool is_reached(struct ctx *ctx, struct db_conn *db, struct schema *schema)
{
    int number, needed = schema->table[schema->count - 1].number;

    if (migrate_version(ctx, db, &number) != ST_OK) {
        return false;
    }
    if (number < needed && !atomic_exchange(&schema->told, true)) {
        log_error(NULL, "the schema is older than this daemon: run it with --migrate",
                  log_num("schema", number), log_num("needed", needed));
    }
    return number >= needed;
}

bool schema_is_current(struct schema *schema, struct db_pool *pool, int within_ms)
{
    if (atomic_load(&schema->current)) {
        return true;
    }
    struct ctx *ctx = ctx_new_system("schema");
    struct db_conn *db = NULL;

    ctx->deadline_ms = clock_monotonic_ms() + within_ms;
    bool current = db_take(ctx, pool, &db) == ST_OK && is_reached(ctx, db, schema);
    ctx_free(ctx);
    atomic_store(&schema->current, current);
    return current;
}
