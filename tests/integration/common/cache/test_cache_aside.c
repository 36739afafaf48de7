/* Cache-aside against a real Valkey, and without one. */
#include "common/cache/cache_aside.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/metrics.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/valkey_server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define KEY "order:menu:1"

static struct valkey_server server;
static struct cache *cache;
static struct cache_aside *aside;
static struct ctx *ctx;

static struct database { /* what the loader reads */
    atomic_int loads;
    const char *value;
    enum status says;
    int takes_ms;
    void (*meanwhile)(void); /* once, after it was read */
} database;

static enum status load(struct ctx *c, void *user, const char **value, size_t *size)
{
    struct database *db = user;

    atomic_fetch_add(&db->loads, 1);
    clock_pause_ms(db->takes_ms);
    if (db->says != ST_OK) {
        return fail_with(c, db->says, "", "the database says no");
    }
    *value = db->value ? arena_strdup(c->arena, db->value) : NULL;
    *size = db->value ? strlen(db->value) : 0;
    void (*meanwhile)(void) = db->meanwhile;
    db->meanwhile = NULL;
    if (meanwhile) {
        meanwhile();
    }
    return ST_OK;
}

static void start(void)
{
    server = valkey_server_start(0, NULL);
    struct cache_options options = {.host = "127.0.0.1", .port = server.port};
    cache = cache_new(&options);
    aside = cache_aside_new(cache, "menu", 3600);
    ctx = ctx_new_system("test");
    database = (struct database){.value = "latte"};
}

static void stop(void)
{
    ctx_free(ctx);
    cache_aside_free(aside);
    cache_free(cache);
    valkey_server_stop(&server);
}

static const char *look(void)
{
    struct cache_reply value;

    ck_assert_int_eq(cache_aside_get(ctx, aside, KEY, load, &database, &value), ST_OK);
    ck_assert_int_eq(ctx->failure.status, ST_OK);
    return value.text;
}

static int counted(const char *metric)
{
    AUTO(arena) struct arena *arena = arena_new(65536);
    struct text out = text_new(arena, 4096);
    const char *line = arena_printf(arena, "\n%s{cache=\"menu\"} ", metric);

    metrics_print(&out, false);
    const char *found = strstr(out.data, line);
    ck_assert_ptr_nonnull(found);
    return (int)strtol(found + strlen(line), NULL, 10);
}

/* An answer that comes too late is a miss, and not the cache's fault: with another Valkey then. */
static void try_until(bool (*holds)(void))
{
    bool held = holds();

    for (int i = 1; i < PATIENCE_TRIES && !held; i++) {
        stop();
        start();
        held = holds();
    }
    ck_assert(held);
}

static bool second_look_hits(void)
{
    int misses = counted("cache_misses_total"), hits = counted("cache_hits_total");

    ck_assert_str_eq(look(), "latte");
    bool missed =
        counted("cache_misses_total") == misses + 1 && counted("cache_hits_total") == hits;
    ck_assert_str_eq(look(), "latte");
    return missed && counted("cache_hits_total") == hits + 1 && database.loads == 1;
}

/* CACHE-02 */
START_TEST(the_first_look_misses_and_the_second_hits)
{
    try_until(second_look_hits);
}
END_TEST

static bool is_served_without_database(void)
{
    struct cache_reply value;

    look();
    database.says = ST_UNAVAILABLE;
    return cache_aside_get(ctx, aside, KEY, load, &database, &value) == ST_OK &&
           strcmp(value.text, "latte") == 0;
}

/* CACHE-02 */
START_TEST(what_is_kept_is_served_while_the_database_is_away)
{
    try_until(is_served_without_database);
}
END_TEST

/* CACHE-01 CACHE-02 */
START_TEST(without_valkey_each_look_asks_the_database)
{
    valkey_server_stop(&server);
    ck_assert_str_eq(look(), "latte");
    ck_assert_str_eq(look(), "latte");
    ck_assert_int_eq(database.loads, 2);
}
END_TEST

static bool is_filled_after_flush(void)
{
    struct cache_reply reply;

    look();
    bool flushed = CACHE_COMMAND(ctx, cache, &reply, "FLUSHALL") == ST_OK;
    ctx_forgive(ctx);
    ck_assert_str_eq(look(), "latte");
    ck_assert_str_eq(look(), "latte");
    return flushed && database.loads == 2;
}

/* CACHE-01 */
START_TEST(a_flush_is_filled_again)
{
    try_until(is_filled_after_flush);
}
END_TEST

START_TEST(what_is_not_there_is_asked_for_again)
{
    database.value = NULL;
    ck_assert_ptr_null(look());
    database.value = "mocha";
    ck_assert_str_eq(look(), "mocha");
}
END_TEST

START_TEST(a_failed_load_is_told_and_not_kept)
{
    struct cache_reply value;

    database.says = ST_UNAVAILABLE;
    ck_assert_int_eq(cache_aside_get(ctx, aside, KEY, load, &database, &value), ST_UNAVAILABLE);
    ctx_forgive(ctx);
    database.says = ST_OK;
    ck_assert_str_eq(look(), "latte");
}
END_TEST

