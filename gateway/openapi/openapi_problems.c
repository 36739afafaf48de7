/* Which problem may come from which route; see openapi_problems.h. One row a rule, so that a new
 * answer of the gateway is a line here. */
#include "gateway/openapi/openapi_problems.h"

#include "gateway/openapi/openapi_json.h"

#include <string.h>

/* What a route has, as bits: a row applies when the route has all of its bits. */
enum trait {
    ANY_ROUTE = 0,
    SIGNED_IN = 1 << 0,
    HAS_VARIABLE = 1 << 1,
    HAS_BODY = 1 << 2,
    HAS_INPUT = 1 << 3,
    CHANGES = 1 << 4,
    STEPS_UP = 1 << 5,
    CALLS = 1 << 6, /* a daemon answers it */
    LIMITED = 1 << 7,
};

static const struct {
    enum problem problem;
    unsigned needs;
} rows[] = {
    {PROBLEM_BAD_REQUEST,       ANY_ROUTE   },
    {PROBLEM_UNAUTHENTICATED,   ANY_ROUTE   }, /* a token that is sent must be good */
    {PROBLEM_TOKEN_REVOKED,     ANY_ROUTE   },
    {PROBLEM_FORBIDDEN,         SIGNED_IN   },
    {PROBLEM_STEP_UP_REQUIRED,  STEPS_UP    },
    {PROBLEM_NOT_FOUND,         HAS_VARIABLE},
    {PROBLEM_BUSY,              CHANGES     },
    {PROBLEM_CONFLICT,          CHANGES     },
    {PROBLEM_TOO_LARGE,         ANY_ROUTE   },
    {PROBLEM_URI_TOO_LONG,      ANY_ROUTE   },
    {PROBLEM_UNSUPPORTED_MEDIA, HAS_BODY    },
    {PROBLEM_INVALID_FIELDS,    HAS_INPUT   },
    {PROBLEM_TOO_MANY_REQUESTS, LIMITED     },
    {PROBLEM_HEADERS_TOO_LARGE, ANY_ROUTE   },
    {PROBLEM_INTERNAL,          ANY_ROUTE   },
    {PROBLEM_UNAVAILABLE,       CALLS       },
    {PROBLEM_OVERLOADED,        CALLS       },
    {PROBLEM_TIMEOUT,           CALLS       },
};

static unsigned traits_of(const struct contract_method *method)
{
    unsigned traits = CALLS | LIMITED;

    traits |= method->call.roles & ROLE_ANYONE ? 0 : SIGNED_IN;
    traits |= strchr(method->template, '{') ? HAS_VARIABLE : 0;
    traits |= method->body ? HAS_BODY : 0;
    traits |= HAS_INPUT; /* a parameter that nobody knows is refused everywhere */
    traits |= method->verb != VERB_GET ? CHANGES : 0;
    traits |= method->call.step_up ? STEPS_UP : 0;
    return traits;
}

static bool applies(enum problem problem, unsigned traits, const char *const *own)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].problem == problem && (rows[i].needs & traits) == rows[i].needs) {
            return true;
        }
    }
    for (; own && *own; own++) {
        if (problem_parse(*own) == problem) {
            return true;
        }
    }
    return false;
}

static void put_problem_example(struct text *out, enum problem problem)
{
    put_open(out, "example", '{');
    put_text(out, "type", arena_printf(out->arena, "/docs#problem-%s", problem_code(problem)));
    put_text(out, "title", problem_title(problem));
    put_number(out, "status", problem_http(problem));
    put_text(out, "detail", problem_title(problem));
    put_text(out, "code", problem_code(problem));
    put_text(out, "correlationId", "0af7651916cd43dd8448eb211c80319c");
    put_close(out, '}');
}

_Static_assert(PROBLEM_COUNT <= 64, "a set of problems is a word of bits");

static int http_of(uint64_t set)
{
    return problem_http((enum problem)__builtin_ctzll(set));
}

/* "422.invalid_fields.weak_password" */
static const char *set_name(struct arena *arena, uint64_t set)
{
    struct text name = text_new(arena, 64);

    text_add_number(&name, http_of(set));
    for (int p = 1; p < PROBLEM_COUNT; p++) {
        if (set >> p & 1) {
            text_printf(&name, ".%s", problem_code((enum problem)p));
        }
    }
    return name.data;
}

/* "`bad_request`: The request cannot be understood" */
static const char *set_words(struct arena *arena, uint64_t set)
{
    struct text words = text_new(arena, 128);

    for (int p = 1; p < PROBLEM_COUNT; p++) {
        if (set >> p & 1) {
            text_printf(&words, "%s`%s`: %s", words.length ? "; " : "",
                        problem_code((enum problem)p), problem_title((enum problem)p));
        }
    }
    return words.data;
}

