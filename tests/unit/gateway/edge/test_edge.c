/* The small parts of the chain: problems, entity tags, addresses. */
#include "common/base/text.h"
#include "gateway/edge/edge_address.h"
#include "gateway/edge/edge_error.h"
#include "gateway/edge/edge_etag.h"
#include "tests/helpers/house_test.h"

#include <string.h>

static struct ctx *ctx;

static void start(void)
{
    ctx = ctx_new_system("test");
    text_copy(ctx->correlation_id, sizeof(ctx->correlation_id), "c-1");
}

static void stop(void)
{
    ctx_free(ctx);
}

static const char *problem(void)
{
    struct text out = text_new(ctx->arena, 256);

    problem_write(&out, ctx);
    return out.data;
}

/* GW-06 */
START_TEST(a_problem_has_all_its_members)
{
    (void)fail_problem(ctx, PROBLEM_SHOP_CLOSED, "We open at %d", 8);
    ck_assert_str_eq(problem(), "{\"type\":\"/docs#problem-shop_closed\","
                                "\"title\":\"The shop is not taking orders\",\"status\":409,"
                                "\"detail\":\"We open at 8\",\"code\":\"shop_closed\","
                                "\"correlationId\":\"c-1\"}");
}
END_TEST

START_TEST(refused_fields_are_listed)
{
    refuse_field(ctx, "items[0].quantity", "must be from 1 to 50");
    refuse_field(ctx, "note", "says \"no\"");
    ck_assert_int_eq(ctx_refused(ctx), ST_INVALID);
    ck_assert_ptr_nonnull(strstr(problem(),
                                 "\"errors\":[{\"field\":\"items[0].quantity\","
                                 "\"message\":\"must be from 1 to 50\"},"
                                 "{\"field\":\"note\",\"message\":\"says \\\"no\\\"\"}]"));
}
END_TEST

/* ADR 0004: never a stack, SQL or library text. */
START_TEST(what_went_wrong_inside_stays_inside)
{
    (void)fail_with(ctx, ST_INTERNAL, "SELECT 1", "duplicate key in orders_pkey");
    ck_assert_ptr_null(strstr(problem(), "SELECT"));
    ck_assert_ptr_null(strstr(problem(), "orders_pkey"));
    ck_assert_ptr_nonnull(strstr(problem(), "\"code\":\"internal\""));
}
END_TEST

START_TEST(an_entity_tag_is_found_in_a_list)
{
    static const struct {
        const char *header;
        bool listed;
    } cases[] = {
        {"\"7\"",             true },
        {"W/\"7\"",           true },
        {"\"6\", \"7\"",      true },
        {"\"6\",\"7\"",       true },
        {"*",                 true },
        {"\"7",               false},
        {"7",                 false},
        {"\"77\"",            false},
        {"\"a,\\\"7\\\"\"",   false},
        {"\"6, 7\"",          false},
        {"",                  false},
        {NULL,                false},
        {"garbage \"7\"",     false},
        {"W/\"6\" , W/\"7\"", true },
    };
    const char *etag = etag_of(ctx->arena, "7");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_msg(etag_is_listed(cases[i].header, etag) == cases[i].listed, "%s",
                      cases[i].header);
    }
}
END_TEST

START_TEST(if_match_names_one_version)
{
    static const struct {
        const char *header, *version; /* NULL: none */
    } cases[] = {
        {"\"7.2\"",       "7.2"},
        {"W/\"7.2\"",     "7.2"},
        {"\"\"",          NULL },
        {"\"7\x80\"",     NULL },
        {"\"7 2\"",       NULL },
        {"\"7\", \"8\"",  NULL },
        {"7.2",           NULL },
        {"\"7.2",         NULL },
        {"\"",            NULL },
        {"",              NULL },
        {"W/",            NULL },
        {"\"123456789\"", NULL },
    };
    char version[8];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool is_one = etag_version(cases[i].header, version, sizeof(version));

        ck_assert_msg(is_one == (cases[i].version != NULL), "%s", cases[i].header);
        ck_assert(!is_one || strcmp(version, cases[i].version) == 0);
    }
}
END_TEST

START_TEST(the_client_is_the_right_most_address_that_is_no_proxy_of_ours)
{
    static const struct {
        const char *from, *forwarded, *client;
    } cases[] = {
  /* who is no proxy is not believed */
        {"10.0.0.1",    NULL,                             "10.0.0.1"   },
        {"10.0.0.1",    "203.0.113.7",                    "203.0.113.7"},
        {"10.0.0.1",    "1.2.3.4, 203.0.113.7",           "203.0.113.7"},
        {"10.0.0.1",    "1.2.3.4, 203.0.113.7, 10.2.3.4", "203.0.113.7"},
        {"10.0.0.1",    "10.9.9.9",                       "10.9.9.9"   },
        {"203.0.113.9", "1.2.3.4",                        "203.0.113.9"},
        {"10.0.0.1",    "1.2.3.4, unknown",               "10.0.0.1"   },
        {"10.0.0.1",    "unknown, 203.0.113.7",           "203.0.113.7"},
        {"10.0.0.1",    "",                               "10.0.0.1"   },
        {"10.0.0.1",    "2001:db8::7",                    "2001:db8::7"},
        {"fd00::1",     "2001:db8::7, fd00::2",           "2001:db8::7"},
        {"fd01::1",     "2001:db8::7",                    "fd01::1"    },
    };
    struct proxies *proxies = proxies_new("10.0.0.0/8, fd00::/16");

    ck_assert_ptr_nonnull(proxies);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        ck_assert_str_eq(client_address(ctx->arena, proxies, cases[i].from, cases[i].forwarded),
                         cases[i].client);
    }
    proxies_free(proxies);
}
END_TEST

START_TEST(networks_have_a_form)
{
    static const char *const bad[] = {"10.0.0/8", "10.0.0.0/33", "::1/129", "x", "10.0.0.0/8/8"};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct proxies *proxies = proxies_new(bad[i]);

        ck_assert_msg(!proxies, "%s", bad[i]);
    }
    struct proxies *nobody = proxies_new("");

    ck_assert_str_eq(client_address(ctx->arena, nobody, "127.0.0.1", "1.2.3.4"), "127.0.0.1");
    proxies_free(nobody);
}
END_TEST

START_TEST(a_household_with_ipv6_counts_as_one)
{
    ck_assert_str_eq(limited_address(ctx->arena, "2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    ck_assert_str_eq(limited_address(ctx->arena, "2001:db8:1:2::9"), "2001:db8:1:2::/64");
    ck_assert_str_eq(limited_address(ctx->arena, "203.0.113.7"), "203.0.113.7");
}
END_TEST

TEST_MAIN_AROUND("edge", (&(struct test_around){.before = start, .after = stop}),
                 a_problem_has_all_its_members, refused_fields_are_listed,
                 what_went_wrong_inside_stays_inside, an_entity_tag_is_found_in_a_list,
                 if_match_names_one_version,
                 the_client_is_the_right_most_address_that_is_no_proxy_of_ours,
                 networks_have_a_form, a_household_with_ipv6_counts_as_one)
