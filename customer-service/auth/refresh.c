/* Renewing: a refresh token for the next one and a new access token. */
#include "common/base/text.h"
#include "common/obs/log.h"
#include "customer-service/auth/refresh_rule.h"
#include "customer-service/auth/security_event.h"
#include "customer-service/auth/session.h"
#include "customer-service/service.h"

/* Without a lock on the role: a change of it ends this session and waits until we let it go, but
 * holds what it has changed. */
static enum status exchange(struct ctx *ctx, struct db_conn **tx,
                            const struct refresh_token_row *row, struct caller *who,
                            struct customer *customer, const char **refresh)
{
    TRY(customer_get(ctx, *tx, row->customer, customer));
    TRY(auth_store_use_session(ctx, *tx, row->session, row->generation));
    TRY(session_add_token(ctx, *tx, who, row->generation + 1, refresh));
    return db_commit(ctx, tx);
}

/* Somebody has a copy of the token: neither they nor the owner may go on with it. */
static enum status end_family(struct ctx *ctx, struct service *service, struct db_conn **tx,
                              const struct refresh_token_row *row)
{
    struct session_ids ended = {0};

    TRY(session_end(ctx, *tx, row->session, row->customer, "refresh token reused", &ended));
    TRY(security_event(ctx, *tx, "RefreshTokenReused", row->customer,
                       arena_printf(ctx->arena, "{\"session\":\"%s\"}", row->session)));
    TRY(db_commit(ctx, tx));
    log_warn(ctx, "auth.refresh_reused", log_text("customer", row->customer.text),
             log_text("session", row->session));
    session_deny(ctx, service, &ended);
    service_wake_outbox(service);
    return session_refuse(ctx);
}

/* Each renewal leaves a row and makes another token, so that the gateway cannot tell who loops. It
 * can where one token is shown again, whose grace would be over when the minute is. */
static bool is_too_often(const struct refresh_token_row *row)
{
    return row->generation > row->used_generation && row->minute_left_s > 0 &&
           row->minute_renewals >= RENEWALS_PER_MINUTE;
}

static enum status wait_a_little(struct ctx *ctx, int64_t left_s)
{
    enum status st = fail_problem(ctx, PROBLEM_TOO_MANY_REQUESTS,
                                  "At most %d renewals a minute; please wait %lld seconds.",
                                  RENEWALS_PER_MINUTE, (long long)left_s);

    ctx->failure.retry_after_s = (int)left_s;
    return st;
}

static enum refresh_verdict judge(const struct refresh_token_row *row, const char *device_id)
{
    const struct refresh_shown shown = {
        .generation = row->generation,
        .used_generation = row->used_generation,
        .used_ago_s = row->used_ago_s,
        .device = refresh_compare_devices(row->device_id, device_id),
        .is_over = row->is_over,
    };

    return refresh_judge(&shown, REFRESH_GRACE_S);
}

enum status auth_refresh(struct ctx *ctx, struct service *service, const char *refresh_token,
                         const char *device_id, struct auth_tokens *tokens)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;
    struct refresh_token_row row;
    struct customer customer;
    struct caller who = {0};
    uint8_t digest[SHA256_SIZE];
    const char *refresh;

    if (!session_token_digest(ctx, refresh_token, digest)) {
        return session_refuse(ctx);
    }
    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    enum status st = auth_store_find_token(ctx, tx, digest, &row);
    if (st == ST_NOT_FOUND) {
        return session_refuse(ctx);
    }
    TRY(st);
    switch (judge(&row, device_id)) {
    case REFRESH_DEAD:
        return session_refuse(ctx);
    case REFRESH_REUSED:
        return end_family(ctx, service, &tx, &row);
    case REFRESH_EXCHANGE:
        break;
    }
    if (is_too_often(&row)) {
        return wait_a_little(ctx, row.minute_left_s);
    }
    text_copy(who.subject, sizeof(who.subject), row.customer.text);
    text_copy(who.session, sizeof(who.session), row.session);
    text_copy(who.device, sizeof(who.device), row.device_id);
    text_copy(who.methods, sizeof(who.methods), row.methods);
    who.signed_in_at = row.signed_in_ms / 1000;
    TRY(exchange(ctx, &tx, &row, &who, &customer, &refresh));
    db_give_back(&db);
    return session_answer(ctx, service, &who, refresh, &customer, tokens);
}
