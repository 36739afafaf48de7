/* What an identity covers, and every way in which one must be refused. */
#include "common/rpc/identity.h"
#include "tests/helpers/house_test.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define AUDIENCE "order-service"
#define ADDRESS  "2001:db8:85a3:1::/64"
#define METHOD   "/coffee.order.v1.OrderService/PlaceOrder"
#define KEY_A    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B    "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

static const int64_t NOW_MS = 1795000000000;

static struct ctx *ctx;
static struct identity_keys *keys;
static char complaint[256];

/* The keys in a file of these contents; NULL leaves the reason in 'complaint'. */
static struct identity_keys *keys_of(const char *contents)
{
    char file[] = "/tmp/identity-test-XXXXXX";
    int fd = mkstemp(file);

    ck_assert_int_eq(write(fd, contents, strlen(contents)), (ssize_t)strlen(contents));
    close(fd);
    memset(complaint, 0, sizeof(complaint));
    FILE *complaints = fmemopen(complaint, sizeof(complaint) - 1, "w");
    struct identity_keys *loaded = identity_keys_load(file, complaints);
    fclose(complaints);
    unlink(file);
    return loaded;
}

static void start(void)
{
    clock_pretend(NOW_MS);
    ctx = ctx_new_system("test");
    keys = keys_of("# who signs comes first\na " KEY_A "\n\nb " KEY_B "\n");
    ck_assert_ptr_nonnull(keys);
}

static void stop(void)
{
    identity_keys_free(keys);
    ctx_free(ctx);
    clock_pretend(0);
}

static struct caller somebody(void)
{
    return (struct caller){
        .subject = "0190163d-8694-739b-aea5-966c26f8ad91",
        .role = ROLE_BARISTA,
        .session = "0190163d-8694-739b-aea5-966c26f8ad92",
        .device = "iPhone of A. | with, odd: \"signs\"",
        .methods = "pwd otp",
        .signed_in_at = 1794999000,
    };
}

static enum status verify(const char *text, struct caller *caller)
{
    struct caller own = ctx->caller;

    ctx->caller = (struct caller){.role = ROLE_NOBODY};
    *ctx->client_address = '\0';
    enum status st = identity_verify(ctx, keys, text, AUDIENCE, METHOD);
    *caller = ctx->caller;
    ctx->caller = own;
    return st;
}

static void must_refuse(const char *text)
{
    struct caller caller = {.role = ROLE_NOBODY};

    ck_assert_int_eq(verify(text, &caller), ST_UNAUTHENTICATED);
    ck_assert_int_eq(caller.role, ROLE_NOBODY); /* untouched */
    ck_assert_str_eq(ctx->client_address, "");
    ck_assert_ptr_null(ctx->failure.message); /* the client is not told why */
    ck_assert_ptr_nonnull(ctx->failure.detail);
}

/* GRPC-24 */
START_TEST(an_identity_reads_back_whole)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = somebody(), read;

    identity_sign(keys, &caller, ADDRESS, AUDIENCE, METHOD, text);
    ck_assert_int_eq(verify(text, &read), ST_OK);
    ck_assert_str_eq(read.subject, caller.subject);
    ck_assert_int_eq(read.role, caller.role);
    ck_assert_str_eq(read.session, caller.session);
    ck_assert_str_eq(read.device, caller.device);
    ck_assert_str_eq(read.methods, caller.methods);
    ck_assert_int_eq(read.signed_in_at, caller.signed_in_at);
    ck_assert_str_eq(ctx->client_address, ADDRESS);
}
END_TEST

START_TEST(nobody_and_a_daemon_are_identities_too)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller nobody = {.role = ROLE_NOBODY}, read;

    identity_sign(keys, &nobody, ADDRESS, AUDIENCE, METHOD, text);
    ck_assert_int_eq(verify(text, &read), ST_OK);
    ck_assert_int_eq(read.role, ROLE_NOBODY);
    identity_sign(keys, &ctx->caller, ADDRESS, AUDIENCE, METHOD, text);
    ck_assert_int_eq(verify(text, &read), ST_OK);
    ck_assert_int_eq(read.role, ROLE_SYSTEM);
    ck_assert_str_eq(read.subject, "test");
}
END_TEST

