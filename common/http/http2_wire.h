/* For this folder: the bytes of one TLS connection. libcurl resolves, passes proxies, shakes hands
 * and checks who answers; it knows nothing of what is said then (CURLOPT_CONNECT_ONLY). */
#ifndef COMMON_HTTP_HTTP2_WIRE_H
#define COMMON_HTTP_HTTP2_WIRE_H

#include "common/http/http_multi.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

struct http2_wire {
    CURLM *multi; /* one for all connections: it is what wakes the thread */
    CURL *curl;   /* NULL: no connection, and none is being opened */
    bool is_open;
    curl_socket_t socket;
    const char *error;
    bool timed_out; /* one of the errors */
};

void http2_wire_init(struct http2_wire *wire);
void http2_wire_destroy(struct http2_wire *wire);

/* The options live as long as the connection. */
void http2_wire_connect(struct http2_wire *wire, const char *origin,
                        const struct http_multi_options *options);
/* While it is being opened: goes on with that. False, with the error: it cannot be. */
bool http2_wire_step(struct http2_wire *wire);
void http2_wire_close(struct http2_wire *wire);

/* Until there is something to read, room to write if that is wanted, or another thread woke it. */
void http2_wire_wait(struct http2_wire *wire, bool to_write, int most_ms);
void http2_wire_wake(struct http2_wire *wire); /* from any thread */

/* How many bytes; 0: none now. -1, with the error: the connection is gone. */
ptrdiff_t http2_wire_read(struct http2_wire *wire, void *bytes, size_t room);
ptrdiff_t http2_wire_write(struct http2_wire *wire, const void *bytes, size_t size);

#endif
