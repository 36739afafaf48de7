/* A WebSocket after its handshake (http_upgrade.c): frames by wslay, on the loop's thread. Sending
 * works from any thread. Handlers are called without our lock, so that they may send, close and
 * lock as they like. */
#include "common/base/clock.h"
#include "common/http/http_socket_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { CLOSE_WAIT_MS = 2000, CODE_OVER = 1000, CODE_GOING_AWAY = 1001, CODE_UNSUPPORTED = 1003 };

static void unref(struct http_socket *socket)
{
    if (atomic_fetch_sub(&socket->refs, 1) == 1) {
        wslay_event_context_free(socket->frames);
        pthread_mutex_destroy(&socket->lock);
        free(socket->early);
        free(socket);
    }
}

void http_socket_unref(struct http_socket *socket)
{
    unref(socket);
}

/* --- wslay's callbacks, under lock -------------------------------------------------------- */

static ssize_t take_early(struct http_socket *socket, uint8_t *buffer, size_t room)
{
    size_t count = socket->early_size < room ? socket->early_size : room;

    memcpy(buffer, socket->early, count);
    socket->early_size -= count;
    memmove(socket->early, socket->early + count, socket->early_size);
    return (ssize_t)count;
}

static ssize_t on_recv(wslay_event_context_ptr frames, uint8_t *buffer, size_t room, int flags,
                       void *user)
{
    struct http_socket *socket = user;

    (void)flags;
    if (socket->early_size) {
        return take_early(socket, buffer, room);
    }
    if (!socket->turn_left) { /* epoll tells us again of what is still there */
        wslay_event_set_error(frames, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    room = room < socket->turn_left ? room : socket->turn_left;
    ssize_t count = recv(socket->watch.fd, buffer, room, MSG_DONTWAIT);

    if (count > 0) {
        socket->turn_left -= (size_t)count;
        socket->heard_ms = clock_monotonic_ms();
        return count;
    }
    bool later = count < 0 && (errno == EAGAIN || errno == EINTR);
    wslay_event_set_error(frames, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static ssize_t on_send(wslay_event_context_ptr frames, const uint8_t *bytes, size_t size, int flags,
                       void *user)
{
    struct http_socket *socket = user;
    int more = flags & WSLAY_MSG_MORE ? MSG_MORE : 0; /* a head: its text comes next */
    ssize_t count = send(socket->watch.fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT | more);

    if (count < 0) {
        bool later = errno == EAGAIN || errno == EINTR;
        wslay_event_set_error(frames, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
    }
    return count;
}

/* wslay sends a close before the texts that wait, which it then forgets. */
static void queue_close(struct http_socket *socket, int code, const char *reason)
{
    wslay_event_queue_close(socket->frames, (uint16_t)code, (const uint8_t *)reason,
                            strlen(reason));
}

/* From now on its client has CLOSE_WAIT_MS. */
static void begin_to_close(struct http_socket *socket)
{
    socket->last_words = NULL;
    socket->closing_since_ms = clock_monotonic_ms();
}

static void on_message(wslay_event_context_ptr frames,
                       const struct wslay_event_on_msg_recv_arg *message, void *user)
{
    struct http_socket *socket = user;
    struct message **last = &socket->arrived;

    (void)frames;
    if (message->opcode == WSLAY_BINARY_FRAME) {
        queue_close(socket, CODE_UNSUPPORTED, "");
        begin_to_close(socket);
    }
    if (message->opcode != WSLAY_TEXT_FRAME) {
        return;
    }
    struct message *kept = http_must(malloc(sizeof(*kept) + message->msg_length + 1));

    kept->next = NULL;
    kept->size = message->msg_length;
    memcpy(kept->text, message->msg, kept->size);
    kept->text[kept->size] = '\0';
    while (*last) {
        last = &(*last)->next;
    }
    *last = kept;
}

void http_socket_make_frames(struct http_socket *socket)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = on_recv, .send_callback = on_send, .on_msg_recv_callback = on_message};

    if (wslay_event_context_server_init(&socket->frames, &callbacks, socket) != 0) {
        http_must(NULL);
    }
    wslay_event_config_set_max_recv_msg_length(socket->frames, HTTP_MAX_MESSAGE);
}

/* --- the loop's thread -------------------------------------------------------------------- */

/* Until its last words have gone, it may read as slowly as before. */
static int send_frames(struct http_socket *socket)
{
    int failed = wslay_event_send(socket->frames);

    if (failed || !socket->last_words || wslay_event_get_queued_msg_count(socket->frames) > 0) {
        return failed;
    }
    queue_close(socket, CODE_OVER, socket->last_words); /* once: wslay takes no other */
    failed = wslay_event_send(socket->frames);
    if (wslay_event_get_close_sent(socket->frames)) {
        begin_to_close(socket);
    }
    return failed;
}

/* Under lock. What the kernel did not take waits for EPOLLOUT. */
static void flush(struct http_socket *socket)
{
    if (!socket->open || socket->dead) {
        return;
    }
    if (send_frames(socket) != 0) {
        socket->broken = true;
        shutdown(socket->watch.fd, SHUT_RDWR); /* the loop sees it */
    }
    uint32_t events = EPOLLIN | (wslay_event_want_write(socket->frames) ? EPOLLOUT : 0);

    if (events != socket->events) {
        socket->events = events;
        loop_change(socket->server->loop, &socket->watch, events);
    }
}

static void deliver(struct http_socket *socket, struct message *message)
{
    while (message) {
        struct message *next = message->next;

        socket->handlers.text(socket, message->text, message->size, socket->user);
        free(message);
        message = next;
    }
}

static void unlist(struct http_socket *socket)
{
    struct http_server *server = socket->server;

    pthread_mutex_lock(&server->lock);
    if (socket->next) {
        socket->next->previous = socket->previous;
    }
    if (socket->previous) {
        socket->previous->next = socket->next;
    } else {
        server->sockets = socket->next;
    }
    pthread_mutex_unlock(&server->lock);
}

/* Once; either on the loop's thread, or when the connection ended before it was upgraded. */
static void finish(struct http_socket *socket)
{
    struct http_server *server = socket->server;

    unlist(socket);
    if (socket->open) {
        if (!socket->broken && !wslay_event_get_close_received(socket->frames)) {
            http_linger(server, socket->watch.fd); /* or our close frame may be lost in a reset */
        }
        loop_forget(server->loop, &socket->watch);
        MHD_upgrade_action(socket->handle, MHD_UPGRADE_ACTION_CLOSE);
    }
    socket->handlers.closed(socket, socket->user);
    atomic_fetch_sub(&server->open_sockets, 1);
}

static bool is_over(const struct http_socket *socket, int64_t now_ms)
{
    bool waited = socket->closing_since_ms && now_ms - socket->closing_since_ms > CLOSE_WAIT_MS;

    return socket->broken || waited ||
           (!wslay_event_want_read(socket->frames) && !wslay_event_want_write(socket->frames));
}

/* wslay answers each ping, with up to 125 bytes, whether the client reads the answers or not. */
static bool is_flooded(const struct http_socket *socket)
{
    return wslay_event_get_queued_msg_count(socket->frames) > HTTP_SOCKET_FRAMES;
}

static void ready(struct watch *watch, uint32_t events)
{
    struct http_socket *socket = (struct http_socket *)watch;

    (void)events;
    pthread_mutex_lock(&socket->lock);
    if (socket->dead) {
        pthread_mutex_unlock(&socket->lock);
        return;
    }
    socket->turn_left = HTTP_SOCKET_TURN;
    if (wslay_event_recv(socket->frames) != 0) {
        socket->broken = true;
    }
    flush(socket);
    socket->broken = socket->broken || is_flooded(socket);
    struct message *arrived = socket->arrived;
    socket->arrived = NULL;
    socket->dead = is_over(socket, clock_monotonic_ms());
    bool over = socket->dead;
    pthread_mutex_unlock(&socket->lock);

    deliver(socket, arrived);
    if (over) {
        finish(socket);
    }
}

static void tick(struct watch *watch, int64_t now_ms)
{
    struct http_socket *socket = (struct http_socket *)watch;
    int ping_ms = socket->server->options.ping_ms;
    struct wslay_event_msg ping = {.opcode = WSLAY_PING};

    pthread_mutex_lock(&socket->lock);
    bool was_dead = socket->dead;
    if (!was_dead && now_ms - socket->pinged_ms >= ping_ms) {
        socket->pinged_ms = now_ms;
        wslay_event_queue_msg(socket->frames, &ping);
        flush(socket);
    }
    socket->broken = socket->broken || now_ms - socket->heard_ms > 2 * (int64_t)ping_ms;
    socket->dead = was_dead || is_over(socket, now_ms);
    bool over = socket->dead && !was_dead;
    pthread_mutex_unlock(&socket->lock);
    if (over) {
        finish(socket);
    }
}

static void watch_freed(struct watch *watch)
{
    unref((struct http_socket *)watch);
}

void http_socket_start(struct http_socket *socket, int fd, struct MHD_UpgradeResponseHandle *handle)
{
    /* a change does not wait until the client says that it has the one before */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    pthread_mutex_lock(&socket->lock);
    socket->watch = (struct watch){.fd = fd, .ready = ready, .tick = tick, .free = watch_freed};
    socket->handle = handle;
    socket->open = true;
    socket->heard_ms = socket->pinged_ms = clock_monotonic_ms();
    socket->events =
        EPOLLIN | EPOLLOUT; /* so that it runs once for what came early or was queued */
    atomic_fetch_add(&socket->refs, 1);
    loop_watch(socket->server->loop, &socket->watch, socket->events);
    pthread_mutex_unlock(&socket->lock);
}

void http_socket_abandon(struct http_socket *socket)
{
    if (!socket) {
        return;
    }
    pthread_mutex_lock(&socket->lock);
    bool over = !socket->open && !socket->dead;
    socket->dead = socket->dead || over;
    pthread_mutex_unlock(&socket->lock);
    if (over) {
        finish(socket);
    }
    unref(socket);
}

/* --- any thread --------------------------------------------------------------------------- */

/* Under lock. */
static bool has_room(const struct http_socket *socket)
{
    return !socket->dead && !socket->broken && !socket->last_words && !socket->closing_since_ms &&
           wslay_event_get_queued_msg_length(socket->frames) < HTTP_SOCKET_QUEUE;
}

bool http_socket_has_room(struct http_socket *socket)
{
    pthread_mutex_lock(&socket->lock);
    bool has = has_room(socket);
    pthread_mutex_unlock(&socket->lock);
    return has;
}

bool http_socket_send(struct http_socket *socket, const char *text, size_t size)
{
    struct wslay_event_msg message = {
        .opcode = WSLAY_TEXT_FRAME, .msg = (const uint8_t *)text, .msg_length = size};

    pthread_mutex_lock(&socket->lock);
    bool wanted = has_room(socket) && wslay_event_queue_msg(socket->frames, &message) == 0;
    if (wanted) {
        flush(socket);
    }
    pthread_mutex_unlock(&socket->lock);
    return wanted;
}

void http_socket_close(struct http_socket *socket, int code, const char *reason)
{
    pthread_mutex_lock(&socket->lock);
    if (!socket->dead && !socket->closing_since_ms) {
        if (code == CODE_OVER) {
            socket->last_words = reason;
        } else {
            queue_close(socket, code, reason);
            begin_to_close(socket);
        }
        flush(socket);
    }
    pthread_mutex_unlock(&socket->lock);
}

void http_sockets_close(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    for (struct http_socket *socket = server->sockets; socket; socket = socket->next) {
        http_socket_close(socket, CODE_GOING_AWAY, "come back");
    }
    pthread_mutex_unlock(&server->lock);
}
