/* Starting and stopping the server, and its connections: who may come, and who is too slow.
 * Requests are read in http_request.c and answered in http_reply.c, http_stream.c and
 * http_socket.c. */
#include "common/http/http_internal.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/socket_address.h"
#include "common/obs/log.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DEFAULT_CONNECTIONS = 2000,
    DEFAULT_IDLE_S = 30,
    DEFAULT_READ_S = 120,
    LAST_WAIT_MS = 5000, /* of what is answered after the grace */
    CUT_WAIT_MS = 5000,  /* until who was cut is gone */
    POLL_MS = 5,
    QUIET_POLLS = 20
};

static void list_conn(struct http_server *server, struct http_conn *conn)
{
    pthread_mutex_lock(&server->lock);
    conn->next = server->conns;
    if (conn->next) {
        conn->next->previous = conn;
    }
    server->conns = conn;
    pthread_mutex_unlock(&server->lock);
}

static void unlist_conn(struct http_server *server, struct http_conn *conn)
{
    pthread_mutex_lock(&server->lock);
    if (conn->next) {
        conn->next->previous = conn->previous;
    }
    if (conn->previous) {
        conn->previous->next = conn->next;
    } else {
        server->conns = conn->next;
    }
    pthread_mutex_unlock(&server->lock);
    if (atomic_fetch_sub(&server->open_conns, 1) == server->options.max_connections) {
        http_door_look(server->door);
    }
}

static void connection_changed(void *user, struct MHD_Connection *mhd, void **socket_context,
                               enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = user;
    struct http_conn *conn = *socket_context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        conn = http_must(calloc(1, sizeof(*conn)));
        conn->server = server;
        conn->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        conn->reading_since_ms = clock_monotonic_ms();
        list_conn(server, conn);
        *socket_context = conn;
    } else if (conn) {
        unlist_conn(server, conn);
        http_socket_abandon(conn->socket);
        free(conn);
        *socket_context = NULL;
    }
}

/* With the lock held. */
static void cut(struct http_conn *conn)
{
    conn->cut = true;
    conn->reading_since_ms = 0;
    shutdown(conn->fd, SHUT_RDWR); /* MHD sees the end, and closes */
}

/* libmicrohttpd's time-out begins anew with each byte: a client that trickles would stay for ever.
 * Here a request has idle_timeout_s from its first line to its last byte. */
static void cut_slow_clients(struct http_server *server, int64_t now_ms)
{
    int64_t limit_ms = (int64_t)server->options.idle_timeout_s * 1000;

    pthread_mutex_lock(&server->lock);
    for (struct http_conn *conn = server->conns; conn; conn = conn->next) {
        if (conn->reading_since_ms && now_ms - conn->reading_since_ms > limit_ms) {
            cut(conn);
        }
    }
    pthread_mutex_unlock(&server->lock);
}

static void tell_to_come_back(struct http_server *server)
{
    http_streams_end(server);
    http_sockets_close(server);
}

/* Kept connections may open new streams while we drain. */
static void tick(void *user, int64_t now_ms)
{
    struct http_server *server = user;

    cut_slow_clients(server, now_ms);
    if (atomic_load(&server->draining)) {
        tell_to_come_back(server);
    }
}

static bool goes_before(const struct http_conn *a, const struct http_conn *b)
{
    return a->held != b->held ? a->held > b->held : a->reading_since_ms < b->reading_since_ms;
}

bool http_cut_slow(struct http_server *server)
{
    int64_t since_ms = clock_monotonic_ms() - server->options.slow_ms;
    struct http_conn *first = NULL;

    pthread_mutex_lock(&server->lock);
    for (struct http_conn *conn = server->conns; conn; conn = conn->next) {
        if (conn->held && conn->reading_since_ms && conn->reading_since_ms < since_ms &&
            (!first || goes_before(conn, first))) {
            first = conn;
        }
    }
    if (first) {
        cut(first);
    }
    pthread_mutex_unlock(&server->lock);
    return first;
}

static size_t keep_escapes(void *user, struct MHD_Connection *mhd, char *text)
{
    (void)user;
    (void)mhd;
    return strlen(text); /* we decode: MHD would let %00 cut a name short */
}

static void fill_defaults(struct http_options *options)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    options->threads = options->threads ? options->threads : (int)cores;
    options->max_body = options->max_body ? options->max_body : HTTP_MAX_BODY;
    options->body_memory = options->body_memory ? options->body_memory : HTTP_BODY_MEMORY;
    options->slow_ms = options->slow_ms ? options->slow_ms : HTTP_SLOW_MS;
    options->max_connections =
        options->max_connections ? options->max_connections : DEFAULT_CONNECTIONS;
    options->ping_ms = options->ping_ms ? options->ping_ms : HTTP_PING_MS;
    options->idle_timeout_s = options->idle_timeout_s ? options->idle_timeout_s : DEFAULT_IDLE_S;
    options->longest_read_s = options->longest_read_s ? options->longest_read_s : DEFAULT_READ_S;
}

