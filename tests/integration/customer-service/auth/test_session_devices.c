/* links: test_db common_token common_crypto
 * A device is told things as long as the session lasts that it was registered in. */
#include "customer-service/notify/device.h"
#include "customer-service/notify/notify.h"
#include "tests/integration/customer-service/auth/signed_in.h"

#define PHONE  "00112233445566778899aabbccddeeff00112233445566778899aabbccddee01"
#define TABLET "00112233445566778899aabbccddeeff00112233445566778899aabbccddee02"

/* Somebody with a device in each of two sessions. */
static struct customer owner;
static struct signed_in phone, tablet;

static struct ctx *in_session(const char *session)
{
    struct ctx *ctx = shop_ctx(owner.id.text, ROLE_CUSTOMER);

    text_copy(ctx->caller.session, sizeof(ctx->caller.session), session);
    return ctx;
}

/* The problem, where it is refused. */
static enum problem try_to_register(const char *session, const char *address, struct device *device)
{
    struct ctx *ctx = in_session(session);
    struct device_wish wish = {.channel = "apns",
                               .address = address,
                               .environment = "sandbox",
                               .p256dh = "",
                               .secret = ""};
    enum problem problem = PROBLEM_NONE;

    if (device_register(ctx, shop.service, &wish, device) != ST_OK) {
        problem = ctx->failure.problem;
    }
    ctx_free(ctx);
    return problem;
}

static struct device register_in(const char *session, const char *address)
{
    struct device device;

    ck_assert_int_eq(try_to_register(session, address, &device), PROBLEM_NONE);
    return device;
}

static bool is_told(const char *address)
{
    AUTO(arena) struct arena *arena = arena_new(256);

    return *test_db_ask(
        arena_printf(arena, "SELECT 1 FROM notify.devices WHERE address = '%s'", address));
}

static void ask_to_be_told(const char *handle)
{
    test_db_run("DELETE FROM notify.devices");
    owner = sign_up(handle);
    phone = login(handle, PASSWORD, "phone");
    tablet = login(handle, PASSWORD, "tablet");
    register_in(phone.session, PHONE);
    register_in(tablet.session, TABLET);
}

static void sign_out(const struct signed_in *from)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);

    ck_assert_int_eq(auth_logout(ctx, shop.service, from->refresh), ST_OK);
    ctx_free(ctx);
}

static void change_password(void)
{
    struct ctx *ctx = in_session(phone.session);

    ck_assert_int_eq(auth_change_password(ctx, shop.service, PASSWORD, "staple battery"), ST_OK);
    ctx_free(ctx);
}

static void make_barista(const char *by)
{
    struct ctx *ctx = shop_ctx(sign_up(by).id.text, ROLE_ADMIN);
    struct customer changed;

    ck_assert_int_eq(auth_set_role(ctx, shop.service, owner.id, ROLE_BARISTA, &changed), ST_OK);
    ctx_free(ctx);
}

static void do_purge(enum status (*purge)(struct ctx *ctx, struct db_conn *db))
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct db_conn *db = NULL;

    ck_assert_int_eq(service_db(ctx, shop.service, &db), ST_OK);
    ck_assert_int_eq(purge(ctx, db), ST_OK);
    ctx_free(ctx);
}

/* PUSH-02 */
START_TEST(what_is_signed_out_is_told_nothing_more)
{
    ask_to_be_told("signs-out");
    sign_out(&tablet);
    ck_assert(!is_told(TABLET));
    ck_assert(is_told(PHONE));
}
END_TEST

/* PUSH-02, AUTH-24 */
START_TEST(what_is_revoked_is_told_nothing_more)
{
    ask_to_be_told("loses-it");
    struct ctx *ctx = in_session(tablet.session);

    ck_assert_int_eq(auth_revoke(ctx, shop.service, phone.session), ST_OK);
    ctx_free(ctx);
    ck_assert(!is_told(PHONE));
    ck_assert(is_told(TABLET));
}
END_TEST

/* PUSH-02 */
START_TEST(another_password_leaves_the_device_that_it_was_changed_on)
{
    ask_to_be_told("is-careful");
    change_password();
    ck_assert(!is_told(TABLET));
    ck_assert(is_told(PHONE));
}
END_TEST

