/* links: test_db common_token common_crypto
 * Signing up, in, on and out against a real database and Valkey. */
#include "tests/integration/customer-service/auth/signed_in.h"

static void move_back(const char *session, const char *interval)
{
    AUTO(arena) struct arena *arena = arena_new(256);

    test_db_run(arena_printf(arena,
                             "UPDATE auth.sessions SET used_at = used_at - interval '%s',"
                             " minute_began = minute_began - interval '%s' WHERE id = '%s'",
                             interval, interval, session));
}

/* AUTH-04 */
START_TEST(who_signed_up_signs_in_by_handle_and_by_e_mail_in_any_case)
{
    sign_up("grandma");
    ck_assert_int_eq(login("grandma", PASSWORD, "").st, ST_OK);
    ck_assert_int_eq(login("GrandMa", PASSWORD, "").st, ST_OK);
    ck_assert_int_eq(login("grandma@Example.ORG", PASSWORD, "").st, ST_OK);
    ck_assert_int_eq(login("grandma", "correct horse batterz", "").problem,
                     PROBLEM_BAD_CREDENTIALS);
    ck_assert_int_eq(login("nobody-at-all", PASSWORD, "").problem, PROBLEM_BAD_CREDENTIALS);
}
END_TEST

START_TEST(a_handle_or_e_mail_belongs_to_one)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct auth_sign_up wish = {"taken", "other@example.org", "Other", PASSWORD};
    struct customer made;

    sign_up("taken");
    ck_assert_int_eq(auth_sign_up(ctx, shop.service, &wish, &made), ST_EXISTS);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_HANDLE_TAKEN);
    wish.handle = "not-taken";
    wish.email = "Taken@Example.org";
    ck_assert_int_eq(auth_sign_up(ctx, shop.service, &wish, &made), ST_EXISTS);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_ALREADY_EXISTS);
    ctx_free(ctx);
}
END_TEST

START_TEST(a_retried_sign_up_makes_one_account)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct auth_sign_up wish = {"retried", "retried@example.org", "Retried", PASSWORD};
    struct customer first, again;

    ctx->idempotency_key = "sign-up-1";
    text_copy(ctx->request_sha256, sizeof(ctx->request_sha256), "aa");
    ck_assert_int_eq(auth_sign_up(ctx, shop.service, &wish, &first), ST_OK);
    ck_assert_int_eq(auth_sign_up(ctx, shop.service, &wish, &again), ST_OK);
    ck_assert_str_eq(first.id.text, again.id.text);
    text_copy(ctx->request_sha256, sizeof(ctx->request_sha256), "bb");
    ck_assert_int_eq(auth_sign_up(ctx, shop.service, &wish, &again), ST_INVALID);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_IDEMPOTENCY_MISMATCH);
    ctx_free(ctx);
}
END_TEST

START_TEST(a_weak_password_is_refused_with_its_field)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct auth_sign_up wish = {"weakling", "weak@example.org", "Weak", "password123"};
    struct customer made;

    ck_assert_int_eq(auth_sign_up(ctx, shop.service, &wish, &made), ST_INVALID);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_WEAK_PASSWORD);
    ck_assert_ptr_nonnull(ctx->failure.fields);
    ck_assert_str_eq(ctx->failure.fields->field, "password");
    ck_assert_int_eq(login("weakling", "password123", "").problem, PROBLEM_BAD_CREDENTIALS);
    ctx_free(ctx);
}
END_TEST

START_TEST(no_password_or_token_is_in_the_database)
{
    sign_up("secretive");
    struct signed_in in = login("secretive", PASSWORD, "");
    AUTO(arena) struct arena *arena = arena_new(1024);

    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM auth.passwords"
                                 " WHERE hash LIKE '%correct%' OR hash NOT LIKE '$argon2id$%'"),
                     "0");
    ck_assert_str_eq(test_db_ask(arena_printf(arena,
                                              "SELECT count(*) FROM auth.refresh_tokens WHERE"
                                              " encode(digest, 'escape') LIKE '%%%s%%'",
                                              in.refresh)),
                     "0");
}
END_TEST

