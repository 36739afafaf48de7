/* HTTP by hand over a socket, for what libcurl will not send: halves, garbage, pipelines, WebSocket
 * frames. A step that takes more than 30 seconds fails. */
#ifndef TESTS_HELPERS_RAW_CLIENT_H
#define TESTS_HELPERS_RAW_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

int raw_connect(int port);               /* 127.0.0.1; -1 when nobody listens */
bool raw_send(int fd, const char *text); /* false: the other side has closed */
bool raw_send_bytes(int fd, const void *bytes, size_t size);
/* What comes until the other side closes, or nothing came for quiet_ms. NUL-terminated. */
size_t raw_read(int fd, char *buffer, size_t size, int quiet_ms);
/* Until the text was seen (it is then the end of the buffer's contents or before); false after
 * quiet_ms. */
bool raw_read_until(int fd, char *buffer, size_t size, const char *text, int quiet_ms);
bool raw_is_closed(int fd, int within_ms); /* reads and drops what still comes */

struct raw_reply {
    int code;
    char head[8192];
    char body[65536];
    size_t size;
};
/* Exactly one reply, by Content-Length or chunks; what follows stays in the socket. */
bool raw_reply(int fd, struct raw_reply *reply);
bool raw_reply_no_body(int fd, struct raw_reply *reply); /* to a HEAD */
/* The value of a header of a reply; "" when there is none. Valid until the next call. */
const char *raw_header(const struct raw_reply *reply, const char *name);

/* One masked frame of a WebSocket client; mask 0: sent without, which servers must refuse. */
bool raw_frame_send(int fd, int opcode, const char *text, size_t size, bool masked);
/* One frame of the server; its opcode, or -1. */
int raw_frame_read(int fd, char *buffer, size_t size, size_t *length);

#endif
