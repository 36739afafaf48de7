/* The token that a push service is shown: of the clock that the service reads, whatever became of
 * ours since it was signed. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "customer-service/notify/push_services.h"
#include "tests/helpers/house_test.h"

#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

static struct p256_key *key;
static struct push_services *services;
static struct push_visit visit;
static struct ctx *ctx;
static struct push push = {.address = "https://push.example.net/x"};
static int64_t now_ms;

static void before(void)
{
    now_ms = clock_wall_ms();
    clock_pretend(now_ms);
    ctx = ctx_new_system("test");
    key = p256_key_make();
    services = push_services_new(key, "mailto:test@example.org");
    visit = (struct push_visit){0};
}

static void after(void)
{
    push_services_free(services);
    p256_key_free(key);
    ctx_free(ctx);
    clock_pretend(0);
}

static void pass(int64_t ms)
{
    now_ms += ms;
    clock_pretend(now_ms);
}

static const char *enter(void)
{
    const char *line = push_services_enter(ctx->arena, services, &visit, &push);

    ck_assert_ptr_nonnull(line);
    return line;
}

/* In how many ms the token of the next push will have passed. */
static int64_t life_ms(void)
{
    const char *claims = strchr(enter(), '.') + 1;
    size_t size;
    const uint8_t *bytes =
        base64url_decode(ctx->arena, claims, (size_t)(strchr(claims, '.') - claims), &size);
    const char *text = arena_printf(ctx->arena, "%.*s", (int)size, (const char *)bytes);

    return strtoll(strstr(text, "\"exp\":") + strlen("\"exp\":"), NULL, 10) * 1000 - now_ms;
}

static void assert_taken(int64_t ms)
{
    ck_assert_int_gt(ms, 0);
    ck_assert_int_lt(ms, 24 * HOUR_MS); /* RFC 8292 */
}

START_TEST(a_token_is_kept_and_is_another_before_it_has_passed)
{
    const char *first = enter();

    pass(5 * HOUR_MS);
    ck_assert_str_eq(enter(), first);
    pass(2 * HOUR_MS);
    ck_assert_str_ne(enter(), first);
}
END_TEST

/* A suspend, or the first word of a time server: no time has passed for CLOCK_MONOTONIC. */
START_TEST(a_clock_that_was_set_makes_another_token)
{
    assert_taken(life_ms());
    pass(13 * HOUR_MS);
    assert_taken(life_ms());
    pass(-30 * HOUR_MS);
    assert_taken(life_ms());
}
END_TEST

static bool is_asked_again(int code)
{
    return push_services_heard(services, &visit, &push, &(struct http_multi_answer){.code = code});
}

START_TEST(a_token_that_is_refused_is_another_next_time_unless_it_is_young)
{
    static const int codes[] = {401, 403};

    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        visit = (struct push_visit){0};
        const char *first = enter();

        ck_assert(!is_asked_again(codes[i])); /* it is not the token */
        ck_assert_str_eq(enter(), first);
        pass(2 * MINUTE_MS);
        ck_assert(is_asked_again(codes[i]));
        ck_assert_str_ne(enter(), first);
    }
}
END_TEST

/* Nor is the answer that comes meanwhile about the next one. */
START_TEST(all_that_went_out_with_a_refused_token_are_asked_again)
{
    struct push_visit next = {0};

    enter();
    pass(2 * MINUTE_MS);
    ck_assert(is_asked_again(403));
    const char *second = push_services_enter(ctx->arena, services, &next, &push);
    ck_assert(is_asked_again(403));
    ck_assert_str_eq(push_services_enter(ctx->arena, services, &next, &push), second);
}
END_TEST

START_TEST(no_other_answer_is_about_the_token)
{
    const char *first = enter();

    pass(2 * MINUTE_MS);
    ck_assert(!is_asked_again(201));
    ck_assert(!is_asked_again(410));
    ck_assert_str_eq(enter(), first);
}
END_TEST

TEST_MAIN_AROUND("push_services", (&(struct test_around){.before = before, .after = after}),
                 a_token_is_kept_and_is_another_before_it_has_passed,
                 a_clock_that_was_set_makes_another_token,
                 a_token_that_is_refused_is_another_next_time_unless_it_is_young,
                 all_that_went_out_with_a_refused_token_are_asked_again,
                 no_other_answer_is_about_the_token)
