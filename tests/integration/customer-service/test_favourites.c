/* links: test_db common_token common_crypto
 * Favourites, the usual and their idempotency; profiles and their cache. */
#include "coffee/customer/v1/customer.pb-c.h"
#include "customer-service/auth/auth.h"
#include "customer-service/customer/customer_rpc.h"
#include "customer-service/favourite/favourite.h"
#include "customer-service/favourite/favourite_rpc.h"
#include "tests/integration/customer-service/shop.h"

#include <pthread.h>

typedef Coffee__Customer__V1__Favorite favourite_message;

static struct customer sign_up(const char *handle)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct auth_sign_up wish = {.handle = handle,
                                .email = arena_printf(ctx->arena, "%s@example.org", handle),
                                .name = "Some Body",
                                .password = "correct horse battery"};
    struct customer made;

    ck_assert_int_eq(auth_sign_up(ctx, shop.service, &wish, &made), ST_OK);
    made.handle = made.email = made.name = "";
    ctx_free(ctx);
    return made;
}

static struct favourite_answer id_only(struct ctx *ctx, const struct favourite *favourite,
                                       const void *user)
{
    (void)user;
    char *id = arena_strdup(ctx->arena, favourite->id);
    return (struct favourite_answer){id, strlen(id)};
}

/* The favourite's id, or "" when it was refused. */
static const char *add(struct ctx *ctx, const char *item, const char *with, bool is_usual)
{
    struct favourite_wish wish = {item, &with, with ? 1 : 0, is_usual};
    struct favourite_answer answer;
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    enum status st;

    do { /* as a good client does */
        ctx_forgive(ctx);
        st = favourite_add(ctx, shop.service, &wish, id_only, NULL, &answer);
    } while (st == ST_UNAVAILABLE && clock_monotonic_ms() < until);
    return st == ST_OK
               ? arena_printf(ctx->arena, "%.*s", (int)answer.size, (const char *)answer.bytes)
               : "";
}

static size_t listed(struct ctx *ctx, const struct favourite **list)
{
    size_t count = 0;

    ck_assert_int_eq(favourite_list(ctx, shop.service, customer_caller(ctx), list, &count), ST_OK);
    return count;
}

/* FAV-01 */
START_TEST(favourites_are_added_listed_and_removed)
{
    struct customer who = sign_up("drinker");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);
    const struct favourite *list;

    ck_assert_uint_eq(listed(ctx, &list), 0);
    const char *first = add(ctx, "flat-white", "oat-milk", false);
    add(ctx, "espresso", NULL, false);
    ck_assert_uint_eq(listed(ctx, &list), 2);
    ck_assert_str_eq(list[0].id, first);
    ck_assert_str_eq(list[0].menu_item_id, "flat-white");
    ck_assert_uint_eq(list[0].customization_count, 1);
    ck_assert_str_eq(list[0].customization_ids[0], "oat-milk");
    ck_assert_uint_eq(list[1].customization_count, 0);
    ck_assert_int_eq(favourite_remove(ctx, shop.service, first), ST_OK);
    ck_assert_int_eq(favourite_remove(ctx, shop.service, first), ST_NOT_FOUND);
    ck_assert_uint_eq(listed(ctx, &list), 1);
    ctx_free(ctx);
}
END_TEST

/* FAV-01 */
START_TEST(there_is_one_usual_and_it_moves)
{
    struct customer who = sign_up("regular");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);
    const struct favourite *list;
    struct favourite usual;

    ck_assert_int_eq(favourite_usual(ctx, shop.service, who.id, &usual), ST_NOT_FOUND);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_NO_USUAL);
    const char *white = add(ctx, "flat-white", "oat-milk", true);
    const char *black = add(ctx, "espresso", NULL, true);
    ck_assert_int_eq(favourite_usual(ctx, shop.service, who.id, &usual), ST_OK);
    ck_assert_str_eq(usual.id, black);
    ck_assert_str_eq(add(ctx, "flat-white", "oat-milk", true), white); /* there already: moves */
    ck_assert_int_eq(favourite_usual(ctx, shop.service, who.id, &usual), ST_OK);
    ck_assert_str_eq(usual.id, white);
    ck_assert_uint_eq(listed(ctx, &list), 2);
    ck_assert(list[0].is_usual && !list[1].is_usual);
    ctx_free(ctx);
}
END_TEST

