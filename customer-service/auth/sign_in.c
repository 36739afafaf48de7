/* Signing in with a password. The same time passes whether the account exists or not; a password
 * that is changed while we check it opens no session. */
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/obs/log.h"
#include "customer-service/auth/password_queue.h"
#include "customer-service/auth/session.h"
#include "customer-service/auth/sign_in_failures.h"
#include "customer-service/service.h"

#include <string.h>

/* The account and its hash; '*hash' is NULL when there is none. */
static enum status find_account(struct ctx *ctx, struct service *service, const char *login,
                                struct customer *customer, const char **hash)
{
    struct db_conn *db = NULL;

    *hash = NULL;
    TRY(service_db(ctx, service, &db));
    enum status st = customer_by_login(ctx, db, login, customer);
    if (st == ST_OK) {
        st = auth_store_password(ctx, db, customer->id, hash);
    }
    db_give_back(&db);
    if (st == ST_NOT_FOUND) {
        ctx_forgive(ctx);
        return ST_OK;
    }
    return st;
}

static enum status open_session(struct ctx *ctx, struct service *service, const char *hash,
                                struct caller *who, struct customer *customer, const char **refresh)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(customer_hold(ctx, tx, customer->id, customer));
    TRY(auth_store_add_session(ctx, tx, hash, who));
    TRY(session_add_token(ctx, tx, who, 1, refresh));
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    return ST_OK;
}

static enum status bad_credentials(struct ctx *ctx)
{
    return fail_problem(ctx, PROBLEM_BAD_CREDENTIALS, "Handle or password is wrong.");
}

enum status auth_login(struct ctx *ctx, struct service *service, const char *login,
                       const char *password, const char *device_id, struct auth_tokens *tokens)
{
    struct customer customer = {0};
    struct caller who = {.methods = "pwd"};
    const char *hash, *refresh;
    bool matches = false;

    TRY(find_account(ctx, service, login, &customer, &hash));
    const char *counted = sign_in_who(ctx, hash ? customer.id.text : login);
    TRY(sign_in_may_try(ctx, service, counted));
    TRY(password_queue_check(ctx, service_passwords(service), password, hash, &matches));
    if (!matches) {
        sign_in_failed(ctx, service, counted, hash ? customer.id.text : "");
        return bad_credentials(ctx);
    }
    uuid_v7(who.session);
    text_copy(who.subject, sizeof(who.subject), customer.id.text);
    text_copy(who.device, sizeof(who.device), device_id);
    enum status st = open_session(ctx, service, hash, &who, &customer, &refresh);
    if (st == ST_CONFLICT) {
        return bad_credentials(ctx);
    }
    TRY(st);
    sign_in_succeeded(ctx, service, counted);
    log_info(ctx, "auth.signed_in", log_text("customer", who.subject),
             log_text("session", who.session));
    return session_answer(ctx, service, &who, refresh, &customer, tokens);
}
