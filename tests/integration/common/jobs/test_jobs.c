/* links: test_db
 * Jobs against a real Postgres and a real Valkey: workers that die, streams that vanish. */
#include "common/jobs/jobs.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/metrics.h"
#include "common/obs/trace.h"
#include "jobs_schema_sql.h"
#include "jobs_sql.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"
#include "tests/helpers/valkey_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define DONE "SELECT count(*) FROM jobs.jobs WHERE state = 'done'"

static struct valkey_server server;
static struct db_pool *pool;
static struct jobs *jobs;
static struct ctx *ctx;

static const struct sql note = {
    "note", SQL_EXEC,
    "INSERT INTO public.effects (job, attempt, pid, trace_id, correlation_id) "
    "VALUES ($1, $2, $3, $4, $5)"};

/* The effect of a job: a row that says who ran it. */
static enum status leave_note(struct ctx *c, void *service, const struct job *job)
{
    struct db_conn *db;

    TRY(db_take(c, service, &db));
    enum status st = db_exec(c, db, &note,
                             DB_ARGS(db_text(job->id), db_int(job->attempt), db_int(getpid()),
                                     db_text(c->trace_id), db_text(c->correlation_id)),
                             NULL);
    db_give_back(&db);
    return st;
}

static enum status leave_note_slowly(struct ctx *c, void *service, const struct job *job)
{
    clock_pause_ms(20);
    return leave_note(c, service, job);
}

/* Its first attempt does not come to an end: somebody kills its process. */
static enum status hang_at_first(struct ctx *c, void *service, const struct job *job)
{
    TRY(leave_note(c, service, job));
    if (job->attempt == 1) {
        clock_pause_ms(60000);
    }
    return ST_OK;
}

static enum status fail_always(struct ctx *c, void *service, const struct job *job)
{
    TRY(leave_note(c, service, job));
    return fail_with(c, ST_UNAVAILABLE, "", "the printer is on fire");
}

static enum status refuse(struct ctx *c, void *service, const struct job *job)
{
    TRY(leave_note(c, service, job));
    return fail_with(c, ST_INVALID, "", "payload %s", job->payload);
}

/* Each fourth fails at its first attempt. */
static void leave_notes(struct ctx *c, void *service, const struct job *all, size_t count,
                        struct job_outcome *outcomes)
{
    for (size_t i = 0; i < count; i++) {
        outcomes[i].status = leave_note(c, service, &all[i]);
        if (all[i].attempt == 1 && strtol(all[i].payload, NULL, 10) % 4 == 0) {
            outcomes[i] = (struct job_outcome){ST_UNAVAILABLE, "not this time", 0};
        }
    }
}

/* Somebody else is at it, the first time: come back, no sooner than in a second. */
static void meet_another(struct ctx *c, void *service, const struct job *all, size_t count,
                         struct job_outcome *outcomes)
{
    for (size_t i = 0; i < count; i++) {
        outcomes[i].status = leave_note(c, service, &all[i]);
        if (all[i].attempt == 1) {
            outcomes[i] = (struct job_outcome){ST_RETRY, "another has it", 1000};
        }
    }
}

static const struct job_kind kinds[] = {
    {"note",             2, 5, 2000, 100, leave_note, NULL, 0},
    {"slow",                 1, 5, 2000, 100, leave_note_slowly, NULL, 0},
    {"hang",               1, 3, 500, 100, hang_at_first, NULL, 0},
    {"poison",              1, 3, 500, 50, fail_always, NULL, 0},
    {"refused",                  1, 3, 500, 50, refuse, NULL, 0},
    {"many", 1, 3, 20000, 50, NULL, leave_notes, 16},
    {"meets",              1, 3, 2000, 50, NULL, meet_another, 1},
    {0},
};

