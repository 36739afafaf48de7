/* AUTH-01: what a verifier takes and what it refuses. The attacks are made
 * with keys of the test's own. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/token/token.h"
#include "common/token/token_memory.h"
#include "tests/helpers/house_test.h"
#include "tests/unit/common/token/forge.h"

#include <stdlib.h>
#include <unistd.h>

#define SUBJECT "019aa1f0-5c3e-7000-8000-00000000beef"
#define SID     "019aa1f0-5c3e-7000-8000-00000000cafe"
#define JTI     "019aa1f0-5c3e-7000-8000-0000000000aa"

static struct ctx *ctx;
static char directory[64];
static struct token_signer *signer;
static struct token_jwk jwks[3]; /* current, next, previous */
static struct token_verifier *verifier;
static EVP_PKEY *keys[3], *stranger, *rsa, *p384;

static void write_pem(const char *name, EVP_PKEY *key)
{
    FILE *file = fopen(arena_printf(ctx->arena, "%s/%s", directory, name), "w");

    ck_assert_ptr_nonnull(file);
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
}

static void set_up(void)
{
    static const char *const names[] = {"current.pem", "next.pem", "previous.pem"};

    ctx = ctx_new_system("test");
    snprintf(directory, sizeof(directory), "/tmp/test_token.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    for (int i = 0; i < 3; i++) {
        keys[i] = EVP_EC_gen("P-256");
        write_pem(names[i], keys[i]);
    }
    stranger = EVP_EC_gen("P-256");
    p384 = EVP_EC_gen("P-384");
    rsa = EVP_RSA_gen(2048);
    signer = token_signer_load(directory, stderr);
    ck_assert_ptr_nonnull(signer);
    ck_assert_uint_eq(token_signer_jwks(signer, jwks), 3);
    verifier = token_verifier_new(TOKEN_ISSUER, TOKEN_AUDIENCE);
    token_verifier_set_keys(verifier, jwks, 3);
}

static void tear_down(void)
{
    token_verifier_free(verifier);
    token_signer_free(signer);
    for (int i = 0; i < 3; i++) {
        EVP_PKEY_free(keys[i]);
    }
    EVP_PKEY_free(stranger);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(p384);
    clock_pretend(0);
    ck_assert_int_eq(system(arena_printf(ctx->arena, "rm -r '%s'", directory)), 0);
    ctx_free(ctx);
}

static bool is_accepted(const char *token, struct token_claims *claims)
{
    bool unknown_key;
    enum status st = token_verify(ctx, verifier, token, claims, &unknown_key);

    ck_assert(st == ST_OK || st == ST_UNAUTHENTICATED);
    return st == ST_OK;
}

static struct caller somebody(void)
{
    struct caller caller = {.subject = SUBJECT,
                            .role = ROLE_BARISTA,
                            .session = SID,
                            .device = "phone-1",
                            .methods = "pwd otp",
                            .signed_in_at = 1700000000};
    return caller;
}

static const char *issued(void)
{
    struct caller caller = somebody();
    const char *token = NULL;

    ck_assert_int_eq(token_issue(ctx, signer, TOKEN_ISSUER, &caller, &token), ST_OK);
    return token;
}

/* The claims of a good token, but for one: replaced by 'other', or left out when that is "". */
static const char *claims_but(const char *name, const char *other)
{
    long long now = (long long)(clock_wall_ms() / 1000);
    const char *const all[][2] = {
        {"iss",                    "\"everything\""         },
        {"aud",                    "\"everything\""         },
        {"sub",                    "\"" SUBJECT "\""        },
        {"sid",                    "\"" SID "\""            },
        {"jti",                    "\"" JTI "\""            },
        {"iat",                    arena_printf(ctx->arena,   "%lld", now)},
        {"nbf",                    arena_printf(ctx->arena,                                             "%lld", now)},
        {"exp",arena_printf(ctx->arena,"%lld", now + 900)},
        {"auth_time",                        "1700000000"                                            },
        {"role",                  "\"customer\""                                                                            },
        {"amr",              "[\"pwd\"]"   },
        {"device",                   "\"phone-1\""            },
    };
    struct text json = text_new(ctx->arena, 512);

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const char *value = name && strcmp(name, all[i][0]) == 0 ? other : all[i][1];

        if (*value) {
            text_printf(&json, "%s\"%s\":%s", json.length ? "," : "{", all[i][0], value);
        }
    }
    text_add(&json, "}");
    return json.data;
}

