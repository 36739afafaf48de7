/* links: test_db */
/* The relay against a real Postgres, with sinks of the test's own that do as they are told. */
#include "common/outbox/outbox.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/metrics.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 20000, SOON_MS = 100 /* a poll alone takes 250 on average */ };

/* Keeps what it gets, in order. */
struct bin {
    pthread_mutex_t lock; /* guards got and count */
    struct {
        char key[16], payload[16];
        int64_t at_ms;
    } got[MOST];
    int count;
    atomic_int batches;
    atomic_bool away;              /* takes nothing, after a while */
    _Atomic(const char *) failing; /* begin of keys that it cannot send for now */
    bool gives_up;                 /* when two rows in a row fail */
    const char *impossible;        /* key that it never can */
    const char *cause;             /* that it says of those */
    size_t most;                   /* rows that it gets to in a batch; 0: all */
};

static struct bin bins[2];
static struct ctx *ctx;
static struct db_pool *pool;
static struct db_conn *db;

static int64_t number_of(const char *text)
{
    int64_t number = -1;

    ck_assert_msg(text_parse_int(text, 0, INT64_MAX, &number), "'%s' is no number", text);
    return number;
}

static void keep(struct bin *bin, const struct outbox_row *row)
{
    pthread_mutex_lock(&bin->lock);
    ck_assert_int_lt(bin->count, MOST);
    snprintf(bin->got[bin->count].key, 16, "%s", row->key);
    snprintf(bin->got[bin->count].payload, 16, "%s", row->payload);
    bin->got[bin->count++].at_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&bin->lock);
}

static enum status take(struct bin *bin, const struct outbox_row *row)
{
    const char *failing = atomic_load(&bin->failing);

    if (failing && text_starts(row->key, failing)) {
        return ST_UNAVAILABLE;
    }
    if (bin->impossible && strcmp(row->key, bin->impossible) == 0) {
        return ST_INVALID;
    }
    keep(bin, row);
    return ST_OK;
}

static void send_rows(struct ctx *unit, void *user, struct outbox_row *rows, size_t count,
                      int deadline_ms)
{
    struct bin *bin = user;
    size_t most = bin->most && bin->most < count ? bin->most : count;

    (void)deadline_ms;
    atomic_fetch_add(&bin->batches, 1);
    if (atomic_load(&bin->away)) {
        clock_pause_ms(1500);
        return;
    }
    for (size_t i = 0, failed = 0; i < most && !(bin->gives_up && failed == 2); i++) {
        rows[i].outcome = take(bin, &rows[i]);
        failed = rows[i].outcome == ST_UNAVAILABLE ? failed + 1 : 0;
        if (rows[i].outcome == ST_INVALID && bin->cause) {
            rows[i].outcome = fail_with(unit, ST_INVALID, "", "%s", bin->cause);
        }
    }
}

static const struct outbox_sink sinks[] = {
    {.name = "first",   .send = send_rows, .user = &bins[0], .pace_ms = 5},
    {.name = "second", .send = send_rows, .user = &bins[1], .pace_ms = 5},
    {0                },
};

static void make(void)
{
    test_db_make();
}

static void before(void)
{
    char text[512];

    test_db_run("DROP SCHEMA IF EXISTS outbox CASCADE");
    test_db_run_file("common/outbox/migrations/0001_outbox.sql");
    snprintf(text, sizeof(text),
             "GRANT USAGE ON SCHEMA outbox TO %1$s;"
             "GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA outbox TO %1$s;"
             "GRANT SELECT ON ALL SEQUENCES IN SCHEMA outbox TO %1$s",
             test_db_runtime()->user);
    test_db_run(text);
    memset(bins, 0, sizeof(bins));
    pthread_mutex_init(&bins[0].lock, NULL);
    pthread_mutex_init(&bins[1].lock, NULL);
    ctx = ctx_new_system("test");
    pool = db_pool_new(test_db_runtime());
    db = test_db_take(ctx, pool);
}

static void after(void)
{
    ctx_free(ctx);
    db_pool_free(pool);
}

static void add(const char *sink, const char *key, int n)
{
    char payload[16];

    snprintf(payload, sizeof(payload), "%d", n);
    struct outbox_row row = {.sink = sink, .topic = "t", .key = key, .payload = payload};
    ck_assert_int_eq(outbox_add(ctx, db, &row), ST_OK);
}

