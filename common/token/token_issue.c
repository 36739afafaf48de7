/* Signing: the one place where a private key is used. libjwt parses the PEM at each call
 * (0.7 ms), which a sign-in of 23 ms does not notice. */
#include "common/token/token_key.h"

#include "common/base/clock.h"
#include "common/base/secret.h"
#include "common/base/text.h"
#include "common/base/uuid.h"

#include <errno.h>
#include <jwt.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { PEM_FILE_SIZE = 8192 };

struct token_signer {
    struct secret private_pem;
    struct token_jwk jwks[3]; /* the first is the current one */
    size_t count;
};

DEFINE_AUTO(file, FILE *, fclose)
DEFINE_AUTO(jwt, jwt_t *, jwt_free)
DEFINE_AUTO(heap, char *, free)

/* false, with *length 0, when there is no such file. */
static bool read_file(const char *path, char *content, size_t room, size_t *length)
{
    AUTO(file) FILE *file = fopen(path, "re");

    *length = file ? fread(content, 1, room - 1, file) : 0;
    content[*length] = '\0';
    return file != NULL;
}

static bool load_key(struct token_signer *signer, const char *path, bool required, FILE *complaints)
{
    char pem[PEM_FILE_SIZE];
    size_t length = 0;
    bool is_private = false;
    bool is_there = read_file(path, pem, sizeof(pem), &length);
    struct token_jwk *jwk = &signer->jwks[signer->count];
    bool is_key = is_there && token_key_from_pem(pem, jwk, &is_private);
    bool is_usable = required ? is_key && is_private : is_key || !is_there;

    if (!is_usable) {
        fprintf(complaints, "%s: %s\n", path,
                !is_there ? strerror(errno)
                : !is_key ? "is no EC key on P-256 in PEM form"
                          : "is no private key");
    }
    if (is_usable && required) {
        secret_keep(&signer->private_pem, pem, length);
    }
    signer->count += is_key;
    explicit_bzero(pem, sizeof(pem));
    return is_usable;
}

struct token_signer *token_signer_load(const char *directory, FILE *complaints)
{
    static const char *const names[] = {"current.pem", "next.pem", "previous.pem"};
    struct token_signer *signer = calloc(1, sizeof(*signer));
    bool all_usable = signer != NULL;

    for (size_t i = 0; all_usable && i < ARRAY_LEN(names); i++) {
        char path[4096];

        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        all_usable = load_key(signer, path, i == 0, complaints);
    }
    if (!all_usable) {
        token_signer_free(signer);
        return NULL;
    }
    return signer;
}

void token_signer_free(struct token_signer *signer)
{
    if (signer) {
        secret_wipe(&signer->private_pem);
        free(signer);
    }
}

size_t token_signer_jwks(const struct token_signer *signer, struct token_jwk jwks[3])
{
    memcpy(jwks, signer->jwks, sizeof(signer->jwks));
    return signer->count;
}

static void add_methods(struct text *json, const char *methods)
{
    char copy[sizeof(((struct caller *)0)->methods)];
    char *rest = copy, *word;
    bool is_first = true;

    text_copy(copy, sizeof(copy), methods);
    text_add(json, ",\"amr\":[");
    while ((word = strsep(&rest, " "))) {
        if (*word) {
            text_add(json, is_first ? "" : ",");
            text_add_json(json, word);
            is_first = false;
        }
    }
    text_add(json, "]");
}

static const char *claims_json(struct ctx *ctx, const char *issuer, const struct caller *caller)
{
    struct text json = text_new(ctx->arena, 512);
    long long now = (long long)(clock_wall_ms() / 1000);
    char id[ID_TEXT_SIZE];

    uuid_v7(id);
    text_add(&json, "{\"iss\":");
    text_add_json(&json, issuer);
    text_printf(&json, ",\"aud\":\"%s\",\"sub\":\"%s\",\"sid\":\"%s\",\"jti\":\"%s\"",
                TOKEN_AUDIENCE, caller->subject, caller->session, id);
    text_printf(&json, ",\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld", now, now, now + TOKEN_LIFE_S);
    text_printf(&json, ",\"auth_time\":%lld,\"role\":\"%s\"", (long long)caller->signed_in_at,
                role_name(caller->role));
    add_methods(&json, caller->methods);
    text_add(&json, ",\"device\":");
    text_add_json(&json, caller->device);
    text_add(&json, "}");
    return json.data;
}

enum status token_issue(struct ctx *ctx, const struct token_signer *signer, const char *issuer,
                        const struct caller *caller, const char **token)
{
    AUTO(jwt) jwt_t *jwt = NULL;
    AUTO(heap) char *encoded = NULL;
    const char *pem = secret_reveal(&signer->private_pem);

    if (jwt_new(&jwt) == 0 && jwt_add_grants_json(jwt, claims_json(ctx, issuer, caller)) == 0 &&
        jwt_add_header(jwt, "kid", signer->jwks[0].kid) == 0 &&
        jwt_set_alg(jwt, JWT_ALG_ES256, (const unsigned char *)pem, (int)strlen(pem)) == 0) {
        encoded = jwt_encode_str(jwt);
    }
    ERR_clear_error();
    if (!encoded) {
        return fail_with(ctx, ST_INTERNAL, "", "an access token could not be signed: errno %d",
                         errno);
    }
    *token = arena_strdup(ctx->arena, encoded);
    return ST_OK;
}