static const char *header(const char *alg, const char *kid)
{
    return arena_printf(ctx->arena, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"%s\"}", alg, kid);
}

static const struct forge_signer *by_key(EVP_PKEY *key)
{
    struct forge_signer *by = arena_new_struct(ctx->arena, struct forge_signer);

    by->key = key;
    by->raw = true;
    return by;
}

static const char *good_but(const char *name, const char *other)
{
    return forge(ctx->arena, header("ES256", jwks[0].kid), claims_but(name, other),
                 by_key(keys[0]));
}

/* AUTH-02 */
START_TEST(an_issued_token_says_who_and_for_how_long)
{
    struct token_claims claims;

    ck_assert(is_accepted(issued(), &claims));
    ck_assert_str_eq(claims.caller.subject, SUBJECT);
    ck_assert_str_eq(claims.caller.session, SID);
    ck_assert_str_eq(claims.caller.device, "phone-1");
    ck_assert_str_eq(claims.caller.methods, "pwd otp");
    ck_assert_int_eq(claims.caller.role, ROLE_BARISTA);
    ck_assert_int_eq(claims.caller.signed_in_at, 1700000000);
    ck_assert_int_eq(claims.expires_at - claims.issued_at, 900);
}
END_TEST

START_TEST(two_tokens_of_one_session_differ_in_their_id)
{
    struct token_claims one, two;

    ck_assert(is_accepted(issued(), &one) && is_accepted(issued(), &two));
    ck_assert_str_ne(one.id, two.id);
}
END_TEST

START_TEST(tokens_of_every_published_key_are_accepted)
{
    struct token_claims claims;

    for (int i = 0; i < 3; i++) {
        ck_assert(is_accepted(forge(ctx->arena, header("ES256", jwks[i].kid),
                                    claims_but(NULL, NULL), by_key(keys[i])),
                              &claims));
    }
}
END_TEST

START_TEST(good_tokens_that_look_unusual_are_accepted)
{
    struct token_claims claims;
    long long now = (long long)(clock_wall_ms() / 1000);

    ck_assert(is_accepted(good_but("aud", "[\"other\",\"everything\"]"), &claims));
    ck_assert(is_accepted(good_but("nbf", ""), &claims));
    ck_assert(is_accepted(good_but("device", ""), &claims));
    ck_assert(is_accepted(good_but("amr", "[]"), &claims));
    ck_assert(is_accepted(good_but("exp", arena_printf(ctx->arena, "%lld", now - 20)), &claims));
    ck_assert(is_accepted(good_but("iat", arena_printf(ctx->arena, "%lld", now + 20)), &claims));
}
END_TEST

START_TEST(a_claim_that_does_not_hold_is_refused)
{
    const char *const refused[][2] = {
        {"iss",       "\"https://evil.example\""},
        {"iss",       ""                        },
        {"iss",       "[\"everything\"]"        },
        {"aud",       "\"evil\""                },
        {"aud",       ""                        },
        {"aud",       "[\"evil\"]"              },
        {"exp",       ""                        },
        {"exp",       "\"9999999999\""          },
        {"exp",       "9999999999.5"            },
        {"exp",       "1700000000"              },
        {"exp",       "-1"                      },
        {"nbf",       "9999999999"              },
        {"nbf",       "\"1\""                   },
        {"iat",       "9999999999"              },
        {"iat",       ""                        },
        {"sub",       "\"admin\""               },
        {"sub",       ""                        },
        {"sid",       "\"1\""                   },
        {"sid",       ""                        },
        {"jti",       "\"\""                    },
        {"jti",       ""                        },
        {"role",      "\"owner\""               },
        {"role",      "\"system\""              },
        {"role",      "\"anyone\""              },
        {"role",      ""                        },
        {"auth_time", ""                        },
        {"amr",       "\"pwd\""                 },
        {"amr",       "[1]"                     },
    };
    struct token_claims claims;

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        ck_assert_msg(!is_accepted(good_but(refused[i][0], refused[i][1]), &claims), "%s %s",
                      refused[i][0], refused[i][1]);
    }
}
END_TEST

START_TEST(an_expired_token_is_refused_also_when_it_was_seen_before)
{
    struct token_claims claims;
    int64_t now = clock_wall_ms();

    clock_pretend(now);
    const char *token = issued();
    ck_assert(is_accepted(token, &claims));
    clock_pretend(now + 925000); /* within the leeway */
    ck_assert(is_accepted(token, &claims));
    clock_pretend(now + 932000);
    ck_assert(!is_accepted(token, &claims));
}
END_TEST

