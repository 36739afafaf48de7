/* links: test_db test_kafka */
/* Nothing lost, nothing invented, nothing out of order: two relays are killed at random, and
 * Kafka is, while writers race for 64 keys; then every committed row is compared with what the
 * topic holds. OUTBOX_ROUNDS=50 CK_DEFAULT_TIMEOUT=300 for a longer run. */
#include "common/outbox/outbox.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/events/producer.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/test_db.h"
#include "tests/helpers/test_kafka.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KEYS = 64, WRITERS = 6, RELAYS = 2, PAUSE_US = 3000, ROUNDS = 10 };
enum { STILL_MS = 30000, LONGEST_MS = 120000 };

/* Named anew for each test. */
static char events_topic[32], audit_topic[32], both_topics[72];
static const struct topic topics[] = {
    {events_topic, 3, -1, -1},
    {audit_topic,          3, -1, -1},
    {0           },
};

/* One transaction, as a use case has it: the thing, its event, its row in the outbox. */
static const struct sql change = {
    "change", SQL_ONE,
    "WITH u AS (UPDATE t.things SET seq = seq + 1 WHERE key = $1 RETURNING key, seq),"
    " e AS (INSERT INTO t.events SELECT key, seq FROM u),"
    " o AS (INSERT INTO outbox.events (part, sink, topic, key, payload)"
    "  SELECT $2::smallint, 'kafka', $3, key, seq::text FROM u)"
    " SELECT seq FROM u"};

static const char schema[] =
    "CREATE SCHEMA t;"
    "CREATE TABLE t.things (key text PRIMARY KEY, seq bigint NOT NULL DEFAULT 0) WITH (fillfactor "
    "= 50);"
    "CREATE TABLE t.events (key text, seq bigint, PRIMARY KEY (key, seq));"
    "INSERT INTO t.things SELECT 'key' || n FROM generate_series(0, 63) n;"
    "GRANT USAGE ON SCHEMA t, outbox TO PUBLIC;"
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA t, outbox TO PUBLIC;"
    "GRANT SELECT ON ALL SEQUENCES IN SCHEMA outbox TO PUBLIC";

static pid_t relays[RELAYS], writers;

static void start(void)
{
    test_db_make();
    test_kafka_start();
}

static void stop(void)
{
    test_kafka_stop();
    test_db_drop();
}

static int64_t number_of(const char *text)
{
    int64_t number = -1;

    ck_assert_msg(text_parse_int(text, 0, INT64_MAX, &number), "'%s' is no number", text);
    return number;
}

/* ---- children: the test's own process has no threads, so that it may fork ---- */

static atomic_bool ending;

static void end(int signal)
{
    (void)signal;
    atomic_store(&ending, true);
}

static void be_child(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGTERM, end);
}

static void run_relay(void)
{
    struct producer *producer = producer_new(&(struct producer_options){
        .brokers = test_kafka_own(), .daemon = "relay", .topics = topics});
    const struct outbox_sink sinks[] = {outbox_kafka_sink(producer), {0}};
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);

    while (!atomic_load(&ending)) {
        usleep(PAUSE_US);
        outbox_wake(relay); /* as its daemon would */
    }
    outbox_relay_stop(relay);
    producer_free(producer);
}

/* One in ten is rolled back: it must not be told of. */
static enum status change_one(struct ctx *ctx, struct db_pool *pool, unsigned *chance)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db;
    struct db_rows row;
    char key[16];

    snprintf(key, sizeof(key), "key%d", rand_r(chance) % KEYS);
    TRY(db_take(ctx, pool, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(db_one(ctx, tx, &change,
               DB_ARGS(db_text(key), db_int(outbox_part(key)), db_text(both_topics)), NULL, &row));
    if (rand_r(chance) % 10 == 0) {
        return ST_OK;
    }
    return db_commit(ctx, &tx);
}

static void *write_on(void *user)
{
    struct db_pool *pool = user;
    unsigned chance = (unsigned)clock_monotonic_us();

    while (!atomic_load(&ending)) {
        struct ctx *ctx = ctx_new_system("writer");

        if (change_one(ctx, pool, &chance) != ST_OK) {
            fprintf(stderr, "writer: %s\n", ctx->failure.detail);
        }
        ctx_free(ctx);
        usleep(PAUSE_US);
    }
    return NULL;
}

static void run_writers(void)
{
    struct db_options options = *test_db_runtime();
    pthread_t threads[WRITERS];

    options.max = WRITERS;
    struct db_pool *pool = db_pool_new(&options);
    for (int i = 0; i < WRITERS; i++) {
        pthread_create(&threads[i], NULL, write_on, pool);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
    }
    db_pool_free(pool);
}

static pid_t spawn(void (*run)(void))
{
    pid_t child = fork();

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        be_child();
        run();
        _exit(0);
    }
    return child;
}

static void end_child(pid_t child, int signal)
{
    kill(child, signal);
    waitpid(child, NULL, 0);
}

