/* What the files of this folder share. microhttpd.h is included nowhere else in the tree. */
#ifndef COMMON_HTTP_HTTP_INTERNAL_H
#define COMMON_HTTP_HTTP_INTERNAL_H

#include "common/base/socket_address.h"
#include "common/http/http_server.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

enum {
    HTTP_MAX_BODY = 64 * 1024,
    HTTP_BODY_MEMORY = 16 * 1024 * 1024, /* of all bodies that are held */
    HTTP_SLOW_MS = 1000,                 /* a body that takes longer gives way to others */
    HTTP_BODY_FIRST = 4 * 1024,          /* the room of a body, which doubles as it comes */
    HTTP_MAX_HEADER = 8 * 1024,
    HTTP_MAX_URL = 4 * 1024,
    HTTP_MAX_MESSAGE = 64 * 1024,       /* a WebSocket message that comes in */
    HTTP_SOCKET_QUEUE = 256 * 1024,     /* bytes that wait for a client that is sent no more */
    HTTP_SOCKET_FRAMES = 4096,          /* and frames: answers to pings may have no bytes */
    HTTP_SOCKET_TURN = 64 * 1024,       /* bytes read of one WebSocket before others have a turn */
    HTTP_CONNECTION_MEMORY = 16 * 1024, /* MHD's pool: request head, parsed head, reply head */
    HTTP_ARENA_BLOCK = 4 * 1024,
    HTTP_PING_MS = 15000,
    HTTP_LINGER_MS = 2000,
};

/* --- the loop: one thread for what MHD does not watch ------------------------------------- */

/* A descriptor that the loop watches. The owner calls loop_forget() once; free() then runs on the
 * loop's thread, after every event that was already under way: no event comes for freed memory. */
struct watch {
    int fd;
    void (*ready)(struct watch *watch, uint32_t events);
    void (*tick)(struct watch *watch, int64_t now_ms); /* about once a second; NULL: not wanted */
    void (*free)(struct watch *watch);
    struct watch *next, *previous; /* all that are watched, under the loop's lock */
    struct watch *next_dead;
};

struct loop;
struct loop *loop_start(void (*tick)(void *user, int64_t now_ms), void *user);
void loop_stop(struct loop *loop); /* what is still watched is freed */
void loop_watch(struct loop *loop, struct watch *watch, uint32_t events);
void loop_change(struct loop *loop, struct watch *watch, uint32_t events);
void loop_forget(struct loop *loop, struct watch *watch);

/* --- connections and requests ------------------------------------------------------------- */

/* One a connection, from its start to its close. */
struct http_conn {
    struct http_server *server;
    struct http_conn *next,
        *previous; /* under server->lock, as is the fd: it is open while we are listed */
    int fd;
    int64_t reading_since_ms;   /* under server->lock; 0: no request is being read */
    size_t held;                /* under server->lock; of body_bytes */
    bool cut;                   /* under server->lock; shut by us: it hears no answer */
    struct http_socket *socket; /* accepted; told when the connection ends before it was upgraded */
};

struct http_server {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct loop *loop;
    struct http_door *door;
    int port;
    pthread_mutex_t lock;
    struct http_conn *conns;     /* under lock */
    struct http_stream *streams; /* under lock */
    struct http_socket *sockets; /* under lock */
    atomic_int open_conns;       /* from when they were let in */
    atomic_int arrivals;         /* how often somebody came in, or a request began */
    atomic_int requests, open_streams, open_sockets, lingering;
    atomic_size_t body_bytes; /* held by requests that may have max_body at most */
    atomic_bool draining;
    atomic_bool closed; /* what begins now is not answered: the daemon is about to end */
};

/* A reply may come from another thread while the handler is still running on the server's own. */
enum request_state { REQUEST_READING, REQUEST_HANDLING, REQUEST_WAITING, REQUEST_REPLIED };

struct header_line {
    struct header_line *next;
    const char *name, *value;
};

struct http_request {
    struct http_server *server;
    struct http_conn *conn;
    struct MHD_Connection *mhd;
    struct ctx *ctx;
    const char *method, *target, *path, *query; /* query: NULL without '?' */
    char *body;                          /* not the arena's, which would keep each smaller one */
    size_t size, room, charged, allowed; /* of the body */
    int64_t begun_ms;
    enum problem refused;
    bool started;                /* the first handler call was made */
    bool cut;                    /* answered before the body was read: the connection must linger */
    struct header_line *headers; /* of the reply */
    int code;
    struct MHD_Response *response; /* NULL with REQUEST_REPLIED: end the connection */
    bool streams;                  /* response is a stream or an upgrade: we go when it is queued */
    _Atomic enum request_state state;
};

/* http_door.c: lets clients in, from the loop's thread, until it is closed. False: errno says
 * why. */
bool http_door_open(struct http_server *server, union socket_address *address);
void http_door_look(struct http_door *door); /* a place is free: for who waits */
void http_door_close(struct http_door *door);
void http_door_free(struct http_door *door); /* the loop is over; NULL is fine */

/* http_server.c: of the clients that are slow to send a body, who holds the most is cut; it is free
 * in a moment. False: nobody is slow. */
bool http_cut_slow(struct http_server *server);

/* http_request.c */
void *http_request_begin(void *user, const char *target, struct MHD_Connection *mhd);
enum MHD_Result http_request_read(void *user, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **request);
void http_request_completed(void *user, struct MHD_Connection *mhd, void **request,
                            enum MHD_RequestTerminationCode why);

/* http_reply.c: hands the response to the connection's thread and wakes it. 'streams': the request
 * is freed when the response was queued. */
void http_request_respond(struct http_request *request, int code, struct MHD_Response *response,
                          bool streams);
void http_add_headers(struct http_request *request, struct MHD_Response *response);

/* http_query.c */
bool http_query_is_good(const char *query);

/* http_linger.c: reads what a refused client still sends, so that it sees our answer and no
 * reset. */
void http_linger(struct http_server *server, int fd);

void http_streams_end(struct http_server *server); /* all of them */
void http_sockets_close(struct http_server *server);
void http_socket_abandon(struct http_socket *socket); /* its connection is over; NULL is fine */

void *http_must(void *memory); /* out of memory ends the process */

#endif