static void make_database(void)
{
    char grants[512];

    test_db_make();
    struct db_pool *owner = db_pool_new(test_db_owner());
    struct ctx *c = ctx_new_system("test");
    struct db_conn *db = test_db_take(c, owner);
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && i < ARRAY_LEN(jobs_schema_statements); i++) {
        st = db_exec(c, db, jobs_schema_statements[i], DB_NO_ARGS, NULL);
    }
    if (st != ST_OK) {
        fprintf(stderr, "%s\n", c->failure.detail);
        abort();
    }
    db_give_back(&db);
    ctx_free(c);
    db_pool_free(owner);
    snprintf(grants, sizeof(grants),
             "CREATE TABLE effects (job uuid, attempt int, pid int, trace_id text,"
             " correlation_id text); GRANT ALL ON effects TO %s; GRANT USAGE ON SCHEMA jobs TO %s;"
             "GRANT SELECT, INSERT, UPDATE, DELETE ON jobs.jobs TO %s",
             test_db_runtime()->user, test_db_runtime()->user, test_db_runtime()->user);
    test_db_run(grants);
}

static void start(void)
{
    server = valkey_server_start(0, NULL);
    test_db_run("TRUNCATE jobs.jobs, effects");
    ctx = ctx_new_system("test");
}

static void stop(void)
{
    jobs_stop(jobs);
    ctx_free(ctx);
    db_pool_free(pool);
    valkey_server_stop(&server);
}

static void start_pool(void)
{
    struct db_options options = *test_db_runtime();

    options.max = 6;
    pool = db_pool_new(&options);
}

static void start_jobs(void)
{
    struct jobs_options options = {
        .pool = pool,
        .valkey = {.host = "127.0.0.1", .port = server.port},
        .prefix = "order",
        .daemon = "order-service",
        .kinds = kinds,
        .service = pool,
    };

    jobs = jobs_start(&options);
}

/* Another replica; before this process has any thread. */
static pid_t start_replica(void)
{
    pid_t replica = fork();

    if (replica == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        start_pool();
        start_jobs();
        for (;;) {
            pause();
        }
    }
    return replica;
}

static void kill_replica(pid_t replica)
{
    kill(replica, SIGKILL);
    waitpid(replica, NULL, 0);
}

static bool enqueue(const struct job_request *request, int times, char id[ID_TEXT_SIZE])
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    bool is_new = false;

    db = test_db_take(ctx, pool);
    ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
    for (int i = 0; i < times; i++) {
        ck_assert_int_eq(job_enqueue(ctx, tx, request, id, &is_new), ST_OK);
    }
    ck_assert_int_eq(db_commit(ctx, &tx), ST_OK);
    db_give_back(&db);
    if (jobs) {
        jobs_wake(jobs);
    }
    return is_new;
}

static void enqueue_some(const char *kind, int times)
{
    enqueue(&(struct job_request){.kind = kind, .payload = "{}"}, times, NULL);
}

static int number(const char *query)
{
    return (int)strtol(test_db_ask(query), NULL, 10);
}

static void wait_for(const char *query, int expected, int limit_ms)
{
    int64_t until = clock_monotonic_ms() + limit_ms;
    int now = number(query);

    while (now < expected && clock_monotonic_ms() < until) {
        clock_pause_ms(20);
        now = number(query);
    }
    ck_assert_msg(now == expected, "%s: %d, not %d", query, now, expected);
}

static void valkey_flush(void)
{
    struct cache_options options = {.host = "127.0.0.1", .port = server.port};
    struct cache *cache = cache_new(&options);
    struct cache_reply reply;

    ck_assert_int_eq(CACHE_COMMAND(ctx, cache, &reply, "FLUSHALL"), ST_OK);
    cache_free(cache);
}

START_TEST(every_statement_fits_the_schema)
{
    start_pool();
    test_db_prepare_all(pool, jobs_statements, ARRAY_LEN(jobs_statements));
}
END_TEST

