/* links: test_db */
/* The pool against a real Postgres: bounded, in order, and quick to say that the database is
 * away. */
#include "common/db/db.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/metrics.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct sql one = {"one", SQL_ONE, "SELECT 1 AS n"};
static const struct sql backends = {
    "backends", SQL_ONE,
    "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'test'"};

static void make(void)
{
    test_db_make();
}

static struct db_pool *pool_of(int max)
{
    struct db_options options = *test_db_runtime();

    options.max = max;
    return db_pool_new(&options);
}

struct crowd {
    struct db_pool *pool;
    int rounds;
    atomic_int failed;
};

static void *work(void *user)
{
    struct crowd *crowd = user;

    for (int i = 0; i < crowd->rounds; i++) {
        struct ctx *ctx = ctx_new_system("test");
        struct db_conn *db;
        struct db_rows row;

        if (db_take(ctx, crowd->pool, &db) != ST_OK ||
            db_one(ctx, db, &one, DB_NO_ARGS, NULL, &row) != ST_OK) {
            atomic_fetch_add(&crowd->failed, 1);
        }
        ctx_free(ctx); /* gives the connection back */
    }
    return NULL;
}

/* How many requests failed. */
static int work_together(struct crowd *crowd)
{
    pthread_t threads[10];

    atomic_store(&crowd->failed, 0);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, crowd), 0);
    }
    for (int i = 0; i < 10; i++) {
        pthread_join(threads[i], NULL);
    }
    return atomic_load(&crowd->failed);
}

START_TEST(a_thousand_requests_share_a_few_backends) /* DATA-06, DATA-07 */
{
    struct crowd crowd = {.pool = pool_of(6), .rounds = 100};
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db;
    struct db_rows row;

    for (int i = 1; work_together(&crowd) > 0;) { /* nobody waited for two seconds */
        ck_assert_int_lt(i++, PATIENCE_TRIES);
    }
    ck_assert_int_eq(db_take(ctx, crowd.pool, &db), ST_OK);
    ck_assert_int_eq(db_one(ctx, db, &backends, DB_NO_ARGS, NULL, &row), ST_OK);
    ck_assert_int_le(db_get_int(&row, 0, "n"), 6);
    ctx_free(ctx);
    db_pool_free(crowd.pool);
}
END_TEST

START_TEST(a_taker_waits_until_its_deadline_and_is_told_of_overload)
{
    struct db_pool *pool = pool_of(1);
    struct ctx *first = ctx_new_system("test"), *second = ctx_new_system("test");
    struct db_conn *held, *other = NULL;
    int64_t began = clock_monotonic_ms();

    ck_assert_int_eq(db_take(first, pool, &held), ST_OK);
    second->deadline_ms = clock_monotonic_ms() + 150;
    ck_assert_int_eq(db_take(second, pool, &other), ST_UNAVAILABLE);
    ck_assert_int_eq(second->failure.problem, PROBLEM_OVERLOADED);
    ck_assert_int_ge(clock_monotonic_ms() - began, 140);
    ck_assert_ptr_null(other);
    ctx_free(first);
    second->deadline_ms = 0;
    ck_assert_int_eq(db_take(second, pool, &other), ST_OK);
    ctx_free(second);
    db_pool_free(pool);
}
END_TEST

struct queue {
    struct db_pool *pool;
    atomic_int served;
    int place[5];
};

struct in_line {
    struct queue *queue;
    int number;
};

static void *stand_in_line(void *user)
{
    struct in_line *me = user;
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db;

    if (db_take(ctx, me->queue->pool, &db) == ST_OK) {
        me->queue->place[me->number] = atomic_fetch_add(&me->queue->served, 1);
    }
    ctx_free(ctx);
    return NULL;
}

/* Until so many wait, or the first of them has waited in vain. */
static void until_waiting(struct ctx *ctx, int count)
{
    const char *line =
        arena_printf(ctx->arena, "\ndb_pool_connections{state=\"waiting\"} %d\n", count);
    int64_t until = clock_monotonic_ms() + 2000;

    for (bool found = false; !found && clock_monotonic_ms() < until;) {
        struct text out = text_new(ctx->arena, 4096);

        clock_pause_ms(2);
        metrics_print(&out, false);
        found = strstr(out.data, line);
    }
}

