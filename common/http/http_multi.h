/* Many HTTPS calls at once, to any hosts, over libcurl's multi interface, on a thread of its own:
 * one connection a host, HTTP/2 where that is spoken, which is left when nobody is answered there
 * in time. For Web Push; who has one host and much to say takes http2.h. */
#ifndef COMMON_HTTP_HTTP_MULTI_H
#define COMMON_HTTP_HTTP_MULTI_H

#include "common/base/auto.h"
#include "common/http/http_client.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_multi;

struct http_multi_options {
    int streams;            /* calls under way at once; the others wait in line; 0: 100 */
    int connect_timeout_ms; /* 0: 5000 */
    int timeout_ms;         /* of one call once it has begun; 0: 20000 */
    const char *ca_file;    /* NULL: the system's */
    enum http_reach reach;  /* as in http_client.h */
};

enum { HTTP_MULTI_ANSWER = 256, HTTP_MULTI_HEADERS = 12 };

struct http_multi_answer {
    int code; /* 0: none came, and 'error' says why */
    const char *error;
    bool timed_out;               /* one of the errors */
    char body[HTTP_MULTI_ANSWER]; /* the beginning; NUL-terminated */
    int retry_after_s;            /* 0: not said */
};

/* The caller's memory, with all it points at, until done() was called: from the thread of the
 * multi, which it must not hold up, and exactly once. */
struct http_multi_call {
    const char *url;
    const char *headers[HTTP_MULTI_HEADERS]; /* "name: value", ends with NULL */
    int shared; /* so many of these lines come with most calls: http2.h sends them once */
    const char *body;
    size_t size;
    void (*done)(struct http_multi_call *call, const struct http_multi_answer *answer);
    void *user;
    struct http_multi_call *next; /* of whom it was posted to, as the next two */
    int64_t posted_ms;
    bool was_refused;
};

/* The thread and libcurl come with the first call. */
struct http_multi *http_multi_start(const struct http_multi_options *options);
/* Ends what is under way: it is done with code 0. NULL is fine. */
void http_multi_stop(struct http_multi *multi);
/* From any thread. */
void http_multi_post(struct http_multi *multi, struct http_multi_call *call);

/* For this folder: to whom, how and for how long a handle of libcurl may connect. The options live
 * as long as the handle. */
void http_multi_set_connection(void *curl, const struct http_multi_options *options);

#endif
