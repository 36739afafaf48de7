/* The smallest HTTP server that kubelets, Prometheus and curl need, for the admin port alone: one
 * thread, one request a connection, nothing read but its head. It spares the daemons behind the
 * gateway a whole HTTP library with its TLS (ADR 0017). Internal to common/process. */
#ifndef COMMON_PROCESS_ADMIN_HTTP_H
#define COMMON_PROCESS_ADMIN_HTTP_H

#include "common/base/arena.h"

#include <stdint.h>

enum { ADMIN_MAX_HEAD = 8 * 1024, ADMIN_MAX_CONNECTIONS = 32, ADMIN_PATIENCE_MS = 5000 };

struct admin_request {
    const char *method, *path; /* without the query */
    char *headers;             /* their lines, each ended by CR LF */
};

/* The value of the first header of that name, in the arena; NULL: absent. */
const char *admin_header(struct arena *arena, const struct admin_request *request,
                         const char *name);

struct admin_reply {
    int code;
    const char *type;           /* of the body; NULL: none */
    const char *header, *value; /* one more; NULL: none */
    const char *body;           /* in the arena, or static */
};

struct admin_http;

struct admin_http_options {
    const char *address; /* an IP */
    int port;            /* 0: any */
    /* On the thread that serves all: it must not wait for anybody. */
    void (*answer)(struct arena *arena, const struct admin_request *request,
                   struct admin_reply *reply, void *user);
    void *user;
};

/* Whoever is slow is cut off after ADMIN_PATIENCE_MS, and earlier where another needs the place.
 * NULL: the reason is logged. */
struct admin_http *admin_http_start(const struct admin_http_options *options);
int admin_http_port(const struct admin_http *http);
void admin_http_stop(struct admin_http *http); /* what is being sent is sent, for a second */

/* For admin_http.c, and its test: the head of a request, ended by an empty line, which is taken
 * apart in place. 0, or the code that refuses it. */
int admin_head_parse(char *head, size_t size, struct admin_request *request);

#endif