static void put_component(struct text *out, uint64_t set)
{
    int http = http_of(set);

    put_open(out, set_name(out->arena, set), '{');
    put_text(out, "description", set_words(out->arena, set));
    put_open(out, "headers", '{');
    put_reference(out, "x-correlation-id", "headers", "CorrelationId");
    if (http == 429 || http == 503) {
        put_reference(out, "Retry-After", "headers", "RetryAfter");
    }
    if (http == 401) {
        put_reference(out, "WWW-Authenticate", "headers", "WwwAuthenticate");
    }
    put_close(out, '}');
    put_open(out, "content", '{');
    put_open(out, "application/problem+json", '{');
    put_reference(out, "schema", "schemas", "Problem");
    put_problem_example(out, (enum problem)__builtin_ctzll(set));
    put_close(out, '}');
    put_close(out, '}');
    put_close(out, '}');
}

void put_problem_components(struct text *out, const struct problem_sets *sets)
{
    for (size_t i = 0; i < sets->count; i++) {
        put_component(out, sets->sets[i]);
    }
}

static void refer_to(struct text *out, struct problem_sets *sets, uint64_t set)
{
    size_t i = 0;

    while (i < sets->count && sets->sets[i] != set) {
        i++;
    }
    if (i == sets->count && i < MOST_PROBLEM_SETS) {
        sets->sets[sets->count++] = set;
    }
    put_reference(out, arena_printf(out->arena, "%d", http_of(set)), "responses",
                  set_name(out->arena, set));
}

/* Responses go by status, problems by code: several codes share a status. */
static void put_responses(struct text *out, struct problem_sets *sets, unsigned traits,
                          const char *const *own)
{
    for (int http = 400; http < 600; http++) {
        uint64_t set = 0;

        for (int p = 1; p < PROBLEM_COUNT; p++) {
            if (problem_http((enum problem)p) == http && applies((enum problem)p, traits, own)) {
                set |= 1ULL << p;
            }
        }
        if (set) {
            refer_to(out, sets, set);
        }
    }
}

void put_problem_responses(struct text *out, struct problem_sets *sets,
                           const struct contract_method *method)
{
    put_responses(out, sets, traits_of(method), method->call.problems);
}

void put_stream_problem_responses(struct text *out, struct problem_sets *sets, bool signed_in,
                                  bool has_variable)
{
    put_responses(out, sets,
                  (signed_in ? SIGNED_IN | LIMITED | CALLS : 0) |
                      (has_variable ? HAS_VARIABLE | HAS_INPUT : 0),
                  NULL);
}

static void put_property(struct text *out, const char *name, const char *type, const char *says)
{
    put_open(out, name, '{');
    put_text(out, "type", type);
    put_text(out, "description", says);
    put_close(out, '}');
}

static void put_field_errors(struct text *out)
{
    put_open(out, "errors", '{');
    put_text(out, "type", "array");
    put_text(out, "description", "The fields that were refused, where it is about fields.");
    put_open(out, "items", '{');
    put_text(out, "type", "object");
    put_open(out, "properties", '{');
    put_property(out, "field", "string", "Where it is: items[0].quantity");
    put_property(out, "message", "string", "What it must be, to be read behind the field's name");
    put_close(out, '}');
    put_raw(out, "required", "[\"field\",\"message\"]");
    put_close(out, '}');
    put_close(out, '}');
}

void put_problem_schema(struct text *out)
{
    put_open(out, "Problem", '{');
    put_text(out, "type", "object");
    put_text(out, "description",
             "Why a request failed (RFC 9457). Act on the code; show the detail.");
    put_open(out, "properties", '{');
    put_property(out, "type", "string", "A link to the words about the code: /docs#problem-...");
    put_property(out, "title", "string", "What the code means, in words");
    put_property(out, "status", "integer", "The HTTP status again");
    put_property(out, "detail", "string", "One sentence about this very request");
    put_open(out, "code", '{');
    put_text(out, "type", "string");
    put_open(out, "enum", '[');
    for (int p = 1; p < PROBLEM_COUNT; p++) {
        put_text(out, NULL, problem_code((enum problem)p));
    }
    put_close(out, ']');
    put_close(out, '}');
    put_property(out, "correlationId", "string", "Name it when you ask for help");
    put_field_errors(out);
    put_close(out, '}');
    put_raw(out, "required",
            "[\"type\",\"title\",\"status\",\"detail\",\"code\",\"correlationId\"]");
    put_close(out, '}');
}
