/* links: test_db common_token common_crypto
 * What Valkey keeps of people, with two replicas: one changes it, the other reads it. */
#include "coffee/customer/v1/customer.pb-c.h"
#include "customer-service/auth/auth.h"
#include "customer-service/customer/customer_rpc.h"
#include "customer-service/favourite/favourite.h"
#include "customer-service/favourite/favourite_rpc.h"
#include "tests/integration/customer-service/shop.h"

#include <pthread.h>
#include <stdatomic.h>

enum { READERS = 6, CHANGES = 300, AWAY_MS = 1000 };

static struct service *reader; /* a whole daemon; who changes things is shop.service */
static struct ctx *ctx;        /* somebody's */

static void make(void)
{
    char group[64];

    snprintf(group, sizeof(group), "customer-cached-%d", (int)getpid());
    setenv("KAFKA_GROUP", group, 1); /* a stack's own daemon keeps its partitions */
    shop_make();
    setenv("DEMO", "0", 1);
}

static struct customer_id sign_up(void)
{
    struct customer who = {
        .handle = "somebody", .name = "Old", .email = "old@example.org", .role = ROLE_CUSTOMER};
    struct ctx *nobody = shop_ctx("", ROLE_NOBODY);
    struct db_conn *db;

    uuid_v7(who.id.text);
    test_db_run("TRUNCATE customer.customers CASCADE");
    ck_assert_int_eq(service_db(nobody, shop.service, &db), ST_OK);
    ck_assert_int_eq(customer_create(nobody, db, &who), ST_OK);
    ctx_free(nobody);
    return who.id;
}

static void before(void)
{
    shop_open();
    ctx = shop_ctx(sign_up().text, ROLE_CUSTOMER); /* before it: its TRUNCATE locks much */
    reader = service_start(shop.config);
    ck_assert_ptr_nonnull(reader);
    shop_await_db(reader);
}

static void after(void)
{
    ctx_free(ctx);
    service_stop(reader);
    shop_close();
}

/* ---- what people do ---- */

/* Also on a thread of its own. */
static const char *read_name(struct ctx *c)
{
    Coffee__Customer__V1__GetProfileRequest ask = COFFEE__CUSTOMER__V1__GET_PROFILE_REQUEST__INIT;
    Coffee__Customer__V1__Customer profile = COFFEE__CUSTOMER__V1__CUSTOMER__INIT;

    shop_insist(c, customer_rpc_get(c, reader, &ask, &profile));
    return profile.name;
}

static size_t read_favourites(void)
{
    Coffee__Customer__V1__ListFavoritesRequest ask =
        COFFEE__CUSTOMER__V1__LIST_FAVORITES_REQUEST__INIT;
    Coffee__Customer__V1__ListFavoritesResponse list =
        COFFEE__CUSTOMER__V1__LIST_FAVORITES_RESPONSE__INIT;

    shop_insist(ctx, favourite_rpc_list(ctx, reader, &ask, &list));
    return list.n_favorites;
}

static void set_name(const char *name)
{
    struct customer_change change = {.name = name};
    struct customer changed;

    ck_assert_int_eq(customer_update(ctx, shop.service, customer_caller(ctx), &change, &changed),
                     ST_OK);
}

static void change_name(void)
{
    set_name("Nana");
}

static void change_role(void)
{
    struct ctx *admin = shop_ctx("019aa1f0-0000-7000-8000-0000000000ff", ROLE_ADMIN);
    struct customer changed;

    ck_assert_int_eq(
        auth_set_role(admin, shop.service, customer_caller(ctx), ROLE_BARISTA, &changed), ST_OK);
    ctx_free(admin);
}

static struct favourite_answer id_only(struct ctx *c, const struct favourite *favourite,
                                       const void *user)
{
    (void)user;
    return (struct favourite_answer){arena_strdup(c->arena, favourite->id), ID_TEXT_SIZE};
}

static const char *added; /* the favourite's id */