static int count_of(struct bin *bin)
{
    pthread_mutex_lock(&bin->lock);
    int count = bin->count;
    pthread_mutex_unlock(&bin->lock);
    return count;
}

static bool wait_for(struct bin *bin, int count)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (count_of(bin) < count && clock_monotonic_ms() < until) {
        clock_pause_ms(2);
    }
    return count_of(bin) >= count;
}

static void wait_until_empty(void)
{
    test_db_await("SELECT 1 WHERE NOT EXISTS (SELECT FROM outbox.events)");
}

static bool is_metric(const char *line)
{
    struct text text = text_new(ctx->arena, 4096);

    metrics_print(&text, false);
    return strstr(text.data, line);
}

START_TEST(rows_of_a_key_arrive_in_their_order_and_are_gone_then)
{
    for (int i = 0; i < 1500; i++) {
        add("first", i % 3 ? "a" : "b", i);
    }
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    ck_assert(wait_for(&bins[0], 1500));
    wait_until_empty();
    int64_t last[2] = {-1, -1};
    for (int i = 0; i < 1500; i++) {
        int64_t *of_key = &last[bins[0].got[i].key[0] - 'a'];

        ck_assert_int_gt(number_of(bins[0].got[i].payload), *of_key);
        *of_key = number_of(bins[0].got[i].payload);
    }
    ck_assert(outbox_relay_is_alive(relay));
    outbox_relay_stop(relay);
}
END_TEST

/* Adds the n-th row (from 0) and says so; whether it came late. */
static bool is_late(struct outbox_relay *told, const char *key, int n)
{
    add("first", key, n);
    int64_t began = clock_monotonic_ms();
    outbox_wake(told);
    ck_assert(wait_for(&bins[0], n + 1));
    return clock_monotonic_ms() - began > SOON_MS;
}

START_TEST(a_wake_up_moves_a_row_on_at_once)
{
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    int late = 0;

    is_late(relay, "a", 0);
    for (int i = 1; i <= 20; i++) {
        clock_pause_ms(37);
        late += is_late(relay, "a", i);
    }
    ck_assert_int_lt(late, 20 / 3);
    outbox_relay_stop(relay);
}
END_TEST

/* The locks make the relay's look at who is there slow: a wake-up may come while it looks. */
START_TEST(no_wake_up_is_lost_while_the_relay_is_at_something_else)
{
    enum { ROWS = 300, FEW = ROWS / 100 };
    struct sql lock = {.name = "lock",
                       .kind = SQL_EXEC,
                       .text = "SELECT pg_advisory_lock(i) FROM generate_series(1, 5000) i"};
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    unsigned seed = 1;
    int late = ROWS;

    ck_assert_int_eq(db_exec(ctx, db, &lock, DB_NO_ARGS, NULL), ST_OK);
    for (int n = 0; n < PATIENCE_TRIES * ROWS && late > FEW;) {
        late = 0;
        for (int end = n + ROWS; n < end; n++) {
            clock_pause_ms(8 + rand_r(&seed) % 8); /* longer than a pace: each is alone */
            late += is_late(relay, "a", n);
        }
    }
    ck_assert_int_le(late, FEW); /* a busy machine's share */
    outbox_relay_stop(relay);
}
END_TEST

START_TEST(rows_that_come_one_after_another_go_together)
{
    enum { PACE_MS = 300, ROWS = 40 };
    const struct outbox_sink slow[] = {
        {.name = "first",   .send = send_rows, .user = &bins[0], .pace_ms = PACE_MS},
        {0},
    };
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), slow);
    int64_t began = clock_monotonic_ms();

    for (int i = 0; i < ROWS; i++) {
        add("first", "a", i);
        outbox_wake(relay);
        clock_pause_ms(10);
    }
    ck_assert(wait_for(&bins[0], ROWS));
    int64_t paces = (clock_monotonic_ms() - began) / PACE_MS;
    ck_assert_int_le(atomic_load(&bins[0].batches), paces + 1);
    for (int i = 0; i < ROWS; i++) {
        ck_assert_int_eq(number_of(bins[0].got[i].payload), i);
    }
    outbox_relay_stop(relay);
}
END_TEST

