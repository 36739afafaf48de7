/* /healthz, /readyz and /metrics on a port of their own, which no ingress shows to the world. */
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/obs/metrics.h"
#include "common/process/admin_http.h"
#include "common/process/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { METRICS_ROOM = 32 * 1024 };

struct admin_server {
    struct admin_http *http;
    struct health *health;
    char *authorization; /* what Authorization must say; NULL: nothing */
};

static void alive(struct arena *arena, const struct admin_request *request,
                  struct admin_server *server, struct admin_reply *reply)
{
    (void)arena;
    (void)request;
    (void)server;
    reply->type = "application/json";
    reply->body = "{\"status\":\"ok\"}";
}

static void ready(struct arena *arena, const struct admin_request *request,
                  struct admin_server *server, struct admin_reply *reply)
{
    (void)request;
    reply->code = health_report(server->health, arena, &reply->body) ? 200 : 503;
    reply->type = "application/json";
}

static bool may_see_metrics(struct arena *arena, const struct admin_request *request,
                            const struct admin_server *server)
{
    const char *wanted = server->authorization;
    const char *said = wanted ? admin_header(arena, request, "Authorization") : NULL;

    return !wanted || (said && strlen(said) == strlen(wanted) &&
                       equal_in_constant_time(said, wanted, strlen(wanted)));
}

static void metrics(struct arena *arena, const struct admin_request *request,
                    struct admin_server *server, struct admin_reply *reply)
{
    const char *accept = admin_header(arena, request, "Accept");
    bool openmetrics = accept && strstr(accept, "application/openmetrics-text");

    if (!may_see_metrics(arena, request, server)) {
        *reply = (struct admin_reply){
            .code = 401, .header = "WWW-Authenticate", .value = "Basic realm=\"metrics\""};
        return;
    }
    struct text text = text_new(arena, METRICS_ROOM);

    metrics_print(&text, openmetrics);
    reply->type = openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                              : "text/plain; version=0.0.4; charset=utf-8";
    reply->body = text.data;
}

static const struct {
    const char *path;
    void (*answer)(struct arena *arena, const struct admin_request *request,
                   struct admin_server *server, struct admin_reply *reply);
} pages[] = {
    {"/healthz", alive  },
    {"/readyz",  ready  },
    {"/metrics", metrics},
};

static void answer(struct arena *arena, const struct admin_request *request,
                   struct admin_reply *reply, void *user)
{
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;

    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (strcmp(pages[i].path, request->path) != 0) {
            continue;
        }
        if (reads) {
            pages[i].answer(arena, request, user, reply);
        } else {
            *reply = (struct admin_reply){.code = 405, .header = "Allow", .value = "GET, HEAD"};
        }
        return;
    }
    reply->code = 404;
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
    if (!daemon_await_port(options->address, options->port)) {
        return NULL;
    }
    struct admin_server *server = calloc(1, sizeof(*server));

    if (!server) {
        fputs("out of memory\n", stderr);
        abort();
    }
    server->health = options->health;
    if (options->user && *options->user) {
        server->authorization = basic_authorization(options->user, options->password);
    }
    health_watch(server->health);
    server->http = admin_http_start(&(struct admin_http_options){
        .address = options->address, .port = options->port, .answer = answer, .user = server});
    if (!server->http) {
        admin_server_stop(server);
        return NULL;
    }
    return server;
}

int admin_server_port(const struct admin_server *server)
{
    return admin_http_port(server->http);
}

void admin_server_stop(struct admin_server *server)
{
    if (!server) {
        return;
    }
    admin_http_stop(server->http);
    health_unwatch(server->health);
    free(server->authorization);
    free(server);
}
