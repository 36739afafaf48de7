/* Many calls to one host at once, on one HTTP/2 connection: what http_multi.h does, at a quarter of
 * its CPU, for a host that speaks nothing else. libcurl opens the connection (names, proxies, TLS),
 * nghttp2 speaks on it. For APNs. */
#ifndef COMMON_HTTP_HTTP2_H
#define COMMON_HTTP_HTTP2_H

#include "common/http/http_multi.h"

struct http2;

/* 'origin': "https://host:port". The thread comes with the first call, the connection too; it is
 * closed when nothing was said for two minutes. */
struct http2 *http2_start(const char *origin, const struct http_multi_options *options);
/* Ends what is under way: it is done with code 0. NULL is fine. */
void http2_stop(struct http2 *http2);
/* From any thread. call->url is the path alone: "/3/device/...". The names of call->headers are in
 * lower case. A call is sent again, once, if the host says that it has not looked at it. */
void http2_post(struct http2 *http2, struct http_multi_call *call);

#endif