START_TEST(a_row_that_nobody_told_of_is_found)
{
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);

    clock_pause_ms(600);
    add("first", "a", 0);
    ck_assert(wait_for(&bins[0], 1));
    outbox_relay_stop(relay);
}
END_TEST

START_TEST(a_sink_that_is_away_does_not_delay_another)
{
    atomic_store(&bins[0].away, true);
    for (int i = 0; i < 100; i++) {
        add("first", "a", i);
        add("second", "a", i);
    }
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    ck_assert(wait_for(&bins[1], 100));
    ck_assert_int_eq(count_of(&bins[0]), 0);
    ck_assert(is_metric("outbox_pending{sink=\"first\"} 100\n"));
    atomic_store(&bins[0].away, false);
    ck_assert(wait_for(&bins[0], 100));
    wait_until_empty();
    outbox_relay_stop(relay);
}
END_TEST

START_TEST(a_key_that_fails_waits_alone)
{
    bins[0].failing = "bad";
    for (int i = 0; i < 300; i++) {
        add("first", i % 2 ? "good" : "bad", i);
    }
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    ck_assert(wait_for(&bins[0], 150));
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM outbox.events WHERE key = 'bad'"), "150");
    bins[0].failing = NULL;
    ck_assert(wait_for(&bins[0], 300));
    for (int i = 150; i < 300; i++) {
        ck_assert_str_eq(bins[0].got[i].key, "bad");
        ck_assert_int_eq(number_of(bins[0].got[i].payload), (i - 150) * 2);
    }
    outbox_relay_stop(relay);
}
END_TEST

START_TEST(keys_that_fail_together_do_not_stop_a_sink_that_gives_up)
{
    bins[0].failing = "bad";
    bins[0].gives_up = true;
    for (int i = 0; i < 4; i++) {
        add("first", (const char *[]){"bad-1", "bad-2", "bad-3", "bad-4"}[i], i);
    }
    for (int i = 4; i < 54; i++) {
        add("first", "good", i);
    }
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    ck_assert(wait_for(&bins[0], 50));
    add("first", "good", 54);
    ck_assert(wait_for(&bins[0], 51));
    bins[0].failing = NULL;
    ck_assert(wait_for(&bins[0], 55));
    outbox_relay_stop(relay);
}
END_TEST

static void wait_for_batches(int count)
{
    while (atomic_load(&bins[0].batches) < count) {
        clock_pause_ms(5);
    }
}

/* Rows that failed until now are sent well before who stood back would come again by itself. */
static void let_them_go(int count)
{
    bins[0].failing = NULL;
    int64_t back_ms = clock_monotonic_ms();
    ck_assert(wait_for(&bins[0], count));
    ck_assert_int_lt(clock_monotonic_ms() - back_ms, 30000);
}

START_TEST(nobody_waits_longer_for_having_stood_back_while_the_sink_was_away)
{
    bins[0].failing = "key";
    for (int i = 0; i < 3; i++) {
        add("first", (const char *[]){"key-1", "key-2", "key-3"}[i], i);
    }
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    wait_for_batches(7); /* each of them was the first of a batch */
    let_them_go(3);
    outbox_relay_stop(relay);
}
END_TEST

START_TEST(a_row_that_can_never_be_sent_is_kept_with_its_cause)
{
    bins[0].impossible = "never";
    add("first", "never", 1);
    add("first", "good", 2);
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    ck_assert(wait_for(&bins[0], 1));
    wait_until_empty();
    ck_assert_str_eq(test_db_ask("SELECT key || ':' || payload || ':' || cause FROM outbox.dead"),
                     "never:1:refused by the sink");
    outbox_relay_stop(relay);
}
END_TEST

START_TEST(a_cause_that_is_no_text_stops_nothing)
{
    bins[0].impossible = "never";
    bins[0].cause = "refused: \xc3(";
    add("first", "never", 1);
    add("first", "good", 2);
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    wait_until_empty();
    ck_assert_str_eq(test_db_ask("SELECT key || ':' || cause FROM outbox.dead"),
                     "never:refused by the sink");
    outbox_relay_stop(relay);
}
END_TEST