/* PUSH-02, AUTH-02 */
START_TEST(where_a_refresh_token_was_copied_nothing_more_is_told)
{
    ask_to_be_told("was-copied");
    ck_assert_int_eq(refresh(tablet.refresh, "tablet").st, ST_OK);
    ck_assert_int_eq(refresh(tablet.refresh, "laptop").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert(!is_told(TABLET));
    ck_assert(is_told(PHONE));
}
END_TEST

/* PUSH-02, AUTH-03 */
START_TEST(who_gets_another_role_registers_again)
{
    ask_to_be_told("is-appointed");
    make_barista("appoints");
    ck_assert(!is_told(PHONE) && !is_told(TABLET));
    register_in(login("is-appointed", PASSWORD, "phone").session, PHONE);
    ck_assert(is_told(PHONE));
}
END_TEST

/* PUSH-02, AUTH-02: an access token ends each quarter of an hour. */
START_TEST(a_session_that_is_renewed_keeps_its_device)
{
    ask_to_be_told("comes-back");
    struct signed_in next = refresh(phone.refresh, "phone");

    ck_assert_str_eq(next.session, phone.session);
    ck_assert_int_eq(refresh(next.refresh, "phone").st, ST_OK);
    ck_assert(is_told(PHONE));
}
END_TEST

/* PUSH-02 */
START_TEST(a_session_that_ran_out_unused_takes_its_device_with_it)
{
    AUTO(arena) struct arena *arena = arena_new(256);

    ask_to_be_told("stays-away");
    test_db_run(arena_printf(arena,
                             "UPDATE auth.sessions SET last_seen_at = now() - interval '31 days',"
                             " expires_at = now() - interval '25 hours' WHERE id = '%s'",
                             tablet.session));
    do_purge(auth_purge_sessions);
    ck_assert(!is_told(TABLET));
    ck_assert(is_told(PHONE));
}
END_TEST

/* PUSH-02 */
START_TEST(a_device_is_of_the_session_that_registered_it_last)
{
    ask_to_be_told("moves-it");
    register_in(tablet.session, PHONE);
    sign_out(&phone);
    ck_assert(is_told(PHONE));
    sign_out(&tablet);
    ck_assert(!is_told(PHONE));
}
END_TEST

/* PUSH-18: its token cannot outlive the device. */
START_TEST(a_live_activity_goes_with_its_device)
{
    ask_to_be_told("looks-on");
    struct ctx *ctx = in_session(phone.session);
    struct device device = register_in(phone.session, PHONE);
    char id[ID_TEXT_SIZE];

    ck_assert_int_eq(device_live_activity(ctx, shop.service,
                                          &(struct live_activity_wish){device.id, NULL, "aa"}, id),
                     ST_OK);
    ctx_free(ctx);
    sign_out(&phone);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.live_activities"), "0");
}
END_TEST

/* PUSH-02 */
START_TEST(what_was_registered_before_sessions_were_kept_stays)
{
    ask_to_be_told("was-early");
    test_db_run("UPDATE notify.devices SET session_id = NULL");
    sign_out(&phone);
    ck_assert(is_told(PHONE));
    register_in(tablet.session, PHONE);
    sign_out(&tablet);
    ck_assert(!is_told(PHONE));
}
END_TEST

/* PUSH-02: whose hands they are in nobody knows. */
START_TEST(another_password_or_role_forgets_what_was_registered_before_sessions_were_kept)
{
    ask_to_be_told("is-changed-early");
    test_db_run("UPDATE notify.devices SET session_id = NULL WHERE address = '" PHONE "'");
    make_barista("appoints-early");
    ck_assert(!is_told(PHONE));

    ask_to_be_told("changes-early");
    test_db_run("UPDATE notify.devices SET session_id = NULL WHERE address = '" TABLET "'");
    change_password();
    ck_assert(!is_told(TABLET));
    ck_assert(is_told(PHONE));
}
END_TEST

/* PUSH-02: a replica of before does not say so, and nobody signs out of what has run out. */
START_TEST(a_device_that_was_forgotten_nowhere_is_told_nothing_more_either)
{
    static const char *const misses[] = {
        "UPDATE auth.sessions SET ended_at = now() WHERE device_id = 'tablet'",
        "UPDATE auth.sessions SET expires_at = now() WHERE device_id = 'tablet'",
        "UPDATE notify.devices SET customer_id = (SELECT id FROM customer.customers"
        " WHERE handle = 'is-next') WHERE address = '" TABLET "'",
    };
    AUTO(arena) struct arena *arena = arena_new(256);

    sign_up("is-next");
    for (size_t i = 0; i < ARRAY_LEN(misses); i++) {
        ask_to_be_told(arena_printf(arena, "is-missed-%zu", i));
        test_db_run(misses[i]);
        do_purge(notify_purge_devices);
        ck_assert(!is_told(TABLET));
        ck_assert(is_told(PHONE));
    }
}
END_TEST

/* PUSH-02: a gateway may not have heard yet that the token is denied. */
START_TEST(who_has_signed_out_registers_nothing_more)
{
    struct device device;

    ask_to_be_told("is-late");
    sign_out(&phone);
    ck_assert_int_eq(try_to_register(phone.session, PHONE, &device), PROBLEM_TOKEN_REVOKED);
    ck_assert(!is_told(PHONE));
}
END_TEST

TEST_MAIN_AROUND(
    "session_devices",
    (&(struct test_around){
        .start = shop_make, .stop = shop_drop, .before = shop_open, .after = shop_close}),
    what_is_signed_out_is_told_nothing_more, what_is_revoked_is_told_nothing_more,
    another_password_leaves_the_device_that_it_was_changed_on,
    where_a_refresh_token_was_copied_nothing_more_is_told, who_gets_another_role_registers_again,
    a_session_that_is_renewed_keeps_its_device,
    a_session_that_ran_out_unused_takes_its_device_with_it,
    a_device_is_of_the_session_that_registered_it_last, a_live_activity_goes_with_its_device,
    what_was_registered_before_sessions_were_kept_stays,
    another_password_or_role_forgets_what_was_registered_before_sessions_were_kept,
    a_device_that_was_forgotten_nowhere_is_told_nothing_more_either,
    who_has_signed_out_registers_nothing_more)
