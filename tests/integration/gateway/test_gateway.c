/* links: test_gateway */
/* The whole chain over real sockets: HTTP in, gRPC behind, Valkey beside. */
#include "common/base/clock.h"
#include "gateway/routes.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/integration/gateway/one_gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int ask(const char *method, const char *path, const char *token, const char *body)
{
    return stage_ask(gateway,
                     &(struct ask){.method = method, .path = path, .token = token, .body = body},
                     &reply);
}

/* GW-05 SCN-A1 */
START_TEST(the_menu_is_read_without_signing_in)
{
    ck_assert_int_eq(ask("GET", "/menu", NULL, NULL), 200);
    ck_assert(says("{\"items\":[{\"id\":\"flat-white\""));
    ck_assert(says("\"priceCents\":380"));
    ck_assert(says("\"version\":7"));
    ck_assert_str_eq(raw_header(&reply, "Content-Type"), "application/json");
    ck_assert_str_eq(raw_header(&reply, "ETag"), "\"7.2\"");
    ck_assert_str_eq(raw_header(&reply, "X-Content-Type-Options"), "nosniff");
    ck_assert_int_eq(strlen(raw_header(&reply, "traceparent")), 55);
}
END_TEST

START_TEST(a_version_that_the_client_has_is_not_sent_again)
{
    ck_assert_int_eq(ask_with("GET", "/menu", "If-None-Match: W/\"7.1\", \"7.2\"\r\n"), 304);
    ck_assert_uint_eq(reply.size, 0);
    ck_assert_int_eq(ask_with("GET", "/menu", "If-None-Match: \"7\"\r\n"), 200);
}
END_TEST

START_TEST(head_is_get_without_the_body)
{
    ck_assert_int_eq(ask("HEAD", "/menu", NULL, NULL), 200);
    ck_assert_str_eq(raw_header(&reply, "ETag"), "\"7.2\"");
}
END_TEST

/* GW-03 GW-04 */
START_TEST(a_placed_order_is_created_with_its_location)
{
    static const char body[] =
        "{\"items\":[{\"menuItemId\":\"flat-white\",\"quantity\":1,\"customizationIds\":[]}]}";

    ck_assert_int_eq(stage_ask(gateway,
                               &(struct ask){.method = "POST",
                                             .path = "/orders",
                                             .token = customer(),
                                             .headers = "Idempotency-Key: key-1\r\n",
                                             .body = body},
                               &reply),
                     201);
    ck_assert_str_eq(raw_header(&reply, "Location"), "/orders/" STAGE_ORDER);
    ck_assert(says("\"status\":\"placed\""));
    ck_assert(says("\"customerId\":\"" STAGE_CUSTOMER "\""));
    ck_assert(says("\"note\":\"key-1\""));
    ck_assert(says("\"number\":1"));
}
END_TEST

START_TEST(variables_and_parameters_reach_the_call)
{
    ck_assert_int_eq(ask("GET", "/menu/caf%C3%A9%2Flatte", NULL, NULL), 200);
    ck_assert(says("\"id\":\"caf\xc3\xa9/latte\""));
    ck_assert_int_eq(ask("GET", "/orders?pageSize=5&pageToken=a%20b&scope=own", customer(), NULL),
                     200);
    ck_assert(says("\"nextPageToken\":\"5|a b|own\""));
}
END_TEST

START_TEST(an_answer_without_content_is_204)
{
    const char *admin = stage_token(&stage, ROLE_ADMIN, STAGE_CUSTOMER, STAGE_SESSION);

    ck_assert_int_eq(ask("DELETE", "/menu/flat-white", admin, NULL), 204);
    ck_assert_uint_eq(reply.size, 0);
    ck_assert_str_eq(raw_header(&reply, "Content-Type"), "");
}
END_TEST

/* GW-03 GW-06 */
START_TEST(each_failure_of_a_daemon_has_its_status_and_one_shape)
{
    static const struct {
        const char *path, *code;
        int status;
    } cases[] = {
        {"/menu/missing",   "not_found",      404},
        {"/menu/conflict",  "conflict",       409},
        {"/menu/exists",    "already_exists", 409},
        {"/menu/away",      "unavailable",    503},
        {"/menu/internal",  "internal",       500},
        {"/menu/invalid",   "bad_request",    400},
        {"/menu/forbidden", "forbidden",      403},
        {"/menu/slow",      "timeout",        504},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char code[64];

        ck_assert_int_eq(ask("GET", cases[i].path, NULL, NULL), cases[i].status);
        snprintf(code, sizeof(code), "\"code\":\"%s\"", cases[i].code);
        ck_assert_msg(says(code), "%s", reply.body);
        ck_assert(says("\"correlationId\":\""));
        ck_assert(!says("SELECT"));
        ck_assert_str_eq(raw_header(&reply, "Content-Type"), "application/problem+json");
    }
}
END_TEST

