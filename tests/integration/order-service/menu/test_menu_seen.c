/* links: test_db
 * Two who change the menu at once: who said which version was seen does not undo what the other
 * did. */
#include "common/base/text.h"
#include "tests/integration/order-service/menu/counter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { ADMINS = 4, ROUNDS = 20 };

/* ---- what people do ---- */

struct seen {
    char edition[40];
    int64_t cents;
};

static struct seen look(void)
{
    struct ctx *ctx = ctx_new_system("test");
    const struct menu *menu;
    struct seen seen;

    ck_assert_int_eq(menu_reload(ctx, &shop, &menu), ST_OK);
    snprintf(seen.edition, sizeof(seen.edition), "%s", menu_edition(ctx->arena, menu, "EUR", 1));
    seen.cents = menu_find(menu, "flat-white")->price_cents;
    ctx_free(ctx);
    return seen;
}

static enum problem set_price(int64_t cents, const char *seen)
{
    struct ctx *ctx = ctx_new_system("test");
    const struct menu_change change = {.id = "flat-white", .price_cents = &cents};

    text_copy(ctx->if_match, sizeof(ctx->if_match), seen);
    enum problem problem =
        menu_update(ctx, &shop, &change) == ST_OK ? PROBLEM_NONE : ctx->failure.problem;
    ctx_free(ctx);
    return problem;
}

START_TEST(who_saw_an_older_menu_changes_nothing)
{
    struct seen both = look();

    ck_assert_int_eq(set_price(411, both.edition), PROBLEM_NONE);
    ck_assert_int_eq(set_price(422, both.edition), PROBLEM_PRECONDITION_FAILED);
    ck_assert_int_eq(look().cents, 411);
    ck_assert_int_eq(set_price(433, look().edition), PROBLEM_NONE);
    ck_assert_int_eq(set_price(444, ""), PROBLEM_NONE); /* who does not say, need not know */
    ck_assert_int_eq(set_price(455, "no.version"), PROBLEM_PRECONDITION_FAILED);
    ck_assert_int_eq(look().cents, 444);
}
END_TEST

START_TEST(a_drink_that_was_changed_meanwhile_is_not_removed)
{
    struct ctx *ctx = ctx_new_system("test");
    struct seen before = look();

    ck_assert_int_eq(set_price(412, before.edition), PROBLEM_NONE);
    text_copy(ctx->if_match, sizeof(ctx->if_match), before.edition);
    ck_assert_int_ne(menu_remove(ctx, &shop, "flat-white"), ST_OK);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_PRECONDITION_FAILED);
    ck_assert_int_eq(look().cents, 412);
    ctx_free(ctx);
}
END_TEST

static struct seen together;
static pthread_barrier_t gate;
static atomic_int changed, refused;

static void *change_together(void *arg)
{
    pthread_barrier_wait(&gate);
    enum problem problem = set_price(*(int64_t *)arg, together.edition);
    atomic_fetch_add(problem == PROBLEM_NONE ? &changed : &refused, 1);
    ck_assert(problem == PROBLEM_NONE || problem == PROBLEM_PRECONDITION_FAILED);
    return NULL;
}

START_TEST(of_those_who_saw_the_same_menu_one_changes_it)
{
    pthread_t admins[ADMINS];
    int64_t cents[ADMINS];

    pthread_barrier_init(&gate, NULL, ADMINS);
    for (int round = 1; round <= ROUNDS; round++) {
        together = look();
        for (int i = 0; i < ADMINS; i++) {
            cents[i] = 300 + round * ADMINS + i;
            ck_assert_int_eq(pthread_create(&admins[i], NULL, change_together, &cents[i]), 0);
        }
        for (int i = 0; i < ADMINS; i++) {
            pthread_join(admins[i], NULL);
        }
        ck_assert_int_eq(atomic_load(&changed), round);
        ck_assert_int_eq(atomic_load(&refused), round * (ADMINS - 1));
    }
    pthread_barrier_destroy(&gate);
}
END_TEST

TEST_MAIN_AROUND("menu_seen",
                 (&(struct test_around){
                     .start = make, .stop = drop, .before = open_shop, .after = close_shop}),
                 who_saw_an_older_menu_changes_nothing,
                 a_drink_that_was_changed_meanwhile_is_not_removed,
                 of_those_who_saw_the_same_menu_one_changes_it)
