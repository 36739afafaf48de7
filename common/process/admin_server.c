/* /healthz, /readyz and /metrics on a port of their own, which no ingress shows to the world. */
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/http/http_server.h"
#include "common/obs/metrics.h"
#include "common/process/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DRAIN_MS = 1000, MAX_SCRAPERS = 50, METRICS_ROOM = 32 * 1024 };

struct admin_server {
    struct http_server *http;
    struct health *health;
    char *authorization; /* what Authorization must say; NULL: nothing */
};

static void reply(struct http_request *request, int code, const char *type, const char *body)
{
    http_reply(request, &(struct http_reply){.code = code,
                                             .type = type,
                                             .body = body,
                                             .size = strlen(body),
                                             .body_is_static = true});
}

static void alive(struct ctx *ctx, struct http_request *request, struct admin_server *server)
{
    (void)ctx;
    (void)server;
    reply(request, 200, "application/json", "{\"status\":\"ok\"}");
}

static void ready(struct ctx *ctx, struct http_request *request, struct admin_server *server)
{
    const char *json;
    bool ok = health_report(server->health, ctx->arena, &json);

    reply(request, ok ? 200 : 503, "application/json", json);
}

static bool may_see_metrics(const struct http_request *request, const struct admin_server *server)
{
    const char *said = http_header(request, "Authorization");
    const char *wanted = server->authorization;

    return !wanted || (said && strlen(said) == strlen(wanted) &&
                       equal_in_constant_time(said, wanted, strlen(wanted)));
}

static void metrics(struct ctx *ctx, struct http_request *request, struct admin_server *server)
{
    const char *accept = http_header(request, "Accept");
    bool openmetrics = accept && strstr(accept, "application/openmetrics-text");

    if (!may_see_metrics(request, server)) {
        http_reply_header(request, "WWW-Authenticate", "Basic realm=\"metrics\"");
        reply(request, 401, "text/plain", "");
        return;
    }
    struct text text = text_new(ctx->arena, METRICS_ROOM);

    metrics_print(&text, openmetrics);
    reply(request, 200,
          openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                      : "text/plain; version=0.0.4; charset=utf-8",
          text.data);
}

static void handle(struct ctx *ctx, struct http_request *request, void *user)
{
    static const struct {
        const char *path;
        void (*answer)(struct ctx *ctx, struct http_request *request, struct admin_server *server);
    } pages[] = {
        {"/healthz", alive  },
        {"/readyz",  ready  },
        {"/metrics", metrics},
    };

    if (http_refused(request) != PROBLEM_NONE) {
        reply(request, problem_http(http_refused(request)), "text/plain", "");
        return;
    }
    bool reads =
        strcmp(http_method(request), "GET") == 0 || strcmp(http_method(request), "HEAD") == 0;

    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (reads && strcmp(pages[i].path, http_path(request)) == 0) {
            pages[i].answer(ctx, request, user);
            return;
        }
    }
    reply(request, 404, "text/plain", "");
}

/* crypto.h has the alphabet for URLs; Basic wants the older one, padded. */
static char *basic_authorization(const char *user, const char *password)
{
    AUTO(arena) struct arena *arena = arena_new(1024);
    const char *pair = arena_printf(arena, "%s:%s", user, password);
    char *encoded = base64url_encode(arena, pair, strlen(pair));

    for (char *c = encoded; *c; c++) {
        if (*c == '-') {
            *c = '+';
        } else if (*c == '_') {
            *c = '/';
        }
    }
    static const char *const padding[] = {"", "", "==", "="};
    char *line = NULL;

    if (asprintf(&line, "Basic %s%s", encoded, padding[strlen(encoded) % 4]) < 0) {
        abort();
    }
    return line;
}

struct admin_server *admin_server_start(const struct admin_options *options)
{
    struct admin_server *server = calloc(1, sizeof(*server));

    if (!server) {
        fputs("out of memory\n", stderr);
        abort();
    }
    server->health = options->health;
    if (options->user && *options->user) {
        server->authorization = basic_authorization(options->user, options->password);
    }
    server->http = http_server_start(&(struct http_options){.address = options->address,
                                                            .port = options->port,
                                                            .threads = 1,
                                                            .max_connections = MAX_SCRAPERS,
                                                            .handle = handle,
                                                            .user = server});
    if (!server->http) {
        admin_server_stop(server);
        return NULL;
    }
    return server;
}

int admin_server_port(const struct admin_server *server)
{
    return http_server_port(server->http);
}

void admin_server_stop(struct admin_server *server)
{
    if (!server) {
        return;
    }
    if (server->http) {
        http_server_drain(server->http, DRAIN_MS);
        http_server_free(server->http);
    }
    free(server->authorization);
    free(server);
}