/* GW-06 */
START_TEST(bad_input_is_refused_with_its_reason)
{
    static char large[70000];
    static const struct {
        const char *method, *path, *body;
        int status;
        const char *text;
    } cases[] = {
        {"POST",   "/orders",                       "{\"items\":",    400, "bad_request"           },
        {"POST",   "/orders",                       "{\"colour\":1}", 422, "\"field\":\"colour\""  },
        {"POST",   "/orders",                       "{\"items\":{}}", 422, "\"field\":\"items\""   },
        {"POST",   "/orders",                       "{}",             422, "\"field\":\"items\""   },
        {"POST",   "/orders?x=1",                   "{}",             422, "\"field\":\"x\""       },
        {"GET",    "/orders?pageSize=ten",          NULL,             422, "\"field\":\"pageSize\""},
        {"GET",    "/orders?pageSize=1&pageSize=2", NULL,             422, "\"field\":\"pageSize\""},
        {"GET",    "/orders?colour=1",              NULL,             422, "\"field\":\"colour\""  },
        {"GET",    "/orders?a=%ff",                 NULL,             400, "bad_request"           },
        {"GET",    "/nowhere",                      NULL,             404, "not_found"             },
        {"GET",    "/menu/",                        NULL,             404, "not_found"             },
        {"GET",    "/menu/a/b",                     NULL,             404, "not_found"             },
        {"GET",    "/menu/%ff",                     NULL,             404, "not_found"             },
        {"DELETE", "/orders",                       NULL,             405, "method_not_allowed"    },
        {"POST",   "/orders",                       large,            413, "too_large"             },
        {"PUT",    "/orders",                       large,            405, "method_not_allowed"    },
        {"POST",   "/nowhere",                      large,            404, "not_found"             },
    };

    memset(large, ' ', sizeof(large) - 1);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int code = ask(cases[i].method, cases[i].path, customer(), cases[i].body);

        ck_assert_msg(code == cases[i].status, "%s %s: %d %s", cases[i].method, cases[i].path, code,
                      reply.body);
        ck_assert_msg(says(cases[i].text), "%s", reply.body);
    }
    ck_assert_int_eq(ask("DELETE", "/orders", customer(), NULL), 405);
    ck_assert_str_eq(raw_header(&reply, "Allow"), "GET, HEAD, POST");
}
END_TEST

START_TEST(a_body_must_be_json)
{
    ck_assert_int_eq(stage_ask(gateway,
                               &(struct ask){.method = "POST",
                                             .path = "/orders",
                                             .token = customer(),
                                             .headers = "Content-Type: text/plain\r\n",
                                             .body = "{}"},
                               &reply),
                     415);
    ck_assert(says("\"unsupported_media\""));
}
END_TEST

/* AUTH-01 AUTH-03 */
START_TEST(a_token_decides_what_is_allowed)
{
    static char path[] = "/orders/" STAGE_ORDER "/accept";

    ck_assert_int_eq(ask("GET", "/users/me", NULL, NULL), 401);
    ck_assert_str_eq(raw_header(&reply, "WWW-Authenticate"), "Bearer realm=\"everything\"");
    ck_assert_int_eq(ask("GET", "/users/me", customer(), NULL), 200);
    ck_assert(says("\"id\":\"" STAGE_CUSTOMER "\""));
    ck_assert_int_eq(ask("POST", path, customer(), "{}"), 403);
    ck_assert(says("\"forbidden\""));
    ck_assert_int_eq(
        ask("POST", path, stage_token(&stage, ROLE_BARISTA, STAGE_CUSTOMER, STAGE_SESSION), "{}"),
        200);
}
END_TEST

static const char *path_of(struct arena *arena, const struct route *route)
{
    const char *path = "";

    for (size_t i = 0; i < route->count; i++) {
        path = arena_printf(arena, "%s/%s", path,
                            route->segments[i].is_variable ? STAGE_ORDER : route->segments[i].text);
    }
    return path;
}

