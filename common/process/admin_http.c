/* One thread, which polls the listening socket, the connections and the word to stop. A connection
 * is read until its head is there, answered, and then read empty for a moment: closing a socket
 * with unread bytes would reset it, and the answer might never be seen. */
#include "common/process/admin_http.h"

#include "common/base/clock.h"
#include "common/base/socket_address.h"
#include "common/base/text.h"
#include "common/obs/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINGER_MS = 1000,
    LINGER_BYTES = 64 * 1024, /* and then the sender has to live with the reset */
    REST_MS = 100, /* without a descriptor to be had, accepting again at once is no use */
    STOP_MS = 1000,
    ARENA_BLOCK = 2 * 1024,
};

enum phase { READING, SENDING, LINGERING };

struct connection {
    int fd;
    enum phase phase;
    int64_t until_ms;
    struct arena *arena; /* made with the answer */
    size_t size, sent;   /* of the head while it is read; of the answer; of what comes behind */
    const char *answer;
    char head[ADMIN_MAX_HEAD + 1];
};

struct admin_http {
    struct admin_http_options options;
    int listening, stop, port;
    pthread_t thread;
    int count;
    struct connection *connections[ADMIN_MAX_CONNECTIONS]; /* the oldest first */
    int64_t rest_until_ms, stop_ms;                        /* stop_ms: 0 while nobody said so */
};

/* ---- answers ----------------------------------------------------------------------------- */

static const char *reason(int code)
{
    static const struct {
        int code;
        const char *text;
    } reasons[] = {
        {200, "OK"                             },
        {400, "Bad Request"                    },
        {401, "Unauthorized"                   },
        {404, "Not Found"                      },
        {405, "Method Not Allowed"             },
        {408, "Request Timeout"                },
        {431, "Request Header Fields Too Large"},
        {503, "Service Unavailable"            },
    };

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].code == code) {
            return reasons[i].text;
        }
    }
    return "";
}

static void say(struct connection *connection, const struct admin_reply *reply, bool head_only)
{
    const char *body = reply->body ? reply->body : "";
    struct text text = text_new(connection->arena, strlen(body) + 256);

    text_printf(&text, "HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: %zu\r\n",
                reply->code, reason(reply->code), strlen(body));
    if (reply->type) {
        text_printf(&text, "Content-Type: %s\r\n", reply->type);
    }
    if (reply->header) {
        text_printf(&text, "%s: %s\r\n", reply->header, reply->value);
    }
    text_add(&text, "\r\n");
    if (!head_only) {
        text_add(&text, body);
    }
    connection->answer = text.data;
    connection->size = text.length;
    connection->sent = 0;
    connection->phase = SENDING;
    connection->until_ms = clock_monotonic_ms() + ADMIN_PATIENCE_MS;
}

static void refuse(struct connection *connection, int code)
{
    connection->arena = arena_new(ARENA_BLOCK);
    say(connection, &(struct admin_reply){.code = code}, false);
}

static void answer(struct admin_http *http, struct connection *connection, size_t head_size)
{
    struct admin_request request;

    connection->head[head_size] = '\0'; /* what came behind it is nobody's */
    int refused = admin_head_parse(connection->head, head_size, &request);
    if (refused) {
        refuse(connection, refused);
        return;
    }
    struct admin_reply reply = {.code = 200};
    connection->arena = arena_new(ARENA_BLOCK);
    http->options.answer(connection->arena, &request, &reply, http->options.user);
    say(connection, &reply, strcmp(request.method, "HEAD") == 0);
}

/* ---- one connection: each step says whether it lives on ----------------------------------- */

