/* Answering: the response is made on the thread that has the answer, and queued on the connection's
 * own. */
#include "common/http/http_internal.h"

#include <string.h>

void http_reply_header(struct http_request *request, const char *name, const char *value)
{
    struct header_line *line = arena_new_struct(request->ctx->arena, struct header_line);
    struct header_line **last = &request->headers;

    line->name = arena_strdup(request->ctx->arena, name);
    line->value = arena_strdup(request->ctx->arena, value);
    while (*last) {
        last = &(*last)->next;
    }
    *last = line;
}

void http_add_headers(struct http_request *request, struct MHD_Response *response)
{
    for (const struct header_line *line = request->headers; line; line = line->next) {
        MHD_add_response_header(response, line->name, line->value);
    }
    if (atomic_load(&request->server->draining) || request->refused == PROBLEM_OVERLOADED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    }
}

void http_request_respond(struct http_request *request, int code, struct MHD_Response *response,
                          bool streams)
{
    struct MHD_Connection *mhd = request->mhd;
    struct http_server *server = request->server;

    request->code = code;
    request->response = response;
    request->streams = streams;
    atomic_fetch_add(&server->requests, 1); /* the daemon stays while we wake it */
    if (atomic_exchange(&request->state, REQUEST_REPLIED) == REQUEST_WAITING) {
        MHD_resume_connection(mhd); /* the request may be gone when this returns */
    }
    atomic_fetch_sub(&server->requests, 1);
}

void http_reply(struct http_request *request, const struct http_reply *reply)
{
    enum MHD_ResponseMemoryMode mode =
        reply->body_is_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY;
    const char *body = reply->body ? reply->body : "";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(reply->size, (void *)(uintptr_t)body, mode);

    http_must(response);
    if (reply->type) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    }
    http_add_headers(request, response);
    http_request_respond(request, reply->code, response, false);
}

void http_hang_up(struct http_request *request)
{
    http_request_respond(request, 0, NULL, false);
}