static void *look_once(void *unused)
{
    struct ctx *mine = ctx_new_system("test");
    struct cache_reply value;

    ck_assert_int_eq(cache_aside_get(mine, aside, KEY, load, &database, &value), ST_OK);
    ck_assert_str_eq(value.text, "latte");
    ctx_free(mine);
    return unused;
}

static void look_in_eight_threads(void)
{
    pthread_t threads[8];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_create(&threads[i], NULL, look_once, NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
}

/* Whether something changed since the first began nobody knows: the others share a second load. */
static bool eight_load_twice(void)
{
    database.loads = 0;
    database.takes_ms = 500;
    look_in_eight_threads();
    return database.loads <= 2;
}

START_TEST(eight_who_miss_at_once_load_twice)
{
    try_until(eight_load_twice);
}
END_TEST

static bool eight_load_twice_without_valkey(void)
{
    valkey_server_stop(&server);
    look();
    return eight_load_twice();
}

START_TEST(eight_who_miss_at_once_without_valkey_load_twice)
{
    try_until(eight_load_twice_without_valkey);
}
END_TEST

/* Another replica commits a change, and drops what Valkey has, while we load. */
static void change_meanwhile(void)
{
    struct cache *theirs =
        cache_new(&(struct cache_options){.host = "127.0.0.1", .port = server.port});
    struct ctx *their_ctx = ctx_new_system("test");
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    database.value = "mocha";
    while (cache_aside_drop(their_ctx, theirs, KEY) != ST_OK) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
    }
    ctx_free(their_ctx);
    cache_free(theirs);
}

/* CACHE-09 */
START_TEST(what_was_read_before_a_change_is_not_kept_after_it)
{
    database.meanwhile = change_meanwhile;
    ck_assert_str_eq(look(), "latte");
    ck_assert_str_eq(look(), "mocha");
}
END_TEST

static pthread_t late;

static void *look_late(void *unused)
{
    struct ctx *mine = ctx_new_system("test");
    struct cache_reply value;

    ck_assert_int_eq(cache_aside_get(mine, aside, KEY, load, &database, &value), ST_OK);
    ck_assert_str_eq(value.text, "mocha");
    ctx_free(mine);
    return unused;
}

static void look_while_we_load(void)
{
    pthread_create(&late, NULL, look_late, NULL);
    clock_pause_ms(300); /* by then it waits for us; if not, nothing is shown */
}

static void change_and_look(void)
{
    change_meanwhile();
    look_while_we_load();
}

static void change_unheard_and_look(void)
{
    database.value = "mocha";
    look_while_we_load();
}

/* CACHE-09 */
START_TEST(who_looks_after_a_change_does_not_take_what_another_read_before_it)
{
    database.meanwhile = change_and_look;
    ck_assert_str_eq(look(), "latte");
    pthread_join(late, NULL);
}
END_TEST

START_TEST(nor_without_valkey)
{
    valkey_server_stop(&server);
    database.meanwhile = change_unheard_and_look;
    ck_assert_str_eq(look(), "latte");
    pthread_join(late, NULL);
}
END_TEST

/* False also when this machine stood still until the other was there. */
static bool waits_no_longer_than_its_deadline(void)
{
    int64_t began = clock_monotonic_ms();
    pthread_t slow;
    struct cache_reply value;

    database.takes_ms = 4000;
    pthread_create(&slow, NULL, look_once, NULL);
    while (atomic_load(&database.loads) == 0) {
        clock_pause_ms(5);
    }
    ctx->deadline_ms = clock_monotonic_ms() + 100;
    enum status st = cache_aside_get(ctx, aside, KEY, load, &database, &value);
    int64_t ended = clock_monotonic_ms();
    pthread_join(slow, NULL);
    if (ended - began < database.takes_ms) {
        ck_assert_int_eq(st, ST_TIMEOUT);
    }
    return st == ST_TIMEOUT && ended - ctx->deadline_ms <= 2500;
}

START_TEST(who_waits_for_another_keeps_its_deadline)
{
    try_until(waits_no_longer_than_its_deadline);
}
END_TEST

TEST_MAIN_AROUND("cache_aside", (&(struct test_around){.before = start, .after = stop}),
                 the_first_look_misses_and_the_second_hits,
                 what_is_kept_is_served_while_the_database_is_away,
                 without_valkey_each_look_asks_the_database, a_flush_is_filled_again,
                 what_is_not_there_is_asked_for_again, a_failed_load_is_told_and_not_kept,
                 eight_who_miss_at_once_load_twice,
                 eight_who_miss_at_once_without_valkey_load_twice,
                 what_was_read_before_a_change_is_not_kept_after_it,
                 who_looks_after_a_change_does_not_take_what_another_read_before_it,
                 nor_without_valkey, who_waits_for_another_keeps_its_deadline)
