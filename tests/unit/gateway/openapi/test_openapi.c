/* links: test_contracts common_json */
/* The OpenAPI document, walked: it has every route with what the contract says of it, and nothing
 * in it leads nowhere. */
#include "gateway/openapi/openapi.h"

#include "common/base/text.h"
#include "gateway/contracts.h"
#include "gateway/extra/extra_routes.h"
#include "gateway/openapi/openapi_parts.h"
#include "tests/helpers/house_test.h"

#include "test/kinds/v1/kinds.pb-c.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct contract *contract;
static struct arena *arena;
static json_t *document;

static void before(void)
{
    json_error_t error;

    contract = contract_new(contract_services, stderr);
    arena = arena_new(64 * 1024);
    ck_assert_ptr_nonnull(contract);
    const char *text = openapi_document(arena, contract, "http://localhost:8000");
    document = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    ck_assert_msg(document != NULL, "%s at %d: %.60s", error.text, error.position,
                  text + (error.position > 30 ? error.position - 30 : 0));
}

static void after(void)
{
    json_decref(document);
    contract_free(contract);
    arena_free(arena);
}

/* "/paths/~orders/get": members by name, where ~ stands for a slash, entries by number. */
static json_t *at(const char *path)
{
    json_t *node = document;

    for (const char *p = path; node && *p; p += strcspn(p + 1, "/") + 1) {
        char name[200];

        snprintf(name, sizeof(name), "%.*s", (int)strcspn(p + 1, "/"), p + 1);
        for (char *c = name; *c; c++) {
            *c = (char)(*c == '~' ? '/' : *c);
        }
        node = json_is_array(node) ? json_array_get(node, (size_t)(*name - '0'))
                                   : json_object_get(node, name);
    }
    return node;
}

static const char *text_at(const char *path)
{
    json_t *node = at(path);

    ck_assert_msg(node != NULL, "%s", path);
    ck_assert_msg(json_is_string(node), "%s", path);
    return json_string_value(node);
}

static const char *member_name(const char *template)
{
    char *name = arena_strdup(arena, openapi_path(arena, template)); /* {order_id} is {orderId} */

    for (char *c = name; *c; c++) {
        *c = (char)(*c == '/' ? '~' : *c);
    }
    return name;
}

static const char *const verbs[] = {NULL, "get", "post", "put", "patch", "delete"};

START_TEST(every_route_of_the_contract_is_in_the_document) /* GW-02 */
{
    for (size_t i = 0; i < contract_count(contract); i++) {
        const struct contract_method *method = contract_at(contract, i);

        if (method->verb == VERB_NONE) {
            continue;
        }
        const char *operation =
            arena_printf(arena, "/paths/%s/%s", member_name(method->template), verbs[method->verb]);
        ck_assert_msg(at(operation) != NULL, "%s", operation);
        ck_assert_ptr_nonnull(
            at(arena_printf(arena, "%s/responses/%d", operation, method->call.success)));
        json_t *security = at(arena_printf(arena, "%s/security", operation));
        ck_assert_uint_eq(json_array_size(security), method->call.roles & ROLE_ANYONE ? 0 : 1);
        for (const char *const *code = method->call.problems; *code; code++) {
            int http = problem_http(problem_parse(*code));
            json_t *ref = at(arena_printf(arena, "%s/responses/%d/$ref", operation, http));
            ck_assert_msg(ref && strstr(json_string_value(ref), *code), "%s %s", operation, *code);
        }
    }
}
END_TEST

START_TEST(what_is_no_rpc_is_in_the_document_too)
{
    static const char *const paths[] = {"~orders~{id}~events", "~ws~queue", "~healthz", "~readyz",
                                        "~openapi.json",       "~docs"};

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        ck_assert_msg(at(arena_printf(arena, "/paths/%s/get/responses", paths[i])) != NULL, "%s",
                      paths[i]);
    }
}
END_TEST

