/* The pool against a real Valkey that comes, goes, hangs and forgets. */
#include "common/cache/cache.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/metrics.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/valkey_server.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <unistd.h>

static struct valkey_server server;
static struct cache *cache;
static struct ctx *ctx;

static struct cache_options here(void)
{
    return (struct cache_options){.host = "127.0.0.1", .port = server.port};
}

static void start(void)
{
    server = valkey_server_start(0, NULL);
    struct cache_options options = here();
    cache = cache_new(&options);
    ctx = ctx_new_system("test");
}

static void stop(void)
{
    ctx_free(ctx);
    cache_free(cache);
    valkey_server_stop(&server);
}

static void until_it_is_back(void)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    const char *value;
    size_t size;

    while (cache_get(ctx, cache, "order:x", &value, &size) != ST_OK) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(50);
    }
}

START_TEST(what_is_put_is_got_until_it_is_dropped)
{
    const char *value = "?";
    size_t size = 1;

    ck_assert_int_eq(cache_get(ctx, cache, "order:x", &value, &size), ST_OK);
    ck_assert_ptr_null(value);
    ck_assert_int_eq(cache_put(ctx, cache, "order:x", "a\0b", 3, 60), ST_OK);
    ck_assert_int_eq(cache_get(ctx, cache, "order:x", &value, &size), ST_OK);
    ck_assert_int_eq(size, 3);
    ck_assert_mem_eq(value, "a\0b", 4); /* with a NUL behind it */
    ck_assert_int_eq(cache_drop(ctx, cache, "order:x"), ST_OK);
    ck_assert_int_eq(cache_get(ctx, cache, "order:x", &value, &size), ST_OK);
    ck_assert_ptr_null(value);
}
END_TEST

START_TEST(a_value_goes_when_its_time_is_over)
{
    struct cache_reply left;

    ck_assert_int_eq(cache_put(ctx, cache, "order:x", "v", 1, 60), ST_OK);
    ck_assert_int_eq(CACHE_COMMAND(ctx, cache, &left, "TTL", "order:x"), ST_OK);
    ck_assert(left.number > 55 && left.number <= 60);
}
END_TEST

START_TEST(an_answer_keeps_its_shape)
{
    struct cache_reply reply;

    ck_assert_int_eq(
        CACHE_COMMAND(ctx, cache, &reply, "EVAL", "return {7, 'text', false, {'inner'}}", "0"),
        ST_OK);
    ck_assert_int_eq(reply.kind, CACHE_LIST);
    ck_assert_int_eq(reply.count, 4);
    ck_assert_int_eq(reply.items[0].number, 7);
    ck_assert_str_eq(reply.items[1].text, "text");
    ck_assert_int_eq(reply.items[2].kind, CACHE_NIL);
    ck_assert_str_eq(reply.items[3].items[0].text, "inner");
}
END_TEST

START_TEST(a_refused_command_is_our_fault_not_valkeys)
{
    struct cache_reply reply;

    ck_assert_int_eq(CACHE_COMMAND(ctx, cache, &reply, "NONSENSE"), ST_INTERNAL);
    ck_assert(cache_is_up(cache));
}
END_TEST

START_TEST(a_script_is_loaded_again_after_valkey_forgot_it)
{
    struct cache_script script;
    struct cache_reply reply;
    const char *key = "order:n", *by = "5";
    const struct cache_call call = {.keys = &key, .key_count = 1, .args = &by, .arg_count = 1};

    cache_script_init(&script, "return redis.call('INCRBY', KEYS[1], ARGV[1])");
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(cache_eval(ctx, cache, &script, &call, &reply), ST_OK);
        ck_assert_int_eq(reply.number, 5 * i);
        ck_assert_int_eq(ctx->failure.status, ST_OK);
        ck_assert_int_eq(CACHE_COMMAND(ctx, cache, &reply, "SCRIPT", "FLUSH"), ST_OK);
    }
}
END_TEST

/* CACHE-01 */
START_TEST(each_owner_keeps_to_its_prefix)
{
    static const char *const users[] = {"--user",   "order", "on", ">sesame",
                                        "~order:*", "+@all", NULL};
    struct valkey_server strict = valkey_server_start(0, users);
    struct cache_options options = {
        .host = "127.0.0.1", .port = strict.port, .user = "order", .password = "sesame"};
    struct cache *ours = cache_new(&options);

    ck_assert_int_eq(cache_put(ctx, ours, "order:menu:1", "v", 1, 60), ST_OK);
    ck_assert_int_eq(cache_put(ctx, ours, "customer:menu:1", "v", 1, 60), ST_INTERNAL);
    ck_assert_ptr_nonnull(strstr(ctx->failure.detail, "NOPERM"));
    cache_free(ours);

    options.password = "wrong";
    ours = cache_new(&options);
    ck_assert_int_eq(cache_put(ctx, ours, "order:menu:1", "v", 1, 60), ST_UNAVAILABLE);
    cache_free(ours);
    valkey_server_stop(&strict);
}
END_TEST