/* How many there may be is the door's to keep, how many of one address is its own. */
static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    const struct http_options *o = &server->options;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_ALLOW_UPGRADE;
    struct MHD_OptionItem more[] = {
        {MHD_OPTION_THREAD_POOL_SIZE,        o->threads > 1 ? o->threads : 0,  NULL  },
        {MHD_OPTION_CONNECTION_LIMIT,        INT_MAX,                          NULL  },
        {MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->max_connections_per_address,   NULL  },
        {MHD_OPTION_CONNECTION_TIMEOUT,      o->idle_timeout_s,                NULL  },
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_CONNECTION_MEMORY,           NULL  },
        {MHD_OPTION_STRICT_FOR_CLIENT,       1,                                NULL  },
        {MHD_OPTION_URI_LOG_CALLBACK,        (intptr_t)http_request_begin,     server},
        {MHD_OPTION_UNESCAPE_CALLBACK,       (intptr_t)keep_escapes,           NULL  },
        {MHD_OPTION_NOTIFY_COMPLETED,        (intptr_t)http_request_completed, server},
        {MHD_OPTION_NOTIFY_CONNECTION,       (intptr_t)connection_changed,     server},
        {MHD_OPTION_END,                     0,                                NULL  },
    };

    return MHD_start_daemon(flags, 0, NULL, NULL, http_request_read, server, MHD_OPTION_ARRAY, more,
                            MHD_OPTION_END);
}

struct http_server *http_server_start(const struct http_options *options)
{
    union socket_address address;

    if (!socket_address_parse(options->address, options->port, &address)) {
        log_error(NULL, "not an address to listen on", log_text("address", options->address));
        return NULL;
    }
    struct http_server *server = http_must(calloc(1, sizeof(*server)));

    server->options = *options;
    fill_defaults(&server->options);
    pthread_mutex_init(&server->lock, NULL);
    server->loop = loop_start(tick, server);
    server->daemon = start_daemon(server);
    if (!server->daemon || !http_door_open(server, &address)) {
        log_error(NULL, "cannot listen", log_text("address", options->address),
                  log_num("port", options->port), log_text("reason", strerror(errno)));
        http_server_free(server);
        return NULL;
    }
    server->port = socket_address_port(&address);
    return server;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

void http_server_load(const struct http_server *server, struct http_load *load)
{
    *load = (struct http_load){
        .requests = atomic_load(&server->requests),
        .streams = atomic_load(&server->open_streams),
        .sockets = atomic_load(&server->open_sockets),
        .body_bytes = atomic_load(&server->body_bytes),
    };
}

static bool is_quiet(const struct http_server *server)
{
    return !atomic_load(&server->requests) && !atomic_load(&server->open_streams) &&
           !atomic_load(&server->open_sockets);
}

/* And for so many polls nobody came. Both are counted, not timed, since a machine that stands still
 * holds up those who come or are answered, too. */
static bool becomes_quiet(const struct http_server *server, int wait_ms, int polls)
{
    int left = wait_ms / POLL_MS, seen = atomic_load(&server->arrivals), quiet = 0;

    while (!is_quiet(server) || quiet < polls) {
        if (left-- <= 0) {
            return false;
        }
        clock_pause_ms(POLL_MS);
        int now = atomic_load(&server->arrivals);
        quiet = now == seen ? quiet + 1 : 0;
        seen = now;
    }
    return true;
}

/* Who was let in last has not asked yet, and who keeps a connection asks once more before an answer
 * tells it to go: so we serve on until nobody comes. */
void http_server_drain(struct http_server *server, int grace_ms)
{
    if (!atomic_exchange(&server->draining, true) && server->door) {
        http_door_close(server->door);
    }
    tell_to_come_back(server);
    becomes_quiet(server, grace_ms, QUIET_POLLS);
}

/* Who has not asked yet gets no answer; with 'all', who does not read what was answered is not
 * waited for either. */
static void cut_open(struct http_server *server, bool all)
{
    pthread_mutex_lock(&server->lock);
    for (struct http_conn *conn = server->conns; conn; conn = conn->next) {
        if (all || conn->reading_since_ms) {
            cut(conn);
        }
    }
    pthread_mutex_unlock(&server->lock);
}

/* MHD_stop_daemon() aborts the process while a connection is suspended: every handler must have
 * replied, and a client that keeps its connection must not begin another request. */
static void stop_daemon(struct http_server *server)
{
    if (!atomic_load(&server->draining)) {
        http_server_drain(server, 0);
    }
    atomic_store(&server->closed, true);
    cut_open(server, false);
    if (!becomes_quiet(server, LAST_WAIT_MS, 0)) {
        cut_open(server, true);
    }
    if (!becomes_quiet(server, CUT_WAIT_MS, 0)) {
        log_error(NULL, "a request was never answered", log_num("requests", server->requests));
        _exit(EXIT_FAILURE);
    }
    MHD_stop_daemon(server->daemon);
}

void http_server_free(struct http_server *server)
{
    if (!server) {
        return;
    }
    if (server->daemon) {
        stop_daemon(server);
    }
    loop_stop(server->loop);
    http_door_free(server->door);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
