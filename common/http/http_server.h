/* An HTTP/1.1 server. libmicrohttpd stays behind this folder. Handlers run on the server's epoll
 * threads and never block: one that must wait for something suspends the request and finishes it
 * from any thread. */
#ifndef COMMON_HTTP_HTTP_SERVER_H
#define COMMON_HTTP_HTTP_SERVER_H

#include "common/base/ctx.h"

#include <stdbool.h>
#include <stddef.h>

struct http_server;
struct http_request; /* lives until its reply was sent; memory in its ctx's arena */
struct http_stream;  /* a reply that goes on: SSE, CSV */
struct http_socket;  /* a WebSocket */

struct http_options {
    const char *address; /* "127.0.0.1" */
    int port;            /* 0: any; http_server_port() tells */
    int threads;         /* 0: one a core */
    size_t max_body;     /* 0: 64 KiB; above it: 413 before the rest is read */
    /* How much more than max_body this one may have, asked once its head is there; NULL: none may.
     * What it takes of memory it takes until the reply was sent: arena_defer() tells when. */
    size_t (*allow_body)(struct ctx *ctx, struct http_request *request, void *user);
    /* What bodies up to max_body may take together, until their replies were sent; 0: 16 MiB. When
     * it is used up, who holds the most of those that have been sending for longer than slow_ms (0:
     * 1000) is cut; where nobody has, who comes is refused: PROBLEM_OVERLOADED. Larger ones are
     * allow_body's. */
    size_t body_memory;
    int slow_ms;
    int max_connections;             /* 0: 2000 */
    int max_connections_per_address; /* 0: no bound */
    int idle_timeout_s;              /* 0: 30; also how long a slow client may take for a request */
    int longest_read_s; /* 0: 120; for one that is allowed more, if it sends steadily */
    int ping_ms; /* of WebSockets; 0: 15000. A client that is silent for twice as long is gone */
    /* Called once for each complete request (or one that was refused while it was read:
     * http_refused()). It must call exactly one of http_reply(), http_stream_open(),
     * http_socket_accept(), now or later. */
    void (*handle)(struct ctx *ctx, struct http_request *request, void *user);
    void *user;
};

struct http_server *
http_server_start(const struct http_options *options); /* NULL: the reason is logged */
int http_server_port(const struct http_server *server);
/* Takes no new connections, ends streams, tells kept connections to close, and waits for what
 * runs. */
void http_server_drain(struct http_server *server, int grace_ms);
/* NULL is fine. Handlers that have not replied are waited for; clients that still send are cut, and
 * after a while those that do not read. */
void http_server_free(struct http_server *server);

/* What is under way now, for gauges. */
struct http_load {
    int requests, streams, sockets;
    size_t body_bytes; /* of body_memory */
};
void http_server_load(const struct http_server *server, struct http_load *load);

const char *http_method(const struct http_request *request);
const char *http_path(const struct http_request *request); /* percent-decoding is the router's: */
/* Decodes %41 in place, and '+' too in a query; false when an escape is broken, or the outcome has
 * a NUL or is not UTF-8. */
bool http_decode(char *text, bool plus_is_space);
/* NULL: absent. Lines of one name are one list, joined by ", ". */
const char *http_header(const struct http_request *request, const char *name);
const char *
http_client_address(const struct http_request *request); /* of the connection, as text */
const char *http_body(const struct http_request *request, size_t *size);
/* Each query parameter in order, decoded; return false to stop. A parameter that is not UTF-8 or
 * has a NUL is bad. */
void http_query(const struct http_request *request,
                bool (*each)(const char *name, const char *value, void *user), void *user);
/* PROBLEM_NONE, or why the request was not read to its end: TOO_LARGE, HEADERS_TOO_LARGE,
 * URI_TOO_LONG, BAD_REQUEST, or OVERLOADED when others' bodies have all the memory. It then has no
 * body. */
enum problem http_refused(const struct http_request *request);
/* What its body may have, in bytes. */
size_t http_allowed_body(const struct http_request *request);
bool http_client_gone(const struct http_request *request);

struct http_reply {
    int code;
    const char *type; /* content type; NULL: none */
    const char *body; /* copied unless body_is_static */
    size_t size;
    bool body_is_static; /* or in the request's arena, which lives until the reply was sent */
};

void http_reply_header(struct http_request *request, const char *name, const char *value);
/* From any thread; ctx and request are gone once it returns. */
void http_reply(struct http_request *request, const struct http_reply *reply);
/* Closes the connection without an answer, as a server that dies would: for stand-ins in tests. */
void http_hang_up(struct http_request *request);

/* A chunked reply that is fed from any thread. 'closed' is told once, when the client is gone or
 * the end was sent. A write is refused (false) when max_queued bytes wait already: the client is
 * too slow. The size of what is written is the caller's to bound. The request's ctx lives no longer
 * than this call. */
struct http_stream *http_stream_open(struct http_request *request, int code, const char *type,
                                     size_t max_queued, void (*closed)(void *user), void *user);
bool http_stream_write(struct http_stream *stream, const char *bytes, size_t size);
void http_stream_end(struct http_stream *stream);
void http_stream_unref(struct http_stream *stream); /* the opener's reference */

/* A WebSocket: the handshake is checked, then frames are handled on a thread of the server. */
struct http_socket_events {
    void (*text)(struct http_socket *socket, const char *text, size_t size, void *user);
    void (*closed)(struct http_socket *socket, void *user); /* once, last */
};
bool http_socket_is_wanted(const struct http_request *request); /* a valid handshake */
/* NULL when the request is no valid upgrade; then reply as usual. 'protocol' is echoed when not
 * NULL. */
struct http_socket *http_socket_accept(struct http_request *request, const char *protocol,
                                       const struct http_socket_events *events, void *user);
/* False: over, or too slow: 256 KiB wait already. Bounded as a stream's writes are. */
bool http_socket_send(struct http_socket *socket, const char *text, size_t size);
bool http_socket_has_room(struct http_socket *socket); /* a text would be taken now */
/* 1000 comes after all that was sent; any other code at once, even while a 1000 waits. 'reason' is
 * a constant. */
void http_socket_close(struct http_socket *socket, int code, const char *reason);
void http_socket_unref(struct http_socket *socket);

#endif
