/* links: common_token common_crypto */
/* Any bytes as a token, and as the header and payload of one. A verifier that knows one key, whose
 * private half nobody has, accepts none of them; the claims' reader takes whatever a good signature
 * might stand under. */
#include "common/crypto/crypto.h"
#include "common/token/token_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* The example key of RFC 7515, appendix A.3. */
static const struct token_jwk key = {.kid = "k",
                                     .x = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                                     .y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"};

static struct token_verifier *verifier(void)
{
    static struct token_verifier *made;

    if (!made) {
        made = token_verifier_new(TOKEN_ISSUER, TOKEN_AUDIENCE);
        token_verifier_set_keys(made, &key, 1);
        if (!token_verifier_has_keys(made)) {
            abort();
        }
    }
    return made;
}

static void must_be_refused(struct ctx *ctx, const char *token)
{
    struct token_claims claims;
    bool unknown_key;

    if (token_verify(ctx, verifier(), token, &claims, &unknown_key) == ST_OK) {
        abort();
    }
}

/* The first line is the header, the rest the payload. */
static void as_parts(struct ctx *ctx, const char *text, size_t size)
{
    static const uint8_t signature[64] = {1};
    const char *end = memchr(text, '\n', size);
    size_t head = end ? (size_t)(end - text) : size;
    size_t rest = end ? size - head - 1 : 0;

    must_be_refused(ctx,
                    arena_printf(ctx->arena, "%s.%s.%s", base64url_encode(ctx->arena, text, head),
                                 base64url_encode(ctx->arena, end ? end + 1 : "", rest),
                                 base64url_encode(ctx->arena, signature, sizeof(signature))));
}

static void as_claims(const uint8_t *bytes, size_t size)
{
    const struct token_expected expected = {TOKEN_ISSUER, TOKEN_AUDIENCE, 1800000000};
    const struct token_text text = {.payload = bytes, .payload_size = size};
    struct token_claims claims;

    if (!token_claims_read(&text, &expected, &claims) &&
        (claims.caller.role == ROLE_SYSTEM || claims.expires_at < expected.now_s - 30)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct ctx *ctx = ctx_new_system("fuzz");
    char *text = arena_alloc(ctx->arena, size + 1);

    if (size) {
        memcpy(text, bytes, size);
    }
    must_be_refused(ctx, text);
    as_parts(ctx, text, size);
    as_claims(bytes, size);
    ctx_free(ctx);
    return 0;
}