START_TEST(the_longest_fields_fit)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = {.role = ROLE_CUSTOMER, .signed_in_at = INT64_MAX}, read;
    char address[sizeof(ctx->client_address)] = {0};

    memset(caller.subject, 's', sizeof(caller.subject) - 1);
    memset(caller.session, 'S', sizeof(caller.session) - 1);
    memset(caller.device, 'd', sizeof(caller.device) - 1);
    memset(caller.methods, 'm', sizeof(caller.methods) - 1);
    memset(address, 'a', sizeof(address) - 1);
    identity_sign(keys, &caller, address, AUDIENCE, METHOD, text);
    ck_assert_int_eq(verify(text, &read), ST_OK);
    ck_assert_str_eq(read.device, caller.device);
    ck_assert_str_eq(ctx->client_address, address);
}
END_TEST

START_TEST(another_method_is_refused)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = somebody();

    identity_sign(keys, &caller, ADDRESS, AUDIENCE, "/coffee.order.v1.OrderService/GetOrder", text);
    must_refuse(text);
}
END_TEST

START_TEST(another_audience_is_refused)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = somebody();

    identity_sign(keys, &caller, ADDRESS, "customer-service", METHOD, text);
    must_refuse(text);
}
END_TEST

START_TEST(an_identity_lives_a_minute_either_way)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = somebody(), read;

    identity_sign(keys, &caller, ADDRESS, AUDIENCE, METHOD, text);
    clock_pretend(NOW_MS + 60000);
    ck_assert_int_eq(verify(text, &read), ST_OK);
    clock_pretend(NOW_MS + 61000);
    must_refuse(text);
    clock_pretend(NOW_MS - 60000);
    ck_assert_int_eq(verify(text, &read), ST_OK);
    clock_pretend(NOW_MS - 61000);
    must_refuse(text);
}
END_TEST

/* The identity with one line of its body replaced, under the MAC of the old one. */
static char *altered(const char *text, int part, const char *with)
{
    const char *dot = strchr(text, '.');
    size_t size;
    uint8_t *bytes = base64url_decode(ctx->arena, text, (size_t)(dot - text), &size);
    char *body = arena_printf(ctx->arena, "%.*s", (int)size, (const char *)bytes);
    struct text changed = text_new(ctx->arena, 512);

    for (int i = 0; body; i++) {
        char *line = strsep(&body, "\n");

        text_add(&changed, i ? "\n" : "");
        text_add(&changed, i == part ? with : line);
    }
    return arena_printf(ctx->arena, "%s%s",
                        base64url_encode(ctx->arena, changed.data, changed.length), dot);
}

START_TEST(each_field_is_under_the_mac)
{
    /* key id, subject, role, session, device, methods, address, signed in at, made at */
    static const char *const others[] = {"b",         "0190163d-8694-739b-aea5-966c26f8ad93",
                                         "admin",     "",
                                         "phone",     "pwd",
                                         "127.0.0.1", "1794999001",
                                         "1795000001"};
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = somebody();

    identity_sign(keys, &caller, ADDRESS, AUDIENCE, METHOD, text);
    for (int i = 0; i < (int)ARRAY_LEN(others); i++) {
        char *forged = altered(text, i, others[i]);

        ck_assert_str_ne(forged, text);
        must_refuse(forged);
    }
    ck_assert_str_eq(altered(text, 2, "barista"), text); /* the forger itself is right */
}
END_TEST