/* Bodies are empty, so that nobody gets further than to the fields. */
static void check_access(const struct route *route, enum role role)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    const char *token =
        role == ROLE_NOBODY ? NULL : stage_token(&stage, role, STAGE_CUSTOMER, STAGE_SESSION);
    int code = ask(verb_name(route->verb), path_of(arena, route), token,
                   route->method->body ? "{}" : NULL);

    if (route->roles & (unsigned)role) {
        ck_assert_msg(code != 401 && code != 403 && code > 0, "%s: %d", route->label, code);
    } else {
        ck_assert_msg(code == (role == ROLE_NOBODY ? 401 : 403), "%s: %d", route->label, code);
    }
}

/* AUTH-03: each route for each role, as the protos say. */
START_TEST(every_route_is_open_to_its_roles_and_to_nobody_else)
{
    static const enum role roles[] = {ROLE_NOBODY, ROLE_CUSTOMER, ROLE_BARISTA, ROLE_ADMIN,
                                      ROLE_DRIVER};
    size_t checked = 0;

    for (size_t i = 0; i < routes_count(gateway->routes); i++) {
        const struct route *route = routes_at(gateway->routes, i);

        for (size_t k = 0; k < ARRAY_LEN(roles) && route->method; k++) {
            if (!(route->roles & ROLE_ANYONE)) {
                check_access(route, roles[k]);
                checked++;
            }
        }
    }
    ck_assert_uint_ge(checked, 100);
}
END_TEST

/* AUTH-01 */
START_TEST(a_token_that_does_not_verify_is_nobody)
{
    char token[2048];

    snprintf(token, sizeof(token), "%s", customer());
    char *middle = strchr(token, '.') + 10;
    *middle = *middle == 'A' ? 'B' : 'A';
    ck_assert_int_eq(ask("GET", "/users/me", token, NULL), 401);
    ck_assert_ptr_nonnull(strstr(raw_header(&reply, "WWW-Authenticate"), "invalid_token"));
    ck_assert_int_eq(ask("GET", "/users/me", "e30.e30.", NULL), 401);
    ck_assert_int_eq(ask("GET", "/users/me", "", NULL), 401);
    ck_assert_int_eq(ask("GET", "/menu", token, NULL), 200); /* where nobody need be anybody */
    ck_assert_int_eq(ask("POST", "/login", NULL, "{\"handle\":\"a\",\"password\":\"b\"}"), 401);
    ck_assert(says("\"bad_credentials\""));
}
END_TEST

/* Two ways of one name, and one that is empty: the daemons know nobody by them. */
START_TEST(an_idempotency_key_must_be_printable)
{
    ck_assert_int_eq(stage_ask(gateway,
                               &(struct ask){.method = "POST",
                                             .path = "/orders",
                                             .token = customer(),
                                             .headers = "Idempotency-Key: a b\r\n",
                                             .body = "{}"},
                               &reply),
                     422);
    ck_assert(says("\"field\":\"Idempotency-Key\""));
}
END_TEST

/* As long as the daemons keep it: there is one rule for both. */
START_TEST(an_idempotency_key_may_have_255_characters)
{
    static const char body[] =
        "{\"items\":[{\"menuItemId\":\"flat-white\",\"quantity\":1,\"customizationIds\":[]}]}";

    for (int length = 255; length <= 256; length++) {
        char header[300];

        snprintf(header, sizeof(header), "Idempotency-Key: %0*d\r\n", length, 7);
        ck_assert_int_eq(stage_ask(gateway,
                                   &(struct ask){.method = "POST",
                                                 .path = "/orders",
                                                 .token = customer(),
                                                 .headers = header,
                                                 .body = body},
                                   &reply),
                         length == 255 ? 201 : 422);
    }
}
END_TEST

START_TEST(trace_and_correlation_go_through)
{
    ck_assert_int_eq(
        ask_with("GET", "/menu/x",
                 "traceparent: 00-0123456789abcdef0123456789abcdef-0123456789abcdef-01\r\n"
                 "x-correlation-id: my-call\r\n"),
        200);
    ck_assert(says("\"name\":\"my-call\""));
    ck_assert(says("\"description\":\"0123456789abcdef0123456789abcdef\""));
    ck_assert_str_eq(raw_header(&reply, "x-correlation-id"), "my-call");
    ck_assert_ptr_nonnull(strstr(raw_header(&reply, "traceparent"), "0123456789abcdef0123456789"));
}
END_TEST

