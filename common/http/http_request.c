/* Reading one request: its limits, its body, and handing it to the handler. libmicrohttpd calls on
 * one of its threads; a connection's calls never overlap. */
#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/http/http_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

static void set_reading_since(struct http_conn *conn, int64_t since_ms)
{
    pthread_mutex_lock(&conn->server->lock);
    conn->reading_since_ms = since_ms;
    pthread_mutex_unlock(&conn->server->lock);
}

/* False: it was cut, and would never hear what became of its request. */
static bool end_reading(struct http_conn *conn)
{
    pthread_mutex_lock(&conn->server->lock);
    bool cut = conn->cut;
    conn->reading_since_ms = 0;
    pthread_mutex_unlock(&conn->server->lock);
    return !cut;
}

/* The first MHD tells of a request: its line was read. */
void *http_request_begin(void *user, const char *target, struct MHD_Connection *mhd)
{
    struct arena *arena = arena_new(HTTP_ARENA_BLOCK);
    struct http_request *request = arena_new_struct(arena, struct http_request);
    struct http_server *server = user;

    request->server = server;
    request->mhd = mhd;
    request->conn =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    request->ctx = arena_new_struct(arena, struct ctx);
    request->ctx->arena = arena;
    request->target = arena_strdup(arena, target);
    atomic_init(&request->state, REQUEST_READING);
    request->begun_ms = clock_monotonic_ms();
    set_reading_since(request->conn, request->begun_ms);
    atomic_fetch_add(&server->requests, 1);
    atomic_fetch_add(&server->arrivals, 1);
    return request;
}

static void split_target(struct http_request *request)
{
    char *path = arena_strdup(request->ctx->arena, request->target);
    char *query = strchr(path, '?');

    if (query) {
        *query++ = '\0';
    }
    request->path = path;
    request->query = query;
}

struct framing {
    int lengths, encodings;
};

static enum MHD_Result count_framing(void *user, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    struct framing *framing = user;

    (void)kind;
    (void)value;
    framing->lengths += strcasecmp(name, "Content-Length") == 0;
    framing->encodings += strcasecmp(name, "Transfer-Encoding") == 0;
    return MHD_YES;
}

/* Two ways to tell the body's length: proxies and we might disagree where the next request
 * begins. */
static bool framing_is_clear(struct http_request *request)
{
    struct framing framing = {0};

    MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, count_framing, &framing);
    return framing.lengths + framing.encodings <= 1;
}

static bool has_body(const struct http_request *request)
{
    const char *length = http_header(request, "Content-Length");

    return http_header(request, "Transfer-Encoding") || (length && strcmp(length, "0") != 0);
}

static bool announces_too_much(const struct http_request *request)
{
    const char *length = http_header(request, "Content-Length");
    int64_t size;

    return length &&
           (!text_parse_int(length, 0, INT64_MAX, &size) || size > (int64_t)request->allowed);
}

/* Those that are cut for others hold what they have for a moment more. */
static size_t ceiling(const struct http_server *server)
{
    return server->options.body_memory / 4 * 5;
}

/* Told at once, before a body is sent in vain. One without a length is told when it has come. */
static bool has_no_room(const struct http_request *request)
{
    const struct http_server *server = request->server;
    const char *length = http_header(request, "Content-Length");
    int64_t size = 1;

    return request->allowed <= server->options.max_body && has_body(request) &&
           (!length || text_parse_int(length, 0, INT64_MAX, &size)) &&
           atomic_load(&server->body_bytes) + (size_t)size > ceiling(server);
}

static size_t allow_body(struct http_request *request)
{
    const struct http_options *options = &request->server->options;
    size_t allowed = options->allow_body && has_body(request)
                         ? options->allow_body(request->ctx, request, options->user)
                         : 0;

    return allowed > options->max_body ? allowed : options->max_body;
}

static enum problem look_at_head(struct http_request *request)
{
    const union MHD_ConnectionInfo *head =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    if (strlen(request->target) > HTTP_MAX_URL) {
        return PROBLEM_URI_TOO_LONG;
    }
    if (head && head->header_size > HTTP_MAX_HEADER + strlen(request->target)) {
        return PROBLEM_HEADERS_TOO_LARGE;
    }
    if (!framing_is_clear(request) || (request->query && !http_query_is_good(request->query))) {
        return PROBLEM_BAD_REQUEST;
    }
    request->allowed = allow_body(request);
    if (announces_too_much(request)) {
        return PROBLEM_TOO_LARGE;
    }
    return has_no_room(request) ? PROBLEM_OVERLOADED : PROBLEM_NONE;
}

