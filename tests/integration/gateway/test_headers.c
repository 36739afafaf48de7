/* links: test_gateway */
/* What the gateway reads in headers beside the token: the origin of a page, and what proxies say of
 * who is behind them. */
#include "common/obs/trace.h"
#include "tests/helpers/house_test.h"
#include "tests/integration/gateway/one_gateway.h"
#include "tests/integration/gateway/valkey_rounds.h"

#include <stdio.h>
#include <string.h>

START_TEST(pages_of_named_origins_may_call_and_no_others)
{
    static const char preflight[] = "Origin: https://shop.example\r\n"
                                    "Access-Control-Request-Method: POST\r\n";

    stage.config.cors_origins = "https://shop.example,https://other.example";
    reopen();
    ck_assert_int_eq(ask_with("OPTIONS", "/orders", preflight), 204);
    ck_assert_str_eq(raw_header(&reply, "Access-Control-Allow-Origin"), "https://shop.example");
    ck_assert_ptr_nonnull(strstr(raw_header(&reply, "Access-Control-Allow-Methods"), "POST"));
    ck_assert_int_eq(ask_with("GET", "/menu", "Origin: https://shop.example.evil\r\n"), 200);
    ck_assert_str_eq(raw_header(&reply, "Access-Control-Allow-Origin"), "");
    ck_assert_str_eq(raw_header(&reply, "Vary"), "Origin");
}
END_TEST

static int lines_of(const char *name)
{
    int count = 0;

    for (const char *at = reply.head; (at = strstr(at, name)); at++) {
        count++;
    }
    return count;
}

START_TEST(the_document_is_for_the_pages_of_named_origins_too)
{
    stage.config.cors_origins = "https://shop.example";
    reopen();
    ck_assert_int_eq(ask_with("HEAD", "/openapi.json", "Origin: https://shop.example\r\n"), 200);
    ck_assert_int_eq(lines_of("Access-Control-Allow-Origin"), 1); /* or no browser takes it */
    ck_assert_str_eq(raw_header(&reply, "Access-Control-Allow-Origin"), "https://shop.example");
    ck_assert_int_eq(ask_with("HEAD", "/openapi.json", "Origin: https://evil.example\r\n"), 200);
    ck_assert_int_eq(lines_of("Access-Control-Allow-Origin"), 0);
}
END_TEST

START_TEST(what_is_kept_by_who_asked_without_an_origin_is_not_for_who_asks_with_one)
{
    stage.config.cors_origins = "https://shop.example";
    reopen();
    ck_assert_int_eq(ask_with("GET", "/menu", ""), 200);
    ck_assert_str_eq(raw_header(&reply, "Vary"), "Origin");
}
END_TEST

START_TEST(a_star_lets_the_pages_of_all_origins_call)
{
    stage.config.cors_origins = "*";
    reopen();
    ck_assert_int_eq(ask_with("GET", "/menu", "Origin: https://any.example\r\n"), 200);
    ck_assert_str_eq(raw_header(&reply, "Access-Control-Allow-Origin"), "https://any.example");
}
END_TEST

static bool is_sampled_when_asked_for(void)
{
    char flags[3] = "";

    ck_assert_int_eq(
        ask_with("GET", "/menu",
                 "traceparent: 00-0123456789abcdef0000000000000001-0123456789abcdef-01\r\n"),
        200);
    snprintf(flags, sizeof(flags), "%s", raw_header(&reply, "traceparent") + 53);
    return strcmp(flags, "01") == 0;
}

START_TEST(only_a_trusted_proxy_has_more_traces_sampled_than_our_share)
{
    trace_sample(0);
    ck_assert(!is_sampled_when_asked_for());
    stage.config.trusted_proxies = "127.0.0.0/8";
    reopen();
    ck_assert(is_sampled_when_asked_for());
}
END_TEST