/* AUTH-02 */
START_TEST(a_refresh_token_gives_the_next_one)
{
    sign_up("fresh");
    struct signed_in first = login("fresh", PASSWORD, "phone");
    struct signed_in second = refresh(first.refresh, "phone");
    struct signed_in third = refresh(second.refresh, "");

    ck_assert_int_eq(second.st, ST_OK);
    ck_assert_int_eq(third.st, ST_OK);
    ck_assert_str_ne(first.refresh, second.refresh);
    ck_assert_str_eq(first.session, third.session);
}
END_TEST

/* AUTH-02 */
START_TEST(a_lost_answer_is_given_again_within_the_grace)
{
    sign_up("flaky");
    struct signed_in first = login("flaky", PASSWORD, "phone");
    struct signed_in lost = refresh(first.refresh, "phone");
    struct signed_in again = refresh(first.refresh, "phone");

    ck_assert_int_eq(lost.st, ST_OK);
    ck_assert_int_eq(again.st, ST_OK);
    ck_assert_int_eq(refresh(again.refresh, "phone").st, ST_OK);
}
END_TEST

/* AUTH-02 */
START_TEST(using_a_token_again_does_not_lengthen_its_grace)
{
    sign_up("patient");
    struct signed_in first = login("patient", PASSWORD, "phone");

    ck_assert_int_eq(refresh(first.refresh, "phone").st, ST_OK);
    move_back(first.session, "20 seconds");
    ck_assert_int_eq(refresh(first.refresh, "phone").st, ST_OK);
    move_back(first.session, "20 seconds");
    ck_assert_int_eq(refresh(first.refresh, "phone").problem, PROBLEM_TOKEN_REVOKED);
}
END_TEST

