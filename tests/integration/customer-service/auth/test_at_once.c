/* links: test_db common_token common_crypto
 * What begins a session, or is made in one, while another transaction changes what it rests on: one
 * waits for the other, and neither for ever. Two connections, as two replicas would have. */
#include "auth_sql.h"
#include "common/db/db.h"
#include "customer-service/notify/device.h"
#include "tests/integration/customer-service/auth/signed_in.h"

#include <pthread.h>

#define NEW_PASSWORD "staple battery"
#define TOKEN        "00112233445566778899aabbccddeeff00112233445566778899aabbccddee03"

#define TWO_WAIT TEST_DB_SOMEBODY_WAITS " OFFSET 1"

/* ---- a transaction that is under way, and calls on threads of their own beside it ---- */

static struct {
    struct ctx *ctx;
    struct db_conn *tx;
} held;

static void hold(const struct sql *statement, struct db_args args)
{
    struct db_conn *db = NULL;
    struct db_rows rows;

    held.ctx = shop_ctx("", ROLE_NOBODY);
    ck_assert_int_eq(service_db(held.ctx, shop.service, &db), ST_OK);
    ck_assert_int_eq(db_begin(held.ctx, db, &held.tx), ST_OK);
    ck_assert_int_eq(db_many(held.ctx, held.tx, statement, args, &rows), ST_OK);
}

static void hold_text(const char *statement)
{
    hold(&(struct sql){"hold", SQL_MANY, statement}, DB_NO_ARGS);
}

static void let_go(void)
{
    ck_assert_int_eq(db_commit(held.ctx, &held.tx), ST_OK);
    ctx_free(held.ctx);
}

struct beside {
    pthread_t thread;
    struct ctx *ctx; /* of the caller */
    struct signed_in in;
    struct customer_id whom;
    enum status st;
};

static struct beside as(struct customer_id who, const char *session, enum role role)
{
    struct beside beside = {.ctx = shop_ctx(who.text, role)};

    text_copy(beside.ctx->caller.session, sizeof(beside.ctx->caller.session), session);
    return beside;
}

static void begin(struct beside *beside, void *(*call)(void *))
{
    ck_assert_int_eq(pthread_create(&beside->thread, NULL, call, beside), 0);
}

static void end(struct beside *beside)
{
    pthread_join(beside->thread, NULL);
}

static void *signs_in(void *of)
{
    struct beside *beside = of;

    beside->in = login("hasty", PASSWORD, "laptop");
    return NULL;
}

static void *changes_the_password(void *of)
{
    struct beside *beside = of;

    beside->st = auth_change_password(beside->ctx, shop.service, PASSWORD, NEW_PASSWORD);
    return NULL;
}

static void *changes_the_role(void *of)
{
    struct beside *beside = of;
    struct customer changed;

    beside->st = auth_set_role(beside->ctx, shop.service, beside->whom, ROLE_BARISTA, &changed);
    return NULL;
}

static void *signs_out(void *of)
{
    struct beside *beside = of;

    beside->st = auth_logout(beside->ctx, shop.service, beside->in.refresh);
    return NULL;
}

static void *registers(void *of)
{
    struct beside *beside = of;
    struct device_wish wish = {
        .channel = "apns", .address = TOKEN, .environment = "sandbox", .p256dh = "", .secret = ""};
    struct device device;

    beside->st = device_register(beside->ctx, shop.service, &wish, &device);
    return NULL;
}

static const char *why_it_ended(const char *session)
{
    AUTO(arena) struct arena *arena = arena_new(256);

    return test_db_ask(
        arena_printf(arena, "SELECT end_reason FROM auth.sessions WHERE id = '%s'", session));
}

/* ---- the tests ---- */

/* AUTH-04, AUTH-24 */
START_TEST(a_sign_in_waits_for_a_change_of_the_password_and_is_refused)
{
    struct customer who = sign_up("hasty");
    struct beside late = as(who.id, "", ROLE_NOBODY);

    hold_text("UPDATE auth.passwords SET hash = 'another' RETURNING 1");
    begin(&late, signs_in);
    test_db_await(TEST_DB_SOMEBODY_WAITS);
    let_go();
    end(&late);
    ck_assert_int_eq(late.in.problem, PROBLEM_BAD_CREDENTIALS);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM auth.sessions WHERE ended_at IS NULL"), "0");
    ctx_free(late.ctx);
}
END_TEST

/* AUTH-04, AUTH-24 */
START_TEST(a_change_of_the_password_waits_for_a_sign_in_and_ends_its_session)
{
    struct customer who = sign_up("changes");
    struct beside change = as(who.id, "", ROLE_CUSTOMER);
    char session[ID_TEXT_SIZE];

    uuid_v7(session);
    hold(&SQL_AUTH_SESSION_INSERT,
         DB_ARGS(db_text(session), db_text(who.id.text), db_text("laptop"), db_text("pwd"),
                 db_text(test_db_ask("SELECT hash FROM auth.passwords JOIN customer.customers"
                                     " ON id = customer_id WHERE handle = 'changes'")),
                 db_int(SESSION_LIFE_S)));
    begin(&change, changes_the_password);
    test_db_await(TEST_DB_SOMEBODY_WAITS);
    let_go();
    end(&change);
    ck_assert_int_eq(change.st, ST_OK);
    ck_assert_str_eq(why_it_ended(session), "password changed");
    ck_assert(is_denied(session));
    ctx_free(change.ctx);
}
END_TEST

