/* links: test_db common_token common_crypto common_events
 * Points and statistics from the events of orders, in every order and however often they come. */
#include "common/base/clock.h"
#include "common/events/event.h"
#include "customer-service/loyalty/loyalty.h"
#include "customer-service/loyalty/loyalty_events.h"
#include "tests/integration/customer-service/shop.h"

typedef enum status handler(struct ctx *ctx, void *service, const struct event *event);

struct told {
    handler *handle;
    const char *type;
    char id[ID_TEXT_SIZE];
};

/* Two orders of one person: one that was collected, one that was cancelled. */
struct story {
    struct customer_id who;
    char first[ID_TEXT_SIZE], second[ID_TEXT_SIZE];
    struct told events[4];
};

static void begin(struct story *story)
{
    *story = (struct story){
        .events = {
                   {loyalty_on_order_placed, "OrderPlaced", ""},
                   {loyalty_on_order_completed, "OrderCompleted", ""},
                   {loyalty_on_order_placed, "OrderPlaced", ""},
                   {loyalty_on_order_cancelled, "OrderCancelled", ""},
                   }
    };
    uuid_v7(story->who.text);
    uuid_v7(story->first);
    uuid_v7(story->second);
    for (size_t i = 0; i < ARRAY_LEN(story->events); i++) {
        uuid_v7(story->events[i].id);
    }
}

static enum status tell_data(const struct told *told, const char *order, const char *data)
{
    struct ctx *ctx = ctx_new_system("customer-service");
    struct event_draft draft = {.type = told->type,
                                .subject = "orderId",
                                .subject_id = order,
                                .data = data,
                                .at_ms = clock_wall_ms()};

    text_copy(draft.id, sizeof(draft.id), told->id);
    const char *payload = event_envelope(ctx->arena, &draft);
    struct event event = {.topic = "order.x",
                          .key = order,
                          .payload = payload,
                          .size = strlen(payload),
                          .id = told->id,
                          .type = told->type,
                          .at_ms = draft.at_ms};
    enum status st = told->handle(ctx, shop.service, &event);
    ctx_free(ctx);
    return st;
}

static void tell(const struct story *story, int which)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    const char *order = which < 2 ? story->first : story->second;
    const char *data =
        arena_printf(arena,
                     "{\"number\":7,\"placedAt\":\"2026-11-21T08:15:%02d.500Z\",\"id\":\"%s\","
                     "\"status\":\"x\",\"customerId\":\"%s\",\"items\":[{\"name\":\"Flat White\"}],"
                     "\"totalCents\":%d,\"newMember\":{\"of\":[\"later\"]}}",
                     which < 2 ? 10 : 20, order, story->who.text, which < 2 ? 459 : 1000);

    ck_assert_int_eq(tell_data(&story->events[which], order, data), ST_OK);
}

static void check_outcome(const struct story *story, const char *when)
{
    struct ctx *ctx = ctx_new_system("test");
    struct loyalty_stats stats;
    struct loyalty_account account;
    char last[CLOCK_TEXT_SIZE];

    ck_assert_int_eq(loyalty_stats_of(ctx, shop.service, story->who, &stats), ST_OK);
    ck_assert_int_eq(loyalty_account_of(ctx, shop.service, story->who, &account), ST_OK);
    ck_assert_msg(stats.orders_placed == 2 && stats.orders_completed == 1 &&
                      stats.orders_cancelled == 1 && stats.spent_cents == 459,
                  "%s: placed %lld", when, (long long)stats.orders_placed);
    clock_format(stats.last_order_ms, last);
    ck_assert_str_eq(last, "2026-11-21T08:15:20.500Z");
    ck_assert_msg(account.points == 4 && account.count == 1, "%s: points", when);
    ck_assert_str_eq(account.ledger[0].order_id, story->first);
    ck_assert_str_eq(account.ledger[0].reason, "order_completed");
    ctx_free(ctx);
}

/* The n-th permutation of 0..3. */
static void permute(int n, int order[4])
{
    int left[4] = {0, 1, 2, 3};

    for (int i = 0; i < 4; i++) {
        int at = n % (4 - i);

        n /= 4 - i;
        order[i] = left[at];
        memmove(&left[at], &left[at + 1], (size_t)(3 - at) * sizeof(int));
        left[3] = -1;
    }
}

/* CUST-03 */
START_TEST(every_permutation_of_the_events_gives_the_same)
{
    for (int n = 0; n < 24; n++) {
        struct story story;
        int order[4];
        char when[32];

        begin(&story);
        permute(n, order);
        for (int i = 0; i < 4; i++) {
            tell(&story, order[i]);
        }
        snprintf(when, sizeof(when), "permutation %d", n);
        check_outcome(&story, when);
    }
}
END_TEST