START_TEST(the_same_drink_is_one_favourite_whatever_the_order_of_its_extras)
{
    struct customer who = sign_up("twice");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);
    const char *const one[] = {"vanilla", "oat-milk", "vanilla"};
    const char *const other[] = {"oat-milk", "vanilla"};
    struct favourite_wish wish = {"latte", one, 3, false};
    struct favourite_answer answer;

    ck_assert_int_eq(favourite_add(ctx, shop.service, &wish, id_only, NULL, &answer), ST_OK);
    wish = (struct favourite_wish){"latte", other, 2, false};
    ck_assert_int_eq(favourite_add(ctx, shop.service, &wish, id_only, NULL, &answer), ST_EXISTS);
    ctx_free(ctx);
}
END_TEST

static void have_as_many_as_may_be(struct ctx *ctx)
{
    test_db_run(
        arena_printf(ctx->arena,
                     "INSERT INTO favourite.favorites (id, customer_id, menu_item_id,"
                     " customizations, is_usual) SELECT gen_random_uuid(), '%s', 'tea ' || n,"
                     " '{}', false FROM generate_series(1, %d) n",
                     ctx->caller.subject, FAVOURITES_MAX));
}

/* FAV-01 */
START_TEST(who_has_a_hundred_favourites_makes_one_of_them_the_usual)
{
    struct customer who = sign_up("collector");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);
    struct favourite usual;

    have_as_many_as_may_be(ctx);
    ck_assert_str_ne(add(ctx, "tea 7", NULL, true), "");
    ck_assert_int_eq(favourite_usual(ctx, shop.service, who.id, &usual), ST_OK);
    ck_assert_str_eq(usual.menu_item_id, "tea 7");
    ctx_free(ctx);
}
END_TEST

/* FAV-01 */
START_TEST(one_more_than_a_hundred_favourites_is_refused_and_the_usual_stays)
{
    struct customer who = sign_up("hoarder");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);
    const struct favourite *list;
    struct favourite usual;

    have_as_many_as_may_be(ctx);
    add(ctx, "tea 7", NULL, true);
    ck_assert_str_eq(add(ctx, "espresso", NULL, true), "");
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_CONFLICT);
    ck_assert_int_eq(favourite_usual(ctx, shop.service, who.id, &usual), ST_OK);
    ck_assert_str_eq(usual.menu_item_id, "tea 7");
    ck_assert_uint_eq(listed(ctx, &list), FAVOURITES_MAX);
    ctx_free(ctx);
}
END_TEST

/* SEC-08 */
START_TEST(nobody_touches_anothers_favourites)
{
    struct customer mine = sign_up("owner"), theirs = sign_up("stranger");
    struct ctx *ctx = shop_ctx(mine.id.text, ROLE_CUSTOMER);
    struct ctx *other = shop_ctx(theirs.id.text, ROLE_CUSTOMER);
    const struct favourite *list;

    const char *id = add(ctx, "flat-white", NULL, false);
    ck_assert_int_eq(favourite_remove(other, shop.service, id), ST_NOT_FOUND);
    ck_assert_uint_eq(listed(other, &list), 0);
    ck_assert_uint_eq(listed(ctx, &list), 1);
    ctx_free(other);
    ctx_free(ctx);
}
END_TEST

static void with_key(struct ctx *ctx, const char *key, const char *digest)
{
    ctx->idempotency_key = key;
    text_copy(ctx->request_sha256, sizeof(ctx->request_sha256), digest);
}

START_TEST(a_retry_with_the_same_key_adds_once_and_answers_the_same)
{
    struct customer who = sign_up("retrier");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);
    const struct favourite *list;

    with_key(ctx, "key-1", "aa");
    const char *first = add(ctx, "flat-white", NULL, false);
    const char *again = add(ctx, "flat-white", NULL, false);
    ck_assert_str_ne(first, "");
    ck_assert_str_eq(first, again);
    ck_assert_int_eq(favourite_remove(ctx, shop.service, first), ST_OK);
    ck_assert_str_eq(add(ctx, "flat-white", NULL, false), first); /* the answer, not the deed */
    ck_assert_uint_eq(listed(ctx, &list), 0);
    with_key(ctx, "key-1", "bb");
    ck_assert_str_eq(add(ctx, "espresso", NULL, false), "");
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_IDEMPOTENCY_MISMATCH);
    ctx_free(ctx);
}
END_TEST

START_TEST(a_key_belongs_to_its_caller_and_lasts_a_day)
{
    struct customer one = sign_up("key-one"), two = sign_up("key-two");
    struct ctx *ctx = shop_ctx(one.id.text, ROLE_CUSTOMER);
    struct ctx *other = shop_ctx(two.id.text, ROLE_CUSTOMER);

    with_key(ctx, "shared", "aa");
    with_key(other, "shared", "aa");
    const char *first = add(ctx, "flat-white", NULL, false);
    ck_assert_str_ne(first, add(other, "flat-white", NULL, false));
    test_db_run("UPDATE idempotency.requests SET created_at = created_at - interval '25 hours'");
    with_key(ctx, "shared", "cc");
    ck_assert_str_ne(add(ctx, "espresso", NULL, false), ""); /* a day later it is a new key */
    ctx_free(other);
    ctx_free(ctx);
}
END_TEST