START_TEST(no_bit_can_be_turned)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = somebody();

    identity_sign(keys, &caller, ADDRESS, AUDIENCE, METHOD, text);
    for (size_t i = 0; text[i]; i++) {
        char kept = text[i];

        text[i] = kept == 'A' ? 'B' : 'A';
        must_refuse(text);
        text[i] = kept;
    }
}
END_TEST

START_TEST(a_cut_identity_is_refused)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = somebody();

    identity_sign(keys, &caller, ADDRESS, AUDIENCE, METHOD, text);
    for (size_t length = strlen(text); length-- > 0;) {
        text[length] = 0;
        must_refuse(text);
    }
}
END_TEST

START_TEST(garbage_is_refused)
{
    char long_text[2000];
    static const char *const garbage[] = {"",          ".",     "..",       "a.b",
                                          "%%%%.%%%%", "YQ.YQ", "bearer x", "\xff\xfe.\x01"};

    for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
        must_refuse(garbage[i]);
    }
    memset(long_text, 'a', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = 0;
    must_refuse(long_text);
    long_text[1000] = '.';
    must_refuse(long_text);
}
END_TEST

START_TEST(a_newline_in_a_field_cannot_shift_the_others)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = somebody();

    text_copy(caller.device, sizeof(caller.device), "phone\npwd");
    identity_sign(keys, &caller, ADDRESS, AUDIENCE, METHOD, text);
    must_refuse(text);
}
END_TEST

START_TEST(the_second_key_is_accepted_and_an_unknown_one_is_not)
{
    char text[IDENTITY_TEXT_SIZE];
    struct caller caller = somebody(), read;
    struct identity_keys *before = keys_of("b " KEY_B "\n");
    struct identity_keys *unknown = keys_of("c " KEY_B "\n");

    identity_sign(before, &caller, ADDRESS, AUDIENCE, METHOD, text);
    ck_assert_int_eq(verify(text, &read), ST_OK);
    identity_sign(unknown, &caller, ADDRESS, AUDIENCE, METHOD, text);
    must_refuse(text);
    identity_keys_free(before);
    identity_keys_free(unknown);
}
END_TEST

START_TEST(a_key_file_that_protects_nothing_is_refused)
{
    static const struct {
        const char *contents, *complaint;
    } files[] = {
        {"",                                                                     "no key"        },
        {"# only words\n",                                                       "no key"        },
        {"a\n",                                                                  "a line must be"},
        {"a " KEY_A " more\n",                                                   "a line must be"},
        {"a 0011\n",                                                             "64 hex digits" },
        {"a zz" KEY_A "\n",                                                      "64 hex digits" },
        {"example " KEY_A "\n",                                                  "example key"   },
        {"a " KEY_A "\na " KEY_B "\n",                                           "one id"        },
        {"a " KEY_A "\nb " KEY_B "\nc " KEY_A "\n",                              "at most two"   },
        {"a 4242424242424242424242424242424242424242424242424242424242424242\n", "all equal"     },
    };

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        ck_assert_ptr_null(keys_of(files[i].contents));
        ck_assert_msg(strstr(complaint, files[i].complaint) != NULL, "%s", complaint);
        ck_assert_ptr_null(strstr(complaint, KEY_A)); /* never the key itself */
    }
    ck_assert_ptr_null(identity_keys_load("/nowhere/at/all", stderr));
}
END_TEST

TEST_MAIN_AROUND("identity", (&(struct test_around){.before = start, .after = stop}),
                 an_identity_reads_back_whole, nobody_and_a_daemon_are_identities_too,
                 the_longest_fields_fit, another_method_is_refused, another_audience_is_refused,
                 an_identity_lives_a_minute_either_way, each_field_is_under_the_mac,
                 no_bit_can_be_turned, a_cut_identity_is_refused, garbage_is_refused,
                 a_newline_in_a_field_cannot_shift_the_others,
                 the_second_key_is_accepted_and_an_unknown_one_is_not,
                 a_key_file_that_protects_nothing_is_refused)
