/* See raw_client.h. */
#include "tests/helpers/raw_client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 30000 };

int raw_connect(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

bool raw_send_bytes(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t count = send(fd, at, size, MSG_NOSIGNAL);

        if (count <= 0) {
            return false;
        }
        at += count;
        size -= (size_t)count;
    }
    return true;
}

bool raw_send(int fd, const char *text)
{
    return raw_send_bytes(fd, text, strlen(text));
}

static ssize_t read_some(int fd, char *buffer, size_t size, int quiet_ms)
{
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    if (poll(&ready, 1, quiet_ms) <= 0) {
        return -1;
    }
    return recv(fd, buffer, size, 0);
}

size_t raw_read(int fd, char *buffer, size_t size, int quiet_ms)
{
    size_t length = 0;

    while (length + 1 < size) {
        ssize_t count = read_some(fd, buffer + length, size - length - 1, quiet_ms);

        if (count <= 0) {
            break;
        }
        length += (size_t)count;
    }
    buffer[length] = '\0';
    return length;
}

bool raw_read_until(int fd, char *buffer, size_t size, const char *text, int quiet_ms)
{
    size_t length = 0;

    buffer[0] = '\0';
    while (length + 1 < size && !strstr(buffer, text)) {
        ssize_t count = read_some(fd, buffer + length, 1, quiet_ms);

        if (count <= 0) {
            return false;
        }
        length += (size_t)count;
        buffer[length] = '\0';
    }
    return strstr(buffer, text) != NULL;
}

bool raw_is_closed(int fd, int within_ms)
{
    char dropped[4096];
    ssize_t count;

    do {
        count = read_some(fd, dropped, sizeof(dropped), within_ms);
    } while (count > 0);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    return count == 0 || (count < 0 && poll(&ready, 1, 0) > 0);
}

const char *raw_header(const struct raw_reply *reply, const char *name)
{
    static char value[1024];
    size_t length = strlen(name);

    value[0] = '\0';
    for (const char *line = strstr(reply->head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':') {
            sscanf(line + 2 + length + 1, " %1023[^\r]", value);
        }
    }
    return value;
}

static bool read_exactly(int fd, char *buffer, size_t size)
{
    for (size_t length = 0; length < size;) {
        ssize_t count = read_some(fd, buffer + length, size - length, LIMIT_MS);

        if (count <= 0) {
            return false;
        }
        length += (size_t)count;
    }
    return true;
}

static bool read_chunks(int fd, struct raw_reply *reply)
{
    char line[64];

    for (;;) {
        if (!raw_read_until(fd, line, sizeof(line), "\r\n", LIMIT_MS)) {
            return false;
        }
        size_t size = strtoul(line, NULL, 16);

        if (reply->size + size + 3 > sizeof(reply->body) ||
            !read_exactly(fd, reply->body + reply->size, size + 2)) {
            return false;
        }
        reply->size += size;
        reply->body[reply->size] = '\0';
        if (size == 0) {
            return true;
        }
    }
}

bool raw_reply_no_body(int fd, struct raw_reply *reply)
{
    memset(reply, 0, sizeof(*reply));
    return raw_read_until(fd, reply->head, sizeof(reply->head), "\r\n\r\n", LIMIT_MS) &&
           sscanf(reply->head, "HTTP/1.%*d %d", &reply->code) == 1;
}

bool raw_reply(int fd, struct raw_reply *reply)
{
    if (!raw_reply_no_body(fd, reply)) {
        return false;
    }
    if (strcmp(raw_header(reply, "Transfer-Encoding"), "chunked") == 0) {
        return read_chunks(fd, reply);
    }
    reply->size = strtoul(raw_header(reply, "Content-Length"), NULL, 10);
    return reply->size < sizeof(reply->body) && read_exactly(fd, reply->body, reply->size);
}

bool raw_frame_send(int fd, int opcode, const char *text, size_t size, bool masked)
{
    static const uint8_t mask[4] = {0x11, 0x22, 0x33, 0x44};
    uint8_t *frame = malloc(size + 14);
    size_t at = 0;

    frame[at++] = (uint8_t)(0x80 | opcode);
    if (size < 126) {
        frame[at++] = (uint8_t)((masked ? 0x80 : 0) | size);
    } else {
        frame[at++] = (uint8_t)((masked ? 0x80 : 0) | 127);
        for (int shift = 56; shift >= 0; shift -= 8) {
            frame[at++] = (uint8_t)((uint64_t)size >> shift);
        }
    }
    if (masked) {
        memcpy(frame + at, mask, sizeof(mask));
        at += sizeof(mask);
    }
    for (size_t i = 0; i < size; i++) {
        frame[at++] = (uint8_t)((uint8_t)text[i] ^ (masked ? mask[i % 4] : 0));
    }
    bool sent = raw_send_bytes(fd, frame, at);

    free(frame);
    return sent;
}

int raw_frame_read(int fd, char *buffer, size_t size, size_t *length)
{
    unsigned char head[2], more[8] = {0};

    if (!read_exactly(fd, (char *)head, sizeof(head))) {
        return -1;
    }
    *length = head[1] & 0x7f;
    size_t extra = *length == 126 ? 2 : *length == 127 ? 8 : 0;

    if (!read_exactly(fd, (char *)more, extra)) {
        return -1;
    }
    for (size_t i = 0; i < extra; i++) {
        *length = (i ? *length << 8 : 0) | more[i];
    }
    if (*length + 1 > size || !read_exactly(fd, buffer, *length)) {
        return -1;
    }
    buffer[*length] = '\0';
    return head[0] & 0x0f;
}