START_TEST(no_other_algorithm_gets_through)
{
    static const uint8_t zeros[64], one_byte[1] = {'x'};
    const char *claims = claims_but(NULL, NULL), *kid = jwks[0].kid;
    const char *pem = forge_public_pem(ctx->arena, keys[0]);
    const struct forge_signer rs256 = {.key = rsa}, ps256 = {.key = rsa, .pss = true};
    const struct forge_signer rs512 = {.key = rsa, .digest = EVP_sha512()};
    const struct forge_signer es384 = {.key = p384, .digest = EVP_sha384(), .raw = true};
    const struct forge_signer hs256 = {.mac_key = pem};
    const struct forge_signer none = {.fixed = zeros, .fixed_size = 0};
    const struct forge_signer x = {.fixed = one_byte, .fixed_size = 1};
    const struct forge_signer zero = {.fixed = zeros, .fixed_size = 64};
    const struct {
        const char *alg;
        const struct forge_signer *by;
    } refused[] = {
        {"none",  &none          },
        {"None",  &x             },
        {"NONE",  &none          },
        {"",      &none          },
        {"HS256", &hs256         },
        {"ES256", &hs256         },
        {"RS256", &rs256         },
        {"RS512", &rs512         },
        {"PS256", &ps256         },
        {"ES384", &es384         },
        {"ES256", &es384         },
        {"ES256", &rs256         },
        {"ES256", &zero          },
        {"es256", by_key(keys[0])},
    };
    struct token_claims found;

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        const char *token = forge(ctx->arena, header(refused[i].alg, kid), claims, refused[i].by);
        ck_assert_msg(!is_accepted(token, &found), "%zu: %s", i, refused[i].alg);
    }
}
END_TEST

START_TEST(a_header_must_be_ours)
{
    const char *kid = jwks[0].kid;
    const char *const refused[] = {
        "{\"alg\":\"ES256\",\"typ\":\"JWT\"}",
        arena_printf(ctx->arena, "{\"alg\":\"ES256\",\"kid\":\"%s\"}", kid),
        arena_printf(ctx->arena, "{\"alg\":\"ES256\",\"typ\":\"dpop+jwt\",\"kid\":\"%s\"}", kid),
        arena_printf(ctx->arena,
                     "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"%s\",\"crit\":[\"x\"],\"x\":1}",
                     kid),
        arena_printf(ctx->arena,
                     "{\"alg\":\"none\",\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"%s\"}", kid),
        arena_printf(ctx->arena, "{\"alg\":[\"ES256\"],\"typ\":\"JWT\",\"kid\":\"%s\"}", kid),
        arena_printf(ctx->arena, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":\"%s\"", kid),
        "[]",
        "\"ES256\"",
        "",
    };
    struct token_claims claims;

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        ck_assert_msg(
            !is_accepted(forge(ctx->arena, refused[i], claims_but(NULL, NULL), by_key(keys[0])),
                         &claims),
            "%s", refused[i]);
    }
}
END_TEST

START_TEST(the_kid_decides_the_key)
{
    struct token_claims claims;
    bool unknown_key = true;
    const char *wrong =
        forge(ctx->arena, header("ES256", jwks[1].kid), claims_but(NULL, NULL), by_key(keys[0]));
    const char *unknown =
        forge(ctx->arena, header("ES256", "zzz"), claims_but(NULL, NULL), by_key(stranger));

    ck_assert_int_eq(token_verify(ctx, verifier, wrong, &claims, &unknown_key), ST_UNAUTHENTICATED);
    ck_assert(!unknown_key);
    ck_assert_int_eq(token_verify(ctx, verifier, unknown, &claims, &unknown_key),
                     ST_UNAUTHENTICATED);
    ck_assert(unknown_key);
    ck_assert(!is_accepted(
        forge(ctx->arena, header("ES256", jwks[0].kid), claims_but(NULL, NULL), by_key(stranger)),
        &claims));
}
END_TEST

START_TEST(without_keys_a_token_is_not_called_invalid)
{
    struct token_claims claims;
    bool unknown_key = false;
    const char *token = issued();

    token_verifier_set_keys(verifier, NULL, 0);
    ck_assert_int_eq(token_verify(ctx, verifier, token, &claims, &unknown_key), ST_UNAVAILABLE);
    ck_assert_int_ge(ctx->failure.retry_after_s, 1);
    ck_assert(unknown_key);
}
END_TEST

