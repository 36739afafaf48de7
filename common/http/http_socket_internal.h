/* A WebSocket, as http_upgrade.c makes it and http_socket.c runs it. */
#ifndef COMMON_HTTP_HTTP_SOCKET_INTERNAL_H
#define COMMON_HTTP_HTTP_SOCKET_INTERNAL_H

#include "common/http/http_internal.h"

#include <wslay/wslay.h>

struct message {
    struct message *next;
    size_t size;
    char text[];
};

struct http_socket {
    struct watch watch; /* first: the loop hands it back */
    struct http_server *server;
    struct http_socket *next, *previous; /* under server->lock */
    struct http_socket_events handlers;
    void *user;
    struct MHD_UpgradeResponseHandle *handle;
    atomic_int refs;      /* opener, connection, and the loop once it is open */
    pthread_mutex_t lock; /* what follows is under it: wslay has none of its own */
    wslay_event_context_ptr frames;
    struct message *arrived;
    char *early; /* bytes that came behind the request */
    size_t early_size;
    size_t turn_left; /* bytes that may still be read in this turn */
    uint32_t events;
    const char *last_words; /* of a close that comes after all that was sent; NULL: none waits */
    int64_t heard_ms, pinged_ms, closing_since_ms;
    bool open, broken, dead;
};

void http_socket_make_frames(struct http_socket *socket);
void http_socket_start(struct http_socket *socket, int fd,
                       struct MHD_UpgradeResponseHandle *handle);

#endif
