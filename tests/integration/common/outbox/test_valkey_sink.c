/* links: test_db common_cache */
/* Rows of the live sink come out of a real Valkey, on the channel that is their topic. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/outbox/outbox.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 50 };

static char channel[64], got[ROWS][16];
static atomic_int count;
static atomic_bool subscribed;

static void hear(const char *from, const char *message, size_t size, void *user)
{
    int n = atomic_load(&count);
    char text[16];

    (void)user;
    snprintf(text, sizeof(text), "%.*s", (int)size, message);
    bool is_repeat = n > 0 && strcmp(text, got[n - 1]) == 0; /* the answer came too late */
    if (strcmp(from, channel) == 0 && n < ROWS && !is_repeat) {
        text_copy(got[n], sizeof(got[n]), text);
        atomic_fetch_add(&count, 1);
    }
}

static void note_up(bool up, void *user)
{
    (void)user;
    atomic_store(&subscribed, up);
}

static int64_t number_of(const char *text)
{
    int64_t number = -1;

    ck_assert_msg(text_parse_int(text, 0, INT64_MAX, &number), "'%s' is no number", text);
    return number;
}

static struct cache_options valkey(void)
{
    const char *host = getenv("VALKEY_HOST"), *port = getenv("VALKEY_PORT");

    ck_assert_msg(host && port, "VALKEY_HOST and VALKEY_PORT are not set, see tools/test-env.sh");
    return (struct cache_options){.host = host,
                                  .port = (int)number_of(port),
                                  .user = getenv("VALKEY_USER"),
                                  .password = getenv("VALKEY_PASSWORD")};
}

static void make(void)
{
    test_db_make();
    test_db_run_file("common/outbox/migrations/0001_outbox.sql");
    test_db_run("GRANT USAGE ON SCHEMA outbox TO PUBLIC;"
                "GRANT SELECT, INSERT, DELETE ON ALL TABLES IN SCHEMA outbox TO PUBLIC;"
                "GRANT SELECT ON ALL SEQUENCES IN SCHEMA outbox TO PUBLIC");
}

static void wait_until(bool (*holds)(void))
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (clock_monotonic_ms() < until && !holds()) {
        clock_pause_ms(10);
    }
    ck_assert(holds());
}

static bool is_subscribed(void)
{
    return atomic_load(&subscribed);
}

static bool has_all(void)
{
    return atomic_load(&count) == ROWS;
}

static void add_rows(struct outbox_relay *relay)
{
    struct db_pool *pool = db_pool_new(test_db_runtime());
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db;

    db = test_db_take(ctx, pool);
    for (int i = 0; i < ROWS; i++) {
        const char *payload = arena_printf(ctx->arena, "%d", i);
        struct outbox_row row = {.sink = "live", .topic = channel, .key = "a", .payload = payload};

        ck_assert_int_eq(outbox_add(ctx, db, &row), ST_OK);
        outbox_wake(relay);
    }
    ctx_free(ctx);
    db_pool_free(pool);
}

START_TEST(rows_are_published_in_order_on_the_channel_of_their_topic)
{
    static const struct cache_subscriber_events events = {hear, note_up};
    struct cache_options options = valkey();
    struct cache *cache = cache_new(&options);

    snprintf(channel, sizeof(channel), "test:live:%d", (int)getpid());
    struct cache_subscriber *subscriber = cache_subscribe(&options, channel, &events, NULL);
    wait_until(is_subscribed);
    const struct outbox_sink sinks[] = {outbox_live_sink(cache), {0}};
    struct outbox_relay *relay = outbox_relay_start(test_db_runtime(), sinks);
    add_rows(relay);
    wait_until(has_all);
    for (int i = 0; i < ROWS; i++) {
        ck_assert_int_eq(number_of(got[i]), i);
    }
    outbox_relay_stop(relay);
    cache_unsubscribe(subscriber);
    cache_free(cache);
}
END_TEST

TEST_MAIN_AROUND("valkey_sink", (&(struct test_around){.start = make, .stop = test_db_drop}),
                 rows_are_published_in_order_on_the_channel_of_their_topic)
