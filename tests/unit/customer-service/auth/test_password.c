/* Passwords: which are refused, how wrong ones slow down, and one hash at a time. */
#include "common/base/clock.h"
#include "customer-service/auth/password_queue.h"
#include "customer-service/auth/password_rule.h"
#include "customer-service/auth/sign_in_pause.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"

#include <pthread.h>
#include <stdatomic.h>

START_TEST(a_long_phrase_will_do)
{
    ck_assert_ptr_null(password_weakness("correct horse", "grandma", "g@example.org"));
    ck_assert_ptr_null(password_weakness("coffee-demo", "customer", "customer@example.org"));
    ck_assert_ptr_null(password_weakness("ünïcödé.lang", "grandma", "g@example.org"));
}
END_TEST

START_TEST(what_is_tried_first_is_refused)
{
    const char *const refused[] = {
        "",
        "short",
        "ninechars",
        "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc",
        "1234567890",
        "PASSWORD123",
        "qwertyuiop",
        "zzzzzzzzzzzz",
        "Grandmother1",
        "G@Example.org",
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        ck_assert_msg(password_weakness(refused[i], "grandmother1", "g@example.org") != NULL, "%s",
                      refused[i]);
    }
}
END_TEST

/* AUTH-31 */
START_TEST(the_pause_begins_with_the_fifth_failure_and_doubles)
{
    ck_assert_int_eq(sign_in_pause_s(0), 0);
    ck_assert_int_eq(sign_in_pause_s(4), 0);
    ck_assert_int_eq(sign_in_pause_s(5), 30);
    ck_assert_int_eq(sign_in_pause_s(6), 60);
    ck_assert_int_eq(sign_in_pause_s(9), 480);
    ck_assert_int_eq(sign_in_pause_s(10), 900);
    ck_assert_int_eq(sign_in_pause_s(INT64_MAX), 900);
}
END_TEST

/* A refusal; it makes 'least_us' what the quickest took. */
static void refuse(struct ctx *ctx, struct password_queue *queue, const char *hash,
                   int64_t *least_us)
{
    int64_t start = clock_monotonic_us();
    bool matches = true;

    ck_assert_int_eq(
        password_queue_check(ctx, queue, hash ? "wrong" : "correct horse", hash, &matches), ST_OK);
    int64_t took = clock_monotonic_us() - start;
    ck_assert(!matches);
    *least_us = took < *least_us ? took : *least_us;
}

START_TEST(an_account_that_is_not_there_matches_nothing_and_costs_as_much)
{
    struct password_queue *queue = password_queue_new(1);
    struct ctx *ctx = ctx_new_system("test");
    char hash[PASSWORD_HASH_SIZE];
    int64_t nobody = INT64_MAX, somebody = INT64_MAX;
    bool matches;

    ck_assert_int_eq(password_queue_hash(ctx, queue, "correct horse", hash), ST_OK);
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    for (int i = 0; i < PATIENCE_TRIES || (nobody * 4 <= somebody && clock_monotonic_ms() < until);
         i++) { /* a lull may be one's alone */
        refuse(ctx, queue, NULL, &nobody);
        refuse(ctx, queue, hash, &somebody);
    }
    ck_assert_int_eq(password_queue_check(ctx, queue, "correct horse", hash, &matches), ST_OK);
    ck_assert(matches);
    ck_assert_msg(nobody * 4 > somebody, "%lld and %lld us", (long long)nobody,
                  (long long)somebody); /* a refusal of the hash itself would take no time */
    ctx_free(ctx);
    password_queue_free(queue);
}
END_TEST

static struct password_queue *shared_queue;
static atomic_int turned_away, served, too_late;

static void *sign_in(void *unused)
{
    struct ctx *ctx = ctx_new_system("test");
    bool matches;

    (void)unused;
    enum status st = password_queue_check(ctx, shared_queue, "x", NULL, &matches);
    atomic_fetch_add(st == ST_OK ? &served : &turned_away, 1);
    if (st != ST_OK) {
        ck_assert_int_eq(ctx->failure.problem, PROBLEM_OVERLOADED);
    }
    ctx_free(ctx);
    return NULL;
}

START_TEST(who_finds_the_room_full_is_turned_away)
{
    pthread_t threads[12];

    shared_queue = password_queue_new(3);
    for (size_t i = 0; i < 12; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sign_in, NULL), 0);
    }
    for (size_t i = 0; i < 12; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(served + turned_away, 12);
    ck_assert_int_ge(served, 4); /* one at work and three waiting at the least */
    ck_assert_int_ge(turned_away, 1);
    sign_in(NULL); /* the room is empty again */
    ck_assert_int_eq(served + turned_away, 13);
    password_queue_free(shared_queue);
}
END_TEST

static void *sign_in_late(void *unused)
{
    struct ctx *ctx = ctx_new_system("test");
    bool matches;

    (void)unused;
    ctx->deadline_ms = clock_monotonic_ms() + 1;
    enum status st = password_queue_check(ctx, shared_queue, "x", NULL, &matches);
    atomic_fetch_add(st == ST_TIMEOUT ? &too_late : &served, 1);
    ctx_free(ctx);
    return NULL;
}

START_TEST(who_cannot_wait_gets_a_time_out_and_holds_nobody_up)
{
    pthread_t threads[8];

    shared_queue = password_queue_new(64);
    for (size_t i = 0; i < 8; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, i ? sign_in_late : sign_in, NULL), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(served + too_late, 8);
    ck_assert_int_ge(too_late, 1);
    sign_in(NULL);
    ck_assert_int_eq(turned_away, 0);
    password_queue_free(shared_queue);
}
END_TEST

TEST_MAIN("password", a_long_phrase_will_do, what_is_tried_first_is_refused,
          the_pause_begins_with_the_fifth_failure_and_doubles,
          an_account_that_is_not_there_matches_nothing_and_costs_as_much,
          who_finds_the_room_full_is_turned_away,
          who_cannot_wait_gets_a_time_out_and_holds_nobody_up)