/* AUTH-02 */
START_TEST(a_token_reused_after_the_grace_ends_its_family)
{
    sign_up("copied");
    struct signed_in first = login("copied", PASSWORD, "phone");
    struct signed_in second = refresh(first.refresh, "phone");

    move_back(first.session, "31 seconds");
    ck_assert_int_eq(refresh(first.refresh, "phone").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert_int_eq(refresh(second.refresh, "phone").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert(is_denied(first.session));
}
END_TEST

/* AUTH-02 */
START_TEST(a_token_whose_successor_was_used_ends_its_family_at_once)
{
    sign_up("stolen");
    struct signed_in first = login("stolen", PASSWORD, "phone");
    struct signed_in second = refresh(first.refresh, "phone");
    struct signed_in third = refresh(second.refresh, "phone");

    ck_assert_int_eq(refresh(first.refresh, "phone").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert_int_eq(refresh(third.refresh, "phone").problem, PROBLEM_TOKEN_REVOKED);
}
END_TEST

/* AUTH-02 */
START_TEST(a_token_reused_from_another_device_ends_its_family)
{
    sign_up("wanderer");
    struct signed_in first = login("wanderer", PASSWORD, "phone");
    struct signed_in second = refresh(first.refresh, "phone");

    ck_assert_int_eq(refresh(first.refresh, "laptop").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert_int_eq(refresh(second.refresh, "phone").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert(is_denied(first.session));
}
END_TEST

/* AUTH-02: each one leaves a row, and the gateway sees another token each time. */
START_TEST(a_session_that_is_renewed_too_often_waits_and_goes_on)
{
    sign_up("loops");
    struct signed_in first = login("loops", PASSWORD, "phone");
    struct signed_in before, last = first;

    for (int i = 0; i < RENEWALS_PER_MINUTE; i++) {
        before = last;
        last = refresh(before.refresh, "phone");
        ck_assert_int_eq(last.st, ST_OK);
    }
    struct signed_in refused = refresh(last.refresh, "phone");
    ck_assert_int_eq(refused.problem, PROBLEM_TOO_MANY_REQUESTS);
    ck_assert_int_ge(refused.retry_after_s, 1);
    ck_assert_int_le(refused.retry_after_s, 60);
    ck_assert(!is_denied(first.session));
    ck_assert_int_eq(refresh(before.refresh, "phone").st, ST_OK); /* that answer was lost */
    move_back(first.session, "30 seconds");
    ck_assert_int_eq(refresh(last.refresh, "phone").problem, PROBLEM_TOO_MANY_REQUESTS);
    move_back(first.session, "30 seconds");
    last = refresh(last.refresh, "phone");
    ck_assert_int_eq(last.st, ST_OK);
    ck_assert_str_eq(last.session, first.session);
}
END_TEST

/* AUTH-02 */
START_TEST(a_copied_token_ends_its_family_however_often_that_was_renewed)
{
    sign_up("loops-copied");
    struct signed_in first = login("loops-copied", PASSWORD, "phone");
    struct signed_in last = first;

    for (int i = 0; i < RENEWALS_PER_MINUTE; i++) {
        last = refresh(last.refresh, "phone");
    }
    ck_assert_int_eq(refresh(last.refresh, "phone").problem, PROBLEM_TOO_MANY_REQUESTS);
    ck_assert_int_eq(refresh(first.refresh, "phone").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert(is_denied(first.session));
}
END_TEST

START_TEST(a_token_that_was_never_given_out_is_refused)
{
    const char *const refused[] = {"", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                                   "Buav_jeD70LGEjoNceGUcXzm7QgLZ36P2NdlWGwVuqo=", "'; --"};

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        ck_assert_int_eq(refresh(refused[i], "").problem, PROBLEM_TOKEN_REVOKED);
    }
}
END_TEST

START_TEST(signing_out_ends_the_family_and_denies_its_tokens)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);

    sign_up("leaver");
    struct signed_in in = login("leaver", PASSWORD, "");
    struct signed_in other = login("leaver", PASSWORD, "");
    ck_assert_int_eq(auth_logout(ctx, shop.service, in.refresh), ST_OK);
    ck_assert_int_eq(auth_logout(ctx, shop.service, in.refresh), ST_OK); /* twice is fine */
    ck_assert_int_eq(auth_logout(ctx, shop.service, "nonsense"), ST_OK);
    ck_assert(is_denied(in.session));
    ck_assert(!is_denied(other.session));
    ck_assert_int_eq(refresh(in.refresh, "").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert_int_eq(refresh(other.refresh, "").st, ST_OK);
    ctx_free(ctx);
}
END_TEST

/* AUTH-24, SEC-08 */
START_TEST(ones_sessions_are_listed_and_revoked_and_nobody_elses)
{
    struct customer mine = sign_up("lister"), theirs = sign_up("other-lister");
    struct signed_in one = login("lister", PASSWORD, "phone");
    struct signed_in two = login("lister", PASSWORD, "laptop");
    struct signed_in foreign = login("other-lister", PASSWORD, "");
    struct ctx *ctx = shop_ctx(mine.id.text, ROLE_CUSTOMER);
    const struct auth_session *list;
    size_t count;

    (void)theirs;
    ck_assert_int_eq(auth_sessions(ctx, shop.service, &list, &count), ST_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_str_eq(list[0].device_id, "laptop");
    ck_assert_int_eq(auth_revoke(ctx, shop.service, foreign.session), ST_NOT_FOUND);
    ck_assert(!is_denied(foreign.session));
    ck_assert_int_eq(auth_revoke(ctx, shop.service, one.session), ST_OK);
    ck_assert(is_denied(one.session));
    ck_assert_int_eq(auth_revoke(ctx, shop.service, one.session), ST_NOT_FOUND);
    ck_assert_int_eq(auth_sessions(ctx, shop.service, &list, &count), ST_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(list[0].id, two.session);
    ctx_free(ctx);
}
END_TEST

START_TEST(a_changed_password_ends_the_other_sessions)
{
    struct customer who = sign_up("changer");
    struct signed_in here = login("changer", PASSWORD, "phone");
    struct signed_in there = login("changer", PASSWORD, "laptop");
    struct ctx *ctx = shop_ctx(who.id.text, ROLE_CUSTOMER);

    text_copy(ctx->caller.session, sizeof(ctx->caller.session), here.session);
    ck_assert_int_eq(auth_change_password(ctx, shop.service, "wrong one here", "staple battery"),
                     ST_UNAUTHENTICATED);
    ck_assert_int_eq(auth_change_password(ctx, shop.service, PASSWORD, "changer"), ST_INVALID);
    ck_assert_int_eq(ctx->failure.problem, PROBLEM_WEAK_PASSWORD);
    ck_assert_int_eq(auth_change_password(ctx, shop.service, PASSWORD, "staple battery"), ST_OK);
    ck_assert(is_denied(there.session));
    ck_assert(!is_denied(here.session));
    ck_assert_int_eq(refresh(there.refresh, "laptop").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert_int_eq(refresh(here.refresh, "phone").st, ST_OK);
    ck_assert_int_eq(login("changer", PASSWORD, "").problem, PROBLEM_BAD_CREDENTIALS);
    ck_assert_int_eq(login("changer", "staple battery", "").st, ST_OK);
    ctx_free(ctx);
}
END_TEST

static void fail_five_times(const char *handle)
{
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(login(handle, "wrong password", "").problem, PROBLEM_BAD_CREDENTIALS);
    }
}

/* AUTH-02 */
START_TEST(a_used_token_shown_without_its_device_ends_the_session)
{
    sign_up("copied-from");
    struct signed_in first = login("copied-from", PASSWORD, "phone");
    struct signed_in second = refresh(first.refresh, "phone");

    ck_assert_int_eq(refresh(first.refresh, "").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert_int_eq(refresh(second.refresh, "phone").problem, PROBLEM_TOKEN_REVOKED);
    ck_assert(is_denied(first.session));
}
END_TEST

/* AUTH-31 */
START_TEST(after_five_wrong_passwords_one_waits)
{
    sign_up("forgetful");
    sign_up("bystander");
    fail_five_times("forgetful");
    struct signed_in in = login("forgetful", PASSWORD, "");
    ck_assert_int_eq(in.problem, PROBLEM_TOO_MANY_REQUESTS);
    ck_assert_int_ge(in.retry_after_s, 1);
    ck_assert_int_le(in.retry_after_s, 30);
    ck_assert_int_eq(login("forgetful@example.org", PASSWORD, "").problem,
                     PROBLEM_TOO_MANY_REQUESTS); /* another name of the same account */
    ck_assert_int_eq(login("bystander", PASSWORD, "").st, ST_OK);
    fail_five_times("never-was-here");
    ck_assert_int_eq(login("never-was-here", PASSWORD, "").problem, PROBLEM_TOO_MANY_REQUESTS);
}
END_TEST

/* AUTH-31 */
START_TEST(failures_are_counted_in_the_database_while_valkey_is_away)
{
    sign_up("offline");
    valkey_server_freeze(&shop.valkey);
    fail_five_times("offline");
    struct signed_in in = login("offline", PASSWORD, "");
    valkey_server_thaw(&shop.valkey);
    ck_assert_int_eq(in.problem, PROBLEM_TOO_MANY_REQUESTS);
    ck_assert_int_ge(in.retry_after_s, 1);
}
END_TEST

START_TEST(what_valkey_forgot_about_denied_sessions_is_told_again)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct cache_reply reply;
    const char *const *denied;
    size_t count, found = 0;

    sign_up("revenant");
    struct signed_in in = login("revenant", PASSWORD, "");
    ck_assert_int_eq(auth_logout(ctx, shop.service, in.refresh), ST_OK);
    SHOP_VALKEY(ctx, service_cache(shop.service), &reply, "FLUSHALL");
    ck_assert(!is_marked(in.session));
    ck_assert_int_eq(auth_publish_denied(ctx, shop.service), ST_OK);
    ck_assert(is_denied(in.session));
    ck_assert_int_eq(auth_denied(ctx, shop.service, &denied, &count), ST_OK);
    for (size_t i = 0; i < count; i++) {
        found += strcmp(denied[i], in.session) == 0;
    }
    ck_assert_uint_eq(found, 1);
    ctx_free(ctx);
}
END_TEST

START_TEST(a_changed_role_is_audited_and_ends_the_sessions)
{
    struct customer who = sign_up("promoted"), boss = sign_up("boss");
    struct signed_in in = login("promoted", PASSWORD, "");
    struct ctx *ctx = shop_ctx(boss.id.text, ROLE_ADMIN);
    AUTO(arena) struct arena *arena = arena_new(512);
    struct customer changed;
    struct customer_id nobody = {"019aa1f0-5c3e-7000-8000-0000000000ff"};

    ck_assert_int_eq(auth_set_role(ctx, shop.service, who.id, ROLE_BARISTA, &changed), ST_OK);
    ck_assert_int_eq(changed.role, ROLE_BARISTA);
    ck_assert(is_denied(in.session));
    ck_assert_str_eq(
        test_db_ask(arena_printf(arena,
                                 "SELECT topic || ' ' || (payload::json #>> '{data,to}') || ' ' ||"
                                 " (payload::json #>> '{actor,id}') FROM outbox.events WHERE"
                                 " key = '%s' AND payload::json ->> 'type' = 'RoleChanged'",
                                 who.id.text)),
        arena_printf(arena, "security.events audit.events barista %s", boss.id.text));
    ck_assert_int_eq(auth_set_role(ctx, shop.service, boss.id, ROLE_CUSTOMER, &changed),
                     ST_CONFLICT);
    ck_assert_int_eq(auth_set_role(ctx, shop.service, nobody, ROLE_ADMIN, &changed), ST_NOT_FOUND);
    ctx_free(ctx);
}
END_TEST

START_TEST(the_first_admin_is_made_from_the_command_line)
{
    struct customer who = sign_up("founder");
    AUTO(arena) struct arena *arena = arena_new(512);

    ck_assert(service_make_admin(shop.config, "founder"));
    ck_assert(!service_make_admin(shop.config, "not-there"));
    ck_assert_str_eq(
        test_db_ask(arena_printf(arena, "SELECT role FROM customer.customers WHERE id = '%s'",
                                 who.id.text)),
        "admin");
}
END_TEST

START_TEST(the_demonstration_is_seeded_once_and_changes_nothing_that_is_there)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);

    ck_assert_int_eq(auth_seed_demo(ctx, shop.service), ST_OK);
    test_db_run("UPDATE customer.customers SET name = 'Mine' WHERE handle = 'customer2'");
    ck_assert_int_eq(auth_seed_demo(ctx, shop.service), ST_OK);
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM customer.customers WHERE id::text LIKE"
                                 " '019aa1f0-0000-7000-8000-00000000000%'"),
                     "6");
    ck_assert_str_eq(test_db_ask("SELECT name FROM customer.customers WHERE handle = 'customer2'"),
                     "Mine");
    ck_assert_int_eq(login("barista", "coffee-demo", "").st, ST_OK);
    ctx_free(ctx);
}
END_TEST

TEST_MAIN_AROUND(
    "sign_in",
    (&(struct test_around){
        .start = shop_make, .stop = shop_drop, .before = shop_open, .after = shop_close}),
    who_signed_up_signs_in_by_handle_and_by_e_mail_in_any_case, a_handle_or_e_mail_belongs_to_one,
    a_retried_sign_up_makes_one_account, a_weak_password_is_refused_with_its_field,
    no_password_or_token_is_in_the_database, a_refresh_token_gives_the_next_one,
    a_lost_answer_is_given_again_within_the_grace, using_a_token_again_does_not_lengthen_its_grace,
    a_token_reused_after_the_grace_ends_its_family,
    a_token_whose_successor_was_used_ends_its_family_at_once,
    a_token_reused_from_another_device_ends_its_family,
    a_session_that_is_renewed_too_often_waits_and_goes_on,
    a_copied_token_ends_its_family_however_often_that_was_renewed,
    a_token_that_was_never_given_out_is_refused, signing_out_ends_the_family_and_denies_its_tokens,
    ones_sessions_are_listed_and_revoked_and_nobody_elses,
    a_changed_password_ends_the_other_sessions,
    a_used_token_shown_without_its_device_ends_the_session, after_five_wrong_passwords_one_waits,
    failures_are_counted_in_the_database_while_valkey_is_away,
    what_valkey_forgot_about_denied_sessions_is_told_again,
    a_changed_role_is_audited_and_ends_the_sessions, the_first_admin_is_made_from_the_command_line,
    the_demonstration_is_seeded_once_and_changes_nothing_that_is_there)
