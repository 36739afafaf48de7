/* links: test_db
 * What a change of the menu does to what is at hand of it, in this process and in Valkey: whoever
 * changed it sees the change, however the reads of others fall around it. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "tests/helpers/patience.h"
#include "tests/integration/order-service/menu/counter.h"

#include <pthread.h>

enum { READERS = 4, CHANGES = 150, SOON_MS = 6000, AWAY_MS = 1000 };

/* ---- what people do ---- */

static void set_price(int64_t cents)
{
    struct ctx *ctx = ctx_new_system("test");
    struct menu_change change = {.id = "flat-white", .price_cents = &cents};

    ck_assert_int_eq(menu_update(ctx, &shop, &change), ST_OK);
    ctx_free(ctx);
}

static int64_t price(void)
{
    struct ctx *ctx = ctx_new_system("test");
    const struct menu *menu;

    ck_assert_int_eq(menu_current(ctx, &shop, &menu), ST_OK);
    int64_t cents = menu_find(menu, "flat-white")->price_cents;
    ctx_free(ctx);
    return cents;
}

/* When it was seen to be there. */
static int64_t valkey_is_up(void)
{
    int64_t began_ms = clock_monotonic_ms(), until = began_ms + PATIENCE_MS;

    while (!cache_is_up(shop.cache)) {
        ck_assert_int_lt(began_ms, until);
        clock_pause_ms(20);
        began_ms = clock_monotonic_ms();
    }
    return began_ms;
}

/* Nothing that it was to be told was lost: what is away stays so for a second. */
static bool valkey_was_up_since(int64_t began_ms)
{
    return cache_is_up(shop.cache) && clock_monotonic_ms() - began_ms < AWAY_MS;
}

/* What who changes it to that reads then, of a Valkey that was told. */
static int64_t price_changed_to(int64_t cents)
{
    int64_t began_ms, read_cents;

    do {
        began_ms = valkey_is_up();
        set_price(cents);
        read_cents = price();
    } while (!valkey_was_up_since(began_ms));
    return read_cents;
}

static int64_t number(const char *text)
{
    int64_t n = 0;

    ck_assert(text && text_parse_int(text, 1, INT64_MAX, &n));
    return n;
}

static int64_t version_in_valkey(void)
{
    struct ctx *ctx = ctx_new_system("test");
    const char *text = NULL;
    size_t size;

    while (cache_get(ctx, shop.cache, "order:menu:version", &text, &size) != ST_OK) {
        ctx_forgive(ctx);
        valkey_is_up();
    }
    int64_t version = number(text);
    ctx_free(ctx);
    return version;
}

static int64_t version_in_database(void)
{
    return number(test_db_ask("SELECT version FROM menu.version"));
}

static void empty_valkey(void)
{
    struct ctx *ctx = ctx_new_system("test");
    struct cache_reply reply;

    while (CACHE_COMMAND(ctx, shop.cache, &reply, "FLUSHALL") != ST_OK) {
        ctx_forgive(ctx);
        valkey_is_up();
    }
    ctx_free(ctx);
}

static void change_meanwhile(struct service *service)
{
    (void)service;
    set_price(555);
}

/* A read that knows the version from before a change, and goes on after it. */
static void read_around_a_change(void)
{
    int64_t began_ms;

    do {
        ck_assert_int_eq(price_changed_to(444), 444);
        began_ms = valkey_is_up();
        empty_valkey();
        menu_cache_doubt(shop.menu);
        shop.before_valkey = change_meanwhile;
        shop.armed = true;
        price();
        ck_assert(!shop.armed);
    } while (!valkey_was_up_since(began_ms));
}

/* CACHE-08 */
START_TEST(a_read_that_is_late_does_not_tell_valkey_of_an_old_version)
{
    read_around_a_change();
    ck_assert_int_eq(version_in_valkey(), version_in_database());
}
END_TEST

/* CACHE-08 */
START_TEST(a_read_that_is_late_does_not_call_an_old_menu_the_newest)
{
    read_around_a_change();
    ck_assert_int_eq(price(), 555);
}
END_TEST

/* As from a backup of before the last changes; ours go on. */
static void restore_database(int64_t version, int64_t cents)
{
    AUTO(arena) struct arena *arena = arena_new(256);

    test_db_run(
        arena_printf(arena,
                     "UPDATE menu.menu_items SET price_cents = %lld WHERE id = 'flat-white';"
                     "UPDATE menu.version SET version = %lld",
                     (long long)cents, (long long)version));
}

/* MENU-03: what placing does when it finds another version than it priced by. */
START_TEST(a_database_that_was_set_back_is_believed)
{
    struct ctx *ctx = ctx_new_system("test");
    const struct menu *menu;

    set_price(444);
    ck_assert_int_eq(price_changed_to(445), 445);
    int64_t version = version_in_database() - 1;
    restore_database(version, 444);
    ck_assert_int_eq(menu_reload(ctx, &shop, &menu), ST_OK);
    ck_assert_int_eq(menu->version, version);
    ck_assert_int_eq(price(), 444);
    ctx_free(ctx);
}
END_TEST

static void change_and_set_back(struct service *service)
{
    (void)service;
    ck_assert_int_eq(price_changed_to(555), 555);
    restore_database(version_in_database() - 1, 444);
}

