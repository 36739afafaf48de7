/* Signing up and in over gRPC: decode, call, encode. */
#include "customer-service/auth/auth_rpc.h"

#include "coffee/auth/v1/auth.pb-c.h"
#include "common/base/text.h"
#include "common/json/timestamp.h"
#include "common/token/token.h"
#include "customer-service/auth/auth.h"
#include "customer-service/customer/customer_view.h"
#include "customer-service/service.h"

#include <string.h>

typedef Coffee__Customer__V1__Customer customer_message;

static char *shared(const char *text)
{
    return (char *)text; /* protobuf-c wants char *, and only reads it when it packs */
}

static customer_message *encode_customer(struct ctx *ctx, const struct customer *customer)
{
    customer_message *message = arena_new_struct(ctx->arena, customer_message);

    coffee__customer__v1__customer__init(message);
    customer_view(ctx, customer, message);
    return message;
}

enum status auth_rpc_sign_up(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Auth__V1__SignUpRequest *request = in;
    Coffee__Auth__V1__SignUpResponse *answer = out;
    const struct auth_sign_up wish = {
        .handle = request->handle,
        .email = request->email,
        .name = request->name,
        .password = request->password,
    };
    struct customer made;

    TRY(auth_sign_up(ctx, service, &wish, &made));
    answer->customer = encode_customer(ctx, &made);
    return ST_OK;
}

static void encode_tokens(struct ctx *ctx, const struct auth_tokens *tokens, void *out)
{
    Coffee__Auth__V1__Session *answer = out;

    answer->access_token = shared(tokens->access);
    answer->refresh_token = shared(tokens->refresh);
    answer->token_type = shared("Bearer");
    answer->expires_in = TOKEN_LIFE_S;
    answer->customer = encode_customer(ctx, &tokens->customer);
}

enum status auth_rpc_login(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Auth__V1__LoginRequest *request = in;
    struct auth_tokens tokens;

    TRY(auth_login(ctx, service, request->handle, request->password, request->device_id, &tokens));
    encode_tokens(ctx, &tokens, out);
    return ST_OK;
}

enum status auth_rpc_refresh(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Auth__V1__RefreshRequest *request = in;
    struct auth_tokens tokens;

    TRY(auth_refresh(ctx, service, request->refresh_token, request->device_id, &tokens));
    encode_tokens(ctx, &tokens, out);
    return ST_OK;
}

enum status auth_rpc_logout(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Auth__V1__LogoutRequest *request = in;

    (void)out;
    return auth_logout(ctx, service, request->refresh_token);
}

enum status auth_rpc_change_password(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Auth__V1__ChangePasswordRequest *request = in;

    (void)out;
    return auth_change_password(ctx, service, request->current_password, request->new_password);
}

enum status auth_rpc_sessions(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Auth__V1__ListSessionsResponse *answer = out;
    const struct auth_session *sessions;
    size_t count;

    (void)in;
    TRY(auth_sessions(ctx, service, &sessions, &count));
    Coffee__Auth__V1__SignedIn *made =
        arena_new_array(ctx->arena, Coffee__Auth__V1__SignedIn, count);
    answer->n_sessions = count;
    answer->sessions = arena_new_array(ctx->arena, Coffee__Auth__V1__SignedIn *, count);
    for (size_t i = 0; i < count; i++) {
        coffee__auth__v1__signed_in__init(&made[i]);
        made[i].id = shared(sessions[i].id);
        made[i].device_id = shared(sessions[i].device_id);
        made[i].created_at = timestamp(ctx, sessions[i].signed_in_ms);
        made[i].last_seen_at = timestamp(ctx, sessions[i].last_seen_ms);
        made[i].current = strcmp(sessions[i].id, ctx->caller.session) == 0;
        answer->sessions[i] = &made[i];
    }
    return ST_OK;
}

enum status auth_rpc_revoke(struct ctx *ctx, void *service, const void *in, void *out)
{
    const Coffee__Auth__V1__RevokeSessionRequest *request = in;

    (void)out;
    return auth_revoke(ctx, service, request->id);
}

static void encode_key(struct ctx *ctx, const struct token_jwk *key, Coffee__Auth__V1__Jwk *out)
{
    coffee__auth__v1__jwk__init(out);
    out->kty = shared("EC");
    out->crv = shared("P-256");
    out->use = shared("sig");
    out->alg = shared("ES256");
    out->kid = arena_strdup(ctx->arena, key->kid);
    out->x = arena_strdup(ctx->arena, key->x);
    out->y = arena_strdup(ctx->arena, key->y);
}

enum status auth_rpc_jwks(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Auth__V1__Jwks *answer = out;
    struct token_jwk keys[3];
    size_t count = token_signer_jwks(service_signer(service), keys);
    Coffee__Auth__V1__Jwk *made = arena_new_array(ctx->arena, Coffee__Auth__V1__Jwk, count);

    (void)in;
    answer->n_keys = count;
    answer->keys = arena_new_array(ctx->arena, Coffee__Auth__V1__Jwk *, count);
    for (size_t i = 0; i < count; i++) {
        encode_key(ctx, &keys[i], &made[i]);
        answer->keys[i] = &made[i];
    }
    return ST_OK;
}

enum status auth_rpc_denied(struct ctx *ctx, void *service, const void *in, void *out)
{
    Coffee__Auth__V1__ListDeniedResponse *answer = out;
    const char *const *sessions;

    (void)in;
    TRY(auth_denied(ctx, service, &sessions, &answer->n_session_ids));
    answer->session_ids = (char **)sessions;
    return ST_OK;
}