static bool would_block(ssize_t count)
{
    return count < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool read_head(struct admin_http *http, struct connection *connection)
{
    char *head = connection->head;
    ssize_t count =
        recv(connection->fd, head + connection->size, ADMIN_MAX_HEAD - connection->size, 0);

    if (count <= 0) {
        return would_block(count);
    }
    size_t from = connection->size < 3 ? 0 : connection->size - 3; /* the end may be cut in two */
    connection->size += (size_t)count;
    char *end = memmem(head + from, connection->size - from, "\r\n\r\n", 4);
    if (end) {
        answer(http, connection, (size_t)(end - head) + 4);
    } else if (connection->size == ADMIN_MAX_HEAD) {
        refuse(connection, 431);
    }
    return true;
}

static bool send_answer(struct connection *connection)
{
    ssize_t count = send(connection->fd, connection->answer + connection->sent,
                         connection->size - connection->sent, MSG_NOSIGNAL);

    if (count < 0) {
        return would_block(count);
    }
    connection->sent += (size_t)count;
    if (connection->sent == connection->size) {
        shutdown(connection->fd, SHUT_WR);
        connection->phase = LINGERING;
        connection->size = 0;
        connection->until_ms = clock_monotonic_ms() + LINGER_MS;
    }
    return true;
}

static bool read_away(struct connection *connection)
{
    ssize_t count = recv(connection->fd, connection->head, ADMIN_MAX_HEAD, 0);

    if (count <= 0) {
        return would_block(count);
    }
    connection->size += (size_t)count;
    return connection->size < LINGER_BYTES;
}

static bool step(struct admin_http *http, struct connection *connection)
{
    switch (connection->phase) {
    case READING:
        return read_head(http, connection);
    case SENDING:
        return send_answer(connection);
    case LINGERING:
        return read_away(connection);
    }
    return false;
}

/* Time is up: who has not asked yet is told so, once. */
static bool outlives(struct connection *connection)
{
    if (connection->phase != READING) {
        return false;
    }
    refuse(connection, 408);
    return true;
}

/* ---- all of them -------------------------------------------------------------------------- */

static void drop(struct admin_http *http, int index)
{
    struct connection *connection = http->connections[index];

    close(connection->fd);
    arena_free(connection->arena);
    free(connection);
    http->count--;
    memmove(&http->connections[index], &http->connections[index + 1],
            (size_t)(http->count - index) * sizeof(http->connections[0]));
}

/* A newcomer takes the place of who has been longest at reading: thirty that say nothing must not
 * keep a probe out. */
static void make_room(struct admin_http *http)
{
    int victim = 0;

    for (int i = http->count - 1; i >= 0; i--) {
        victim = http->connections[i]->phase != SENDING ? i : victim;
    }
    drop(http, victim);
}

static void take(struct admin_http *http, int fd)
{
    if (http->count == ADMIN_MAX_CONNECTIONS) {
        make_room(http);
    }
    struct connection *connection = malloc(sizeof(*connection));

    if (!connection) {
        abort();
    }
    *connection = (struct connection){
        .fd = fd, .phase = READING, .until_ms = clock_monotonic_ms() + ADMIN_PATIENCE_MS};
    http->connections[http->count++] = connection;
}

/* No more than there is room for, or one: who was let in now is read before another can take the
 * place. */
static void accept_some(struct admin_http *http)
{
    int room = ADMIN_MAX_CONNECTIONS - http->count, fd = 0;

    for (int i = 0; fd >= 0 && i < (room > 0 ? room : 1); i++) {
        fd = accept4(http->listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take(http, fd);
        }
    }
    if (fd >= 0) {
        return;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        http->rest_until_ms = clock_monotonic_ms() + REST_MS;
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* How long poll() may sleep; -1: until something happens. */
static int time_to_wait(const struct admin_http *http)
{
    int64_t at = INT64_MAX, now = clock_monotonic_ms();

    for (int i = 0; i < http->count; i++) {
        at = sooner(at, http->connections[i]->until_ms);
    }
    at = http->stop_ms ? sooner(at, http->stop_ms) : at;
    at = http->rest_until_ms ? sooner(at, http->rest_until_ms) : at;
    return at == INT64_MAX ? -1 : at > now ? (int)(at - now) : 0;
}

enum { STOP, LISTENING, FIRST, POLLED = FIRST + ADMIN_MAX_CONNECTIONS };

static int prepare(struct admin_http *http, struct pollfd *polled)
{
    bool takes_more = !http->stop_ms && !http->rest_until_ms;

    polled[STOP] = (struct pollfd){.fd = http->stop_ms ? -1 : http->stop, .events = POLLIN};
    polled[LISTENING] = (struct pollfd){.fd = takes_more ? http->listening : -1, .events = POLLIN};
    for (int i = 0; i < http->count; i++) {
        polled[FIRST + i] = (struct pollfd){
            .fd = http->connections[i]->fd,
            .events = http->connections[i]->phase == SENDING ? POLLOUT : POLLIN,
        };
    }
    return FIRST + http->count;
}

/* From the last to the first: whom drop() moves has been seen to. */
static void serve(struct admin_http *http, const struct pollfd *polled, int count)
{
    int64_t now = clock_monotonic_ms();

    for (int i = count - FIRST - 1; i >= 0; i--) {
        struct connection *connection = http->connections[i];
        bool lives = !polled[FIRST + i].revents || step(http, connection);

        if (lives && now >= connection->until_ms) {
            lives = outlives(connection);
        }
        if (!lives) {
            drop(http, i);
        }
    }
    if (polled[LISTENING].revents) {
        accept_some(http);
    }
}

/* Nobody is let in any more; who has not asked yet goes. */
static void begin_stop(struct admin_http *http)
{
    http->stop_ms = clock_monotonic_ms() + STOP_MS;
    close(http->listening);
    http->listening = -1;
    for (int i = http->count - 1; i >= 0; i--) {
        if (http->connections[i]->phase == READING) {
            drop(http, i);
        }
    }
}

static bool is_over(const struct admin_http *http)
{
    return http->stop_ms && (http->count == 0 || clock_monotonic_ms() >= http->stop_ms);
}

static void *run(void *user)
{
    struct admin_http *http = user;
    struct pollfd polled[POLLED];

    pthread_setname_np(pthread_self(), "admin");
    while (!is_over(http)) {
        if (clock_monotonic_ms() >= http->rest_until_ms) {
            http->rest_until_ms = 0;
        }
        int count = prepare(http, polled);

        if (poll(polled, (nfds_t)count, time_to_wait(http)) < 0) {
            continue; /* a signal */
        }
        serve(http, polled, count);
        if (polled[STOP].revents) {
            begin_stop(http);
        }
    }
    while (http->count > 0) {
        drop(http, http->count - 1);
    }
    return NULL;
}

/* ---- start and stop ----------------------------------------------------------------------- */

static bool listen_at(struct admin_http *http)
{
    const struct admin_http_options *o = &http->options;
    union socket_address address;

    if (!socket_address_parse(o->address, o->port, &address)) {
        log_error(NULL, "not an address to listen on", log_text("address", o->address));
        return false;
    }
    http->listening = socket_listen(&address, false);
    if (http->listening < 0) {
        log_error(NULL, "cannot listen", log_text("address", o->address), log_num("port", o->port),
                  log_text("reason", strerror(errno)));
        return false;
    }
    http->port = socket_address_port(&address);
    return true;
}

static void close_all(struct admin_http *http)
{
    if (http->listening >= 0) {
        close(http->listening);
    }
    if (http->stop >= 0) {
        close(http->stop);
    }
    free(http);
}

struct admin_http *admin_http_start(const struct admin_http_options *options)
{
    struct admin_http *http = calloc(1, sizeof(*http));

    if (!http) {
        abort();
    }
    http->options = *options;
    http->listening = -1;
    http->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (http->stop < 0 || !listen_at(http) || pthread_create(&http->thread, NULL, run, http) != 0) {
        close_all(http);
        return NULL;
    }
    return http;
}

int admin_http_port(const struct admin_http *http)
{
    return http->port;
}

void admin_http_stop(struct admin_http *http)
{
    if (!http) {
        return;
    }
    eventfd_write(http->stop, 1);
    pthread_join(http->thread, NULL);
    close_all(http);
}
