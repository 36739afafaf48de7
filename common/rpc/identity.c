/* x-identity: "<base64url of the caller's fields, one a line>.<base64url of the MAC>". Audience
 * and method are under the MAC but not in the text: the verifier knows what it is and what was
 * called. */
#include "common/rpc/identity.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = 32, MAX_KEYS = 2, KEY_ID_SIZE = 33, MAX_SKEW_S = 60 };

/* The lines of the text, in this order. */
enum part {
    KEY_ID,
    SUBJECT,
    ROLE,
    SESSION,
    DEVICE,
    METHODS,
    ADDRESS,
    SIGNED_IN_AT,
    MADE_AT,
    PARTS
};

/* What a genuine one says. */
struct asker {
    struct caller caller;
    char address[sizeof(((struct ctx *)0)->client_address)];
};

struct identity_key {
    char id[KEY_ID_SIZE];
    uint8_t bytes[KEY_SIZE];
};

struct identity_keys {
    size_t count;
    struct identity_key keys[MAX_KEYS]; /* the first one signs */
};

static bool all_equal(const uint8_t *bytes, size_t size)
{
    return memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* What is wrong with a line of the key file; NULL: the key was taken. */
static const char *read_key(struct identity_keys *keys, const char *line)
{
    struct identity_key key;
    char id[64], hex[129];
    int end = 0;

    if (sscanf(line, "%63s %128s %n", id, hex, &end) != 2 || line[end]) {
        return "a line must be: <key id> <64 hex digits>";
    }
    if (strcasestr(line, "example")) {
        return "this is an example key";
    }
    if (!text_copy(key.id, sizeof(key.id), id)) {
        return "a key id has at most 32 characters";
    }
    if (!hex_decode(hex, key.bytes, sizeof(key.bytes))) {
        return "a key must be 64 hex digits";
    }
    if (all_equal(key.bytes, sizeof(key.bytes))) {
        return "a key whose bytes are all equal is no secret";
    }
    if (keys->count == MAX_KEYS) {
        return "at most two keys";
    }
    if (keys->count && strcmp(keys->keys[0].id, key.id) == 0) {
        return "two keys with one id";
    }
    keys->keys[keys->count++] = key;
    explicit_bzero(&key, sizeof(key));
    explicit_bzero(hex, sizeof(hex));
    return NULL;
}

static const char *read_keys(struct identity_keys *keys, FILE *in)
{
    char line[256];
    const char *wrong = NULL;

    while (!wrong && fgets(line, sizeof(line), in)) {
        bool has_key = line[strspn(line, " \t\r\n")] && line[0] != '#';

        wrong = has_key ? read_key(keys, line) : NULL;
    }
    explicit_bzero(line, sizeof(line));
    return wrong || keys->count ? wrong : "no key in it";
}

struct identity_keys *identity_keys_load(const char *file, FILE *complaints)
{
    FILE *in = fopen(file, "re");

    if (!in) {
        fprintf(complaints, "%s: %m\n", file);
        return NULL;
    }
    struct identity_keys *keys = calloc(1, sizeof(*keys));
    const char *wrong = keys ? read_keys(keys, in) : "out of memory";
    fclose(in);
    if (wrong) {
        fprintf(complaints, "%s: %s\n", file, wrong);
        identity_keys_free(keys);
        return NULL;
    }
    return keys;
}

void identity_keys_free(struct identity_keys *keys)
{
    if (keys) {
        explicit_bzero(keys, sizeof(*keys));
        free(keys);
    }
}

/* 'body' holds the parts, one a line: none of them may hold a newline, and the reader counts. */
static void authenticate(const struct identity_key *key, struct text *body, const char *audience,
                         const char *method, uint8_t mac[SHA256_SIZE])
{
    size_t length = body->length;

    text_add_char(body, '\n');
    text_add(body, audience);
    text_add_char(body, '\n');
    text_add(body, method);
    hmac_sha256(key->bytes, sizeof(key->bytes), body->data, body->length, mac);
    body->length = length;
    body->data[length] = 0;
}

void identity_sign(const struct identity_keys *keys, const struct caller *caller,
                   const char *address, const char *audience, const char *method,
                   char text[IDENTITY_TEXT_SIZE])
{
    const char *const parts[] = {keys->keys[0].id, caller->subject, role_name(caller->role),
                                 caller->session,  caller->device,  caller->methods,
                                 address};
    AUTO(arena) struct arena *arena = arena_new(2048);
    struct text body = text_new(arena, 640), out = text_new(arena, IDENTITY_TEXT_SIZE);
    uint8_t mac[SHA256_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        text_add(&body, parts[i]);
        text_add_char(&body, '\n');
    }
    text_add_number(&body, caller->signed_in_at);
    text_add_char(&body, '\n');
    text_add_number(&body, clock_wall_ms() / 1000);
    authenticate(&keys->keys[0], &body, audience, method, mac);
    text_add(&out, base64url_encode(arena, body.data, body.length));
    text_add_char(&out, '.');
    text_add(&out, base64url_encode(arena, mac, sizeof(mac)));
    text_copy(text, IDENTITY_TEXT_SIZE, out.data);
}

void identity_fingerprint(const struct identity_keys *keys, const void *bytes, size_t size,
                          uint8_t mac[32])
{
    const struct identity_key *key = &keys->keys[keys->count - 1];

    hmac_sha256(key->bytes, sizeof(key->bytes), bytes, size, mac);
}

/* Cuts the body into its parts, in place. */
static bool split(char *body, char *parts[PARTS])
{
    size_t count = 0;

    for (char *rest = body; rest; count++) {
        char *part = strsep(&rest, "\n");

        if (count == PARTS) {
            return false;
        }
        parts[count] = part;
    }
    return count == PARTS;
}

static const struct identity_key *find_key(const struct identity_keys *keys, const char *body)
{
    for (size_t i = 0; i < keys->count; i++) {
        size_t length = strlen(keys->keys[i].id);

        if (strncmp(body, keys->keys[i].id, length) == 0 && body[length] == '\n') {
            return &keys->keys[i];
        }
    }
    return NULL;
}

static bool is_fresh(int64_t made_at)
{
    int64_t now = clock_wall_ms() / 1000;

    return made_at >= now - MAX_SKEW_S && made_at <= now + MAX_SKEW_S;
}

static bool read_asker(char *parts[PARTS], struct asker *asker)
{
    struct caller *read = &asker->caller;

    read->role = role_parse(parts[ROLE]);
    bool known_role = read->role != ROLE_ANYONE &&
                      (read->role != ROLE_NOBODY || strcmp(parts[ROLE], "nobody") == 0);

    return known_role && text_copy(read->subject, sizeof(read->subject), parts[SUBJECT]) &&
           text_copy(read->session, sizeof(read->session), parts[SESSION]) &&
           text_copy(read->device, sizeof(read->device), parts[DEVICE]) &&
           text_copy(read->methods, sizeof(read->methods), parts[METHODS]) &&
           text_copy(asker->address, sizeof(asker->address), parts[ADDRESS]) &&
           text_parse_int(parts[SIGNED_IN_AT], 0, INT64_MAX, &read->signed_in_at);
}

/* Why not, for the log; NULL: it is genuine. */
static const char *verify(struct arena *arena, const struct identity_keys *keys, const char *text,
                          const char *const expected[2], struct asker *asker)
{
    const char *dot = strchr(text, '.');
    size_t body_size = 0, mac_size = 0;
    char *parts[PARTS];
    uint8_t mac[SHA256_SIZE];
    int64_t made_at;

    uint8_t *body = dot ? base64url_decode(arena, text, (size_t)(dot - text), &body_size) : NULL;
    uint8_t *claimed = dot ? base64url_decode(arena, dot + 1, strlen(dot + 1), &mac_size) : NULL;
    if (!body || !claimed || mac_size != sizeof(mac) || memchr(body, 0, body_size)) {
        return "malformed";
    }
    struct text signed_text = text_new(arena, 512);
    text_add_bytes(&signed_text, (const char *)body, body_size);
    const struct identity_key *key = find_key(keys, signed_text.data);
    if (!key) {
        return "unknown key";
    }
    authenticate(key, &signed_text, expected[0], expected[1], mac);
    if (!equal_in_constant_time(mac, claimed, sizeof(mac))) {
        return "wrong MAC";
    }
    if (!split(signed_text.data, parts) ||
        !text_parse_int(parts[MADE_AT], 0, INT64_MAX, &made_at)) {
        return "malformed under a good MAC";
    }
    if (!is_fresh(made_at)) {
        return "too old or from the future";
    }
    return read_asker(parts, asker) ? NULL : "unusable under a good MAC";
}

enum status identity_verify(struct ctx *ctx, const struct identity_keys *keys, const char *text,
                            const char *audience, const char *method)
{
    const char *const expected[2] = {audience, method};
    struct asker asker = {0};
    const char *wrong = strlen(text) < IDENTITY_TEXT_SIZE
                            ? verify(ctx->arena, keys, text, expected, &asker)
                            : "too long";

    if (wrong) {
        return fail_with(ctx, ST_UNAUTHENTICATED, "", "x-identity: %s", wrong);
    }
    ctx->caller = asker.caller;
    text_copy(ctx->client_address, sizeof(ctx->client_address), asker.address);
    return ST_OK;
}
