/* Signing up, and changing the password. */
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/db/idempotency.h"
#include "common/obs/log.h"
#include "customer-service/auth/password_queue.h"
#include "customer-service/auth/password_rule.h"
#include "customer-service/auth/security_event.h"
#include "customer-service/auth/session.h"
#include "customer-service/auth/sign_in_failures.h"
#include "customer-service/service.h"

#include <string.h>

enum { HTTP_CREATED = 201 };

#define METHOD_SIGN_UP "SignUp"

static enum status refuse_weak(struct ctx *ctx, const char *field, const char *password,
                               const char *handle, const char *email)
{
    const char *weakness = password_weakness(password, handle, email);

    if (!weakness) {
        return ST_OK;
    }
    refuse_field(ctx, field, "%s", weakness);
    return fail_problem(ctx, PROBLEM_WEAK_PASSWORD, "The password %s.", weakness);
}

static enum status create(struct ctx *ctx, struct db_conn *tx, const struct customer *customer,
                          const char *hash)
{
    TRY(customer_create(ctx, tx, customer));
    TRY(auth_store_add_password(ctx, tx, customer->id, hash, false));
    TRY(security_event(ctx, tx, "CustomerSignedUp", customer->id, "{}"));
    return idempotency_keep(ctx, tx, METHOD_SIGN_UP, HTTP_CREATED, customer->id.text,
                            strlen(customer->id.text));
}

/* The same request with the same key is the same person: all but the id is in the request. */
static enum status keep(struct ctx *ctx, struct service *service, struct customer *customer,
                        const char *hash)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    struct idempotency_answer before;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(idempotency_claim(ctx, tx, METHOD_SIGN_UP, &before));
    if (before.found) {
        text_copy(customer->id.text, sizeof(customer->id.text),
                  arena_printf(ctx->arena, "%.*s", (int)before.size, (const char *)before.bytes));
    } else {
        TRY(create(ctx, tx, customer, hash));
        log_info(ctx, "auth.signed_up", log_text("customer", customer->id.text));
    }
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    return ST_OK;
}

enum status auth_sign_up(struct ctx *ctx, struct service *service,
                         const struct auth_sign_up *request, struct customer *made)
{
    struct customer customer = {
        .handle = request->handle,
        .name = request->name,
        .email = request->email,
        .role = ROLE_CUSTOMER,
    };
    char hash[PASSWORD_HASH_SIZE];

    TRY(refuse_weak(ctx, "password", request->password, request->handle, request->email));
    uuid_v7(customer.id.text);
    TRY(password_queue_hash(ctx, service_passwords(service), request->password, hash));
    TRY(keep(ctx, service, &customer, hash));
    service_wake_outbox(service);
    *made = customer;
    return ST_OK;
}

static enum status read_account(struct ctx *ctx, struct service *service, struct customer *customer,
                                const char **hash)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(customer_get(ctx, db, customer_caller(ctx), customer));
    TRY(auth_store_password(ctx, db, customer->id, hash));
    db_give_back(&db);
    return ST_OK;
}

static enum status replace(struct ctx *ctx, struct service *service, struct customer_id id,
                           const char *old_hash, const char *new_hash, struct session_ids *ended)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(auth_store_change_password(ctx, tx, id, old_hash, new_hash));
    TRY(session_end_others(ctx, tx, id, *ctx->caller.session ? ctx->caller.session : NULL,
                           "password changed", ended));
    TRY(security_event(ctx, tx, "PasswordChanged", id,
                       arena_printf(ctx->arena, "{\"sessionsEnded\":%zu}", ended->count)));
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    return ST_OK;
}

enum status auth_change_password(struct ctx *ctx, struct service *service, const char *current,
                                 const char *wanted)
{
    struct customer customer;
    struct session_ids ended = {0};
    char new_hash[PASSWORD_HASH_SIZE];
    const char *hash;
    bool matches = false;

    TRY(read_account(ctx, service, &customer, &hash));
    const char *counted = sign_in_who(ctx, customer.id.text);
    TRY(sign_in_may_try(ctx, service, counted));
    TRY(password_queue_check(ctx, service_passwords(service), current, hash, &matches));
    if (!matches) {
        sign_in_failed(ctx, service, counted, customer.id.text);
        return fail_problem(ctx, PROBLEM_BAD_CREDENTIALS, "The current password is wrong.");
    }
    TRY(refuse_weak(ctx, "newPassword", wanted, customer.handle, customer.email));
    TRY(password_queue_hash(ctx, service_passwords(service), wanted, new_hash));
    TRY(replace(ctx, service, customer.id, hash, new_hash, &ended));
    session_deny(ctx, service, &ended);
    service_wake_outbox(service);
    return ST_OK;
}