/* Queues what the handler has made; the connection then belongs to MHD again. */
static enum MHD_Result queue(struct http_request *request, void **slot)
{
    struct MHD_Response *response = request->response;

    request->response = NULL;
    if (!response) {
        return MHD_NO;
    }
    enum MHD_Result queued = MHD_queue_response(request->mhd, (unsigned)request->code, response);

    MHD_destroy_response(response);
    if (request->streams) { /* a stream may last for hours: the request's memory need not */
        atomic_fetch_sub(&request->server->requests, 1);
        *slot = NULL;
        arena_free(request->ctx->arena);
    }
    return queued;
}

static enum MHD_Result handle(struct http_request *request, void **slot)
{
    const struct http_options *options = &request->server->options;
    enum request_state handling = REQUEST_HANDLING;

    if (!end_reading(request->conn)) {
        return MHD_NO;
    }
    atomic_store(&request->state, REQUEST_HANDLING);
    options->handle(request->ctx, request, options->user);
    if (atomic_load(&request->state) == REQUEST_REPLIED) {
        return queue(request, slot);
    }
    /* From here on another thread may reply. If it did so since we looked, nobody else wakes us. */
    struct MHD_Connection *mhd = request->mhd;

    MHD_suspend_connection(mhd);
    if (!atomic_compare_exchange_strong(&request->state, &handling, REQUEST_WAITING)) {
        MHD_resume_connection(mhd);
    }
    return MHD_YES;
}

/* One who may send much may take long, as long as it goes on: the clock begins anew with each
 * piece of the usual size, but not for ever. */
static void give_time(struct http_request *request, size_t size)
{
    const struct http_options *options = &request->server->options;
    size_t piece = options->max_body;
    int64_t now = clock_monotonic_ms();
    int64_t spare_ms = ((int64_t)options->longest_read_s - options->idle_timeout_s) * 1000;
    int64_t last = request->begun_ms + (spare_ms > 0 ? spare_ms : 0);

    if (request->allowed > piece && (request->size + size) / piece > request->size / piece) {
        set_reading_since(request->conn, now < last ? now : last);
    }
}

static void set_held(struct http_conn *conn, size_t held)
{
    pthread_mutex_lock(&conn->server->lock);
    conn->held = held;
    pthread_mutex_unlock(&conn->server->lock);
}

static bool charge(struct http_request *request, size_t more)
{
    struct http_server *server = request->server;

    if (request->allowed > server->options.max_body) {
        return true; /* who allowed it has counted it */
    }
    size_t taken = atomic_fetch_add(&server->body_bytes, more) + more;
    if (taken > server->options.body_memory &&
        (taken > ceiling(server) || !http_cut_slow(server))) {
        atomic_fetch_sub(&server->body_bytes, more);
        return false;
    }
    request->charged += more;
    set_held(request->conn, request->charged);
    return true;
}

static void drop_body(void *arg)
{
    struct http_request *request = arg;

    free(request->body);
    atomic_fetch_sub(&request->server->body_bytes, request->charged);
    set_held(request->conn, 0);
    request->body = NULL;
    request->room = 0;
    request->charged = 0;
}

/* Grows with what comes and not with what was announced: who only announces holds nothing. */
static size_t room_for(const struct http_request *request, size_t size)
{
    const char *length = http_header(request, "Content-Length");
    size_t room = request->room ? request->room : HTTP_BODY_FIRST;
    int64_t told = (int64_t)request->allowed;

    if (length && !text_parse_int(length, 0, told, &told)) {
        told = (int64_t)request->allowed;
    }
    while (room < size) {
        room *= 2;
    }
    return room > (size_t)told + 1 && size <= (size_t)told + 1 ? (size_t)told + 1 : room;
}

static bool make_room(struct http_request *request, size_t size)
{
    if (size <= request->room) {
        return true;
    }
    size_t room = room_for(request, size);

    if (!charge(request, room - request->room)) {
        return false;
    }
    if (!request->room) {
        arena_defer(request->ctx->arena, drop_body, request);
    }
    request->body = http_must(realloc(request->body, room));
    request->room = room;
    return true;
}