/* Whoever adds a hand-made route tells of it, too. */
START_TEST(every_hand_made_route_is_in_the_document)
{
    for (const struct extra_route *route = extra_routes; route->template; route++) {
        const char *operation =
            arena_printf(arena, "/paths/%s/%s", member_name(route->template), verbs[route->verb]);

        ck_assert_msg(at(operation) != NULL, "%s", operation);
        ck_assert_uint_eq(json_array_size(at(arena_printf(arena, "%s/security", operation))),
                          route->roles & ROLE_ANYONE ? 0 : 1);
    }
}
END_TEST

static size_t follow_references(json_t *node)
{
    const char *key;
    json_t *value;
    size_t count = 0, i;

    json_object_foreach(node, key, value)
    {
        if (strcmp(key, "$ref") == 0 && json_is_string(value)) {
            const char *target = json_string_value(value);
            ck_assert_msg(text_starts(target, "#/") && at(target + 1) != NULL, "%s", target);
            count++;
        }
        count += follow_references(value);
    }
    json_array_foreach(node, i, value)
    {
        count += follow_references(value);
    }
    return count;
}

START_TEST(every_reference_leads_somewhere)
{
    ck_assert_uint_gt(follow_references(document), 100);
}
END_TEST

START_TEST(operation_ids_and_path_parameters_are_sound)
{
    const char *path, *verb;
    json_t *item, *operation, *ids = json_object();

    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        json_object_foreach(item, verb, operation)
        {
            const char *id = json_string_value(json_object_get(operation, "operationId"));
            json_t *parameters = json_object_get(operation, "parameters"), *one;
            size_t i, in_path = 0, braces = 0;

            ck_assert_msg(id && !json_object_get(ids, id), "%s %s", verb, path);
            json_object_set_new(ids, id, json_true());
            json_array_foreach(parameters, i, one)
            {
                const char *in = json_string_value(json_object_get(one, "in"));
                const char *name = json_string_value(json_object_get(one, "name"));
                if (in && strcmp(in, "path") == 0) {
                    in_path++;
                    ck_assert(json_is_true(json_object_get(one, "required")));
                    ck_assert_ptr_nonnull(strstr(path, arena_printf(arena, "{%s}", name)));
                }
            }
            for (const char *c = path; *c; c++) {
                braces += *c == '{';
            }
            ck_assert_msg(in_path == braces, "%s %s", verb, path);
        }
    }
    json_decref(ids);
}
END_TEST

START_TEST(requests_are_strict_and_carry_their_rules) /* GW-02 */
{
    ck_assert_str_eq(
        text_at("/paths/~orders/post/requestBody/content/application~json/schema/$ref"),
        "#/components/schemas/PlaceOrderRequest");
    json_t *request = at("/components/schemas/PlaceOrderRequest");
    ck_assert(json_is_false(json_object_get(request, "additionalProperties")));
    ck_assert_str_eq(text_at("/components/schemas/PlaceOrderRequest/required/0"), "items");
    ck_assert_int_eq(json_integer_value(at("/components/schemas/PlaceOrderRequest/properties/items/"
                                           "maxItems")),
                     50);
    ck_assert_int_eq(
        json_integer_value(at("/components/schemas/OrderLine/properties/quantity/minimum")), 1);
    ck_assert_int_eq(
        json_integer_value(at("/components/schemas/OrderLine/properties/menuItemId/minLength")), 1);
    ck_assert_str_eq(text_at("/components/schemas/SignUpRequest/properties/email/pattern"),
                     "^([^@\\s]+@[^@\\s]+)$");
    ck_assert_str_eq(text_at("/components/schemas/LoginRequest/properties/deviceId/pattern"),
                     "^([^\\x00-\\x1f\\x7f]{0,64})$");
}
END_TEST

START_TEST(a_variable_of_the_path_is_not_in_the_body)
{
    json_t *schema = at(
        "/paths/~orders~{id}~cancel/post/requestBody/content/application~json/schema/properties");

    ck_assert_ptr_nonnull(json_object_get(schema, "reason"));
    ck_assert_ptr_null(json_object_get(schema, "id"));
}
END_TEST