START_TEST(one_changed_character_anywhere_is_refused)
{
    struct token_claims claims;
    char *token = arena_strdup(ctx->arena, good_but(NULL, NULL));

    ck_assert(is_accepted(token, &claims));
    for (char *at = token; *at; at++) {
        char was = *at;

        *at = was == 'A' ? 'B' : 'A';
        ck_assert_msg(!is_accepted(token, &claims), "at %td of %zu", at - token, strlen(token));
        *at = was;
    }
}
END_TEST

START_TEST(text_around_or_missing_from_a_token_is_refused)
{
    const char *good = good_but(NULL, NULL);
    const char *last = strrchr(good, '.');
    const char *head = arena_printf(ctx->arena, "%.*s", (int)(last - good), good);
    const char *claims_json = claims_but("sub", "\"019aa1f0-5c3e-7000-8000-00000000dead\"");
    const char *const refused[] = {
        "",
        ".",
        "..",
        "...",
        "Bearer x",
        head,
        arena_printf(ctx->arena, "%s.", head),
        arena_printf(ctx->arena, "%s.", good),
        arena_printf(ctx->arena, "%s=", good),
        arena_printf(ctx->arena, "%s==", good),
        arena_printf(ctx->arena, " %s", good),
        arena_printf(ctx->arena, "%s ", good),
        arena_printf(ctx->arena, "%s\n", good),
        arena_printf(ctx->arena, "%s.AAAA", good),
        arena_printf(ctx->arena, "%.*s.%s%s", (int)(strchr(good, '.') - good), good,
                     base64url_encode(ctx->arena, claims_json, strlen(claims_json)), last),
    };
    struct token_claims claims;

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        ck_assert_msg(!is_accepted(refused[i], &claims), "%zu", i);
    }
    ck_assert(is_accepted(good, &claims));
}
END_TEST

START_TEST(a_signature_in_der_and_doubled_claims_are_refused)
{
    const struct forge_signer der = {.key = keys[0]};
    struct token_claims claims;
    const char *twice =
        arena_printf(ctx->arena, "{\"role\":\"admin\",%s", claims_but(NULL, NULL) + 1);

    ck_assert(!is_accepted(
        forge(ctx->arena, header("ES256", jwks[0].kid), claims_but(NULL, NULL), &der), &claims));
    ck_assert(!is_accepted(forge(ctx->arena, header("ES256", jwks[0].kid), twice, by_key(keys[0])),
                           &claims));
    ck_assert(!is_accepted(forge(ctx->arena, header("ES256", jwks[0].kid), "[]", by_key(keys[0])),
                           &claims));
}
END_TEST

START_TEST(a_token_of_endless_length_is_refused)
{
    struct token_claims claims;
    char *device = arena_alloc(ctx->arena, 6000);

    memset(device, 'x', 5998);
    device[0] = device[5997] = '"';
    ck_assert(!is_accepted(good_but("device", device), &claims));
    device[70] = '"';
    device[71] = '\0'; /* one character more than fits */
    ck_assert(!is_accepted(good_but("device", device), &claims));
}
END_TEST

START_TEST(a_key_that_is_withdrawn_ends_what_was_remembered)
{
    struct token_claims claims;
    const char *token = issued();

    ck_assert(is_accepted(token, &claims));
    token_verifier_set_keys(verifier, jwks + 1, 2);
    ck_assert(!is_accepted(token, &claims));
    token_verifier_set_keys(verifier, jwks, 3);
    ck_assert(is_accepted(token, &claims));
}
END_TEST

START_TEST(a_published_key_off_the_curve_is_left_out)
{
    struct token_jwk bad = jwks[0];
    struct token_verifier *other = token_verifier_new(TOKEN_ISSUER, TOKEN_AUDIENCE);

    bad.y[0] = bad.y[0] == 'A' ? 'B' : 'A';
    token_verifier_set_keys(other, &bad, 1);
    ck_assert(!token_verifier_has_keys(other));
    token_verifier_set_keys(other, jwks, 1);
    ck_assert(token_verifier_has_keys(other));
    token_verifier_free(other);
}
END_TEST

START_TEST(tokens_that_are_remembered_are_told_apart)
{
    struct token_claims claims;
    const char *tokens[20], *sids[20];

    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        char sid[ID_TEXT_SIZE];

        uuid_v7(sid);
        sids[i] = arena_strdup(ctx->arena, sid);
        tokens[i] = good_but("sid", arena_printf(ctx->arena, "\"%s\"", sid));
        ck_assert(is_accepted(tokens[i], &claims));
    }
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        ck_assert(is_accepted(tokens[i], &claims));
        ck_assert_str_eq(claims.caller.session, sids[i]);
    }
}
END_TEST

