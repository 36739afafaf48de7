/* Verifying: the header is read by us, the key is found by its kid and fixes the algorithm, and
 * only then libjwt is asked about the signature. Given no key it accepts "none", given a public
 * key an HS256 MAC made with it: neither can get this far, and both are checked once more. */
#include "common/token/token_key.h"
#include "common/token/token_memory.h"
#include "common/token/token_text.h"

#include "common/base/clock.h"
#include "common/base/text.h"

#include <jwt.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_KEYS = 8 };

struct pinned_key {
    char kid[48];
    char pem[TOKEN_PEM_SIZE];
};

struct token_verifier {
    char *issuer, *audience;
    pthread_mutex_t lock; /* keys, key_count, changes, memory */
    struct pinned_key keys[MAX_KEYS];
    size_t key_count;
    uint64_t changes; /* of the keys: what was verified with older ones is not remembered */
    struct token_memory memory;
};

DEFINE_AUTO(jwt, jwt_t *, jwt_free)

struct token_verifier *token_verifier_new(const char *issuer, const char *audience)
{
    struct token_verifier *verifier = calloc(1, sizeof(*verifier));

    if (!verifier) {
        abort();
    }
    verifier->issuer = strdup(issuer);
    verifier->audience = strdup(audience);
    pthread_mutex_init(&verifier->lock, NULL);
    return verifier;
}

void token_verifier_free(struct token_verifier *verifier)
{
    if (verifier) {
        pthread_mutex_destroy(&verifier->lock);
        free(verifier->issuer);
        free(verifier->audience);
        free(verifier);
    }
}

void token_verifier_set_keys(struct token_verifier *verifier, const struct token_jwk *jwks,
                             size_t count)
{
    struct pinned_key keys[MAX_KEYS] = {0};
    size_t used = 0;

    for (size_t i = 0; i < count && used < MAX_KEYS; i++) {
        if (*jwks[i].kid && token_key_to_pem(&jwks[i], keys[used].pem)) {
            text_copy(keys[used].kid, sizeof(keys[used].kid), jwks[i].kid);
            used++;
        }
    }
    pthread_mutex_lock(&verifier->lock);
    if (memcmp(verifier->keys, keys, sizeof(keys)) != 0) {
        memcpy(verifier->keys, keys, sizeof(keys));
        verifier->key_count = used;
        verifier->changes++;
        token_memory_clear(&verifier->memory);
    }
    pthread_mutex_unlock(&verifier->lock);
}

bool token_verifier_has_keys(const struct token_verifier *verifier)
{
    struct token_verifier *locked = (struct token_verifier *)verifier; /* only its lock changes */

    pthread_mutex_lock(&locked->lock);
    bool has_keys = verifier->key_count > 0;
    pthread_mutex_unlock(&locked->lock);
    return has_keys;
}

static bool recall(struct token_verifier *verifier, const uint8_t digest[SHA256_SIZE],
                   int64_t now_s, struct token_claims *claims)
{
    pthread_mutex_lock(&verifier->lock);
    const struct token_claims *known = token_memory_find(&verifier->memory, digest, now_s);
    if (known) {
        *claims = *known;
    }
    pthread_mutex_unlock(&verifier->lock);
    return known != NULL;
}

static void remember(struct token_verifier *verifier, const uint8_t digest[SHA256_SIZE],
                     const struct token_claims *claims, uint64_t changes)
{
    pthread_mutex_lock(&verifier->lock);
    if (verifier->changes == changes) {
        token_memory_keep(&verifier->memory, digest, claims);
    }
    pthread_mutex_unlock(&verifier->lock);
}

static const char no_keys[] = "no keys to verify it with yet";

/* NULL, or why there is none. */
static const char *find_key(struct token_verifier *verifier, const char *kid,
                            char pem[TOKEN_PEM_SIZE], uint64_t *changes)
{
    bool found = false;

    pthread_mutex_lock(&verifier->lock);
    const char *wrong = verifier->key_count > 0 ? "unknown kid" : no_keys;
    *changes = verifier->changes;
    for (size_t i = 0; i < verifier->key_count && !found; i++) {
        found = strcmp(verifier->keys[i].kid, kid) == 0;
        if (found) {
            text_copy(pem, TOKEN_PEM_SIZE, verifier->keys[i].pem);
        }
    }
    pthread_mutex_unlock(&verifier->lock);
    return found ? NULL : wrong;
}

static bool is_signed_by(const char *token, const char *pem)
{
    AUTO(jwt) jwt_t *jwt = NULL;
    bool is_good = *pem &&
                   jwt_decode(&jwt, token, (const unsigned char *)pem, (int)strlen(pem)) == 0 &&
                   jwt_get_alg(jwt) == JWT_ALG_ES256;

    ERR_clear_error();
    return is_good;
}

static const char *look_at(struct token_verifier *verifier, struct ctx *ctx, const char *token,
                           struct token_claims *claims, bool *unknown_key)
{
    const struct token_expected expected = {verifier->issuer, verifier->audience,
                                            clock_wall_ms() / 1000};
    struct token_text text = {0};
    char pem[TOKEN_PEM_SIZE];
    uint8_t digest[SHA256_SIZE];
    uint64_t changes = 0;

    sha256(token, strlen(token), digest);
    if (recall(verifier, digest, expected.now_s, claims)) {
        return NULL;
    }
    const char *wrong = token_text_read(ctx->arena, token, &text);
    if (wrong) {
        return wrong;
    }
    wrong = find_key(verifier, text.kid, pem, &changes);
    if (wrong) {
        *unknown_key = true;
        return wrong;
    }
    if (!is_signed_by(token, pem)) {
        return "signature";
    }
    wrong = token_claims_read(&text, &expected, claims);
    if (!wrong) {
        remember(verifier, digest, claims, changes);
    }
    return wrong;
}

enum status token_verify(struct ctx *ctx, struct token_verifier *verifier, const char *token,
                         struct token_claims *claims, bool *unknown_key)
{
    struct token_claims found;

    *unknown_key = false;
    const char *wrong = look_at(verifier, ctx, token, &found, unknown_key);
    if (wrong) {
        enum status st = wrong == no_keys ? ST_UNAVAILABLE : ST_UNAUTHENTICATED;

        (void)fail_with(ctx, st, "", "token: %s", wrong);
        ctx->failure.retry_after_s = wrong == no_keys;
        return st;
    }
    *claims = found;
    return ST_OK;
}