/* CACHE-08: it may have been read before that came. */
START_TEST(an_older_menu_that_was_read_while_another_came_is_left_out)
{
    struct ctx *ctx = ctx_new_system("test");
    const struct menu *menu;

    ck_assert_int_eq(price_changed_to(444), 444);
    shop.before_database = change_and_set_back;
    ck_assert_int_eq(menu_reload(ctx, &shop, &menu), ST_OK);
    ck_assert_int_eq(menu_find(menu, "flat-white")->price_cents, 555);
    ctx_free(ctx);
}
END_TEST

/* CACHE-08 */
START_TEST(readers_see_that_a_database_was_set_back_once_valkey_has_forgotten)
{
    set_price(444);
    ck_assert_int_eq(price_changed_to(445), 445);
    restore_database(version_in_database() - 1, 444);
    empty_valkey(); /* as it does by itself after ten seconds */
    menu_cache_doubt(shop.menu);
    ck_assert_int_eq(price(), 444);
    ck_assert_int_eq(price_changed_to(446), 446);
}
END_TEST

static atomic_bool reading;

static void *read_on(void *unused)
{
    while (atomic_load(&reading)) {
        menu_cache_doubt(shop.menu); /* as often as can be: nothing is fresh for a second */
        price();
    }
    return unused;
}

/* CACHE-08 */
START_TEST(whoever_changed_a_price_reads_the_new_one_though_others_read_meanwhile)
{
    pthread_t readers[READERS];

    atomic_store(&reading, true);
    for (size_t i = 0; i < READERS; i++) {
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_on, NULL), 0);
    }
    for (int i = 0; i < CHANGES; i++) {
        ck_assert_int_eq(price_changed_to(300 + i), 300 + i);
        if (i % 10 == 0) {
            empty_valkey();
        }
    }
    atomic_store(&reading, false);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
}
END_TEST

/* ---- seasons ---- */

struct window {
    const char *edition;
    bool has_drink;
};

static struct window look(struct ctx *ctx, const char *drink)
{
    int64_t now_ms = clock_wall_ms();
    const struct menu *menu;

    ck_assert_int_eq(menu_current(ctx, &shop, &menu), ST_OK);
    return (struct window){.edition = menu_edition(ctx->arena, menu, "EUR", now_ms),
                           .has_drink = menu_item_in_season(menu_find(menu, drink), now_ms)};
}

/* A new drink whose season begins or ends soon, seen before and after that. */
static void cross(const char *name, bool begins)
{
    struct ctx *ctx = ctx_new_system("test");
    int kind = 0;
    int64_t cents = 300, turn_ms = clock_wall_ms() + SOON_MS;
    const struct menu_change drink = {.name = name,
                                      .description = "",
                                      .kind = &kind,
                                      .price_cents = &cents,
                                      .valid_from_ms = begins ? &turn_ms : NULL,
                                      .valid_to_ms = begins ? NULL : &turn_ms};
    const char *id;

    text_copy(ctx->request_sha256, sizeof(ctx->request_sha256), name);
    ck_assert_int_eq(menu_create(ctx, &shop, &drink, &id), ST_OK);
    empty_valkey(); /* it may not have heard of that */
    struct window before = look(ctx, id);
    ck_assert_int_lt(clock_wall_ms(), turn_ms); /* or nothing is shown by this */
    ck_assert(before.has_drink == !begins);
    ck_assert_str_eq(look(ctx, id).edition, before.edition);
    clock_pause_ms((int)(turn_ms - clock_wall_ms()) + 1);
    struct window after = look(ctx, id);
    ck_assert(after.has_drink == begins);
    ck_assert_str_ne(after.edition, before.edition);
    ctx_free(ctx);
}

/* MENU-04: though nobody changed the menu, and it is at hand. */
START_TEST(a_season_that_begins_makes_another_edition)
{
    cross("Pumpkin", true);
}
END_TEST

/* MENU-04 */
START_TEST(a_season_that_ends_makes_another_edition)
{
    cross("Gingerbread", false);
}
END_TEST

/* MENU-04: a phone that has the menu of before does not go on showing its prices in the old one. */
START_TEST(another_currency_makes_another_edition)
{
    struct ctx *ctx = ctx_new_system("test");
    const struct menu *menu;

    ck_assert_int_eq(menu_current(ctx, &shop, &menu), ST_OK);
    ck_assert_str_ne(menu_edition(ctx->arena, menu, "EUR", 1),
                     menu_edition(ctx->arena, menu, "USD", 1));
    ctx_free(ctx);
}
END_TEST

TEST_MAIN_AROUND("menu_cache",
                 (&(struct test_around){
                     .start = make, .stop = drop, .before = open_shop, .after = close_shop}),
                 a_read_that_is_late_does_not_tell_valkey_of_an_old_version,
                 a_read_that_is_late_does_not_call_an_old_menu_the_newest,
                 a_database_that_was_set_back_is_believed,
                 an_older_menu_that_was_read_while_another_came_is_left_out,
                 readers_see_that_a_database_was_set_back_once_valkey_has_forgotten,
                 whoever_changed_a_price_reads_the_new_one_though_others_read_meanwhile,
                 a_season_that_begins_makes_another_edition,
                 a_season_that_ends_makes_another_edition, another_currency_makes_another_edition)