/* What else comes is read and dropped. */
static void refuse_body(struct http_request *request, enum problem why)
{
    request->refused = why;
    drop_body(request);
}

static void keep_body(struct http_request *request, const char *data, size_t size)
{
    if (request->refused != PROBLEM_NONE) {
        return;
    }
    if (request->size + size > request->allowed) {
        refuse_body(request, PROBLEM_TOO_LARGE);
        return;
    }
    if (!make_room(request, request->size + size + 1)) {
        refuse_body(request, PROBLEM_OVERLOADED);
        return;
    }
    give_time(request, size);
    memcpy(request->body + request->size, data, size);
    request->size += size;
    request->body[request->size] = '\0';
}

/* A chunked body that goes on and on is not read for ever. */
static bool is_flooding(struct http_request *request, size_t size)
{
    if (request->refused != PROBLEM_NONE) {
        request->size += size;
    }
    return request->size > request->allowed + request->server->options.max_body * 15;
}

/* NOLINTNEXTLINE(readability-function-size): the signature is libmicrohttpd's */
enum MHD_Result http_request_read(void *user, struct MHD_Connection *mhd, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **slot)
{
    struct http_request *request = *slot;

    (void)user;
    (void)mhd;
    (void)url;
    (void)version;
    if (!request->started) {
        if (atomic_load(&request->server->closed)) {
            return MHD_NO;
        }
        request->started = true;
        request->method = arena_strdup(request->ctx->arena, method);
        split_target(request);
        request->refused = look_at_head(request);
        if (request->refused == PROBLEM_NONE || !has_body(request)) {
            return MHD_YES; /* a reply now would close the connection: MHD calls again */
        }
        request->cut = true;
        return handle(request, slot);
    }
    if (atomic_load(&request->state) == REQUEST_REPLIED) {
        return queue(request, slot);
    }
    if (*size) {
        keep_body(request, data, *size);
        bool flooding = is_flooding(request, *size);
        *size = 0;
        return flooding ? MHD_NO : MHD_YES;
    }
    return handle(request, slot);
}

void http_request_completed(void *user, struct MHD_Connection *mhd, void **slot,
                            enum MHD_RequestTerminationCode why)
{
    struct http_request *request = *slot;

    (void)user;
    (void)mhd;
    (void)why;
    if (!request) {
        return;
    }
    if (request->cut) {
        http_linger(request->server, request->conn->fd);
    }
    if (request->response) {
        MHD_destroy_response(request->response);
    }
    set_reading_since(request->conn, clock_monotonic_ms());
    atomic_fetch_sub(&request->server->requests, 1);
    arena_free(request->ctx->arena);
    *slot = NULL;
}

const char *http_method(const struct http_request *request)
{
    return request->method;
}

const char *http_path(const struct http_request *request)
{
    return request->path;
}

struct lines {
    struct arena *arena;
    const char *name, *joined;
};

static enum MHD_Result join_lines(void *user, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    struct lines *lines = user;

    (void)kind;
    if (strcasecmp(name, lines->name) == 0) {
        lines->joined =
            lines->joined ? arena_printf(lines->arena, "%s, %s", lines->joined, value) : value;
    }
    return MHD_YES;
}

const char *http_header(const struct http_request *request, const char *name)
{
    struct lines lines = {.arena = request->ctx->arena, .name = name};

    MHD_get_connection_values(request->mhd, MHD_HEADER_KIND, join_lines, &lines);
    return lines.joined;
}

const char *http_client_address(const struct http_request *request)
{
    const struct sockaddr *from =
        MHD_get_connection_info(request->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
    char *text = arena_alloc(request->ctx->arena, INET6_ADDRSTRLEN);

    if (from->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, text,
                  INET6_ADDRSTRLEN);
    } else {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)from)->sin_addr, text,
                  INET6_ADDRSTRLEN);
    }
    return text;
}

const char *http_body(const struct http_request *request, size_t *size)
{
    *size = request->body ? request->size : 0;
    return request->body ? request->body : "";
}

size_t http_allowed_body(const struct http_request *request)
{
    return request->allowed;
}

enum problem http_refused(const struct http_request *request)
{
    return request->refused;
}

bool http_client_gone(const struct http_request *request)
{
    struct pollfd fd = {.fd = request->conn->fd, .events = POLLRDHUP};

    return poll(&fd, 1, 0) > 0 && (fd.revents & (POLLRDHUP | POLLHUP | POLLERR));
}