static void add_favourite(void)
{
    static const struct favourite_wish wish = {.menu_item_id = "espresso"};
    struct favourite_answer answer;

    ck_assert_int_eq(favourite_add(ctx, shop.service, &wish, id_only, NULL, &answer), ST_OK);
    added = answer.bytes;
}

static void remove_favourite(void)
{
    ck_assert_int_eq(favourite_remove(ctx, shop.service, added), ST_OK);
}

/* As a daemon does at its start. */
static void seed_favourite(void)
{
    ck_assert_int_eq(favourite_seed_demo(ctx, shop.service, customer_caller(ctx)), ST_OK);
}

/* ---- what Valkey has ---- */

static const char *kept(const char *key)
{
    struct cache_reply reply;

    SHOP_VALKEY(ctx, service_cache(shop.service), &reply, "GET", key);
    return reply.text;
}

/* What Valkey was too busy to hear is told again by the next look. */
static const char *keep(const char *key)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    const char *value;

    while (!(value = kept(key))) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        read_name(ctx);
        read_favourites();
    }
    return value;
}

static void wait_until_gone(const char *key, const char *old)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    for (const char *now = old; now && strcmp(now, old) == 0; now = kept(key)) {
        ck_assert_msg(clock_monotonic_ms() < until, "%s is kept", key);
        clock_pause_ms(20);
    }
}

static void change_unheard(const char *key, void (*change)(void))
{
    const char *old = keep(key);

    valkey_server_freeze(&shop.valkey);
    while (cache_is_up(service_cache(shop.service))) { /* or it hears of the change when it thaws */
    }
    change();
    valkey_server_thaw(&shop.valkey);
    wait_until_gone(key, old);
}

/* CACHE-09, CACHE-17 */
START_TEST(what_changed_while_valkey_was_away_is_soon_read_on_all_replicas)
{
    const char *profile = customer_cache_key(ctx, customer_caller(ctx)),
               *favourites = favourite_cache_key(ctx, customer_caller(ctx));

    change_unheard(profile, change_name);
    ck_assert_str_eq(read_name(ctx), "Nana");
    change_unheard(profile, change_role);
    change_unheard(favourites, add_favourite);
    ck_assert_uint_eq(read_favourites(), 1);
    change_unheard(favourites, remove_favourite);
    ck_assert_uint_eq(read_favourites(), 0);
    change_unheard(favourites, seed_favourite);
    ck_assert_uint_eq(read_favourites(), 1);
}
END_TEST

static atomic_bool reading;

static void *read_on(void *unused)
{
    while (atomic_load(&reading)) {
        struct ctx *mine = shop_ctx(ctx->caller.subject, ROLE_CUSTOMER);

        read_name(mine);
        ctx_free(mine);
    }
    return unused;
}

/* Again, while Valkey may not have been told: what is away stays so for a second. */
static const char *name_changed_to(const char *name)
{
    int64_t began_ms;
    const char *read;

    do {
        began_ms = clock_monotonic_ms();
        set_name(name);
        read = read_name(ctx);
    } while (!cache_is_up(service_cache(shop.service)) ||
             clock_monotonic_ms() - began_ms >= AWAY_MS);
    return read;
}

/* CACHE-09 */
START_TEST(whoever_changed_a_name_reads_the_new_one_though_others_read_meanwhile)
{
    pthread_t readers[READERS];

    atomic_store(&reading, true);
    for (size_t i = 0; i < READERS; i++) {
        ck_assert_int_eq(pthread_create(&readers[i], NULL, read_on, NULL), 0);
    }
    for (int i = 0; i < CHANGES; i++) {
        const char *name = arena_printf(ctx->arena, "Name %d", i);

        ck_assert_str_eq(name_changed_to(name), name);
    }
    atomic_store(&reading, false);
    for (size_t i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
}
END_TEST

TEST_MAIN_AROUND("cached",
                 (&(struct test_around){
                     .start = make, .stop = shop_drop, .before = before, .after = after}),
                 what_changed_while_valkey_was_away_is_soon_read_on_all_replicas,
                 whoever_changed_a_name_reads_the_new_one_though_others_read_meanwhile)
