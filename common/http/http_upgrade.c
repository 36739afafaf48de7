/* The handshake that makes a WebSocket of a request (RFC 6455, 4.2). */
#include "common/http/http_socket_internal.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LENGTH = 24, SHA1_SIZE = 20, ACCEPT_SIZE = 32 };

/* Whether a list such as "keep-alive, Upgrade" names the word. */
static bool lists(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *at = list; at && *at;) {
        at += strspn(at, " \t,");
        size_t item = strcspn(at, " \t,");

        if (item == length && strncasecmp(at, word, length) == 0) {
            return true;
        }
        at += item;
    }
    return false;
}

/* 16 bytes in base64. */
static bool is_key(const char *key)
{
    return key && strlen(key) == KEY_LENGTH && strcmp(key + KEY_LENGTH - 2, "==") == 0 &&
           strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") ==
               KEY_LENGTH - 2;
}

bool http_socket_is_wanted(const struct http_request *request)
{
    const char *version = http_header(request, "Sec-WebSocket-Version");

    return strcmp(request->method, "GET") == 0 && request->size == 0 &&
           lists(http_header(request, "Upgrade"), "websocket") &&
           lists(http_header(request, "Connection"), "upgrade") && version &&
           strcmp(version, "13") == 0 && is_key(http_header(request, "Sec-WebSocket-Key"));
}

static void add_accept(const struct http_request *request, struct MHD_Response *response)
{
    unsigned char digest[SHA1_SIZE];
    char joined[80], accept[ACCEPT_SIZE];

    snprintf(joined, sizeof(joined), "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
             http_header(request, "Sec-WebSocket-Key"));
    EVP_Digest(joined, strlen(joined), digest, NULL, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof(digest));
    MHD_add_response_header(response, "Sec-WebSocket-Accept", accept);
}

/* NOLINTNEXTLINE(readability-function-size): the signature is libmicrohttpd's */
static void upgraded(void *user, struct MHD_Connection *mhd, void *request, const char *early,
                     size_t early_size, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    struct http_socket *socket = user;

    (void)mhd;
    (void)request;
    if (early_size) {
        socket->early = http_must(malloc(early_size));
        memcpy(socket->early, early, early_size);
        socket->early_size = early_size;
    }
    http_socket_start(socket, fd, handle);
}

static struct http_socket *make(struct http_request *request,
                                const struct http_socket_events *events, void *user)
{
    struct http_socket *socket = http_must(calloc(1, sizeof(*socket)));
    struct http_server *server = request->server;

    socket->server = server;
    socket->handlers = *events;
    socket->user = user;
    atomic_init(&socket->refs, 2);
    pthread_mutex_init(&socket->lock, NULL);
    http_socket_make_frames(socket);
    request->conn->socket = socket;

    pthread_mutex_lock(&server->lock);
    socket->next = server->sockets;
    if (socket->next) {
        socket->next->previous = socket;
    }
    server->sockets = socket;
    pthread_mutex_unlock(&server->lock);
    atomic_fetch_add(&server->open_sockets, 1);
    return socket;
}

struct http_socket *http_socket_accept(struct http_request *request, const char *protocol,
                                       const struct http_socket_events *events, void *user)
{
    if (!http_socket_is_wanted(request)) {
        return NULL;
    }
    struct http_socket *socket = make(request, events, user);
    struct MHD_Response *response = http_must(MHD_create_response_for_upgrade(upgraded, socket));

    MHD_add_response_header(response, "Upgrade", "websocket");
    add_accept(request, response);
    if (protocol) {
        MHD_add_response_header(response, "Sec-WebSocket-Protocol", protocol);
    }
    http_request_respond(request, MHD_HTTP_SWITCHING_PROTOCOLS, response, true);
    return socket;
}