/* JOB-01 */
START_TEST(a_committed_job_runs_once_and_is_done)
{
    start_pool();
    start_jobs();
    int done = 0;
    ck_assert_quick(1000, /* woken, not found by chance */
                    enqueue_some("note", 1);
                    wait_for(DONE, ++done, PATIENCE_MS));
    ck_assert_int_eq(number("SELECT count(*) FROM effects"), done);
}
END_TEST

START_TEST(a_job_of_a_transaction_that_rolled_back_never_was)
{
    struct job_request request = {.kind = "note", .payload = "{}"};
    struct db_conn *db = NULL;

    start_pool();
    start_jobs();
    db = test_db_take(ctx, pool);
    {
        AUTO(db_tx) struct db_conn *tx = NULL;
        ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
        ck_assert_int_eq(job_enqueue(ctx, tx, &request, NULL, NULL), ST_OK);
    }
    db_give_back(&db);
    jobs_wake(jobs);
    enqueue_some("note", 1);
    wait_for(DONE, 1, PATIENCE_MS);
    ck_assert_int_eq(number("SELECT count(*) FROM effects"), 1);
}
END_TEST

START_TEST(a_dedupe_key_makes_one_job)
{
    struct job_request request = {.kind = "note", .payload = "{}", .dedupe_key = "order-1:ready"};
    char first[ID_TEXT_SIZE], second[ID_TEXT_SIZE];

    start_pool();
    ck_assert(enqueue(&request, 1, first));
    ck_assert(!enqueue(&request, 1, second));
    ck_assert_str_eq(first, second);
    start_jobs();
    wait_for(DONE, 1, PATIENCE_MS);
    ck_assert(!enqueue(&request, 1, second)); /* nor when it is done */
    ck_assert_int_eq(number("SELECT count(*) FROM jobs.jobs"), 1);
}
END_TEST

START_TEST(a_job_for_later_waits_until_then)
{
    struct job_request request = {.kind = "note", .payload = "{}"};

    start_pool();
    start_jobs();
    request.run_at_ms = clock_wall_ms() + 10000;
    enqueue(&request, 1, NULL);
    clock_pause_ms(1000);
    ck_assert_int_eq(number(DONE), 0);
    wait_for(DONE, 1, PATIENCE_MS);
}
END_TEST

/* JOB-01 */
START_TEST(a_poison_job_ends_dead_with_its_error)
{
    start_pool();
    start_jobs();
    enqueue_some("poison", 1);
    wait_for("SELECT count(*) FROM jobs.jobs WHERE state = 'dead'", 1, PATIENCE_MS);
    ck_assert_int_eq(number("SELECT count(*) FROM effects"), 3);
    ck_assert_str_eq(test_db_ask("SELECT last_error FROM jobs.jobs"),
                     "UNAVAILABLE: the printer is on fire");
}
END_TEST

START_TEST(a_job_that_can_never_succeed_is_dead_at_once)
{
    start_pool();
    start_jobs();
    enqueue_some("refused", 1);
    wait_for("SELECT count(*) FROM jobs.jobs WHERE state = 'dead'", 1, PATIENCE_MS);
    ck_assert_int_eq(number("SELECT count(*) FROM effects"), 1);
}
END_TEST

/* JOB-01 */
START_TEST(a_job_whose_worker_was_killed_runs_again)
{
    pid_t replica = start_replica();

    start_pool();
    enqueue_some("hang", 1);
    wait_for("SELECT count(*) FROM effects", 1, PATIENCE_MS);
    kill_replica(replica);
    start_jobs();
    wait_for(DONE, 1, PATIENCE_MS);
    ck_assert_int_eq(number("SELECT max(attempt) FROM effects"), 2);
}
END_TEST

START_TEST(a_job_that_kills_its_process_each_time_ends_dead)
{
    start_pool();
    enqueue_some("hang", 1);
    test_db_run(
        "UPDATE jobs.jobs SET state = 'running', attempts = 3"); /* killed for the third time */
    start_jobs();
    wait_for("SELECT count(*) FROM jobs.jobs WHERE state = 'dead'", 1, PATIENCE_MS);
    ck_assert_int_eq(number("SELECT count(*) FROM effects"), 0);
}
END_TEST