START_TEST(answers_say_what_is_always_there)
{
    json_t *required = at("/components/schemas/Order/required"), *name;
    bool total = false, placed_at = false;
    size_t i;

    json_array_foreach(required, i, name)
    {
        total = total || strcmp(json_string_value(name), "totalCents") == 0;
        placed_at = placed_at || strcmp(json_string_value(name), "placedAt") == 0;
    }
    ck_assert(total && !placed_at);
    ck_assert_str_eq(text_at("/components/schemas/Order/properties/totalCents/type"), "integer");
    ck_assert_str_eq(text_at("/components/schemas/Order/properties/placedAt/format"), "date-time");
    ck_assert_str_eq(text_at("/components/schemas/Order/properties/status/enum/1"), "placed");
    ck_assert_str_eq(text_at("/components/schemas/Order/properties/status/enum/7"), "unknown");
    ck_assert_str_eq(text_at("/components/schemas/Order/properties/number/description"),
                     "short, for people, new every day");
}
END_TEST

START_TEST(headers_that_a_route_takes_are_parameters)
{
    ck_assert_str_eq(text_at("/paths/~orders/post/parameters/0/$ref"),
                     "#/components/parameters/IdempotencyKey");
    ck_assert_str_eq(text_at("/paths/~menu/get/parameters/0/$ref"),
                     "#/components/parameters/IfNoneMatch");
    ck_assert_ptr_nonnull(at("/paths/~menu/get/responses/304"));
    ck_assert_str_eq(text_at("/paths/~menu~{id}/patch/parameters/1/$ref"),
                     "#/components/parameters/IfMatch");
    ck_assert_ptr_nonnull(at("/paths/~menu~{id}/patch/responses/412"));
    ck_assert_str_eq(text_at("/paths/~orders/get/parameters/0/name"), "pageSize");
    ck_assert_str_eq(text_at("/paths/~orders/get/parameters/0/in"), "query");
}
END_TEST

START_TEST(every_problem_code_is_in_the_schema) /* GW-06 */
{
    json_t *codes = at("/components/schemas/Problem/properties/code/enum"), *code;
    size_t i;

    ck_assert_uint_eq(json_array_size(codes), PROBLEM_COUNT - 1);
    json_array_foreach(codes, i, code)
    {
        ck_assert_int_ne(problem_parse(json_string_value(code)), PROBLEM_NONE);
    }
}
END_TEST

/* The protos of the tests have every kind of field, maps, wrappers and recursion included. */
START_TEST(a_route_of_any_shape_is_documented)
{
    static const ProtobufCServiceDescriptor *const services[] = {
        &test__kinds__v1__kinds_service__descriptor, NULL};
    static char set[512 * 1024];
    FILE *file = fopen(TEST_DESCRIPTORS, "rb");

    ck_assert_ptr_nonnull(file);
    size_t size = fread(set, 1, sizeof(set), file);
    fclose(file);
    contract_free(contract);
    json_decref(document);
    contract = contract_new_from(set, size, services, stderr);
    ck_assert_ptr_nonnull(contract);
    document = json_loads(openapi_document(arena, contract, "/"), JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(document);
    ck_assert_uint_gt(follow_references(document), 20);
    ck_assert_str_eq(text_at("/components/schemas/EverythingInput/properties/byBool/"
                             "additionalProperties/$ref"),
                     "#/components/schemas/EverythingInput");
    ck_assert_str_eq(text_at("/components/schemas/Everything/properties/maybeNumber/type"),
                     "integer");
    ck_assert_str_eq(text_at("/paths/~kinds~{id}/get/parameters/4/name"), "filter.owner");
    ck_assert_str_eq(text_at("/paths/~kinds~{id}/get/parameters/2/schema/type"), "array");
}
END_TEST

TEST_MAIN_AROUND("openapi", (&(struct test_around){.before = before, .after = after}),
                 every_route_of_the_contract_is_in_the_document,
                 what_is_no_rpc_is_in_the_document_too, every_hand_made_route_is_in_the_document,
                 every_reference_leads_somewhere, operation_ids_and_path_parameters_are_sound,
                 requests_are_strict_and_carry_their_rules,
                 a_variable_of_the_path_is_not_in_the_body, answers_say_what_is_always_there,
                 headers_that_a_route_takes_are_parameters, every_problem_code_is_in_the_schema,
                 a_route_of_any_shape_is_documented)