START_TEST(a_restarted_valkey_is_found_again_by_the_next_command)
{
    enum status st = ST_UNAVAILABLE;

    for (int i = 0; i < PATIENCE_TRIES && st != ST_OK; i++) {
        until_it_is_back();
        valkey_server_stop(&server);
        server = valkey_server_start(server.port, NULL);
        st = cache_put(ctx, cache, "order:x", "v", 1, 60);
    }
    ck_assert_int_eq(st, ST_OK);
}
END_TEST

START_TEST(a_valkey_that_comes_late_is_used)
{
    bool is_used = false;

    for (int i = 0; i < PATIENCE_TRIES && !is_used; i++) {
        until_it_is_back();
        valkey_server_stop(&server);
        ck_assert(!cache_is_up(cache));
        server = valkey_server_start(server.port, NULL);
        clock_pause_ms(1050);
        is_used = cache_is_up(cache);
    }
    ck_assert(is_used);
}
END_TEST

/* A listener that counts who knocks, and answers nobody. */
static _Atomic int knocks, asked, held_up;

static void *count_knocks(void *listener)
{
    int fd = accept(*(int *)listener, NULL, NULL);

    while (fd >= 0) {
        knocks++;
        close(fd);
        fd = accept(*(int *)listener, NULL, NULL);
    }
    return NULL;
}

static void *ask_for_a_while(void *unused)
{
    struct ctx *mine = ctx_new_system("test");
    int64_t until = clock_monotonic_ms() + 2500, last = clock_monotonic_ms() + PATIENCE_MS;
    const char *value;
    size_t size;

    while (clock_monotonic_ms() < until ||
           (atomic_load(&knocks) < 3 && clock_monotonic_ms() < last)) {
        int64_t before = clock_monotonic_ms();
        ck_assert_int_eq(cache_get(mine, cache, "order:x", &value, &size), ST_UNAVAILABLE);
        atomic_fetch_add(&asked, 1);
        atomic_fetch_add(&held_up, clock_monotonic_ms() - before >= 400);
        clock_pause_ms(2);
    }
    ctx_free(mine);
    return unused;
}

START_TEST(a_valkey_that_is_away_costs_one_attempt_a_second)
{
    struct valkey_server gone = server;
    pthread_t asking[4], knocking;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct cache_options options = {.host = "127.0.0.1", .user = "order", .password = "x"};

    valkey_server_stop(&gone);
    server.pid = 0;
    ck_assert_int_eq(listen(listener, 16), 0); /* Linux binds it to a port of its own choice */
    struct sockaddr_storage address;
    socklen_t size = sizeof(address);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    uint16_t port;
    memcpy(&port, (char *)&address + 2, 2);
    options.port = __builtin_bswap16(port);
    cache_free(cache);
    cache = cache_new(&options);

    int64_t begun = clock_monotonic_ms();
    pthread_create(&knocking, NULL, count_knocks, &listener);
    for (int i = 0; i < 4; i++) {
        pthread_create(&asking[i], NULL, ask_for_a_while, NULL);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(asking[i], NULL);
    }
    int64_t seconds = (clock_monotonic_ms() - begun) / 1000;
    shutdown(listener, SHUT_RDWR);
    pthread_join(knocking, NULL);
    close(listener);
    ck_assert_int_ge(knocks, 3); /* at once, then each second; first all four may have knocked */
    ck_assert_int_le(knocks, 4 + seconds);
    ck_assert_int_le(held_up * 20, asked); /* but for moments when the machine was busy */
}
END_TEST

static void find_away(int times)
{
    const char *value;
    size_t size;

    for (int i = 0; i < times; i++) {
        ck_assert_int_eq(cache_get(ctx, cache, "order:x", &value, &size), ST_UNAVAILABLE);
    }
}

START_TEST(a_valkey_that_hangs_costs_a_quarter_of_a_second_once)
{
    int64_t best = INT64_MAX, best_after = INT64_MAX;

    until_it_is_back();
    for (int i = 0; i < PATIENCE_TRIES && (best > 400 || best_after > 100); i++) {
        valkey_server_freeze(&server);
        int64_t before = clock_monotonic_ms();
        find_away(1);
        int64_t between = clock_monotonic_ms();
        find_away(100);
        best = MIN(best, between - before);
        best_after = MIN(best_after, clock_monotonic_ms() - between);
        valkey_server_thaw(&server);
        until_it_is_back();
    }
    ck_assert_int_le(best, 400);
    ck_assert_int_le(best_after, 100);
}
END_TEST

static atomic_int slow_looks;
static atomic_bool watching;

static void *look_on(void *unused)
{
    struct ctx *mine = ctx_new_system("test");
    const char *value;
    size_t size;

    while (atomic_load(&watching)) {
        int64_t before = clock_monotonic_ms();

        ck_assert_int_eq(cache_get(mine, cache, "order:x", &value, &size), ST_UNAVAILABLE);
        atomic_fetch_add(&slow_looks, clock_monotonic_ms() - before >= 200);
        ctx_forgive(mine);
        clock_pause_ms(5);
    }
    ctx_free(mine);
    return unused;
}

