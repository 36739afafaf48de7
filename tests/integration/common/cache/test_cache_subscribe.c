/* A subscriber hears what is published, and says when it could not. */
#include "common/cache/cache.h"

#include "common/base/clock.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/valkey_server.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static struct valkey_server server;
static struct cache *cache;
static struct cache_subscriber *subscriber;
static struct ctx *ctx;

static struct {
    pthread_mutex_t lock; /* guards the rest */
    int messages, ups, downs;
    char channel[64], text[64];
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_message(const char *channel, const char *message, size_t size, void *user)
{
    pthread_mutex_lock(&heard.lock);
    ck_assert_ptr_eq(user, &heard);
    ck_assert_int_eq(strlen(message), size);
    snprintf(heard.channel, sizeof(heard.channel), "%s", channel);
    snprintf(heard.text, sizeof(heard.text), "%s", message);
    heard.messages++;
    pthread_mutex_unlock(&heard.lock);
}

static void on_up(bool up, void *user)
{
    pthread_mutex_lock(&heard.lock);
    ck_assert_ptr_eq(user, &heard);
    heard.ups += up;
    heard.downs += !up;
    pthread_mutex_unlock(&heard.lock);
}

static int seen(const int *counter)
{
    pthread_mutex_lock(&heard.lock);
    int now = *counter;
    pthread_mutex_unlock(&heard.lock);
    return now;
}

static void wait_until(const int *counter, int reaches)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (seen(counter) < reaches && clock_monotonic_ms() < until) {
        clock_pause_ms(5);
    }
    ck_assert_int_eq(seen(counter), reaches);
}

static void start(void)
{
    server = valkey_server_start(0, NULL);
    struct cache_options options = {.host = "127.0.0.1", .port = server.port};
    struct cache_subscriber_events events = {.message = on_message, .up = on_up};
    cache = cache_new(&options);
    subscriber = cache_subscribe(&options, "order:pub:*", &events, &heard);
    ctx = ctx_new_system("test");
    wait_until(&heard.ups, 1);
}

static void stop(void)
{
    cache_unsubscribe(subscriber);
    ctx_free(ctx);
    cache_free(cache);
    valkey_server_stop(&server);
}

START_TEST(what_is_published_is_heard)
{
    ck_assert_int_eq(cache_publish(ctx, cache, "order:pub:1", "placed"), ST_OK);
    ck_assert_int_eq(cache_publish(ctx, cache, "customer:pub:1", "not for us"), ST_OK);
    ck_assert_int_eq(cache_publish(ctx, cache, "order:pub:1", "ready"), ST_OK);
    wait_until(&heard.messages, 2);
    ck_assert_str_eq(heard.channel, "order:pub:1");
    ck_assert_str_eq(heard.text, "ready");
}
END_TEST

START_TEST(a_lost_connection_is_told_and_made_again)
{
    struct cache_reply reply;

    ck_assert_int_eq(CACHE_COMMAND(ctx, cache, &reply, "CLIENT", "KILL", "TYPE", "pubsub"), ST_OK);
    wait_until(&heard.downs, 1);
    wait_until(&heard.ups, 2);
    ck_assert_int_eq(cache_publish(ctx, cache, "order:pub:1", "again"), ST_OK);
    wait_until(&heard.messages, 1);
}
END_TEST

START_TEST(a_valkey_that_was_away_for_a_while_is_found_again)
{
    valkey_server_stop(&server);
    wait_until(&heard.downs, 1);
    clock_pause_ms(500);
    ck_assert_int_eq(seen(&heard.ups), 1);
    server = valkey_server_start(server.port, NULL);
    wait_until(&heard.ups, 2);
    ck_assert_int_eq(seen(&heard.downs), 1);
}
END_TEST

START_TEST(a_valkey_that_stands_still_is_noticed_within_about_two_seconds)
{
    int64_t best = INT64_MAX;

    for (int i = 1; i <= PATIENCE_TRIES && best > 3000; i++) {
        int64_t before = clock_monotonic_ms();

        valkey_server_freeze(&server);
        wait_until(&heard.downs, i);
        int64_t took = clock_monotonic_ms() - before;
        best = took < best ? took : best;
        valkey_server_thaw(&server);
        wait_until(&heard.ups, i + 1);
    }
    ck_assert_int_le(best, 3000);
}
END_TEST

/* False also when Valkey itself stood still meanwhile, and was called away for that. */
static bool is_kept_while_quiet(void)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    wait_until(&heard.ups, seen(&heard.downs) + 1);
    int downs = seen(&heard.downs), messages = seen(&heard.messages);
    clock_pause_ms(3500);
    bool is_told = cache_publish(ctx, cache, "order:pub:1", "still here") == ST_OK;
    while (is_told && seen(&heard.messages) == messages && seen(&heard.downs) == downs) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(5);
    }
    return is_told && seen(&heard.ups) == downs + 1 && seen(&heard.downs) == downs;
}

START_TEST(a_valkey_that_is_only_quiet_is_not_called_away)
{
    bool is_kept = false;

    for (int i = 0; i < PATIENCE_TRIES && !is_kept; i++) {
        is_kept = is_kept_while_quiet();
    }
    ck_assert(is_kept);
}
END_TEST

START_TEST(ending_it_waits_for_nothing)
{
    int64_t before = clock_monotonic_ms();

    cache_unsubscribe(subscriber);
    subscriber = NULL;
    ck_assert_int_le(clock_monotonic_ms() - before, 5000);
    ck_assert_int_eq(heard.downs, 0);
}
END_TEST

TEST_MAIN_AROUND("cache_subscribe", (&(struct test_around){.before = start, .after = stop}),
                 what_is_published_is_heard, a_lost_connection_is_told_and_made_again,
                 a_valkey_that_was_away_for_a_while_is_found_again,
                 a_valkey_that_stands_still_is_noticed_within_about_two_seconds,
                 a_valkey_that_is_only_quiet_is_not_called_away, ending_it_waits_for_nothing)