/* JOB-09 */
START_TEST(what_a_flush_takes_from_the_stream_is_done_all_the_same)
{
    start_pool();
    start_jobs();
    enqueue_some("slow", 60);
    for (int i = 1; i <= 3; i++) {
        char query[96];

        snprintf(query, sizeof(query), "SELECT (count(*) >= %d)::int FROM effects", i * 10);
        wait_for(query, 1, PATIENCE_MS);
        valkey_flush();
    }
    wait_for(DONE, 60, 25000); /* sooner than the leases of what was handed out: 30 s */
}
END_TEST

/* JOB-09 CACHE-01 */
START_TEST(without_valkey_jobs_are_done_by_the_process_that_finds_them)
{
    start_pool();
    valkey_server_stop(&server);
    start_jobs();
    enqueue_some("note", 100);
    wait_for(DONE, 100, PATIENCE_MS);
}
END_TEST

/* JOB-09 */
START_TEST(a_valkey_that_dies_in_the_middle_costs_no_job)
{
    start_pool();
    start_jobs();
    enqueue_some("slow", 60);
    wait_for("SELECT (count(*) >= 10)::int FROM effects", 1, PATIENCE_MS);
    valkey_server_stop(&server);
    wait_for("SELECT (count(*) >= 12)::int FROM effects", 1, 20000); /* not when leases end: 30 s */
    server = valkey_server_start(server.port, NULL);
    wait_for(DONE, 60, PATIENCE_MS);
}
END_TEST

START_TEST(a_database_that_drops_its_connections_costs_no_job)
{
    start_pool();
    start_jobs();
    enqueue_some("slow", 60);
    for (int i = 0; i < 5; i++) {
        clock_pause_ms(150);
        test_db_run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND application_name = 'test'");
    }
    wait_for(DONE, 60, 25000); /* sooner than a lease: 30 s */
    ck_assert_int_eq(number("SELECT count(DISTINCT job) FROM effects"), 60);
}
END_TEST

/* JOB-01 */
START_TEST(two_replicas_do_a_thousand_jobs_each_at_least_once)
{
    pid_t replicas[] = {start_replica(), start_replica()};

    start_pool();
    enqueue_some("note", 1000);
    wait_for(DONE, 1000, PATIENCE_MS);
    ck_assert_int_eq(number("SELECT count(DISTINCT job) FROM effects"), 1000);
    ck_assert_int_eq(number("SELECT count(DISTINCT pid) FROM effects"), 2);
    kill_replica(replicas[0]);
    kill_replica(replicas[1]);
}
END_TEST

static bool shows(const char *line)
{
    AUTO(arena) struct arena *arena = arena_new(65536);
    struct text out = text_new(arena, 4096);

    metrics_print(&out, false);
    return strstr(out.data, line) != NULL;
}

static void wait_to_show(const char *line)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (!shows(line) && clock_monotonic_ms() < until) {
        clock_pause_ms(50);
    }
    ck_assert_msg(shows(line), "%s", line);
}

/* JOB-08 */
START_TEST(depth_age_and_failures_are_metrics)
{
    struct job_request later = {.kind = "note", .payload = "{}"};

    start_pool();
    later.run_at_ms = clock_wall_ms() + 60000;
    enqueue(&later, 7, NULL);
    start_jobs();
    wait_to_show("jobs_queue_depth{kind=\"note\"} 7\n");
    ck_assert(shows("jobs_queue_depth{kind=\"slow\"} 0\n"));
    enqueue_some("refused", 1);
    wait_to_show("jobs_failed_total{kind=\"refused\"} 1\n");
    enqueue_some("slow", 3);
    wait_to_show("job_age_seconds_count{kind=\"slow\"} 3\n");
}
END_TEST

