/* The list of the caller's sessions, ending them, and telling gateways which ones are denied. The
 * table denied_sessions is the truth; Valkey has a copy that may be lost and is made again. */
#include "customer-service/auth/session.h"

#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/obs/log.h"
#include "common/token/token.h"
#include "customer-service/auth/security_event.h"
#include "customer-service/notify/device.h"
#include "customer-service/service.h"

#include <string.h>

enum { TOKEN_BYTES = 32 };

#define DENY_CHANNEL "customer:deny"
#define TOLD_KEY     "customer:denied:told" /* gone: so is what we told */

enum status session_add_token(struct ctx *ctx, struct db_conn *tx, const struct caller *who,
                              int64_t generation, const char **refresh)
{
    uint8_t bytes[TOKEN_BYTES], digest[SHA256_SIZE];

    random_bytes(bytes, sizeof(bytes));
    sha256(bytes, sizeof(bytes), digest);
    *refresh = base64url_encode(ctx->arena, bytes, sizeof(bytes));
    explicit_bzero(bytes, sizeof(bytes));
    return auth_store_add_token(ctx, tx, digest, who->session, generation);
}

bool session_token_digest(struct ctx *ctx, const char *refresh, uint8_t digest[SHA256_SIZE])
{
    size_t size = 0;
    const uint8_t *bytes = base64url_decode(ctx->arena, refresh, strlen(refresh), &size);

    if (!bytes || size != TOKEN_BYTES) {
        return false;
    }
    sha256(bytes, size, digest);
    return true;
}

enum status session_refuse(struct ctx *ctx)
{
    return fail_problem(ctx, PROBLEM_TOKEN_REVOKED, "This sign-in has ended; please sign in.");
}

enum status session_answer(struct ctx *ctx, struct service *service, const struct caller *who,
                           const char *refresh, const struct customer *customer,
                           struct auth_tokens *tokens)
{
    struct caller holder = *who;

    holder.role = customer->role;
    TRY(token_issue(ctx, service_signer(service), TOKEN_ISSUER, &holder, &tokens->access));
    tokens->refresh = refresh;
    tokens->customer = *customer;
    return ST_OK;
}

enum status session_end(struct ctx *ctx, struct db_conn *tx, const char *session,
                        struct customer_id owner, const char *reason, struct session_ids *ended)
{
    TRY(auth_store_end_session(ctx, tx, session, owner, reason, ended));
    return device_forget_sessions(ctx, tx, ended->ids, ended->count);
}

enum status session_end_others(struct ctx *ctx, struct db_conn *tx, struct customer_id owner,
                               const char *but_session, const char *reason,
                               struct session_ids *ended)
{
    TRY(auth_store_end_sessions(ctx, tx, owner, but_session, reason, ended));
    TRY(device_forget_sessions(ctx, tx, ended->ids, ended->count));
    return device_forget_early(ctx, tx, owner);
}

enum status auth_hold_session(struct ctx *ctx, struct db_conn *tx)
{
    const char *session = ctx->caller.session;
    enum status st =
        *session ? auth_store_hold_session(ctx, tx, session, customer_caller(ctx)) : ST_OK;

    return st == ST_NOT_FOUND ? session_refuse(ctx) : st;
}

static enum status deny_one(struct ctx *ctx, struct service *service, const char *session,
                            int64_t left_s)
{
    struct cache *cache = service_cache(service);
    const char *key = arena_printf(ctx->arena, "customer:deny:%s", session);

    TRY(cache_put(ctx, cache, key, "1", 1, (int)left_s));
    return cache_publish(ctx, cache, DENY_CHANNEL, session);
}

void session_deny(struct ctx *ctx, struct service *service, const struct session_ids *ended)
{
    for (size_t i = 0; i < ended->count; i++) {
        if (deny_one(ctx, service, ended->ids[i], TOKEN_LIFE_S + TOKEN_LEEWAY_S) != ST_OK) {
            log_warn(ctx, "denied session not told, will be when Valkey is back",
                     log_text("session", ended->ids[i]));
            ctx_forgive(ctx);
            service_tell_denied_again(service);
        }
    }
}

static enum status read_denied(struct ctx *ctx, struct service *service,
                               const struct denied_session **denied, size_t *count)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = auth_store_denied(ctx, db, denied, count);
    db_give_back(&db);
    return st;
}

enum status auth_publish_denied(struct ctx *ctx, struct service *service)
{
    const struct denied_session *denied;
    size_t count;

    TRY(read_denied(ctx, service, &denied, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(deny_one(ctx, service, denied[i].id, denied[i].left_s));
    }
    log_info(ctx, "denied sessions told again", log_num("count", (int64_t)count));
    return cache_put(ctx, service_cache(service), TOLD_KEY, "1", 1, SESSION_LIFE_S);
}

enum status auth_remind_denied(struct ctx *ctx, struct service *service)
{
    const char *told;
    size_t size;

    TRY(cache_get(ctx, service_cache(service), TOLD_KEY, &told, &size));
    return told ? ST_OK : auth_publish_denied(ctx, service);
}

enum status auth_denied(struct ctx *ctx, struct service *service, const char *const **sessions,
                        size_t *count)
{
    const struct denied_session *denied;

    TRY(read_denied(ctx, service, &denied, count));
    const char **ids = arena_new_array(ctx->arena, const char *, *count);
    for (size_t i = 0; i < *count; i++) {
        ids[i] = denied[i].id;
    }
    *sessions = ids;
    return ST_OK;
}

enum status auth_sessions(struct ctx *ctx, struct service *service,
                          const struct auth_session **sessions, size_t *count)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    return auth_store_sessions(ctx, db, customer_caller(ctx), sessions, count);
}

static enum status end_one(struct ctx *ctx, struct service *service, const char *session,
                           struct customer_id owner, const char *reason, struct session_ids *ended)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(session_end(ctx, tx, session, owner, reason, ended));
    if (ended->count) {
        TRY(security_event(
            ctx, tx, "SessionEnded", owner,
            arena_printf(ctx->arena, "{\"session\":\"%s\",\"reason\":\"%s\"}", session, reason)));
    }
    TRY(db_commit(ctx, &tx));
    db_give_back(&db);
    return ST_OK;
}

enum status auth_revoke(struct ctx *ctx, struct service *service, const char *session)
{
    struct session_ids ended = {0};

    TRY(end_one(ctx, service, session, customer_caller(ctx), "revoked", &ended));
    if (!ended.count) {
        return fail_with(ctx, ST_NOT_FOUND, "", "session %s is not the caller's or is over",
                         session);
    }
    session_deny(ctx, service, &ended);
    service_wake_outbox(service);
    return ST_OK;
}

static enum status find_session(struct ctx *ctx, struct service *service,
                                const uint8_t digest[SHA256_SIZE], struct refresh_token_row *found)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = auth_store_find_token(ctx, db, digest, found);
    db_give_back(&db);
    return st;
}

enum status auth_logout(struct ctx *ctx, struct service *service, const char *refresh_token)
{
    struct refresh_token_row row;
    struct session_ids ended = {0};
    uint8_t digest[SHA256_SIZE];

    if (!session_token_digest(ctx, refresh_token, digest)) {
        return ST_OK;
    }
    enum status st = find_session(ctx, service, digest, &row);
    if (st == ST_NOT_FOUND) {
        ctx_forgive(ctx);
        return ST_OK; /* nobody learns which tokens exist */
    }
    TRY(st);
    TRY(end_one(ctx, service, row.session, row.customer, "signed out", &ended));
    session_deny(ctx, service, &ended);
    service_wake_outbox(service);
    return ST_OK;
}