START_TEST(a_refused_request_leaves_its_key_free)
{
    struct customer who = sign_up("refused");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);

    add(ctx, "flat-white", NULL, false);
    with_key(ctx, "key-2", "aa");
    ck_assert_str_eq(add(ctx, "flat-white", NULL, false), "");
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_ALREADY_EXISTS);
    with_key(ctx, "key-2", "bb");
    ck_assert_str_ne(add(ctx, "espresso", NULL, false), "");
    ctx_free(ctx);
}
END_TEST

static struct customer twin;
static char twin_answers[16][ID_TEXT_SIZE];

static void *add_as_twin(void *answer)
{
    struct ctx *ctx = shop_ctx(twin.id.text, ROLE_CUSTOMER);

    with_key(ctx, "twins", "aa");
    text_copy(answer, ID_TEXT_SIZE, add(ctx, "flat-white", "oat-milk", true));
    ctx_free(ctx);
    return NULL;
}

START_TEST(twins_in_flight_add_once_and_all_get_the_answer)
{
    pthread_t threads[16];
    const struct favourite *list;

    twin = sign_up("twin");
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, add_as_twin, twin_answers[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        ck_assert_str_ne(twin_answers[i], "");
        ck_assert_str_eq(twin_answers[i], twin_answers[0]);
    }
    struct ctx *ctx = shop_ctx(twin.id.text, ROLE_CUSTOMER);
    ck_assert_uint_eq(listed(ctx, &list), 1);
    ctx_free(ctx);
}
END_TEST

static void *make_usual(void *item)
{
    struct ctx *ctx = shop_ctx(twin.id.text, ROLE_CUSTOMER);

    add(ctx, item, NULL, true);
    ctx_free(ctx);
    return NULL;
}

START_TEST(two_devices_that_set_the_usual_at_once_leave_one)
{
    static char items[8][8] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    pthread_t threads[8];
    const struct favourite *list;

    twin = sign_up("two-devices");
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, make_usual, items[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], NULL);
    }
    struct ctx *ctx = shop_ctx(twin.id.text, ROLE_CUSTOMER);
    ck_assert_uint_eq(listed(ctx, &list), 8); /* every one was kept */
    ck_assert(list[0].is_usual);
    for (size_t i = 1; i < 8; i++) {
        ck_assert(!list[i].is_usual);
    }
    ctx_free(ctx);
}
END_TEST

static int64_t time_to_live(struct ctx *ctx, const char *key)
{
    struct cache_reply reply;

    SHOP_VALKEY(ctx, service_cache(shop.service), &reply, "TTL", key);
    return reply.number; /* -2: there is none */
}

/* Does it again while Valkey, which a busy machine kept silent, may not have heard of it. */
#define HEARD(...)                                                     \
    do {                                                               \
        struct cache_reply pong_;                                      \
        SHOP_VALKEY(ctx, service_cache(shop.service), &pong_, "PING"); \
        __VA_ARGS__;                                                   \
    } while (!cache_is_up(service_cache(shop.service)))

/* CUST-02, CACHE-03, CACHE-09 */
START_TEST(a_profile_is_cached_for_half_an_hour_and_dropped_by_a_change)
{
    struct customer who = sign_up("profiled");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);
    Coffee__Customer__V1__GetProfileRequest get = COFFEE__CUSTOMER__V1__GET_PROFILE_REQUEST__INIT;
    Coffee__Customer__V1__Customer profile = COFFEE__CUSTOMER__V1__CUSTOMER__INIT;
    Coffee__Customer__V1__UpdateProfileRequest change =
        COFFEE__CUSTOMER__V1__UPDATE_PROFILE_REQUEST__INIT;
    char name[] = "Nana";
    const char *key = customer_cache_key(ctx, who.id);

    HEARD(ck_assert_int_eq(customer_rpc_get(ctx, shop.service, &get, &profile), ST_OK));
    ck_assert_int_le(time_to_live(ctx, key), 1800);
    ck_assert_int_gt(time_to_live(ctx, key), 1700);
    change.opt_name_case = COFFEE__CUSTOMER__V1__UPDATE_PROFILE_REQUEST__OPT_NAME_NAME;
    change.name = name;
    HEARD(ck_assert_int_eq(customer_rpc_update(ctx, shop.service, &change, &profile), ST_OK));
    ck_assert_str_eq(profile.name, "Nana");
    ck_assert_str_eq(profile.email, "profiled@example.org");
    ck_assert_int_eq(time_to_live(ctx, key), -2);
    ck_assert_int_eq(customer_rpc_get(ctx, shop.service, &get, &profile), ST_OK);
    ck_assert_str_eq(profile.name, "Nana");
    ck_assert_int_eq(profile.role, COFFEE__CUSTOMER__V1__ROLE__ROLE_CUSTOMER);
    ctx_free(ctx);
}
END_TEST

