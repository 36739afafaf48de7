/* See edge_keys.h. */
#include "gateway/edge/edge_keys.h"

#include "coffee/auth/v1/auth.pb-c.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/log.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_KEYS = 8,
    EVERY_MS = 300000,
    AGAIN_MS = 500, /* after a failure */
    WANTED_MS = 60000,
    CALL_MS = 2000,
};

struct key_fetcher {
    struct backend *backend;
    struct token_verifier *verifier;
    atomic_bool asking;
    _Atomic int64_t next_ms, fetched_ms;
};

struct key_fetcher *key_fetcher_new(struct backend *customer_service,
                                    struct token_verifier *verifier)
{
    struct key_fetcher *fetcher = calloc(1, sizeof(*fetcher));

    if (!fetcher) {
        fputs("out of memory\n", stderr);
        abort();
    }
    fetcher->backend = customer_service;
    fetcher->verifier = verifier;
    return fetcher;
}

void key_fetcher_free(struct key_fetcher *fetcher)
{
    free(fetcher);
}

static void keep(struct key_fetcher *fetcher, const Coffee__Auth__V1__Jwks *set)
{
    struct token_jwk jwks[MAX_KEYS];
    size_t count = 0;

    for (size_t i = 0; i < set->n_keys && count < MAX_KEYS; i++) {
        const Coffee__Auth__V1__Jwk *key = set->keys[i];
        struct token_jwk *jwk = &jwks[count];

        count += text_copy(jwk->kid, sizeof(jwk->kid), key->kid) &&
                 text_copy(jwk->x, sizeof(jwk->x), key->x) &&
                 text_copy(jwk->y, sizeof(jwk->y), key->y);
    }
    if (count > 0) {
        token_verifier_set_keys(fetcher->verifier, jwks, count);
    }
}

static void fetched(struct ctx *ctx, enum status st, ProtobufCMessage *out, void *user)
{
    struct key_fetcher *fetcher = user;
    int64_t now = clock_monotonic_ms();

    if (st == ST_OK) {
        keep(fetcher, (const Coffee__Auth__V1__Jwks *)out);
        atomic_store(&fetcher->fetched_ms, now);
    } else if (!token_verifier_has_keys(fetcher->verifier)) {
        log_debug(ctx, "no keys yet", log_text("detail", ctx->failure.detail));
    }
    atomic_store(&fetcher->next_ms, now + (st == ST_OK ? EVERY_MS : AGAIN_MS));
    ctx_free(ctx);
    atomic_store(&fetcher->asking, false);
}

void key_fetcher_tick(struct key_fetcher *fetcher, int64_t now_ms)
{
    static const Coffee__Auth__V1__GetJwksRequest request =
        COFFEE__AUTH__V1__GET_JWKS_REQUEST__INIT;

    if (now_ms < atomic_load(&fetcher->next_ms) || atomic_exchange(&fetcher->asking, true)) {
        return;
    }
    backend_call(ctx_new_system("gateway"), fetcher->backend, "/coffee.auth.v1.AuthService/GetJwks",
                 &request.base, &coffee__auth__v1__jwks__descriptor, CALL_MS, fetched, fetcher);
}

void key_fetcher_want(struct key_fetcher *fetcher)
{
    int64_t now = clock_monotonic_ms();

    if (now - atomic_load(&fetcher->fetched_ms) > WANTED_MS) {
        atomic_store(&fetcher->next_ms, now);
    }
}