/* Its kernel goes on taking connections: one a second tries, nobody else waits for that. */
START_TEST(while_valkey_hangs_one_look_a_second_waits_for_it)
{
    pthread_t threads[4];
    int best = INT_MAX;

    until_it_is_back();
    for (int i = 0; i < PATIENCE_TRIES && best > 4; i++) {
        valkey_server_freeze(&server);
        find_away(1);
        atomic_store(&slow_looks, 0);
        atomic_store(&watching, true);
        for (size_t t = 0; t < ARRAY_LEN(threads); t++) {
            ck_assert_int_eq(pthread_create(&threads[t], NULL, look_on, NULL), 0);
        }
        clock_pause_ms(3500);
        atomic_store(&watching, false);
        for (size_t t = 0; t < ARRAY_LEN(threads); t++) {
            pthread_join(threads[t], NULL);
        }
        best = MIN(best, atomic_load(&slow_looks));
        valkey_server_thaw(&server);
        until_it_is_back();
    }
    ck_assert_int_le(best, 4);
}
END_TEST

START_TEST(a_short_deadline_is_kept_and_does_not_call_valkey_away)
{
    const char *words[] = {"BLPOP", "order:none", "20"};
    struct cache_reply reply;
    bool is_kept = false;

    for (int i = 0; i < PATIENCE_TRIES && !is_kept; i++) {
        until_it_is_back();
        int64_t before = clock_monotonic_ms();
        ctx->deadline_ms = before + 1000;
        enum status st = cache_command_waiting(ctx, cache, words, 3, 20000, &reply);
        is_kept =
            st == ST_UNAVAILABLE && clock_monotonic_ms() - before <= 5000 && cache_is_up(cache);
        ctx->deadline_ms = 0;
    }
    ck_assert(is_kept);
}
END_TEST

START_TEST(a_waiting_command_may_wait_longer)
{
    const char *words[] = {"BLPOP", "order:none", "0.5"};
    struct cache_reply reply;
    enum status st = ST_UNAVAILABLE;
    int64_t began = 0;

    for (int i = 0; i < PATIENCE_TRIES && st != ST_OK; i++) {
        until_it_is_back();
        began = clock_monotonic_ms();
        st = cache_command_waiting(ctx, cache, words, 3, 500, &reply);
    }
    ck_assert_int_eq(st, ST_OK);
    ck_assert_int_ge(clock_monotonic_ms() - began, 450);
    ck_assert_int_eq(reply.kind, CACHE_NIL);
}
END_TEST

static atomic_int failed;

static void *count_up(void *key)
{
    struct ctx *mine = ctx_new_system("test");
    struct cache_reply reply;

    for (int i = 0; i < 200; i++) {
        atomic_fetch_add(&failed, CACHE_COMMAND(mine, cache, &reply, "INCR", key) != ST_OK);
    }
    ctx_free(mine);
    return NULL;
}

static void count_up_together(char *key)
{
    struct cache_options options = here();
    pthread_t threads[12];

    cache_free(cache);
    cache = cache_new(&options);
    atomic_store(&failed, 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_create(&threads[i], NULL, count_up, key);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
}

START_TEST(many_threads_share_few_connections)
{
    char key[] = "order:0";
    struct cache_reply reply;

    do { /* an answer that comes too late fails: with another cache and key then */
        key[strlen(key) - 1]++;
        count_up_together(key);
    } while (atomic_load(&failed) && key[strlen(key) - 1] < '0' + PATIENCE_TRIES);
    ck_assert_int_eq(atomic_load(&failed), 0);
    ck_assert_int_eq(CACHE_COMMAND(ctx, cache, &reply, "GET", key), ST_OK);
    ck_assert_str_eq(reply.text, "2400");
    ck_assert_int_eq(CACHE_COMMAND(ctx, cache, &reply, "CLIENT", "LIST"), ST_OK);
    int lines = 0;
    for (const char *s = reply.text; *s; s++) {
        lines += *s == '\n';
    }
    ck_assert_int_le(lines, 4);
}
END_TEST

TEST_MAIN_AROUND("cache", (&(struct test_around){.before = start, .after = stop}),
                 what_is_put_is_got_until_it_is_dropped, a_value_goes_when_its_time_is_over,
                 an_answer_keeps_its_shape, a_refused_command_is_our_fault_not_valkeys,
                 a_script_is_loaded_again_after_valkey_forgot_it, each_owner_keeps_to_its_prefix,
                 a_restarted_valkey_is_found_again_by_the_next_command,
                 a_valkey_that_comes_late_is_used, a_valkey_that_is_away_costs_one_attempt_a_second,
                 a_valkey_that_hangs_costs_a_quarter_of_a_second_once,
                 while_valkey_hangs_one_look_a_second_waits_for_it,
                 a_short_deadline_is_kept_and_does_not_call_valkey_away,
                 a_waiting_command_may_wait_longer, many_threads_share_few_connections)