static int code_once_there(const char *path, const char *token)
{
    int code = 503;

    for (int i = 0; i < PATIENCE_MS / 20 && code == 503; i++) {
        clock_pause_ms(20);
        code = ask("GET", path, token, NULL);
    }
    return code;
}

/* The slowest answer while it was away. */
static int64_t away_and_back(void)
{
    int64_t slowest_ms = 0;

    stage_stop_order(&stage);
    for (int i = 0; i < 6; i++) {
        int64_t begun = clock_monotonic_ms();

        ck_assert_int_eq(ask("GET", "/menu", NULL, NULL), 503);
        int64_t took_ms = clock_monotonic_ms() - begun;
        slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
        ck_assert_int_ge(strtol(raw_header(&reply, "Retry-After"), NULL, 10), 1);
    }
    ck_assert_int_eq(ask("GET", "/users/me", customer(), NULL), 200);
    stage_start_order(&stage);
    ck_assert_int_eq(code_once_there("/menu", NULL), 200);
    return slowest_ms;
}

/* GW-11 */
START_TEST(a_backend_that_is_away_is_answered_for_at_once_and_comes_back)
{
    int64_t slowest_ms = INT64_MAX;

    for (int i = 0; i < PATIENCE_TRIES && slowest_ms >= 1000; i++) {
        slowest_ms = away_and_back();
    }
    ck_assert_int_lt(slowest_ms, 1000);
}
END_TEST

START_TEST(a_method_that_cannot_do_without_another_does_not_close_its_daemon)
{
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(ask("GET", "/menu/away", NULL, NULL), 503);
        ck_assert_int_ge(strtol(raw_header(&reply, "Retry-After"), NULL, 10), 1);
    }
    ck_assert_int_eq(ask("GET", "/menu", NULL, NULL), 200);
}
END_TEST

START_TEST(health_is_open_to_all)
{
    static const char ready[] = "{\"status\":\"ok\",\"keys\":\"ok\",\"valkey\":\"ok\","
                                "\"order-service\":\"ok\",\"customer-service\":\"ok\"}";

    ck_assert_int_eq(ask("GET", "/healthz", NULL, NULL), 200);
    ck_assert_str_eq(reply.body, "{\"status\":\"ok\"}");
    for (int i = 0; i < PATIENCE_MS / 20 && strcmp(reply.body, ready) != 0; i++) {
        clock_pause_ms(20);
        ask("GET", "/readyz", NULL, NULL);
    }
    ck_assert_int_eq(reply.code, 200);
    ck_assert_str_eq(reply.body, ready);
    ck_assert_int_eq(ask("GET", "/metrics", NULL, NULL), 404);
}
END_TEST

START_TEST(options_tells_the_verbs)
{
    ck_assert_int_eq(ask("OPTIONS", "/menu/x", NULL, NULL), 204);
    ck_assert_str_eq(raw_header(&reply, "Allow"), "GET, HEAD, PATCH, DELETE");
    ck_assert_str_eq(raw_header(&reply, "Access-Control-Allow-Methods"), "");
}
END_TEST

/* Without a key nobody can be told apart; that is no fault of the token. */
START_TEST(until_it_has_keys_it_is_not_ready_and_then_it_is)
{
    stage_stop_customer(&stage);
    reopen();
    ck_assert_int_eq(ask("GET", "/readyz", NULL, NULL), 503);
    ck_assert(says("\"keys\":\"down\""));
    ck_assert_int_eq(ask("GET", "/users/me", customer(), NULL), 503);
    ck_assert_int_eq(ask("GET", "/menu", NULL, NULL), 200);
    stage_start_customer(&stage);
    ck_assert_int_eq(code_once_there("/users/me", customer()), 200);
    ck_assert_int_eq(code_once_there("/readyz", NULL), 200);
}
END_TEST

