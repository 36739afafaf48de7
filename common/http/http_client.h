/* Blocking HTTP calls to others (APNs, payment, OIDC, web push), over libcurl, which stays behind
 * this folder. HTTP/2 where the other side has it. A client keeps its connections and belongs to
 * one thread at a time. */
#ifndef COMMON_HTTP_HTTP_CLIENT_H
#define COMMON_HTTP_HTTP_CLIENT_H

#include "common/base/auto.h"
#include "common/base/ctx.h"

#include <stdbool.h>
#include <stddef.h>

struct http_client;

/* What a call may connect to, whatever name leads there: looked at as each socket is opened. */
enum http_reach { HTTP_ANYWHERE, HTTP_PUBLIC, HTTP_PUBLIC_OR_LOOPBACK };

struct http_client_options {
    int connect_timeout_ms; /* 0: 2000 */
    int timeout_ms;         /* for one call, and never longer than ctx has left; 0: 10000 */
    size_t max_answer;      /* 0: 1 MiB; a longer one is a failure */
    const char *ca_file;    /* NULL: the system's */
    bool http2_only;        /* prior knowledge, for a plain-text h2 fake in tests */
    enum http_reach reach;  /* other than HTTP_ANYWHERE: https only, and past any proxy */
};

struct http_client *
http_client_new(const struct http_client_options *options); /* NULL: all defaults */
void http_client_free(struct http_client *client);          /* NULL is fine */
DEFINE_AUTO(http_client, struct http_client *, http_client_free)

struct http_call {
    const char *method;         /* "POST" */
    const char *url;            /* http: or https: only; redirects are not followed */
    const char *const *headers; /* "name: value", ends with NULL; NULL: none */
    const char *body;           /* NULL: none */
    size_t size;
};

struct http_answer {
    int code;
    const char *type; /* content type, "" when there is none */
    const char *body; /* NUL-terminated; in ctx's arena */
    size_t size;
    int retry_after_s; /* 0: not said */
};

/* ST_OK when there was any answer, a 500 too. ST_TIMEOUT, ST_UNAVAILABLE (could not connect, was
 * cut) or ST_INVALID (no such URL) else. */
enum status http_client_call(struct ctx *ctx, struct http_client *client,
                             const struct http_call *call, struct http_answer *answer) MUST_CHECK;

/* For this folder: libcurl's own start, once; and what a handle of it may connect to, '*reach'
 * living as long as the handle. */
void http_client_start_library(void);
void http_client_set_reach(void *curl, const enum http_reach *reach);

/* One header of the answer of the last call, in ctx's arena; NULL: absent. */
const char *http_client_header(struct ctx *ctx, const struct http_client *client, const char *name);

#endif
