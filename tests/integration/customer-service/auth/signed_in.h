/* What the tests of sign-in share: people who sign up and in, and what that leaves them with.
 * Included by those tests only. */
#ifndef TESTS_INTEGRATION_CUSTOMER_SERVICE_AUTH_SIGNED_IN_H
#define TESTS_INTEGRATION_CUSTOMER_SERVICE_AUTH_SIGNED_IN_H

#include "common/token/token.h"
#include "customer-service/auth/auth.h"
#include "tests/integration/customer-service/shop.h"

#define PASSWORD "correct horse battery"

static __attribute__((unused)) struct customer sign_up(const char *handle)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct auth_sign_up wish = {.handle = handle,
                                .email = arena_printf(ctx->arena, "%s@example.org", handle),
                                .name = "Some Body",
                                .password = PASSWORD};
    struct customer made;

    ck_assert_int_eq(auth_sign_up(ctx, shop.service, &wish, &made), ST_OK);
    made.handle = handle; /* outlives ctx */
    made.email = made.name = "";
    ctx_free(ctx);
    return made;
}

/* What a sign-in left behind. */
struct signed_in {
    char access[2048], refresh[64], session[ID_TEXT_SIZE];
    enum status st;
    enum problem problem;
    int retry_after_s;
};

static void remember(struct ctx *ctx, enum status st, const struct auth_tokens *tokens,
                     struct signed_in *out)
{
    *out = (struct signed_in){
        .st = st, .problem = ctx->failure.problem, .retry_after_s = ctx->failure.retry_after_s};
    if (st == ST_OK) {
        struct token_jwk keys[3];
        struct token_claims claims;
        bool unknown_key;
        size_t count = token_signer_jwks(service_signer(shop.service), keys);
        struct token_verifier *verifier = token_verifier_new(TOKEN_ISSUER, TOKEN_AUDIENCE);

        token_verifier_set_keys(verifier, keys, count);
        ck_assert_int_eq(token_verify(ctx, verifier, tokens->access, &claims, &unknown_key), ST_OK);
        token_verifier_free(verifier);
        text_copy(out->session, sizeof(out->session), claims.caller.session);
        text_copy(out->access, sizeof(out->access), tokens->access);
        text_copy(out->refresh, sizeof(out->refresh), tokens->refresh);
    }
}

static __attribute__((unused)) struct signed_in login(const char *handle, const char *password,
                                                      const char *device)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct auth_tokens tokens;
    struct signed_in out;

    remember(ctx, auth_login(ctx, shop.service, handle, password, device, &tokens), &tokens, &out);
    ctx_free(ctx);
    return out;
}

static __attribute__((unused)) struct signed_in refresh(const char *token, const char *device)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct auth_tokens tokens;
    struct signed_in out;

    remember(ctx, auth_refresh(ctx, shop.service, token, device, &tokens), &tokens, &out);
    ctx_free(ctx);
    return out;
}

static __attribute__((unused)) bool is_marked(const char *session)
{
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);
    struct cache_reply mark;

    SHOP_VALKEY(ctx, service_cache(shop.service), &mark, "GET",
                arena_printf(ctx->arena, "customer:deny:%s", session));
    ctx_free(ctx);
    return mark.kind != CACHE_NIL;
}

/* Where Valkey is away just now it did not hear of it: then it is told, as housekeeping does. */
static __attribute__((unused)) bool is_denied(const char *session)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    struct ctx *ctx = shop_ctx("", ROLE_NOBODY);

    if (!cache_is_up(service_cache(shop.service))) {
        while (auth_publish_denied(ctx, shop.service) != ST_OK) {
            ck_assert_msg(clock_monotonic_ms() < until, "%s", ctx->failure.detail);
            clock_pause_ms(50);
        }
    }
    ctx_free(ctx);
    return is_marked(session);
}

#endif
