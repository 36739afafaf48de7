/* The table of what is no RPC: a line each. */
#include "gateway/extra/extra_routes.h"

#include "gateway/extra/documents.h"
#include "gateway/gateway.h"
#include "gateway/live/live.h"

#include <string.h>

static void alive(struct exchange *exchange)
{
    static const char ok[] = "{\"status\":\"ok\"}";

    exchange_reply(exchange, 200, "application/json", ok, strlen(ok));
}

static void ready(struct exchange *exchange)
{
    const char *json;
    bool is_ready = health_report(exchange->gateway->health, exchange->ctx->arena, &json);

    exchange_reply(exchange, is_ready ? 200 : 503, "application/json", json, strlen(json));
}

/* clang-format off */
const struct extra_route extra_routes[] = {
    {VERB_GET, "/healthz", ROLE_ANYONE, NULL, alive},
    {VERB_GET, "/readyz",  ROLE_ANYONE, NULL, ready},
    {VERB_GET, "/openapi.json", ROLE_ANYONE, "read", documents_openapi},
    {VERB_GET, "/orders/{id}/events", ROLE_CUSTOMER | ROLE_STAFF, "read", live_order_events},
    {VERB_GET, "/ws/queue", ROLE_STAFF, "read", live_queue},
    {VERB_GET, "/ws/orders/{id}", ROLE_CUSTOMER | ROLE_STAFF, "read", live_order},
    {0},
};
/* clang-format on */
