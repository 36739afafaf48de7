/* A chunked reply fed from any thread. libmicrohttpd asks for bytes; while there are none its
 * connection sleeps, and then it notices neither a client that went away nor a time-out: the loop
 * watches for those. */
#include "common/http/http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum { BLOCK = 1024 };

struct http_stream {
    struct watch watch; /* first: the loop hands it back */
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct http_stream *next, *previous; /* under server->lock */
    void (*closed)(void *user);
    void *user;
    size_t max_queued;
    atomic_int refs; /* opener, response, loop */
    pthread_mutex_t lock;
    char *queued; /* what follows is under lock; bytes from 'sent' to 'size' wait */
    size_t sent, size, room;
    bool asleep, ended, gone, over;
};

void http_stream_unref(struct http_stream *stream)
{
    if (atomic_fetch_sub(&stream->refs, 1) == 1) {
        pthread_mutex_destroy(&stream->lock);
        free(stream->queued);
        free(stream);
    }
}

/* Under lock. The connection cannot end meanwhile: it would have to wake first. */
static void wake(struct http_stream *stream)
{
    if (stream->asleep) {
        stream->asleep = false;
        MHD_resume_connection(stream->mhd);
    }
}

static ssize_t give(struct http_stream *stream, char *buffer, size_t room)
{
    size_t count = stream->size - stream->sent;

    if (stream->gone) {
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (count > 0) {
        count = count < room ? count : room;
        memcpy(buffer, stream->queued + stream->sent, count);
        stream->sent += count;
        if (stream->sent == stream->size) { /* most streams are quiet most of the time */
            free(stream->queued);
            stream->queued = NULL;
            stream->sent = stream->size = stream->room = 0;
        }
        return (ssize_t)count;
    }
    if (stream->ended) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    stream->asleep = true;
    MHD_suspend_connection(stream->mhd);
    return 0;
}

static ssize_t read_stream(void *user, uint64_t position, char *buffer, size_t room)
{
    struct http_stream *stream = user;

    (void)position;
    pthread_mutex_lock(&stream->lock);
    ssize_t count = give(stream, buffer, room);
    pthread_mutex_unlock(&stream->lock);
    return count;
}

static void client_went(struct watch *watch, uint32_t events)
{
    struct http_stream *stream = (struct http_stream *)watch;

    (void)events;
    pthread_mutex_lock(&stream->lock);
    stream->gone = true;
    if (!stream->over) {
        wake(stream);
    }
    pthread_mutex_unlock(&stream->lock);
}

static void watch_freed(struct watch *watch)
{
    http_stream_unref((struct http_stream *)watch);
}

static void unlist(struct http_stream *stream)
{
    struct http_server *server = stream->server;

    pthread_mutex_lock(&server->lock);
    if (stream->next) {
        stream->next->previous = stream->previous;
    }
    if (stream->previous) {
        stream->previous->next = stream->next;
    } else {
        server->streams = stream->next;
    }
    pthread_mutex_unlock(&server->lock);
}

/* The response is destroyed: all was sent, or the client is gone. */
static void response_freed(void *user)
{
    struct http_stream *stream = user;
    struct http_server *server = stream->server;

    pthread_mutex_lock(&stream->lock);
    stream->over = true;
    pthread_mutex_unlock(&stream->lock);
    unlist(stream);
    loop_forget(server->loop, &stream->watch);
    stream->closed(stream->user);
    http_stream_unref(stream);
    atomic_fetch_sub(&server->open_streams, 1);
}

static void list(struct http_stream *stream)
{
    struct http_server *server = stream->server;

    pthread_mutex_lock(&server->lock);
    stream->next = server->streams;
    if (stream->next) {
        stream->next->previous = stream;
    }
    server->streams = stream;
    pthread_mutex_unlock(&server->lock);
    atomic_fetch_add(&server->open_streams, 1);
}

struct http_stream *http_stream_open(struct http_request *request, int code, const char *type,
                                     size_t max_queued, void (*closed)(void *user), void *user)
{
    struct http_stream *stream = http_must(calloc(1, sizeof(*stream)));

    stream->server = request->server;
    stream->mhd = request->mhd;
    stream->closed = closed;
    stream->user = user;
    stream->max_queued = max_queued;
    atomic_init(&stream->refs, 3);
    pthread_mutex_init(&stream->lock, NULL);
    stream->watch =
        (struct watch){.fd = request->conn->fd, .ready = client_went, .free = watch_freed};

    struct MHD_Response *response = http_must(MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, BLOCK, read_stream, stream, response_freed));
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    http_add_headers(request, response);
    list(stream);
    loop_watch(stream->server->loop, &stream->watch, EPOLLRDHUP | EPOLLET);
    http_request_respond(request, code, response, true);
    return stream;
}

static void append(struct http_stream *stream, const char *bytes, size_t size)
{
    if (stream->sent > 0 && stream->size + size > stream->room) {
        memmove(stream->queued, stream->queued + stream->sent, stream->size - stream->sent);
        stream->size -= stream->sent;
        stream->sent = 0;
    }
    if (stream->size + size > stream->room) {
        stream->room = stream->size + size;
        stream->queued = http_must(realloc(stream->queued, stream->room));
    }
    memcpy(stream->queued + stream->size, bytes, size);
    stream->size += size;
}

bool http_stream_write(struct http_stream *stream, const char *bytes, size_t size)
{
    pthread_mutex_lock(&stream->lock);
    bool wanted = !stream->over && !stream->ended && !stream->gone &&
                  stream->size - stream->sent < stream->max_queued;
    if (wanted && size > 0) {
        append(stream, bytes, size);
        wake(stream);
    }
    pthread_mutex_unlock(&stream->lock);
    return wanted;
}

void http_stream_end(struct http_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->ended = true;
    if (!stream->over) {
        wake(stream);
    }
    pthread_mutex_unlock(&stream->lock);
}

void http_streams_end(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    for (struct http_stream *stream = server->streams; stream; stream = stream->next) {
        http_stream_end(stream);
    }
    pthread_mutex_unlock(&server->lock);
}