static void before(void)
{
    test_db_run("DROP SCHEMA IF EXISTS t CASCADE; DROP SCHEMA IF EXISTS outbox CASCADE");
    test_db_run_file("common/outbox/migrations/0001_outbox.sql");
    test_db_run(schema);
    snprintf(events_topic, sizeof(events_topic), "events.%d", (int)getpid());
    snprintf(audit_topic, sizeof(audit_topic), "audit.%d", (int)getpid());
    snprintf(both_topics, sizeof(both_topics), "%s %s", events_topic, audit_topic);
    for (int i = 0; i < RELAYS; i++) {
        relays[i] = spawn(run_relay);
    }
    writers = spawn(run_writers);
}

/* ---- what was committed, against what arrived ---- */

struct told {
    int64_t changes, missing, disorder, repeats;
};

/* Positions up to which a key's events have arrived, each once and in order. */
static void count_records(const struct kafka_records *records, int64_t upto[KEYS],
                          struct told *told)
{
    for (size_t i = 0; i < records->count; i++) {
        int64_t key = number_of(records->v[i].key + strlen("key"));
        int64_t seq = number_of(records->v[i].payload);

        if (seq == upto[key] + 1) {
            upto[key] = seq;
        } else if (seq <= upto[key]) {
            told->repeats++;
        } else {
            told->disorder++;
        }
    }
}

/* A key is in one partition, and the events of t.things are 1 ... seq without a gap. */
static struct told compare(const char *topic)
{
    struct kafka_records records = test_kafka_read(test_kafka_own(), topic);
    int64_t upto[KEYS] = {0};
    struct told told = {.changes = number_of(test_db_ask("SELECT count(*) FROM t.events"))};

    count_records(&records, upto, &told);
    for (int i = 0; i < KEYS; i++) {
        char query[96];

        snprintf(query, sizeof(query), "SELECT seq FROM t.things WHERE key = 'key%d'", i);
        int64_t committed = number_of(test_db_ask(query));
        told.missing += llabs(committed - upto[i]); /* too few, or invented */
    }
    printf("%s: %lld changes, %zu records, %lld missing, %lld out of order, %lld repeats\n", topic,
           (long long)told.changes, records.count, (long long)told.missing,
           (long long)told.disorder, (long long)told.repeats);
    fflush(stdout); /* what fails next ends this process */
    test_kafka_records_free(&records);
    return told;
}

/* However long a slow machine takes over it: rows must become fewer. */
static void wait_until_empty(void)
{
    int64_t end = clock_monotonic_ms() + LONGEST_MS, until = end, least = INT64_MAX, now;

    while ((now = number_of(test_db_ask("SELECT count(*) FROM outbox.events"))) != 0) {
        until = now < least ? clock_monotonic_ms() + STILL_MS : until;
        least = now < least ? now : least;
        ck_assert_msg(clock_monotonic_ms() < until && clock_monotonic_ms() < end,
                      "the outbox is not emptied: %lld", (long long)now);
        clock_pause_ms(50);
    }
}

static void check_all(void)
{
    wait_until_empty();
    for (int i = 0; i < RELAYS; i++) {
        end_child(relays[i], SIGTERM);
    }
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM outbox.dead"), "0");
    for (const struct topic *topic = topics; topic->name; topic++) {
        struct told told = compare(topic->name);

        ck_assert_int_gt(told.changes, 500);
        ck_assert_int_eq(told.missing, 0);
        ck_assert_int_eq(told.disorder, 0);
    }
}

static void kill_some(unsigned *chance)
{
    bool both = rand_r(chance) % 6 == 0;
    int victim = rand_r(chance) % RELAYS;

    for (int i = 0; i < RELAYS; i++) {
        if (both || i == victim) {
            end_child(relays[i], SIGKILL);
        }
    }
    clock_pause_ms(rand_r(chance) % 300);
    for (int i = 0; i < RELAYS; i++) {
        if (both || i == victim) {
            relays[i] = spawn(run_relay);
        }
    }
}

START_TEST(relays_killed_at_random_lose_invent_and_disorder_nothing) /* EVT-18 */
{
    const char *told = getenv("OUTBOX_ROUNDS");
    int64_t rounds = told ? number_of(told) : ROUNDS;
    unsigned chance = (unsigned)getpid();

    clock_pause_ms(2000);
    for (int64_t i = 0; i < rounds; i++) {
        clock_pause_ms(100 + rand_r(&chance) % 900);
        kill_some(&chance);
    }
    clock_pause_ms(1000);
    end_child(writers, SIGTERM);
    check_all();
}
END_TEST

START_TEST(kafka_away_for_ten_seconds_stops_no_writer_and_loses_nothing) /* EVT-18, EVT-20 */
{
    clock_pause_ms(2500);
    test_kafka_kill();
    int64_t before_it = number_of(test_db_ask("SELECT count(*) FROM t.events"));
    clock_pause_ms(10000);
    ck_assert_int_gt(number_of(test_db_ask("SELECT count(*) FROM t.events")), before_it + 500);
    test_kafka_restart();
    clock_pause_ms(3000);
    end_child(writers, SIGTERM);
    check_all();
}
END_TEST

TEST_MAIN_AROUND("killed_relays",
                 (&(struct test_around){.start = start, .stop = stop, .before = before}),
                 relays_killed_at_random_lose_invent_and_disorder_nothing,
                 kafka_away_for_ten_seconds_stops_no_writer_and_loses_nothing)
