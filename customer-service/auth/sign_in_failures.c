/* A count that cannot be kept stops nobody from signing in: then the gateway's limit and the cost
 * of a hash are what slows a guesser down. */
#include "customer-service/auth/sign_in_failures.h"

#include "common/base/auto.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/crypto/crypto.h"
#include "common/obs/log.h"
#include "customer-service/auth/auth_store.h"
#include "customer-service/auth/sign_in_pause.h"
#include "customer-service/service.h"

#include <ctype.h>
#include <string.h>

enum { WHO_BYTES = 16 };

const char *sign_in_who(struct ctx *ctx, const char *account)
{
    char *text = arena_printf(ctx->arena, "%s|%s", account, ctx->client_address);
    char *who = arena_alloc(ctx->arena, 2 * WHO_BYTES + 1);
    uint8_t digest[SHA256_SIZE];

    for (char *c = text; *c; c++) {
        *c = (char)tolower((unsigned char)*c);
    }
    sha256(text, strlen(text), digest);
    hex_encode(digest, WHO_BYTES, who); /* no key holds what somebody typed */
    return who;
}

static const char *count_key(struct ctx *ctx, const char *who)
{
    return arena_printf(ctx->arena, "customer:login:failures:%s", who);
}

static const char *wait_key(struct ctx *ctx, const char *who)
{
    return arena_printf(ctx->arena, "customer:login:wait:%s", who);
}

static enum status left_in_valkey(struct ctx *ctx, struct service *service, const char *who,
                                  int64_t *left_s)
{
    struct cache_reply reply;

    TRY(CACHE_COMMAND(ctx, service_cache(service), &reply, "TTL", wait_key(ctx, who)));
    *left_s = reply.number;
    return ST_OK;
}

static enum status left_in_database(struct ctx *ctx, struct service *service, const char *who,
                                    int64_t *left_s)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = auth_store_block_left(ctx, db, who, left_s);
    db_give_back(&db);
    return st;
}

enum status sign_in_may_try(struct ctx *ctx, struct service *service, const char *who)
{
    int64_t left_s = 0;

    if (left_in_valkey(ctx, service, who, &left_s) != ST_OK &&
        left_in_database(ctx, service, who, &left_s) != ST_OK) {
        left_s = 0;
    }
    ctx_forgive(ctx);
    if (left_s <= 0) {
        return ST_OK;
    }
    enum status st =
        fail_problem(ctx, PROBLEM_TOO_MANY_REQUESTS,
                     "Too many wrong passwords; please wait %lld seconds.", (long long)left_s);
    ctx->failure.retry_after_s = (int)left_s;
    return st;
}

static enum status count_in_valkey(struct ctx *ctx, struct service *service, const char *who,
                                   int64_t *failures)
{
    struct cache *cache = service_cache(service);
    const char *window = arena_printf(ctx->arena, "%d", FAILURE_WINDOW_S);
    struct cache_reply reply;

    TRY(CACHE_COMMAND(ctx, cache, &reply, "INCR", count_key(ctx, who)));
    *failures = reply.number;
    TRY(CACHE_COMMAND(ctx, cache, &reply, "EXPIRE", count_key(ctx, who), window));
    int pause = sign_in_pause_s(*failures);
    return pause ? cache_put(ctx, cache, wait_key(ctx, who), "1", 1, pause) : ST_OK;
}

static enum status count_in_database(struct ctx *ctx, struct service *service, const char *who,
                                     int64_t *failures)
{
    AUTO(db_tx) struct db_conn *tx = NULL;
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    TRY(db_begin(ctx, db, &tx));
    TRY(auth_store_count_failure(ctx, tx, who, FAILURE_WINDOW_S, failures));
    int pause = sign_in_pause_s(*failures);
    if (pause) {
        TRY(auth_store_block(ctx, tx, who, pause));
    }
    return db_commit(ctx, &tx);
}

void sign_in_failed(struct ctx *ctx, struct service *service, const char *who, const char *customer)
{
    int64_t failures = 0;

    if (count_in_valkey(ctx, service, who, &failures) != ST_OK &&
        count_in_database(ctx, service, who, &failures) != ST_OK) {
        failures = 0;
    }
    ctx_forgive(ctx);
    log_warn(ctx, "auth.failed", log_text("customer", customer),
             log_text("address", ctx->client_address), log_num("failures", failures));
}

static enum status forget_in_database(struct ctx *ctx, struct service *service, const char *who)
{
    struct db_conn *db = NULL;

    TRY(service_db(ctx, service, &db));
    enum status st = auth_store_forget_failures(ctx, db, who);
    db_give_back(&db);
    return st;
}

void sign_in_succeeded(struct ctx *ctx, struct service *service, const char *who)
{
    if (cache_drop(ctx, service_cache(service), count_key(ctx, who)) != ST_OK &&
        forget_in_database(ctx, service, who) != ST_OK) {
        log_debug(ctx, "failures stay counted");
    }
    ctx_forgive(ctx);
}