/* CACHE-17 */
START_TEST(the_second_look_at_favourites_is_a_hit_and_a_change_drops_it)
{
    struct customer who = sign_up("looker");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);
    Coffee__Customer__V1__ListFavoritesRequest ask =
        COFFEE__CUSTOMER__V1__LIST_FAVORITES_REQUEST__INIT;
    Coffee__Customer__V1__ListFavoritesResponse answer;
    const char *key = favourite_cache_key(ctx, who.id);

    add(ctx, "flat-white", "oat-milk", true);
    HEARD(ck_assert_int_eq(favourite_rpc_list(ctx, shop.service, &ask, &answer), ST_OK));
    ck_assert_int_gt(time_to_live(ctx, key), 3500);
    /* behind its back: who still sees it looked into Valkey */
    test_db_run(arena_printf(ctx->arena, "DELETE FROM favourite.favorites WHERE customer_id = '%s'",
                             who.id.text));
    HEARD(ck_assert_int_eq(favourite_rpc_list(ctx, shop.service, &ask, &answer), ST_OK));
    ck_assert_uint_eq(answer.n_favorites, 1);
    ck_assert_str_eq(answer.favorites[0]->menu_item_id, "flat-white");
    ck_assert_str_eq(answer.favorites[0]->customizations[0]->id, "oat-milk");
    ck_assert_str_eq(answer.favorites[0]->name, ""); /* order-service is away: no names */
    HEARD(add(ctx, "espresso", NULL, true));         /* the usual: that may be said again */
    ck_assert_int_eq(time_to_live(ctx, key), -2);
    ck_assert_int_eq(favourite_rpc_list(ctx, shop.service, &ask, &answer), ST_OK);
    ck_assert_uint_eq(answer.n_favorites, 1);
    ck_assert_str_eq(answer.favorites[0]->menu_item_id, "espresso");
    ctx_free(ctx);
}
END_TEST

START_TEST(all_of_it_works_while_valkey_is_away)
{
    struct customer who = sign_up("valkeyless");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);
    Coffee__Customer__V1__GetProfileRequest get = COFFEE__CUSTOMER__V1__GET_PROFILE_REQUEST__INIT;
    Coffee__Customer__V1__Customer profile = COFFEE__CUSTOMER__V1__CUSTOMER__INIT;
    struct favourite usual;

    valkey_server_freeze(&shop.valkey);
    ck_assert_str_ne(add(ctx, "flat-white", NULL, true), "");
    ck_assert_int_eq(favourite_usual(ctx, shop.service, who.id, &usual), ST_OK);
    ck_assert_int_eq(customer_rpc_get(ctx, shop.service, &get, &profile), ST_OK);
    valkey_server_thaw(&shop.valkey);
    ck_assert_str_eq(profile.handle, "valkeyless");
    ctx_free(ctx);
}
END_TEST

TEST_MAIN_AROUND(
    "favourites",
    (&(struct test_around){
        .start = shop_make, .stop = shop_drop, .before = shop_open, .after = shop_close}),
    favourites_are_added_listed_and_removed, there_is_one_usual_and_it_moves,
    the_same_drink_is_one_favourite_whatever_the_order_of_its_extras,
    who_has_a_hundred_favourites_makes_one_of_them_the_usual,
    one_more_than_a_hundred_favourites_is_refused_and_the_usual_stays,
    nobody_touches_anothers_favourites, a_retry_with_the_same_key_adds_once_and_answers_the_same,
    a_key_belongs_to_its_caller_and_lasts_a_day, a_refused_request_leaves_its_key_free,
    twins_in_flight_add_once_and_all_get_the_answer,
    two_devices_that_set_the_usual_at_once_leave_one,
    a_profile_is_cached_for_half_an_hour_and_dropped_by_a_change,
    the_second_look_at_favourites_is_a_hit_and_a_change_drops_it,
    all_of_it_works_while_valkey_is_away)
