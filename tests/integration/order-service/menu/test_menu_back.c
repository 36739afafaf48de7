/* links: test_db
 * A drink that was taken off the menu comes back: its name makes its id, and orders name that. */
#include "common/base/text.h"
#include "tests/integration/order-service/menu/counter.h"

/* ---- what people do ---- */

static enum problem put_on(int64_t cents, const char *with)
{
    struct ctx *ctx = ctx_new_system("test");
    const int kind = 1;
    const char *id = "";
    const struct menu_change drink = {
        .name = "Mocha",
        .description = "As in winter.",
        .kind = &kind,
        .price_cents = &cents,
        .customizations = &with,
        .customization_count = 1,
    };
    enum status st = menu_create(ctx, &shop, &drink, &id);
    enum problem problem = st == ST_OK ? PROBLEM_NONE : ctx->failure.problem;

    ck_assert_str_eq(id, "mocha");
    ctx_free(ctx);
    return problem;
}

static void take_off(void)
{
    struct ctx *ctx = ctx_new_system("test");

    ck_assert_int_eq(menu_remove(ctx, &shop, "mocha"), ST_OK);
    ctx_free(ctx);
}

static const char *sold_as(void)
{
    return test_db_ask(
        "SELECT concat_ws(' ', price_cents, available, description, valid_to IS NULL,"
        "  array_to_string(allergens, ','),"
        "  (SELECT string_agg(customization_id, ',')"
        "     FROM menu.menu_item_customizations WHERE menu_item_id = id))"
        "  FROM menu.menu_items WHERE id = 'mocha' AND removed_at IS NULL");
}

static void open_with_mocha(void)
{
    test_db_run("UPDATE menu.menu_items SET removed_at = NULL WHERE id = 'mocha'");
    open_shop();
}

/* ---- the tests ---- */

START_TEST(a_drink_that_was_taken_off_comes_back_as_it_is_sent) /* MENU-03 */
{
    test_db_run(
        "UPDATE menu.menu_items SET available = false, valid_to = now() WHERE id = 'mocha'");
    take_off();
    ck_assert_int_eq(put_on(470, "oat-milk"), PROBLEM_NONE);
    ck_assert_str_eq(sold_as(), "470 t As in winter. t  oat-milk");
}
END_TEST

START_TEST(a_drink_that_is_on_the_menu_is_not_put_on_it_again) /* MENU-03 */
{
    const char *before = sold_as();

    ck_assert_int_eq(put_on(470, "oat-milk"), PROBLEM_ALREADY_EXISTS);
    ck_assert_str_eq(sold_as(), before);
}
END_TEST

TEST_MAIN_AROUND("menu_back",
                 (&(struct test_around){
                     .start = make, .stop = drop, .before = open_with_mocha, .after = close_shop}),
                 a_drink_that_was_taken_off_comes_back_as_it_is_sent,
                 a_drink_that_is_on_the_menu_is_not_put_on_it_again)
