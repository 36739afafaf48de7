/* The one way out: headers that every reply has, a line in the log, a count in the histogram. */
#include "gateway/reply.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "common/obs/span.h"
#include "common/obs/trace.h"
#include "gateway/edge/edge_cors.h"
#include "gateway/edge/edge_error.h"
#include "gateway/gateway.h"
#include "gateway/routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOO_MANY = 429 }; /* a flood fills no log: the access line and the counter tell */

struct http_metrics {
    struct metric *duration;
};

static int64_t read_requests(void *user)
{
    struct http_load load = {0};
    struct gateway *gateway = user;

    if (gateway->http) {
        http_server_load(gateway->http, &load);
    }
    return load.requests;
}

static int64_t read_streams(void *user)
{
    struct http_load load = {0};
    struct gateway *gateway = user;

    if (gateway->http) {
        http_server_load(gateway->http, &load);
    }
    return load.streams + load.sockets;
}

struct http_metrics *http_metrics_new(struct gateway *gateway)
{
    static const struct metric_def duration = {
        METRIC_HISTOGRAM,
        "http_request_duration_seconds",
        "Time from the request to its reply.",
        {"route", "code"}
    };
    static const struct metric_def requests = {
        METRIC_GAUGE, "http_requests_in_flight", "Requests being worked on.", {NULL}};
    static const struct metric_def streams = {
        METRIC_GAUGE, "http_streams_open", "Event streams and WebSockets.", {NULL}};
    struct http_metrics *metrics = calloc(1, sizeof(*metrics));

    if (!metrics) {
        fputs("out of memory\n", stderr);
        abort();
    }
    metrics->duration = metric_register(&duration);
    metric_gauge_callback(&requests, read_requests, gateway);
    metric_gauge_callback(&streams, read_streams, gateway);
    return metrics;
}

void http_metrics_free(struct http_metrics *metrics)
{
    free(metrics);
}

static const char *label_of(const struct exchange *exchange)
{
    return exchange->route ? exchange->route->label : "(none)";
}

static void trace(const struct exchange *exchange, int code)
{
    struct span span = span_of(exchange->ctx, exchange->begun_us);

    if (!span.is_on) {
        return;
    }
    if (code >= 500) {
        span_failed(&span, exchange->ctx, exchange->ctx->failure.status);
    }
    span_end(&span, SPAN_SERVER, label_of(exchange),
             log_text("http.request.method", http_method(exchange->request)),
             log_text("http.route", exchange->route ? strchr(label_of(exchange), '/') : NULL),
             log_num("http.response.status_code", code),
             log_text("correlation_id", exchange->ctx->correlation_id));
}

/* Never a name, a token or an address of a person: the subject's id must do. */
static void record(const struct exchange *exchange, int code, size_t size)
{
    int64_t took_us = clock_monotonic_us() - exchange->begun_us;
    char code_text[12];

    snprintf(code_text, sizeof(code_text), "%d", code);
    metric_observe(
        METRIC_SERIES(exchange->gateway->metrics->duration, label_of(exchange), code_text),
        (double)took_us / 1e6, exchange->ctx->sampled ? exchange->ctx->trace_id : "");
    trace(exchange, code);
    if (exchange->gateway->config->access_log) {
        log_info(exchange->ctx, "request", log_text("method", http_method(exchange->request)),
                 log_text("route", label_of(exchange)), log_num("status", code),
                 log_num("us", took_us), log_num("bytes", (int64_t)size),
                 log_text("subject", exchange->ctx->caller.subject));
    }
}

static const char *limit_text(const struct exchange *exchange, const char *first, int64_t one,
                              const char *second, int64_t other)
{
    struct text text = text_new(exchange->ctx->arena, 64);

    text_add_char(&text, '"');
    text_add(&text, exchange->limit.limit_class);
    text_add_char(&text, '"');
    text_add(&text, first);
    text_add_number(&text, one);
    text_add(&text, second);
    text_add_number(&text, other);
    return text.data;
}

static void add_limit_headers(struct exchange *exchange)
{
    const struct limit_answer *limit = &exchange->limit;

    if (!limit->limit_class) {
        return;
    }
    http_reply_header(exchange->request, "RateLimit",
                      limit_text(exchange, ";r=", limit->remaining, ";t=", limit->reset_s));
    http_reply_header(exchange->request, "RateLimit-Policy",
                      limit_text(exchange, ";q=", limit->quota, ";w=", limit->window_s));
}

static void add_headers(struct exchange *exchange)
{
    char traceparent[TRACEPARENT_SIZE];

    trace_traceparent(exchange->ctx, traceparent);
    http_reply_header(exchange->request, "traceparent", traceparent);
    http_reply_header(exchange->request, "x-correlation-id", exchange->ctx->correlation_id);
    http_reply_header(exchange->request, "X-Content-Type-Options", "nosniff");
    http_reply_header(exchange->request, "Referrer-Policy", "no-referrer");
    http_reply_header(exchange->request, "X-Frame-Options", "DENY");
    add_limit_headers(exchange);
    cors_add_headers(exchange);
}

void exchange_reply(struct exchange *exchange, int code, const char *type, const char *body,
                    size_t size)
{
    add_headers(exchange);
    record(exchange, code, size);
    http_reply(exchange->request,
               &(struct http_reply){
                   .code = code, .type = type, .body = body, .size = size, .body_is_static = true});
}

/* What a client must know beside the body, by the code of the reply. */
static void add_problem_headers(struct exchange *exchange, int code)
{
    const struct failure *failure = &exchange->ctx->failure;
    int wait_s = failure->retry_after_s ? failure->retry_after_s : 1;

    http_reply_header(exchange->request, "Cache-Control", "no-store");
    if (code == 401) {
        http_reply_header(exchange->request, "WWW-Authenticate",
                          exchange->has_bad_token
                              ? "Bearer realm=\"everything\", error=\"invalid_token\""
                              : "Bearer realm=\"everything\"");
    }
    if (code == TOO_MANY || code == 503) {
        http_reply_header(exchange->request, "Retry-After",
                          arena_printf(exchange->ctx->arena, "%d", wait_s));
    }
}

void exchange_problem(struct exchange *exchange)
{
    struct ctx *ctx = exchange->ctx;
    struct text body = text_new(ctx->arena, 512);

    if (ctx->failure.status == ST_OK) {
        fail_with(ctx, ST_INTERNAL, "", "a problem without a failure");
    }
    int code = problem_http(ctx->failure.problem);

    if (code != TOO_MANY && (code >= 500 || exchange->gateway->config->access_log)) {
        log_failure(ctx, label_of(exchange));
    }
    problem_write(&body, ctx);
    add_problem_headers(exchange, code);
    exchange_reply(exchange, code, "application/problem+json", body.data, body.length);
}

struct http_stream *exchange_stream(struct exchange *exchange, size_t max_queued,
                                    void (*closed)(void *user), void *user)
{
    add_headers(exchange);
    http_reply_header(exchange->request, "Cache-Control", "no-store");
    http_reply_header(exchange->request, "X-Accel-Buffering", "no");
    record(exchange, 200, 0);
    return http_stream_open(exchange->request, 200, "text/event-stream", max_queued, closed, user);
}

struct http_socket *exchange_socket(struct exchange *exchange, const char *protocol,
                                    const struct http_socket_events *events, void *user)
{
    if (!http_socket_is_wanted(exchange->request)) {
        return NULL;
    }
    record(exchange, 101, 0);
    return http_socket_accept(exchange->request, protocol, events, user);
}
