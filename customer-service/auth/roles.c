/* Who may do what: changes of role, all of them audited. */
#include "common/obs/log.h"
#include "customer-service/auth/security_event.h"
#include "customer-service/auth/session.h"
#include "customer-service/service.h"

#include <string.h>

static enum status change(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                          enum role role, struct customer *changed, struct session_ids *ended)
{
    struct customer before;

    TRY(customer_get(ctx, tx, id, &before));
    TRY(customer_set_role(ctx, tx, id, role, changed));
    if (before.role != role) {
        TRY(session_end_others(ctx, tx, id, NULL, "role changed", ended));
    }
    return security_event(ctx, tx, "RoleChanged", id,
                          arena_printf(ctx->arena, "{\"from\":\"%s\",\"to\":\"%s\"}",
                                       role_name(before.role), role_name(role)));
}

static void tell(struct ctx *ctx, struct service *service, const struct customer *changed,
                 const struct session_ids *ended)
{
    log_info(ctx, "auth.role_changed", log_text("customer", changed->id.text),
             log_text("role", role_name(changed->role)), log_text("by", ctx->caller.subject));
    customer_drop_cached(ctx, service, changed->id);
    session_deny(ctx, service, ended);
}

enum status auth_set_role(struct ctx *ctx, struct service *service, struct customer_id id,
                          enum role role, struct customer *changed)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    struct session_ids ended = {0};

    if (strcmp(id.text, ctx->caller.subject) == 0) {
        return fail_with(ctx, ST_CONFLICT, "Ask another admin to change your own role.",
                         "customer=%s", id.text);
    }
    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(change(ctx, tx, id, role, changed, &ended));
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    tell(ctx, service, changed, &ended);
    service_wake_outbox(service);
    return ST_OK;
}

enum status auth_make_admin(struct ctx *ctx, struct service *service, const char *handle)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    struct customer found;
    struct session_ids ended = {0};

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(customer_by_login(ctx, tx, handle, &found));
    TRY(change(ctx, tx, found.id, ROLE_ADMIN, &found, &ended));
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    tell(ctx, service, &found, &ended); /* a running daemon's relay finds the outbox row */
    return ST_OK;
}