START_TEST(a_slow_sink_gets_the_oldest_rows_first_whatever_their_part)
{
    enum { ROWS = 400 };

    bins[0].most = 7;
    for (int i = 0; i < ROWS; i++) {
        char key[16];

        snprintf(key, sizeof(key), "key-%d", i % 100);
        add("first", key, i);
    }
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    ck_assert(wait_for(&bins[0], ROWS));
    for (int i = 0; i < ROWS; i++) {
        ck_assert_int_eq(number_of(bins[0].got[i].payload), i);
    }
    outbox_relay_stop(relay);
}
END_TEST

/* Until each of two relays has its half of the parts. */
static void wait_until_shared(void)
{
    test_db_await("SELECT 1 FROM (SELECT count(*) AS n"
                  " FROM pg_locks WHERE locktype = 'advisory' AND classid = 7302"
                  " AND database = (SELECT oid FROM pg_database"
                  "  WHERE datname = current_database()) GROUP BY pid) x"
                  " HAVING string_agg(n::text, ',') = '8,8'");
}

/* The key at which the relay tries whether the sink is back goes to the other, with its part. */
START_TEST(nobody_stands_back_for_a_key_that_another_relay_has_now)
{
    ck_assert_int_lt(outbox_part("key-0"), OUTBOX_PARTS / 2); /* stays with the first */
    ck_assert_int_ge(outbox_part("key-1"), OUTBOX_PARTS / 2);
    bins[0].failing = "key";
    add("first", "key-0", 0);
    add("first", "key-1", 1);
    struct outbox_relay *one = outbox_relay_start(test_db_runtime(), sinks);
    wait_for_batches(4); /* the older key stands back since the third */
    struct outbox_relay *two = outbox_relay_start(test_db_runtime(), sinks);
    wait_until_shared();
    let_them_go(2);
    outbox_relay_stop(one);
    outbox_relay_stop(two);
}
END_TEST

START_TEST(two_relays_share_the_work_and_send_each_row_once)
{
    struct outbox_relay *one = outbox_relay_start(test_db_runtime(), sinks);
    struct outbox_relay *two = outbox_relay_start(test_db_runtime(), sinks);
    char key[16];

    wait_until_shared();
    for (int i = 0; i < 2000; i++) {
        snprintf(key, sizeof(key), "k%d", i % 50);
        add("first", key, i);
    }
    outbox_wake(one);
    ck_assert(wait_for(&bins[0], 2000));
    wait_until_empty();
    ck_assert_int_eq(count_of(&bins[0]), 2000);
    outbox_relay_stop(one);
    add("first", "last", 1);
    ck_assert(wait_for(&bins[0], 2001)); /* the other has it all */
    outbox_relay_stop(two);
}
END_TEST

START_TEST(a_wake_up_reaches_the_relay_that_owns_the_key)
{
    struct outbox_relay *one = outbox_relay_start(test_db_runtime(), sinks);
    struct outbox_relay *two = outbox_relay_start(test_db_runtime(), sinks);
    int late = 0;
    char key[16];

    wait_until_shared();
    for (int i = 0; i < 64; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        late += is_late(one, key, i); /* half of the keys are the other's */
    }
    ck_assert_int_lt(late, 16);
    outbox_relay_stop(one);
    outbox_relay_stop(two);
}
END_TEST

/* stdout into a file, for what is logged meanwhile. */
static FILE *catch_log(int *real)
{
    FILE *caught = tmpfile();

    fflush(stdout);
    *real = dup(STDOUT_FILENO);
    dup2(fileno(caught), STDOUT_FILENO);
    return caught;
}

static void read_log(FILE *caught, int real, char *text, size_t size)
{
    dup2(real, STDOUT_FILENO);
    close(real);
    rewind(caught);
    text[fread(text, 1, size - 1, caught)] = '\0';
    fclose(caught);
}

START_TEST(a_relay_whose_session_ends_goes_on_with_a_new_one)
{
    char log[8192];
    int real;
    FILE *caught = catch_log(&real);
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);

    add("first", "a", 0);
    ck_assert(wait_for(&bins[0], 1));
    db_give_back(&db);
    test_db_run("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()");
    db = test_db_take(ctx, pool);
    add("first", "a", 1);
    bool went_on = wait_for(&bins[0], 2);
    read_log(caught, real, log, sizeof(log));
    ck_assert_msg(went_on, "%s", log);
    ck_assert_ptr_nonnull(strstr(log, "\"outbox relay\""));
    ck_assert_msg(!strstr(log, "\"status\":\"OK\""), "%s", log);
    outbox_relay_stop(relay);
}
END_TEST

