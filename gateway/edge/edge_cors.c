/* See edge_cors.h. Tokens travel in a header, never in a cookie: no credentials are allowed. */
#include "gateway/edge/edge_cors.h"

#include "gateway/gateway.h"

#include <string.h>

static bool is_listed(const char *list, const char *origin)
{
    size_t length = strlen(origin);

    while (*list) {
        list += strspn(list, " ,");
        size_t item = strcspn(list, " ,");

        if ((item == length && strncmp(list, origin, length) == 0) || (item == 1 && *list == '*')) {
            return true;
        }
        list += item;
    }
    return false;
}

void cors_add_headers(struct exchange *exchange)
{
    const char *allowed = exchange->gateway->config->cors_origins;
    const char *origin = http_header(exchange->request, "Origin");

    if (!*allowed) {
        return;
    }
    http_reply_header(exchange->request, "Vary", "Origin");
    if (origin && is_listed(allowed, origin)) {
        http_reply_header(exchange->request, "Access-Control-Allow-Origin", origin);
        http_reply_header(exchange->request, "Access-Control-Expose-Headers",
                          "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, "
                          "x-correlation-id");
    }
}

void cors_answer_options(struct exchange *exchange, const char *verbs)
{
    struct http_request *request = exchange->request;

    http_reply_header(request, "Allow", verbs);
    if (*exchange->gateway->config->cors_origins &&
        http_header(request, "Access-Control-Request-Method")) {
        http_reply_header(request, "Access-Control-Allow-Methods", verbs);
        http_reply_header(request, "Access-Control-Allow-Headers",
                          "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, "
                          "Last-Event-ID, traceparent, x-correlation-id");
        http_reply_header(request, "Access-Control-Max-Age", "600");
    }
    exchange_reply(exchange, 204, NULL, "", 0);
}
