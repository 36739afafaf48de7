/* Which route a request means. */
#include "common/base/text.h"
#include "gateway/contracts.h"
#include "gateway/routes.h"
#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct arena *arena;
static struct contract *contract;
static struct routes *routes;

static void start(void)
{
    arena = arena_new(4096);
    contract = contract_new(contract_services, stderr);
    ck_assert_ptr_nonnull(contract);
    routes = routes_new(arena, contract, extra_routes, stderr);
    ck_assert_ptr_nonnull(routes);
}

static void stop(void)
{
    contract_free(contract);
    arena_free(arena);
}

static struct route_match find(const char *method, const char *path)
{
    struct route_match match;

    routes_match(arena, routes, verb_parse(method), path, &match);
    return match;
}

/* GW-03 */
START_TEST(each_request_finds_its_method)
{
    static const struct {
        const char *method, *path, *label, *value;
    } cases[] = {
        {"GET",    "/menu",                  "GET /menu",                  NULL   },
        {"HEAD",   "/menu",                  "GET /menu",                  NULL   },
        {"GET",    "/menu/latte",            "GET /menu/{id}",             "latte"},
        {"DELETE", "/menu/latte",            "DELETE /menu/{id}",          "latte"},
        {"POST",   "/orders",                "POST /orders",               NULL   },
        {"POST",   "/orders/usual",          "POST /orders/usual",         NULL   },
        {"POST",   "/orders/7/accept",       "POST /orders/{id}/accept",   "7"    },
        {"GET",    "/users/me",              "GET /users/me",              NULL   },
        {"PUT",    "/users/me/password",     "PUT /users/me/password",     NULL   },
        {"PUT",    "/users/7/role",          "PUT /users/{id}/role",       "7"    },
        {"GET",    "/orders/7/events",       "GET /orders/{id}/events",    "7"    },
        {"GET",    "/.well-known/jwks.json", "GET /.well-known/jwks.json", NULL   },
        {"GET",    "/menu/a%2Fb%20c",        "GET /menu/{id}",             "a/b c"},
        {"GET",    "/m%65nu",                "GET /menu",                  NULL   },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct route_match match = find(cases[i].method, cases[i].path);

        ck_assert_msg(match.route != NULL, "%s", cases[i].path);
        ck_assert_str_eq(match.route->label, cases[i].label);
        ck_assert_msg(text_equal(match.values[0], cases[i].value), "%s", cases[i].path);
    }
}
END_TEST

START_TEST(what_is_no_route_is_none)
{
    static const char *const paths[] = {"/",
                                        "",
                                        "menu",
                                        "/menu/",
                                        "//menu",
                                        "/Menu",
                                        "/menu/%",
                                        "/menu/%00",
                                        "/menu/%ff",
                                        "/menu/a/b",
                                        "/orders//accept",
                                        "/a/b/c/d/e/f/g/h/i/j/k/l"};

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        ck_assert_msg(find("GET", paths[i]).verbs == 0, "%s", paths[i]);
    }
}
END_TEST

START_TEST(another_verb_is_told_what_the_path_takes)
{
    struct route_match match = find("PUT", "/orders");

    ck_assert_ptr_null(match.route);
    ck_assert_str_eq(verbs_text(arena, match.verbs), "GET, HEAD, POST");
    ck_assert_ptr_null(find("BREW", "/menu").route);
    ck_assert_str_eq(verbs_text(arena, find("BREW", "/menu").verbs), "GET, HEAD, POST");
}
END_TEST

/* GW-06 */
START_TEST(a_literal_path_takes_its_own_verbs_alone)
{
    ck_assert_ptr_null(find("GET", "/orders/usual").route);
    ck_assert_str_eq(verbs_text(arena, find("GET", "/orders/usual").verbs), "POST");
    ck_assert_str_eq(verbs_text(arena, find("DELETE", "/users/me").verbs), "GET, HEAD, PATCH");
}
END_TEST

START_TEST(two_routes_of_one_shape_do_not_start)
{
    static const struct extra_route twice[] = {
        {VERB_GET,     "/orders/{number}", ROLE_ANYONE, NULL, NULL},
        {0}
    };
    char *complaints = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&complaints, &size);

    ck_assert_ptr_null(routes_new(arena, contract, twice, out));
    fclose(out);
    ck_assert_ptr_nonnull(strstr(complaints, "are the same route"));
    free(complaints);
}
END_TEST

/* AUTH-03: nothing is open by accident. */
START_TEST(every_route_says_who_may_call_it)
{
    for (size_t i = 0; i < routes_count(routes); i++) {
        const struct route *route = routes_at(routes, i);

        ck_assert_msg(route->roles != ROLE_NOBODY, "%s", route->label);
        ck_assert_msg(route->limit || route->extra, "%s", route->label);
    }
}
END_TEST

TEST_MAIN_AROUND("routes", (&(struct test_around){.before = start, .after = stop}),
                 each_request_finds_its_method, what_is_no_route_is_none,
                 another_verb_is_told_what_the_path_takes, a_literal_path_takes_its_own_verbs_alone,
                 two_routes_of_one_shape_do_not_start, every_route_says_who_may_call_it)