/* AUTH-03: it holds the role, and will want the session; a renewal has the session. */
START_TEST(a_renewal_does_not_wait_for_a_change_of_role_that_will_end_it)
{
    struct customer boss = sign_up("raises");
    struct beside change = as(boss.id, "", ROLE_ADMIN);

    change.whom = sign_up("rises").id;
    struct signed_in in = login("rises", PASSWORD, "");
    hold_text("LOCK TABLE auth.denied_sessions IN SHARE MODE");
    begin(&change, changes_the_role);
    test_db_await(TEST_DB_SOMEBODY_WAITS);
    struct signed_in next = refresh(in.refresh, "");
    let_go();
    end(&change);
    ck_assert_int_eq(change.st, ST_OK);
    ck_assert_int_eq(next.st, ST_OK);
    ck_assert(is_denied(in.session));
    ck_assert_int_eq(refresh(next.refresh, "").problem, PROBLEM_TOKEN_REVOKED);
    ctx_free(change.ctx);
}
END_TEST

/* PUSH-02 */
START_TEST(signing_out_waits_for_a_device_that_is_being_registered_and_forgets_it)
{
    struct customer who = sign_up("doubts");
    struct signed_in in = login("doubts", PASSWORD, "");
    struct beside registering = as(who.id, in.session, ROLE_CUSTOMER);
    struct beside leaving = as(who.id, "", ROLE_NOBODY);

    leaving.in = in;
    hold(&(struct sql){"hold", SQL_MANY,
                       "INSERT INTO notify.devices (id, customer_id, channel, address)"
                       " VALUES ($1::uuid, $1::uuid, 'apns', '" TOKEN "') RETURNING id"},
         DB_ARGS(db_text(who.id.text)));
    begin(&registering, registers);
    test_db_await(TEST_DB_SOMEBODY_WAITS);
    begin(&leaving, signs_out);
    test_db_await(TWO_WAIT);
    let_go();
    end(&registering);
    end(&leaving);
    ck_assert_int_eq(registering.st, ST_OK);
    ck_assert_int_eq(leaving.st, ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.devices"), "0");
    ctx_free(registering.ctx);
    ctx_free(leaving.ctx);
}
END_TEST

/* PUSH-02 */
START_TEST(a_device_waits_for_its_session_that_is_being_ended_and_is_refused)
{
    struct customer who = sign_up("decides");
    struct signed_in in = login("decides", PASSWORD, "");
    struct beside registering = as(who.id, in.session, ROLE_CUSTOMER);
    struct beside leaving = as(who.id, "", ROLE_NOBODY);

    leaving.in = in;
    hold_text("LOCK TABLE outbox.events IN SHARE MODE"); /* where the end is told last of all */
    begin(&leaving, signs_out);
    test_db_await(TEST_DB_SOMEBODY_WAITS);
    begin(&registering, registers);
    test_db_await(TWO_WAIT);
    let_go();
    end(&leaving);
    end(&registering);
    ck_assert_int_eq(leaving.st, ST_OK);
    ck_assert_int_eq(registering.ctx->failure.problem, PROBLEM_TOKEN_REVOKED);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.devices"), "0");
    ctx_free(registering.ctx);
    ctx_free(leaving.ctx);
}
END_TEST

/* PUSH-02: whoever holds it may be deleting all that are of a session, the newest too. */
START_TEST(a_device_too_many_that_somebody_holds_is_not_waited_for)
{
    struct customer who = sign_up("collects");
    struct beside registering = as(who.id, "", ROLE_CUSTOMER);
    AUTO(arena) struct arena *arena = arena_new(512);

    test_db_run(
        arena_printf(arena,
                     "INSERT INTO notify.devices (id, customer_id, channel, address, seen_at)"
                     " SELECT gen_random_uuid(), '%s', 'apns', n, now() - n * interval '1 s'"
                     "   FROM generate_series(1, %d) n",
                     who.id.text, DEVICES_MAX));
    hold_text("SELECT 1 FROM notify.devices FOR UPDATE");
    registers(&registering);
    ck_assert_int_eq(registering.st, ST_OK);
    let_go();
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.devices"), "21");
    registers(&registering);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM notify.devices"), "20");
    ctx_free(registering.ctx);
}
END_TEST

static void before(void)
{
    shop_open();
    test_db_run("DELETE FROM notify.devices; DELETE FROM auth.sessions");
}

TEST_MAIN_AROUND("at_once",
                 (&(struct test_around){
                     .start = shop_make, .stop = shop_drop, .before = before, .after = shop_close}),
                 a_sign_in_waits_for_a_change_of_the_password_and_is_refused,
                 a_change_of_the_password_waits_for_a_sign_in_and_ends_its_session,
                 a_renewal_does_not_wait_for_a_change_of_role_that_will_end_it,
                 signing_out_waits_for_a_device_that_is_being_registered_and_forgets_it,
                 a_device_waits_for_its_session_that_is_being_ended_and_is_refused,
                 a_device_too_many_that_somebody_holds_is_not_waited_for)
