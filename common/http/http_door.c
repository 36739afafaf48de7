/* The port. libmicrohttpd could listen itself, but its MHD_quiesce_daemon() takes the socket out of
 * its threads' sets while they do so themselves when they see it coming: the one who is late ends
 * the process (0.9.75). So the loop accepts, and hands each connection to one of the threads. It
 * also keeps the limit: who comes when all is full waits here, where a thread would close it. */
#include "common/http/http_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { TURN = 64 }; /* accepted before others have a turn */

struct http_door {
    struct watch watch;
    struct http_server *server;
    pthread_mutex_t lock; /* held while one is let in: none is, once it was closed */
    bool is_closed, rests;
};

static bool is_full(const struct http_server *server)
{
    return atomic_load(&server->open_conns) >= server->options.max_connections;
}

/* False: nobody waits, or nobody can be let in just now. */
static bool let_in(struct http_door *door)
{
    union socket_address address;
    socklen_t size = sizeof(address);

    if (door->is_closed) {
        return false;
    }
    bool full = is_full(door->server);
    int fd = full ? -1 : accept4(door->watch.fd, &address.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        atomic_fetch_add(&door->server->arrivals, 1);
        atomic_fetch_add(&door->server->open_conns, 1);
        if (MHD_add_connection(door->server->daemon, fd, &address.any, size) != MHD_YES) {
            atomic_fetch_sub(&door->server->open_conns, 1); /* of one address too many: closed */
        }
        return true;
    }
    door->rests = full || (errno != EAGAIN && errno != ECONNABORTED);
    return false;
}

static void ready(struct watch *watch, uint32_t events)
{
    struct http_door *door = (struct http_door *)watch;

    (void)events;
    pthread_mutex_lock(&door->lock);
    for (int i = 0; i < TURN && let_in(door); i++) {
    }
    if (door->rests) {
        loop_change(door->server->loop, watch, 0);
    }
    pthread_mutex_unlock(&door->lock);
}

void http_door_look(struct http_door *door)
{
    pthread_mutex_lock(&door->lock);
    if (door->rests && !door->is_closed) {
        door->rests = false;
        loop_change(door->server->loop, &door->watch, EPOLLIN);
    }
    pthread_mutex_unlock(&door->lock);
}

/* Who came while no descriptor was left has waited. */
static void tick(struct watch *watch, int64_t now_ms)
{
    (void)now_ms;
    http_door_look((struct http_door *)watch);
}

static void close_port(struct watch *watch)
{
    close(watch->fd);
}

bool http_door_open(struct http_server *server, union socket_address *address)
{
    int fd = socket_listen(address, true);

    if (fd < 0) {
        return false;
    }
    struct http_door *door = http_must(calloc(1, sizeof(*door)));

    door->server = server;
    door->watch = (struct watch){.fd = fd, .ready = ready, .tick = tick, .free = close_port};
    pthread_mutex_init(&door->lock, NULL);
    server->door = door;
    loop_watch(server->loop, &door->watch, EPOLLIN);
    return true;
}

void http_door_close(struct http_door *door)
{
    struct loop *loop = door->server->loop;

    pthread_mutex_lock(&door->lock);
    while (let_in(door)) { /* those who wait believe that they are connected */
    }
    door->is_closed = true;
    shutdown(door->watch.fd, SHUT_RDWR); /* from now on refused; the loop closes it later */
    pthread_mutex_unlock(&door->lock);
    loop_forget(loop, &door->watch);
}

void http_door_free(struct http_door *door)
{
    if (door) {
        pthread_mutex_destroy(&door->lock);
        free(door);
    }
}
