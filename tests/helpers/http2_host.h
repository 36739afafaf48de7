/* An HTTP/2 host that a test plays itself, frame by frame and without a library for that: TLS on a
 * port of loopback, with a certificate of its own, or plain text. A step that gets nothing within
 * PATIENCE_MS fails the test. */
#ifndef TESTS_HELPERS_HTTP2_HOST_H
#define TESTS_HELPERS_HTTP2_HOST_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { H2_DATA = 0, H2_HEADERS = 1, H2_RST_STREAM = 3, H2_SETTINGS = 4, H2_PING = 6 };
enum { H2_GOAWAY = 7, H2_WINDOW_UPDATE = 8 };
enum { H2_ACK = 1, H2_END_STREAM = 1, H2_END_HEADERS = 4 };
enum { H2_NO_ERROR = 0, H2_REFUSED_STREAM = 7, H2_CANCEL = 8, H2_LARGEST = 16 * 1024 };

struct http2_host {
    int listener, port;
    SSL_CTX *tls;
    char url[40];     /* "https://127.0.0.1:PORT" */
    char ca_file[40]; /* what a client must trust */
};

struct http2_peer { /* one connection of a client */
    int fd;
    SSL *tls; /* NULL: it was not made, or this is plain text */
};

struct http2_frame {
    size_t size;
    uint8_t type, flags;
    uint32_t stream;
    uint8_t payload[H2_LARGEST];
};

void http2_host_start(struct http2_host *host);
void http2_host_stop(struct http2_host *host);

/* The next client, with TLS and its preface. */
struct http2_peer http2_host_accept(struct http2_host *host);
/* With TLS alone, which may have failed. What is sent until the socket is uncorked goes with the
 * end of the handshake, in one piece, if that is TLS 1.2's. */
struct http2_peer http2_host_accept_tls(struct http2_host *host, bool corked);
int http2_host_accept_tcp(struct http2_host *host);
bool http2_host_is_called(const struct http2_host *host); /* somebody waits to be accepted */
void http2_peer_close(struct http2_peer *peer);

bool http2_peer_read_bytes(struct http2_peer *peer, void *bytes, size_t size);
bool http2_peer_read(struct http2_peer *peer, struct http2_frame *frame); /* false: it closed */
void http2_peer_send_bytes(struct http2_peer *peer, const void *bytes, size_t size);
void http2_peer_send(struct http2_peer *peer, int type, int flags, uint32_t stream,
                     const void *payload, size_t size);
void http2_peer_send_number(struct http2_peer *peer, int type, uint32_t stream, uint32_t number);

/* SETTINGS: so many calls at once. */
void http2_peer_settle(struct http2_peer *peer, uint32_t streams);
void http2_peer_answer(struct http2_peer *peer, uint32_t stream); /* 200, without a body */
void http2_peer_go_away(struct http2_peer *peer, uint32_t last_stream);
uint32_t http2_number(const uint8_t *bytes); /* of the network's order */

#endif