/* The address of the client counts, not the proxy's; and only the proxy is believed. */
START_TEST(limits_go_by_the_client_behind_a_trusted_proxy)
{
    stage.config.rate_read = "2/3600s";
    stage.config.trusted_proxies = "127.0.0.0/8";
    reopen();
    while (next_round()) {
        int client = 10 * rounds.number;
        char one[60], both[60];

        snprintf(one, sizeof(one), "X-Forwarded-For: 203.0.113.%d\r\n", client);
        snprintf(both, sizeof(both), "X-Forwarded-For: 203.0.113.%d, 203.0.113.%d\r\n", client,
                 client + 1);
        for (int i = 0; i < 3; i++) {
            ck_assert_in_round(ask_with("GET", "/menu", one), i < 2 ? 200 : 429);
        }
        ck_assert_in_round(ask_with("GET", "/menu", both), 200);
    }
}
END_TEST

/* RATE-01: some proxies add a line of their own below the client's instead of a word to it. */
START_TEST(a_client_does_not_choose_its_address_by_a_line_above_the_proxys)
{
    stage.config.rate_read = "2/3600s";
    stage.config.trusted_proxies = "127.0.0.0/8";
    reopen();
    while (next_round()) {
        for (int i = 0; i < 3; i++) {
            char lines[120];

            snprintf(lines, sizeof(lines),
                     "X-Forwarded-For: 198.51.100.%d\r\nX-Forwarded-For: 203.0.113.%d\r\n", i,
                     100 + rounds.number);
            ck_assert_in_round(ask_with("GET", "/menu", lines), i < 2 ? 200 : 429);
        }
    }
}
END_TEST

/* RFC 9110, 5.3: lines of one name are one list. */
START_TEST(a_header_in_two_lines_is_read_as_one)
{
    char versions[120];

    ck_assert_int_eq(ask_with("GET", "/menu", ""), 200);
    snprintf(versions, sizeof(versions), "If-None-Match: \"old\"\r\nIf-None-Match: %s\r\n",
             raw_header(&reply, "ETag"));
    ck_assert_int_eq(ask_with("GET", "/menu", versions), 304);
    ck_assert_int_eq(stage_ask(gateway,
                               &(struct ask){.method = "POST",
                                             .path = "/orders",
                                             .token = customer(),
                                             .headers = "Idempotency-Key: a\r\n"
                                                        "Idempotency-Key: b\r\n",
                                             .body = "{}"},
                               &reply),
                     422);
    ck_assert(says("\"field\":\"Idempotency-Key\""));
}
END_TEST

static int change_the_menu(const char *if_match)
{
    static char headers[200];

    snprintf(headers, sizeof(headers), "%s%s%s", if_match ? "If-Match: " : "",
             if_match ? if_match : "", if_match ? "\r\n" : "");
    return stage_ask(
        gateway,
        &(struct ask){.method = "PATCH",
                      .path = "/menu/flat-white",
                      .token = stage_token(&stage, ROLE_ADMIN, STAGE_CUSTOMER, STAGE_SESSION),
                      .headers = headers,
                      .body = "{\"priceCents\":400}"},
        &reply);
}

START_TEST(the_version_that_a_client_saw_goes_along_and_an_old_one_is_412)
{
    char seen[80];

    ck_assert_int_eq(ask_with("GET", "/menu", ""), 200);
    snprintf(seen, sizeof(seen), "%s", raw_header(&reply, "ETag"));
    ck_assert_int_eq(change_the_menu(seen), 200);
    ck_assert(says("\"description\":\"7.2\""));
    ck_assert_int_eq(change_the_menu("\"6.2\""), 412);
    ck_assert(says("\"code\":\"precondition_failed\""));
    ck_assert_int_eq(change_the_menu("nonsense"), 412);
    ck_assert_int_eq(change_the_menu("*"), 200);
    ck_assert_int_eq(change_the_menu(NULL), 200);
}
END_TEST

TEST_MAIN_AROUND("headers", (&(struct test_around){start_valkey, stop_valkey, start, stop}),
                 pages_of_named_origins_may_call_and_no_others,
                 the_document_is_for_the_pages_of_named_origins_too,
                 what_is_kept_by_who_asked_without_an_origin_is_not_for_who_asks_with_one,
                 a_star_lets_the_pages_of_all_origins_call,
                 only_a_trusted_proxy_has_more_traces_sampled_than_our_share,
                 limits_go_by_the_client_behind_a_trusted_proxy,
                 a_client_does_not_choose_its_address_by_a_line_above_the_proxys,
                 a_header_in_two_lines_is_read_as_one,
                 the_version_that_a_client_saw_goes_along_and_an_old_one_is_412)