/* CUST-03 */
START_TEST(an_event_that_comes_again_counts_once)
{
    for (int n = 0; n < 24; n++) {
        struct story story;
        int order[4];

        begin(&story);
        permute(n, order);
        for (int i = 0; i < 4; i++) { /* each again after every other one */
            for (int k = 0; k <= i; k++) {
                tell(&story, order[k]);
            }
        }
        check_outcome(&story, "duplicates");
    }
}
END_TEST

/* CUST-04 */
START_TEST(an_order_earns_once_even_if_it_is_said_to_be_completed_twice)
{
    struct story story;
    struct ctx *ctx = ctx_new_system("test");
    struct loyalty_account account;

    begin(&story);
    tell(&story, 1);
    uuid_v7(story.events[1].id); /* another event about the same order */
    tell(&story, 1);
    ck_assert_int_eq(loyalty_account_of(ctx, shop.service, story.who, &account), ST_OK);
    ck_assert_int_eq(account.points, 4);
    ctx_free(ctx);
}
END_TEST

START_TEST(points_are_told_once_through_the_outbox)
{
    struct story story;
    AUTO(arena) struct arena *arena = arena_new(512);

    begin(&story);
    tell(&story, 1);
    tell(&story, 1);
    ck_assert_str_eq(
        test_db_ask(arena_printf(arena,
                                 "SELECT count(*) || ' ' || max(payload::json #>> '{data,balance}')"
                                 " FROM outbox.events WHERE key = '%s' AND topic LIKE"
                                 " 'loyalty.changed%%'",
                                 story.who.text)),
        "1 4");
}
END_TEST

START_TEST(somebody_new_has_nothing)
{
    struct ctx *ctx = ctx_new_system("test");
    struct customer_id nobody;
    struct loyalty_stats stats;
    struct loyalty_account account;

    uuid_v7(nobody.text);
    ck_assert_int_eq(loyalty_stats_of(ctx, shop.service, nobody, &stats), ST_OK);
    ck_assert_int_eq(stats.orders_placed, 0);
    ck_assert_int_eq(stats.last_order_ms, 0);
    ck_assert_int_eq(loyalty_account_of(ctx, shop.service, nobody, &account), ST_OK);
    ck_assert_int_eq(account.points, 0);
    ck_assert_int_eq(account.tier, TIER_BRONZE);
    ctx_free(ctx);
}
END_TEST

START_TEST(an_event_that_can_never_count_is_refused_for_good)
{
    const char *const refused[] = {
        "{}",
        "{\"id\":\"x\",\"customerId\":\"019aa1f0-5c3e-7000-8000-00000000beef\",\"totalCents\":1}",
        "{\"id\":\"019aa1f0-5c3e-7000-8000-00000000cafe\",\"customerId\":\"x\",\"totalCents\":1}",
        "{\"id\":\"019aa1f0-5c3e-7000-8000-00000000cafe\","
        "\"customerId\":\"019aa1f0-5c3e-7000-8000-00000000beef\"}",
        "{\"id\":\"019aa1f0-5c3e-7000-8000-00000000cafe\","
        "\"customerId\":\"019aa1f0-5c3e-7000-8000-00000000beef\",\"totalCents\":\"1\"}",
        "{\"id\":\"019aa1f0-5c3e-7000-8000-00000000cafe\","
        "\"customerId\":\"019aa1f0-5c3e-7000-8000-00000000beef\",\"totalCents\":-1}",
        "{\"id\":\"019aa1f0-5c3e-7000-8000-00000000cafe\",\"placedAt\":\"yesterday\","
        "\"customerId\":\"019aa1f0-5c3e-7000-8000-00000000beef\",\"totalCents\":1}",
    };
    struct told told = {loyalty_on_order_placed, "OrderPlaced", ""};

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        uuid_v7(told.id);
        ck_assert_msg(tell_data(&told, "x", refused[i]) == ST_INVALID, "%s", refused[i]);
    }
}
END_TEST

START_TEST(an_order_of_nobody_counts_for_nobody)
{
    struct told told = {loyalty_on_order_completed, "OrderCompleted", ""};

    uuid_v7(told.id);
    ck_assert_int_eq(tell_data(&told, "x",
                               "{\"id\":\"019aa1f0-5c3e-7000-8000-00000000cafe\","
                               "\"customerId\":\"\",\"totalCents\":500}"),
                     ST_OK);
}
END_TEST

TEST_MAIN_AROUND(
    "loyalty",
    (&(struct test_around){
        .start = shop_make, .stop = shop_drop, .before = shop_open, .after = shop_close}),
    every_permutation_of_the_events_gives_the_same, an_event_that_comes_again_counts_once,
    an_order_earns_once_even_if_it_is_said_to_be_completed_twice,
    points_are_told_once_through_the_outbox, somebody_new_has_nothing,
    an_event_that_can_never_count_is_refused_for_good, an_order_of_nobody_counts_for_nobody)
