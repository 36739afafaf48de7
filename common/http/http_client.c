/* One libcurl handle with its connections; a call is one curl_easy_perform(). */
#include "common/http/http_client.h"

#include "common/base/text.h"
#include "common/http/public_address.h"
#include "common/obs/span.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { CONNECT_MS = 2000, CALL_MS = 10000, ANSWER_LIMIT = 1024 * 1024 };

struct http_client {
    CURL *curl;
    struct http_client_options options;
};

DEFINE_AUTO(header_list, struct curl_slist *, curl_slist_free_all)

static void start_curl(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

void http_client_start_library(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, start_curl);
}

struct http_client *http_client_new(const struct http_client_options *options)
{
    struct http_client *client = calloc(1, sizeof(*client));

    http_client_start_library();
    if (client) {
        client->curl = curl_easy_init();
    }
    if (!client || !client->curl) {
        fputs("out of memory\n", stderr);
        abort();
    }
    client->options = options ? *options : (struct http_client_options){0};
    struct http_client_options *o = &client->options;
    o->connect_timeout_ms = o->connect_timeout_ms ? o->connect_timeout_ms : CONNECT_MS;
    o->timeout_ms = o->timeout_ms ? o->timeout_ms : CALL_MS;
    o->max_answer = o->max_answer ? o->max_answer : ANSWER_LIMIT;
    return client;
}

void http_client_free(struct http_client *client)
{
    if (client) {
        curl_easy_cleanup(client->curl);
        free(client);
    }
}

struct reading {
    struct text text;
    size_t limit;
};

static size_t keep(char *bytes, size_t one, size_t count, void *user)
{
    struct reading *reading = user;

    if (reading->text.length + count > reading->limit) {
        return 0; /* curl takes that as an error */
    }
    text_add_bytes(&reading->text, bytes, one * count);
    return count;
}

static enum status status_of(CURLcode code)
{
    static const struct {
        CURLcode code;
        enum status status;
    } known[] = {
        {CURLE_OK,                   ST_OK     },
        {CURLE_OPERATION_TIMEDOUT,   ST_TIMEOUT},
        {CURLE_URL_MALFORMAT,        ST_INVALID},
        {CURLE_UNSUPPORTED_PROTOCOL, ST_INVALID},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].code == code) {
            return known[i].status;
        }
    }
    return ST_UNAVAILABLE;
}

/* After the name was looked up, so that no name leads to where it must not. */
static curl_socket_t open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    const enum http_reach *reach = user;
    bool may = address_is_public(&address->addr) ||
               (*reach == HTTP_PUBLIC_OR_LOOPBACK && address_is_loopback(&address->addr));

    (void)purpose;
    return may ? socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol)
               : CURL_SOCKET_BAD;
}

void http_client_set_reach(void *curl, const enum http_reach *reach)
{
    if (*reach == HTTP_ANYWHERE) {
        return;
    }
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, reach);
}

static void set_options(struct http_client *client, const struct http_call *call, long timeout_ms)
{
    const struct http_client_options *o = &client->options;
    CURL *curl = client->curl;

    curl_easy_reset(curl); /* connections stay */
    curl_easy_setopt(curl, CURLOPT_URL, call->url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(curl, CURLOPT_NOBODY, strcmp(call->method, "HEAD") == 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* waits for no name that is still looked up */
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                     o->http2_only ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                                   : (long)CURL_HTTP_VERSION_2TLS);
    if (o->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, o->ca_file);
    }
    http_client_set_reach(client->curl, &client->options.reach);
    if (call->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
    }
}

static void read_answer(struct ctx *ctx, const struct http_client *client,
                        const struct reading *reading, struct http_answer *answer)
{
    const char *type = NULL;
    curl_off_t retry_after = 0;
    long code = 0;

    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &code);
    curl_easy_getinfo(client->curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(client->curl, CURLINFO_RETRY_AFTER, &retry_after);
    *answer = (struct http_answer){
        .code = (int)code,
        .type = arena_strdup(ctx->arena, type ? type : ""),
        .body = reading->text.data,
        .size = reading->text.length,
        .retry_after_s = (int)retry_after,
    };
}

static enum status perform(struct ctx *ctx, struct http_client *client,
                           const struct http_call *call, struct http_answer *answer)
{
    AUTO(header_list) struct curl_slist *headers = NULL;
    struct reading reading = {text_new(ctx->arena, 1024), client->options.max_answer};
    int64_t left = ctx_left_ms(ctx);

    if (left == 0) {
        return fail_with(ctx, ST_TIMEOUT, "", "no time left for a %s", call->method);
    }
    left = left < client->options.timeout_ms ? left : client->options.timeout_ms;
    set_options(client, call, (long)left);
    for (const char *const *line = call->headers; line && *line; line++) {
        headers = curl_slist_append(headers, *line);
    }
    headers = curl_slist_append(headers, "Expect:"); /* no round trip before a large body */
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, &reading);

    CURLcode code = curl_easy_perform(client->curl);

    if (code != CURLE_OK) { /* no address in the log: those of push services are secrets */
        return fail_with(ctx, status_of(code), "", "%s: %s", call->method,
                         curl_easy_strerror(code));
    }
    read_answer(ctx, client, &reading, answer);
    return ST_OK;
}

/* "pay.example.org:443": what is behind it may be a secret, and "user:password@" is one. */
static const char *host_of(struct arena *arena, const char *url)
{
    const char *scheme = strstr(url, "://");
    const char *start = scheme ? scheme + 3 : url;
    size_t length = strcspn(start, "/?#");
    const char *at = memrchr(start, '@', length);
    const char *host = at ? at + 1 : start;

    return arena_printf(arena, "%.*s", (int)(start + length - host), host);
}

enum status http_client_call(struct ctx *ctx, struct http_client *client,
                             const struct http_call *call, struct http_answer *answer)
{
    struct span span;

    span_begin(&span, ctx);
    enum status st = perform(ctx, client, call, answer);
    if (span.is_on) {
        span_failed(&span, ctx, st);
        span_end(&span, SPAN_CLIENT, call->method, log_text("http.request.method", call->method),
                 log_text("server.address", host_of(ctx->arena, call->url)),
                 log_num("http.response.status_code", st == ST_OK ? answer->code : 0));
    }
    return st;
}

const char *http_client_header(struct ctx *ctx, const struct http_client *client, const char *name)
{
    struct curl_header *header;

    if (curl_easy_header(client->curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
        return NULL;
    }
    return arena_strdup(ctx->arena, header->value);
}
