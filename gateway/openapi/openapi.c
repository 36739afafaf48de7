/* The document around the operations: what it is about, headings, paths, and the components that
 * operations point to. */
#include "gateway/openapi/openapi.h"

#include "common/contract/idempotency_key.h"
#include "gateway/openapi/openapi_parts.h"

#include <string.h>

enum { FIRST_ROOM = 192 * 1024 };

#define ABOUT                                                                                \
    "Order coffee, make it, pick it up. JSON in and out, but for photos; every failure is "  \
    "application/problem+json with a code to act on. Sign in with POST /login and send the " \
    "access token as a bearer. Send an Idempotency-Key with whatever you would not like to " \
    "happen "                                                                                \
    "twice. Times are RFC 3339 in UTC, amounts are cents."

/* Headers that no proto tells of, going in and coming out. */
static const struct sent_header {
    const char *component, *name, *says, *pattern, *example;
    int most;
} sent_headers[] = {
  /* clang-format off */
    {"IdempotencyKey", "Idempotency-Key",
     "The same key within 24 hours gives the same answer, and it happens once.",
     IDEMPOTENCY_KEY_PATTERN, "3f1c9a52-7b0e-4c55-9a51-2f6f6d1f0a11", IDEMPOTENCY_KEY_MOST},
    {"IfMatch", "If-Match",
     "The ETag that one has: 412, and nothing is changed, when somebody was faster.",
     NULL, "\"7\"", 200},
    {"IfNoneMatch", "If-None-Match", "The ETag that one has: 304 when it still holds.",
     NULL, "\"7\"", 200},
  /* clang-format on */
};

static const struct answered_header {
    const char *component, *says, *type;
} answered_headers[] = {
    {"CorrelationId",   "The name of this request in our logs",                      "string" },
    {"Location",        "Where what was made can be found",                          "string" },
    {"ETag",            "The version of the answer, for If-None-Match and If-Match", "string" },
    {"WwwAuthenticate", "What kind of token is wanted",                              "string" },
    {"RetryAfter",      "Seconds to wait",                                           "integer"},
};

static void put_sent_headers(struct text *out)
{
    put_open(out, "parameters", '{');
    for (size_t i = 0; i < ARRAY_LEN(sent_headers); i++) {
        const struct sent_header *header = &sent_headers[i];

        put_open(out, header->component, '{');
        put_text(out, "name", header->name);
        put_text(out, "in", "header");
        put_text(out, "description", header->says);
        put_open(out, "schema", '{');
        put_text(out, "type", "string");
        put_number(out, "minLength", 1);
        put_number(out, "maxLength", header->most);
        put_text_if_any(out, "pattern", header->pattern);
        put_close(out, '}');
        put_text(out, "example", header->example);
        put_close(out, '}');
    }
    put_close(out, '}');
}

static void put_answered_headers(struct text *out)
{
    put_open(out, "headers", '{');
    for (size_t i = 0; i < ARRAY_LEN(answered_headers); i++) {
        put_open(out, answered_headers[i].component, '{');
        put_text(out, "description", answered_headers[i].says);
        put_open(out, "schema", '{');
        put_text(out, "type", answered_headers[i].type);
        put_close(out, '}');
        put_close(out, '}');
    }
    put_close(out, '}');
}

static void put_security(struct text *out)
{
    put_open(out, "securitySchemes", '{');
    put_open(out, "bearer", '{');
    put_text(out, "type", "http");
    put_text(out, "scheme", "bearer");
    put_text(out, "bearerFormat", "JWT");
    put_text(out, "description", "The accessToken of POST /login");
    put_close(out, '}');
    put_close(out, '}');
}

static void put_info(struct text *out, const char *server_url)
{
    put_text(out, "openapi", "3.1.0");
    put_open(out, "info", '{');
    put_text(out, "title", "Everything");
    put_text(out, "version", "1");
    put_text(out, "summary", "A coffee shop for a family");
    put_text(out, "description", ABOUT);
    put_raw(out, "license", "{\"name\":\"MIT\",\"identifier\":\"MIT\"}");
    put_close(out, '}');
    put_open(out, "servers", '[');
    put_open(out, NULL, '{');
    put_text(out, "url", server_url);
    put_close(out, '}');
    put_close(out, ']');
}

static void put_tag(struct text *out, const char *name, const char *description)
{
    put_open(out, NULL, '{');
    put_text(out, "name", name);
    put_text_if_any(out, "description", description);
    put_close(out, '}');
}

static void put_tags(struct text *out, const struct schema_set *set)
{
    const char *last = "";

    put_open(out, "tags", '[');
    for (size_t i = 0; i < contract_count(set->contract); i++) {
        const struct contract_method *method = contract_at(set->contract, i);

        if (method->verb == VERB_NONE || strcmp(method->service, last) == 0) {
            continue;
        }
        last = method->service;
        put_tag(out, openapi_tag(set->arena, last), contract_comment(set->contract, last));
    }
    put_tag(out, "Live", "What changes, as it changes.");
    put_tag(out, "Service", "The service itself.");
    put_close(out, ']');
}

static bool is_first_of_path(const struct schema_set *set, size_t index, const char *path)
{
    for (size_t i = 0; i < index; i++) {
        const struct contract_method *method = contract_at(set->contract, i);

        if (method->verb != VERB_NONE &&
            strcmp(openapi_path(set->arena, method->template), path) == 0) {
            return false;
        }
    }
    return true;
}

/* A path stands once, with all its verbs. */
static void put_paths(struct text *out, const struct schema_set *set, struct problem_sets *problems)
{
    put_open(out, "paths", '{');
    for (size_t i = 0; i < contract_count(set->contract); i++) {
        const struct contract_method *first = contract_at(set->contract, i);

        if (first->verb == VERB_NONE) {
            continue;
        }
        const char *path = openapi_path(set->arena, first->template);
        if (!is_first_of_path(set, i, path)) {
            continue;
        }
        put_open(out, path, '{');
        for (size_t k = i; k < contract_count(set->contract); k++) {
            const struct contract_method *method = contract_at(set->contract, k);

            if (method->verb != VERB_NONE &&
                strcmp(openapi_path(set->arena, method->template), path) == 0) {
                put_operation(out, set, problems, method);
            }
        }
        put_close(out, '}');
    }
    put_extra_paths(out, problems);
    put_close(out, '}');
}

const char *openapi_document(struct arena *arena, const struct contract *contract,
                             const char *server_url)
{
    struct schema_set set = schema_set_of(arena, contract);
    struct problem_sets problems = {.count = 0};
    struct text out = text_new(arena, FIRST_ROOM);

    put_open(&out, NULL, '{');
    put_info(&out, server_url);
    put_tags(&out, &set);
    put_paths(&out, &set, &problems);
    put_open(&out, "components", '{');
    put_open(&out, "schemas", '{');
    put_schemas(&out, &set);
    put_problem_schema(&out);
    put_close(&out, '}');
    put_open(&out, "responses", '{');
    put_problem_components(&out, &problems);
    put_close(&out, '}');
    put_sent_headers(&out);
    put_answered_headers(&out);
    put_security(&out);
    put_close(&out, '}');
    put_close(&out, '}');
    return out.data;
}