/* GW-02 */
START_TEST(the_document_and_its_page_are_served_with_versions)
{
    static const char *const paths[][2] = {
        {"/docs",          "text/html; charset=utf-8"      },
        {"/docs/docs.js",  "text/javascript; charset=utf-8"},
        {"/docs/docs.css", "text/css; charset=utf-8"       },
    };
    char condition[80];

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        ck_assert_int_eq(ask("GET", paths[i][0], NULL, NULL), 200);
        ck_assert_str_eq(raw_header(&reply, "Content-Type"), paths[i][1]);
        ck_assert_ptr_nonnull(strstr(raw_header(&reply, "Content-Security-Policy"), "'self'"));
    }
    ck_assert_int_eq(ask("HEAD", "/openapi.json", NULL, NULL), 200);
    snprintf(condition, sizeof(condition), "If-None-Match: %s\r\n", raw_header(&reply, "ETag"));
    ck_assert_int_eq(ask_with("GET", "/openapi.json", condition), 304);
}
END_TEST

enum { HALF_BODIES = 256, HALF_BODY = 60000, HELD_FOR_IT = 64 * 1024 };

static int send_half_a_body(void)
{
    static char block[HALF_BODY];
    int fd = raw_connect(http_server_port(gateway->http));

    memset(block, ' ', sizeof(block));
    ck_assert(raw_send(fd, "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                           "Content-Type: application/json\r\n\r\nea60\r\n"));
    ck_assert(raw_send_bytes(fd, block, sizeof(block)));
    return fd;
}

static void wait_until_held(size_t bytes)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    struct http_load load = {0};

    while (load.body_bytes < bytes && clock_monotonic_ms() < until) {
        http_server_load(gateway->http, &load);
        clock_pause_ms(1);
    }
    ck_assert_uint_eq(load.body_bytes, bytes);
}

/* Refused at most while nobody has been sending for long. */
static int sign_in_until(int wanted)
{
    static char body[65000];
    int code = 0;

    snprintf(body, sizeof(body), "%*s", (int)sizeof(body) - 1,
             "{\"handle\":\"grandma\",\"password\":\"x\"}");
    for (int i = 0; i < PATIENCE_MS / 20 && code != wanted; i++) {
        code = ask("POST", "/login", NULL, body);
        ck_assert(code == wanted || code == 503);
        ck_assert(code != 503 || says("\"code\":\"overloaded\""));
        ck_assert(code != 503 || strtol(raw_header(&reply, "Retry-After"), NULL, 10) >= 1);
        clock_pause_ms(20);
    }
    return code;
}

/* SEC-09 GW-06 */
START_TEST(strangers_half_sent_bodies_neither_fill_the_memory_nor_keep_others_out)
{
    static int fds[HALF_BODIES];
    struct http_load load;

    stage.config.max_connections = 2 * HALF_BODIES;
    stage.config.idle_timeout_s = 120;
    reopen();
    for (size_t i = 0; i < HALF_BODIES; i++) {
        fds[i] = send_half_a_body();
        wait_until_held((i + 1) * HELD_FOR_IT);
    }
    ck_assert_int_eq(sign_in_until(401), 401);
    http_server_load(gateway->http, &load);
    ck_assert_uint_le(load.body_bytes, (HALF_BODIES + 2) * HELD_FOR_IT);
    ck_assert_int_eq(ask("GET", "/menu", NULL, NULL), 200);
    for (int i = 0; i < HALF_BODIES; i++) {
        close(fds[i]);
    }
}
END_TEST

TEST_MAIN_AROUND("gateway", (&(struct test_around){start_valkey, stop_valkey, start, stop}),
                 the_menu_is_read_without_signing_in,
                 a_version_that_the_client_has_is_not_sent_again, head_is_get_without_the_body,
                 a_placed_order_is_created_with_its_location,
                 variables_and_parameters_reach_the_call, an_answer_without_content_is_204,
                 each_failure_of_a_daemon_has_its_status_and_one_shape,
                 bad_input_is_refused_with_its_reason, a_body_must_be_json,
                 a_token_decides_what_is_allowed, a_token_that_does_not_verify_is_nobody,
                 an_idempotency_key_must_be_printable, an_idempotency_key_may_have_255_characters,
                 trace_and_correlation_go_through,
                 a_backend_that_is_away_is_answered_for_at_once_and_comes_back,
                 health_is_open_to_all, options_tells_the_verbs,
                 the_document_and_its_page_are_served_with_versions,
                 every_route_is_open_to_its_roles_and_to_nobody_else,
                 a_method_that_cannot_do_without_another_does_not_close_its_daemon,
                 until_it_has_keys_it_is_not_ready_and_then_it_is,
                 strangers_half_sent_bodies_neither_fill_the_memory_nor_keep_others_out)