/* Ends a statement of the relay, whose connection lives on. */
static void cancel_a_statement(struct outbox_relay *relay)
{
    static const struct sql lock_events = {"lock_events", SQL_EXEC, "LOCK outbox.events"};
    struct db_conn *tx;

    ck_assert_int_eq(db_begin(ctx, db, &tx), ST_OK);
    ck_assert_int_eq(db_exec(ctx, tx, &lock_events, DB_NO_ARGS, NULL), ST_OK);
    outbox_wake(relay);
    test_db_await(TEST_DB_SOMEBODY_WAITS);
    ck_assert_str_eq(test_db_ask("SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                                 " WHERE datname = current_database()"
                                 " AND wait_event_type = 'Lock'"),
                     "t");
    db_rollback(tx);
}

/* Its parts were held twice then, and left once. */
START_TEST(a_relay_that_a_statement_failed_for_leaves_its_parts_to_another)
{
    struct outbox_relay *one = outbox_relay_start(test_db_runtime(), sinks);

    add("first", "k", 1);
    ck_assert(wait_for(&bins[0], 1)); /* it has the parts */
    cancel_a_statement(one);
    add("first", "k", 2);
    ck_assert(wait_for(&bins[0], 2)); /* again */
    struct outbox_relay *two = outbox_relay_start(test_db_runtime(), sinks);
    wait_until_shared();
    outbox_relay_stop(one);
    outbox_relay_stop(two);
}
END_TEST

START_TEST(a_row_committed_long_after_its_id_was_drawn_is_sent)
{
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    struct ctx *slow = ctx_new_system("test");
    struct db_conn *own, *tx;
    struct outbox_row row = {.sink = "first", .topic = "t", .key = "slow", .payload = "1"};

    ck_assert_int_eq(db_take(slow, pool, &own), ST_OK);
    ck_assert_int_eq(db_begin(slow, own, &tx), ST_OK);
    ck_assert_int_eq(outbox_add(slow, tx, &row), ST_OK);
    int sent = 0;
    for (int64_t until = clock_monotonic_ms() + 9000; clock_monotonic_ms() < until;) {
        add("first", "fast", sent++);
        outbox_wake(relay);
        clock_pause_ms(50); /* the floor has several turns meanwhile */
    }
    ck_assert(wait_for(&bins[0], sent));
    ck_assert_int_eq(db_commit(slow, &tx), ST_OK);
    ck_assert(wait_for(&bins[0], sent + 1));
    ck_assert_str_eq(bins[0].got[sent].key, "slow");
    ctx_free(slow);
    outbox_relay_stop(relay);
}
END_TEST

TEST_MAIN_AROUND(
    "relay",
    (&(struct test_around){.start = make, .stop = test_db_drop, .before = before, .after = after}),
    rows_of_a_key_arrive_in_their_order_and_are_gone_then, a_wake_up_moves_a_row_on_at_once,
    no_wake_up_is_lost_while_the_relay_is_at_something_else,
    rows_that_come_one_after_another_go_together, a_row_that_nobody_told_of_is_found,
    a_sink_that_is_away_does_not_delay_another, a_key_that_fails_waits_alone,
    keys_that_fail_together_do_not_stop_a_sink_that_gives_up,
    nobody_waits_longer_for_having_stood_back_while_the_sink_was_away,
    a_row_that_can_never_be_sent_is_kept_with_its_cause, a_cause_that_is_no_text_stops_nothing,
    a_slow_sink_gets_the_oldest_rows_first_whatever_their_part,
    nobody_stands_back_for_a_key_that_another_relay_has_now,
    two_relays_share_the_work_and_send_each_row_once, a_wake_up_reaches_the_relay_that_owns_the_key,
    a_relay_whose_session_ends_goes_on_with_a_new_one,
    a_relay_that_a_statement_failed_for_leaves_its_parts_to_another,
    a_row_committed_long_after_its_id_was_drawn_is_sent)
