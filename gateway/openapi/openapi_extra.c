/* The routes that are no RPC, as the document tells of them: one row each. Their handlers are in
 * gateway/extra and gateway/live. */
#include "gateway/openapi/openapi_parts.h"

#include <stdio.h>
#include <string.h>

enum { SIGNED_IN = ROLE_CUSTOMER | ROLE_BARISTA | ROLE_ADMIN };

#define HEALTH_SCHEMA                                                         \
    "{\"type\":\"object\",\"properties\":{\"status\":{\"type\":\"string\"}}," \
    "\"required\":[\"status\"],\"additionalProperties\":{\"type\":\"string\"}}"

#define STREAM_PARAMETERS                                    \
    "[{\"name\":\"id\",\"in\":\"path\",\"required\":true,"   \
    "\"schema\":{\"type\":\"string\",\"format\":\"uuid\"},"  \
    "\"example\":\"019aa1f0-5c3e-7000-8000-00000000cafe\"}," \
    "{\"name\":\"Last-Event-ID\",\"in\":\"header\","         \
    "\"description\":\"The last id that was seen\","         \
    "\"schema\":{\"type\":\"string\",\"maxLength\":40}}]"

static const struct extra_path {
    const char *path, *id, *tag, *summary, *description;
    unsigned roles;
    int success;
    const char *type, *schema; /* of the answer; NULL: it has none */
    const char *parameters;    /* JSON of their list */
    int also;                  /* another answer that is no problem; 0: none */
    const char *also_says;
} paths[] = {
  /* clang-format off */
    {
        .path = "/orders/{id}/events", .id = "watchOrder", .tag = "Live",
        .summary = "One order, live",
        .description =
            "Server-sent events. `event: order` carries the order as GET /orders/{id} answers it, "
            "its `id` is the order's seq; `event: queue` has position and ETA and no id. A comment "
            "comes at least every 15 seconds. Reconnect with Last-Event-ID and nothing is missed. "
            "After a final state the stream ends; `event: reauth` says that the token has expired. "
            "Streams and WebSockets of one person are bounded, by 32 unless set otherwise: one more "
            "ends the oldest, with `retry: 60000` or close code 1013.",
        .roles = SIGNED_IN, .success = 200, .type = "text/event-stream",
        .schema = "{\"type\":\"string\"}", .parameters = STREAM_PARAMETERS,
        .also = 204, .also_says = "The order has ended, and Last-Event-ID names its last state",
    },
    {
        .path = "/ws/queue", .id = "watchQueue", .tag = "Live",
        .summary = "The barista's queue, live",
        .description =
            "A WebSocket; the bearer token comes in the header or as `Sec-WebSocket-Protocol: "
            "bearer, <token>`. First `{\"type\":\"snapshot\",\"orders\":[...]}`, then "
            "`{\"type\":\"order\",\"order\":{...}}` for each change. One may send "
            "`{\"type\":\"accept\",\"id\",\"ref\"}` and the other moves; each is answered by `ok` "
            "or `error` with the same ref.",
        .roles = ROLE_STAFF, .success = 101, .parameters = "[]",
    },
    {
        .path = "/ws/orders/{id}", .id = "watchOrderSocket", .tag = "Live",
        .summary = "One order, live, on a WebSocket",
        .description =
            "As the server-sent events, for clients that also want to speak: "
            "`{\"type\":\"order\",\"order\":{...}}` at once and for each change, closed with 1000 "
            "after a final state. The bearer token comes as on /ws/queue, and the same moves may be sent.",
        .roles = SIGNED_IN, .success = 101,
        .parameters = "[{\"name\":\"id\",\"in\":\"path\",\"required\":true,"
                      "\"schema\":{\"type\":\"string\",\"format\":\"uuid\"},"
                      "\"example\":\"019aa1f0-5c3e-7000-8000-00000000cafe\"}]",
    },
    {
        .path = "/healthz", .id = "healthz", .tag = "Service",
        .summary = "Is the process alive?", .description = "Asks nobody else.",
        .roles = ROLE_ANYONE, .success = 200, .type = "application/json",
        .schema = HEALTH_SCHEMA, .parameters = "[]",
    },
    {
        .path = "/readyz", .id = "readyz", .tag = "Service",
        .summary = "Should it get requests?",
        .description = "One field per dependency: ok or degraded.",
        .roles = ROLE_ANYONE, .success = 200, .type = "application/json",
        .schema = HEALTH_SCHEMA, .parameters = "[]",
        .also = 503,
        .also_says = "Not now: starting, draining, or without what it cannot do without",
    },
    {
        .path = "/openapi.json", .id = "openapi", .tag = "Service",
        .summary = "This document", .description = "",
        .roles = ROLE_ANYONE, .success = 200, .type = "application/json",
        .schema = "{\"type\":\"object\"}", .parameters = "[]",
    },
    {
        .path = "/docs", .id = "docs", .tag = "Service",
        .summary = "This document, to be read",
        .description = "Works without the internet.",
        .roles = ROLE_ANYONE, .success = 200, .type = "text/html",
        .schema = "{\"type\":\"string\"}", .parameters = "[]",
    },
  /* clang-format on */
};

static void put_success(struct text *out, const struct extra_path *path)
{
    put_open(out, arena_printf(out->arena, "%d", path->success), '{');
    put_text(out, "description", path->success == 101 ? "The WebSocket is open" : "The answer");
    if (path->type) {
        put_open(out, "content", '{');
        put_open(out, path->type, '{');
        put_raw(out, "schema", path->schema);
        put_close(out, '}');
        put_close(out, '}');
    }
    put_close(out, '}');
}

static void put_extra(struct text *out, struct problem_sets *problems,
                      const struct extra_path *path)
{
    bool signed_in = !(path->roles & ROLE_ANYONE);

    put_open(out, "get", '{');
    put_text(out, "operationId", path->id);
    put_open(out, "tags", '[');
    put_text(out, NULL, path->tag);
    put_close(out, ']');
    put_text(out, "summary", path->summary);
    put_text_if_any(out, "description", path->description);
    put_who(out, path->roles);
    put_raw(out, "parameters", path->parameters);
    put_open(out, "responses", '{');
    put_success(out, path);
    if (path->also) {
        put_open(out, arena_printf(out->arena, "%d", path->also), '{');
        put_text(out, "description", path->also_says);
        put_close(out, '}');
    }
    put_stream_problem_responses(out, problems, signed_in, strchr(path->path, '{') != NULL);
    put_close(out, '}');
    put_close(out, '}');
}

void put_extra_paths(struct text *out, struct problem_sets *problems)
{
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        put_open(out, paths[i].path, '{');
        put_extra(out, problems, &paths[i]);
        put_close(out, '}');
    }
}