/* OBS-16 */
START_TEST(a_job_carries_the_trace_and_correlation_of_its_cause)
{
    start_pool();
    start_jobs();
    trace_begin(ctx, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    trace_correlation(ctx, "till 3");
    enqueue_some("note", 1);
    wait_for(DONE, 1, PATIENCE_MS);
    ck_assert_str_eq(test_db_ask("SELECT trace_id || ' ' || correlation_id FROM effects"),
                     "4bf92f3577b34da6a3ce929d0e0e4736 till 3");
}
END_TEST

/* JOB-01 */
START_TEST(jobs_that_wait_are_worked_on_together_and_fail_alone)
{
    enum { JOBS = 64 };

    start_pool();
    for (int i = 0; i < JOBS; i++) {
        struct job_request request = {.kind = "many", .payload = arena_printf(ctx->arena, "%d", i)};

        ck_assert(enqueue(&request, 1, NULL));
    }
    start_jobs();
    wait_for(DONE, JOBS, PATIENCE_MS);
    ck_assert_int_eq(number("SELECT count(*) FROM effects"), JOBS + JOBS / 4);
    ck_assert_int_eq(number("SELECT count(*) FROM jobs.jobs WHERE attempts = 2"), JOBS / 4);
    ck_assert_int_lt(number("SELECT count(DISTINCT trace_id) FROM effects"), JOBS / 2);
}
END_TEST

/* JOB-08: two jobs of one thing meet, which is nobody's failure. */
START_TEST(a_job_that_only_waits_its_turn_comes_again_in_time_and_did_not_fail)
{
    start_pool();
    start_jobs();
    int64_t from = clock_monotonic_ms();
    enqueue_some("meets", 1);
    wait_for(DONE, 1, PATIENCE_MS);
    ck_assert_int_ge(clock_monotonic_ms() - from, 1000);
    ck_assert(shows("jobs_failed_total{kind=\"meets\"} 0\n"));
}
END_TEST

START_TEST(however_many_were_done_a_day_ago_they_go_at_once_and_the_dead_stay)
{
    test_db_run(
        "INSERT INTO jobs.jobs (id, kind, payload, state, finished_at)"
        " SELECT gen_random_uuid(), 'note', '{}', CASE WHEN n > 2500 THEN 'dead' ELSE 'done'"
        "        END, now() - interval '2 days' FROM generate_series(1, 2507) n");
    start_pool();
    start_jobs();
    wait_for("SELECT 2507 - count(*) FROM jobs.jobs", 2500, PATIENCE_MS * 2);
    ck_assert_int_eq(number("SELECT count(*) FROM jobs.jobs WHERE state = 'dead'"), 7);
}
END_TEST

TEST_MAIN_AROUND("jobs",
                 (&(struct test_around){
                     .start = make_database, .stop = test_db_drop, .before = start, .after = stop}),
                 every_statement_fits_the_schema, a_committed_job_runs_once_and_is_done,
                 a_job_of_a_transaction_that_rolled_back_never_was, a_dedupe_key_makes_one_job,
                 jobs_that_wait_are_worked_on_together_and_fail_alone,
                 a_job_for_later_waits_until_then, a_poison_job_ends_dead_with_its_error,
                 a_job_that_can_never_succeed_is_dead_at_once,
                 a_job_whose_worker_was_killed_runs_again,
                 a_job_that_kills_its_process_each_time_ends_dead,
                 what_a_flush_takes_from_the_stream_is_done_all_the_same,
                 without_valkey_jobs_are_done_by_the_process_that_finds_them,
                 a_valkey_that_dies_in_the_middle_costs_no_job,
                 a_database_that_drops_its_connections_costs_no_job,
                 two_replicas_do_a_thousand_jobs_each_at_least_once,
                 depth_age_and_failures_are_metrics,
                 a_job_that_only_waits_its_turn_comes_again_in_time_and_did_not_fail,
                 however_many_were_done_a_day_ago_they_go_at_once_and_the_dead_stay,
                 a_job_carries_the_trace_and_correlation_of_its_cause)