static int serve_line(struct queue *queue)
{
    struct in_line line[5];
    pthread_t threads[5];
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *held = test_db_take(ctx, queue->pool);

    atomic_store(&queue->served, 0);
    for (int i = 0; i < 5; i++) {
        line[i] = (struct in_line){queue, i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, stand_in_line, &line[i]), 0);
        until_waiting(ctx, i + 1);
    }
    db_give_back(&held);
    for (int i = 0; i < 5; i++) {
        pthread_join(threads[i], NULL);
    }
    ctx_free(ctx);
    return atomic_load(&queue->served);
}

START_TEST(those_who_wait_are_served_in_order)
{
    struct queue queue = {.pool = pool_of(1)};

    for (int i = 1; serve_line(&queue) < 5;) { /* nobody waited for two seconds */
        ck_assert_int_lt(i++, PATIENCE_TRIES);
    }
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(queue.place[i], i);
    }
    db_pool_free(queue.pool);
}
END_TEST

START_TEST(a_pool_survives_that_its_backends_are_ended_while_they_rest)
{
    struct db_pool *pool = pool_of(3);
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db;
    struct db_rows row;

    ck_assert(db_pool_is_up(pool, PATIENCE_MS));
    test_db_run("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
                " WHERE application_name = 'test' AND datname = current_database()");
    ck_assert_int_eq(db_take(ctx, pool, &db), ST_OK);
    ck_assert_int_eq(db_one(ctx, db, &one, DB_NO_ARGS, NULL, &row), ST_OK);
    ctx_free(ctx);
    db_pool_free(pool);
}
END_TEST

/* A port that takes connections and never says a word; counts them. */
static int silent_port(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    getsockname(fd, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return fd;
}

START_TEST(while_the_database_is_away_takers_fail_at_once) /* DATA-03 */
{
    struct db_options options = *test_db_runtime();
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db = NULL;
    int unused = silent_port(&options.port); /* bound, nobody listens: connections are refused */
    struct db_pool *pool = db_pool_new(&options);

    ck_assert_quick(
        800, for (int i = 0; i < 200;
                  i++) { ck_assert_int_eq(db_take(ctx, pool, &db), ST_UNAVAILABLE); });
    ck_assert(!db_pool_is_up(pool, 100));
    close(unused);
    ctx_free(ctx);
    db_pool_free(pool);
}
END_TEST

struct listener {
    int fd;
    atomic_int met;
};

static void *refuse_all(void *user)
{
    struct listener *listener = user;

    for (int one_of; (one_of = accept(listener->fd, NULL, NULL)) >= 0;) {
        atomic_fetch_add(&listener->met, 1);
        close(one_of);
    }
    return NULL;
}

START_TEST(a_database_that_is_away_is_asked_once_a_second_not_once_a_request)
{
    struct db_options options = *test_db_runtime();
    struct listener listener = {.fd = silent_port(&options.port)};
    struct db_pool *pool = db_pool_new(&options);
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db = NULL;
    pthread_t thread;

    ck_assert_int_eq(listen(listener.fd, 16), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, refuse_all, &listener), 0);
    int64_t began = clock_monotonic_ms();
    for (int i = 0; i < 250; i++) {
        ck_assert_int_eq(db_take(ctx, pool, &db), ST_UNAVAILABLE);
        clock_pause_ms(10);
    }
    int64_t attempts = 2 + (clock_monotonic_ms() - began) / 1000;
    ck_assert_int_ge(atomic_load(&listener.met), 2);
    ck_assert_int_le(atomic_load(&listener.met),
                     2 * attempts); /* libpq knocks twice: with GSS or SSL, without */
    shutdown(listener.fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(listener.fd);
    ctx_free(ctx);
    db_pool_free(pool);
}
END_TEST

TEST_MAIN_AROUND("pool", (&(struct test_around){.start = make, .stop = test_db_drop}),
                 a_thousand_requests_share_a_few_backends,
                 a_taker_waits_until_its_deadline_and_is_told_of_overload,
                 those_who_wait_are_served_in_order,
                 a_pool_survives_that_its_backends_are_ended_while_they_rest,
                 while_the_database_is_away_takers_fail_at_once,
                 a_database_that_is_away_is_asked_once_a_second_not_once_a_request)
