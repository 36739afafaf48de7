/* The token's text: its header before a key is looked at, its claims after the signature was
 * found good. libjwt's own decoder is lenient (padding, stray bits, unknown "crit"), so it only
 * ever sees what passed here. */
#include "common/token/token_text.h"

#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/crypto/crypto.h"

#include <jansson.h>
#include <string.h>

enum { SIGNATURE_SIZE = 64 };

DEFINE_AUTO(json, json_t *, json_decref)

static json_t *object_of(const uint8_t *bytes, size_t size)
{
    json_t *value = json_loadb((const char *)bytes, size, JSON_REJECT_DUPLICATES, NULL);

    if (!json_is_object(value)) {
        json_decref(value);
        return NULL;
    }
    return value;
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static const char *read_header(const uint8_t *bytes, size_t size, char *kid, size_t kid_size)
{
    AUTO(json) json_t *header = object_of(bytes, size);

    if (!header) {
        return "header is no JSON object";
    }
    if (strcmp(member(header, "alg"), "ES256") != 0) {
        return "alg is not ES256";
    }
    if (strcmp(member(header, "typ"), "JWT") != 0) {
        return "typ is not JWT";
    }
    if (json_object_get(header, "crit")) {
        return "crit is not understood";
    }
    if (!*member(header, "kid") || !text_copy(kid, kid_size, member(header, "kid"))) {
        return "no kid";
    }
    return NULL;
}

const char *token_text_read(struct arena *arena, const char *token, struct token_text *text)
{
    const char *first = strchr(token, '.');
    const char *second = first ? strchr(first + 1, '.') : NULL;
    size_t size = 0;

    if (!second || strchr(second + 1, '.') || strlen(token) > TOKEN_MAX_SIZE) {
        return "not three parts";
    }
    const uint8_t *header = base64url_decode(arena, token, (size_t)(first - token), &size);
    if (!header) {
        return "header is not base64url";
    }
    const char *wrong = read_header(header, size, text->kid, sizeof(text->kid));
    if (wrong) {
        return wrong;
    }
    text->payload =
        base64url_decode(arena, first + 1, (size_t)(second - first - 1), &text->payload_size);
    if (!text->payload) {
        return "payload is not base64url";
    }
    if (!base64url_decode(arena, second + 1, strlen(second + 1), &size) || size != SIGNATURE_SIZE) {
        return "signature is not 64 bytes of base64url";
    }
    return NULL;
}

static bool names_audience(const json_t *claim, const char *audience)
{
    size_t i;
    const json_t *one;

    if (json_is_string(claim)) {
        return strcmp(json_string_value(claim), audience) == 0;
    }
    json_array_foreach((json_t *)claim, i, one)
    {
        if (json_is_string(one) && strcmp(json_string_value(one), audience) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_time(const json_t *object, const char *name, int64_t *time_s)
{
    const json_t *claim = json_object_get(object, name);

    *time_s = json_integer_value(claim);
    return json_is_integer(claim) && *time_s > 0;
}

static bool read_methods(const json_t *claim, char *methods, size_t size)
{
    size_t i, used = 0;
    const json_t *one;

    if (!json_is_array(claim)) {
        return false;
    }
    json_array_foreach((json_t *)claim, i, one)
    {
        const char *word = json_string_value(one);

        if (!word || used + strlen(word) + 2 > size) {
            return false;
        }
        used += (size_t)snprintf(methods + used, size - used, "%s%s", i ? " " : "", word);
    }
    return true;
}

static const char *read_caller(const json_t *object, struct caller *caller)
{
    const enum role people = ROLE_CUSTOMER | ROLE_BARISTA | ROLE_ADMIN | ROLE_DRIVER;

    if (!uuid_parse(member(object, "sub"), caller->subject)) {
        return "sub";
    }
    if (!uuid_parse(member(object, "sid"), caller->session)) {
        return "sid";
    }
    caller->role = role_parse(member(object, "role"));
    if (!(caller->role & people)) {
        return "role";
    }
    if (!text_copy(caller->device, sizeof(caller->device), member(object, "device"))) {
        return "device";
    }
    if (!read_methods(json_object_get(object, "amr"), caller->methods, sizeof(caller->methods))) {
        return "amr";
    }
    return read_time(object, "auth_time", &caller->signed_in_at) ? NULL : "auth_time";
}

bool token_is_over(const struct token_claims *claims, int64_t now_s)
{
    return claims->expires_at < now_s - TOKEN_LEEWAY_S;
}

const char *token_claims_read(const struct token_text *text, const struct token_expected *expected,
                              struct token_claims *claims)
{
    AUTO(json) json_t *object = object_of(text->payload, text->payload_size);
    int64_t latest = expected->now_s + TOKEN_LEEWAY_S, not_before = 0;

    memset(claims, 0, sizeof(*claims));
    if (!object) {
        return "payload is no JSON object";
    }
    if (strcmp(member(object, "iss"), expected->issuer) != 0) {
        return "iss";
    }
    if (!names_audience(json_object_get(object, "aud"), expected->audience)) {
        return "aud";
    }
    if (!read_time(object, "exp", &claims->expires_at) || token_is_over(claims, expected->now_s)) {
        return "exp";
    }
    if (!read_time(object, "iat", &claims->issued_at) || claims->issued_at > latest) {
        return "iat";
    }
    if (json_object_get(object, "nbf") &&
        (!read_time(object, "nbf", &not_before) || not_before > latest)) {
        return "nbf";
    }
    return uuid_parse(member(object, "jti"), claims->id) ? read_caller(object, &claims->caller)
                                                         : "jti";
}