START_TEST(the_memory_takes_any_number_and_forgets_what_ends_first)
{
    struct token_memory *memory = calloc(1, sizeof(*memory));
    struct token_claims claims = {0};
    uint8_t digest[SHA256_SIZE], lasting[SHA256_SIZE];

    random_bytes(lasting, sizeof(lasting));
    claims.expires_at = 5000;
    token_memory_keep(memory, lasting, &claims);
    for (int i = 0; i < 50000; i++) {
        random_bytes(digest, sizeof(digest));
        claims.expires_at = 1000 + i % 900;
        claims.issued_at = i;
        token_memory_keep(memory, digest, &claims);
        const struct token_claims *found = token_memory_find(memory, digest, 900);
        ck_assert(found && found->issued_at == i);
        ck_assert_ptr_null(token_memory_find(memory, digest, claims.expires_at + 31));
    }
    ck_assert_ptr_nonnull(token_memory_find(memory, lasting, 900));
    token_memory_clear(memory);
    ck_assert_ptr_null(token_memory_find(memory, lasting, 900));
    free(memory);
}
END_TEST

START_TEST(a_key_id_is_the_thumbprint_of_rfc_7638)
{
    struct token_jwk jwk = jwks[0];
    uint8_t digest[SHA256_SIZE];
    const char *members = arena_printf(
        ctx->arena, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", jwk.x, jwk.y);

    sha256(members, strlen(members), digest);
    ck_assert_str_eq(jwk.kid, base64url_encode(ctx->arena, digest, sizeof(digest)));
    ck_assert_uint_eq(strlen(jwk.x), 43);
    ck_assert_uint_eq(strlen(jwk.y), 43);
}
END_TEST

/* What a signer says about the directory when 'name' holds this key; "" when it loads. */
static const char *complaint_with(const char *name, EVP_PKEY *key)
{
    char *text = NULL;
    size_t size = 0;
    FILE *complaints = open_memstream(&text, &size);

    write_pem(name, key);
    struct token_signer *loaded = token_signer_load(directory, complaints);
    fclose(complaints);
    const char *kept = arena_strdup(ctx->arena, text);
    ck_assert((loaded == NULL) == (*kept != '\0'));
    token_signer_free(loaded);
    free(text);
    return kept;
}

START_TEST(keys_that_cannot_sign_es256_are_refused_by_name)
{
    ck_assert_str_eq(complaint_with("current.pem", keys[0]), "");
    ck_assert_ptr_nonnull(strstr(complaint_with("current.pem", rsa), "current.pem"));
    ck_assert_ptr_nonnull(strstr(complaint_with("current.pem", p384), "P-256"));
    ck_assert_str_eq(complaint_with("current.pem", keys[0]), "");
    ck_assert_ptr_nonnull(strstr(complaint_with("next.pem", rsa), "next.pem"));
    ck_assert_int_eq(unlink(arena_printf(ctx->arena, "%s/next.pem", directory)), 0);
    ck_assert_str_eq(complaint_with("previous.pem", keys[2]), ""); /* next.pem may be missing */
    ck_assert_int_eq(unlink(arena_printf(ctx->arena, "%s/current.pem", directory)), 0);
    ck_assert_ptr_nonnull(strstr(complaint_with("previous.pem", keys[2]), "current.pem"));
}
END_TEST

TEST_MAIN_AROUND(
    "token", (&(struct test_around){.before = set_up, .after = tear_down}),
    an_issued_token_says_who_and_for_how_long, two_tokens_of_one_session_differ_in_their_id,
    tokens_of_every_published_key_are_accepted, good_tokens_that_look_unusual_are_accepted,
    a_claim_that_does_not_hold_is_refused, an_expired_token_is_refused_also_when_it_was_seen_before,
    no_other_algorithm_gets_through, a_header_must_be_ours, the_kid_decides_the_key,
    without_keys_a_token_is_not_called_invalid, one_changed_character_anywhere_is_refused,
    text_around_or_missing_from_a_token_is_refused,
    a_signature_in_der_and_doubled_claims_are_refused, a_token_of_endless_length_is_refused,
    a_key_that_is_withdrawn_ends_what_was_remembered, a_published_key_off_the_curve_is_left_out,
    tokens_that_are_remembered_are_told_apart,
    the_memory_takes_any_number_and_forgets_what_ends_first, a_key_id_is_the_thumbprint_of_rfc_7638,
    keys_that_cannot_sign_es256_are_refused_by_name)
