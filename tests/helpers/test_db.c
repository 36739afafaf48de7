/* What a superuser does goes by libpq, the migrations by common/db. */
#include "tests/helpers/test_db.h"

#include "common/base/clock.h"
#include "tests/helpers/patience.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME_SIZE = 48 };

static struct {
    char database[NAME_SIZE], owner[NAME_SIZE], runtime[NAME_SIZE], password[NAME_SIZE];
    char host[256], asked[4096];
    int port;
    struct db_options as_owner, as_runtime;
} made;

static void die(const char *what, const char *why)
{
    fprintf(stderr, "tests need a PostgreSQL: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static PGconn *connect_admin(const char *database)
{
    const char *url = getenv("TEST_PG_ADMIN_URL");

    if (!url || !*url) {
        die("TEST_PG_ADMIN_URL is not set", "a superuser's conninfo, see tools/test-env.sh");
    }
    const char *keys[] = {"dbname", database ? "dbname" : NULL, NULL};
    const char *values[] = {url, database, NULL};
    PGconn *pg = PQconnectdbParams(keys, values, 1);
    if (PQstatus(pg) != CONNECTION_OK) {
        die("TEST_PG_ADMIN_URL", PQerrorMessage(pg));
    }
    PQclear(PQexec(pg, "SET client_min_messages = warning"));
    return pg;
}

static void run_on(PGconn *pg, const char *statements)
{
    PGresult *result = PQexec(pg, statements);
    ExecStatusType got = PQresultStatus(result);

    if (got != PGRES_COMMAND_OK && got != PGRES_TUPLES_OK) {
        die(statements, PQresultErrorMessage(result));
    }
    PQclear(result);
}

static void make_role(PGconn *pg, const char *name)
{
    char text[512];

    snprintf(text, sizeof(text),
             "DO $$ BEGIN CREATE ROLE %s; EXCEPTION WHEN duplicate_object OR unique_violation THEN"
             " END $$; ALTER ROLE %s LOGIN PASSWORD '%s'",
             name, name, made.password);
    run_on(pg, text);
}

static struct db_options options_of(const char *user)
{
    return (struct db_options){
        .host = made.host,
        .port = made.port,
        .name = made.database,
        .user = user,
        .password = made.password,
        .daemon = "test",
        .max = 4,
    };
}

void test_db_make(void)
{
    PGconn *pg = connect_admin(NULL);
    char text[256];

    snprintf(made.database, NAME_SIZE, "scratch_%d", (int)getpid());
    snprintf(made.owner, NAME_SIZE, "scratch_%d_owner", (int)getpid());
    snprintf(made.runtime, NAME_SIZE, "scratch_%d_runtime", (int)getpid());
    snprintf(made.password, NAME_SIZE, "scratch");
    snprintf(made.host, sizeof(made.host), "%s", PQhost(pg));
    made.port = (int)strtol(PQport(pg), NULL, 10);
    make_role(pg, made.owner);
    make_role(pg, made.runtime);
    snprintf(text, sizeof(text), "DROP DATABASE IF EXISTS %s WITH (FORCE)", made.database);
    run_on(pg, text);
    snprintf(text, sizeof(text), "CREATE DATABASE %s OWNER %s", made.database, made.owner);
    run_on(pg, text);
    PQfinish(pg);
    made.as_owner = options_of(made.owner);
    made.as_runtime = options_of(made.runtime);
}

void test_db_drop(void)
{
    PGconn *pg = connect_admin(NULL);
    char text[256];

    snprintf(text, sizeof(text), "DROP DATABASE IF EXISTS %s WITH (FORCE)", made.database);
    run_on(pg, text);
    snprintf(text, sizeof(text), "DROP ROLE %s, %s", made.owner, made.runtime);
    run_on(pg, text);
    PQfinish(pg);
}

const struct db_options *test_db_owner(void)
{
    return &made.as_owner;
}

const struct db_options *test_db_runtime(void)
{
    return &made.as_runtime;
}

void test_db_migrate(const struct migration *table, size_t count)
{
    struct ctx *ctx = ctx_new_system("test");

    if (migrate(ctx, &made.as_owner, table, count, PATIENCE_MS) != ST_OK) {
        die("migrate", ctx->failure.detail);
    }
    ctx_free(ctx);
}

void test_db_run(const char *statements)
{
    PGconn *pg = connect_admin(made.database);

    run_on(pg, statements);
    PQfinish(pg);
}

/* A role that exists keeps its password: a stack's own daemons may be using it. */
static void make_service_role(const char *name)
{
    PGconn *pg = connect_admin(NULL);
    char text[256];

    snprintf(text, sizeof(text),
             "DO $$ BEGIN CREATE ROLE %s LOGIN PASSWORD '%s'; EXCEPTION WHEN duplicate_object OR"
             " unique_violation THEN END $$",
             name, made.password);
    run_on(pg, text);
    PQfinish(pg);
}

void test_db_make_for(const char *service, const struct migration *table, size_t count)
{
    char text[128];

    test_db_make();
    make_service_role(service);
    test_db_migrate(table, count);
    snprintf(text, sizeof(text), "GRANT %s TO %s", service, made.runtime);
    test_db_run(text);
}

void test_db_run_file(const char *path)
{
    static char text[65536];
    char full[512];

    snprintf(full, sizeof(full), "%s/%s", SOURCE_DIR, path);
    FILE *file = fopen(full, "r");
    if (!file) {
        die(full, "cannot be read");
    }
    int used = snprintf(text, sizeof(text), "SET ROLE %s;\n", made.owner);
    size_t size = fread(text + used, 1, sizeof(text) - (size_t)used - 1, file);
    text[(size_t)used + size] = '\0';
    fclose(file);
    test_db_run(text);
}

const char *test_db_ask(const char *query)
{
    PGconn *pg = connect_admin(made.database);
    PGresult *result = PQexec(pg, query);

    if (PQresultStatus(result) != PGRES_TUPLES_OK) {
        die(query, PQresultErrorMessage(result));
    }
    snprintf(made.asked, sizeof(made.asked), "%s",
             PQntuples(result) ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    PQfinish(pg);
    return made.asked;
}

void test_db_await(const char *query)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (!*test_db_ask(query)) {
        ck_assert_msg(clock_monotonic_ms() < until, "never came: %s", query);
        clock_pause_ms(10);
    }
}

struct db_conn *test_db_take(struct ctx *ctx, struct db_pool *pool)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    struct db_conn *db = NULL;

    while (db_take(ctx, pool, &db) != ST_OK) {
        ck_assert_msg(clock_monotonic_ms() < until, "%s", ctx->failure.detail);
    }
    return db;
}

void test_db_prepare_all(struct db_pool *pool, const struct sql *const *statements, size_t count)
{
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db = NULL;

    db = test_db_take(ctx, pool);
    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(db_prepare(ctx, db, statements[i]) == ST_OK, "%s", ctx->failure.detail);
    }
    db_give_back(&db);
    ctx_free(ctx);
}
