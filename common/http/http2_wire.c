/* A handle of libcurl is one connection, and goes with it. */
#include "common/http/http2_wire.h"

#include "common/http/http_client.h"

#include <openssl/ssl.h>
#include <stdlib.h>

void http2_wire_init(struct http2_wire *wire)
{
    http_client_start_library();
    *wire = (struct http2_wire){.multi = curl_multi_init()};
    if (!wire->multi) {
        abort();
    }
}

void http2_wire_destroy(struct http2_wire *wire)
{
    http2_wire_close(wire);
    curl_multi_cleanup(wire->multi);
}

/* libcurl would speak HTTP/2 itself, had it offered that. With read-ahead a record takes one system
 * call, not two. */
static CURLcode offer_http2(CURL *curl, void *context, void *user)
{
    static const unsigned char names[] = "\x2h2";

    (void)curl, (void)user;
    SSL_CTX_set_read_ahead(context, 1);
    return SSL_CTX_set_alpn_protos(context, names, sizeof(names) - 1) == 0
               ? CURLE_OK
               : CURLE_SSL_CONNECT_ERROR;
}

void http2_wire_connect(struct http2_wire *wire, const char *origin,
                        const struct http_multi_options *options)
{
    CURL *curl = wire->curl = curl_easy_init();

    if (!curl) {
        abort();
    }
    wire->is_open = wire->timed_out = false;
    curl_easy_setopt(curl, CURLOPT_URL, origin);
    curl_easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_ENABLE_ALPN, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, offer_http2);
    http_multi_set_connection(curl, options);
    curl_multi_add_handle(wire->multi, curl);
}

static bool fail(struct http2_wire *wire, CURLcode code)
{
    wire->timed_out = code == CURLE_OPERATION_TIMEDOUT;
    wire->error = curl_easy_strerror(code);
    return false;
}

bool http2_wire_step(struct http2_wire *wire)
{
    int running, left;

    curl_multi_perform(wire->multi, &running);
    const CURLMsg *message = curl_multi_info_read(wire->multi, &left);
    if (!message) {
        return true;
    }
    if (message->data.result != CURLE_OK) {
        return fail(wire, message->data.result);
    }
    curl_easy_getinfo(wire->curl, CURLINFO_ACTIVESOCKET, &wire->socket);
    wire->is_open = true;
    return true;
}

void http2_wire_close(struct http2_wire *wire)
{
    if (wire->curl) {
        curl_multi_remove_handle(wire->multi, wire->curl); /* closes the connection, too */
        curl_easy_cleanup(wire->curl);
    }
    wire->curl = NULL;
    wire->is_open = false;
}

void http2_wire_wait(struct http2_wire *wire, bool to_write, int most_ms)
{
    struct curl_waitfd socket = {
        .fd = wire->socket,
        .events = (short)(CURL_WAIT_POLLIN | (to_write ? CURL_WAIT_POLLOUT : 0)),
    };

    curl_multi_poll(wire->multi, &socket, wire->is_open ? 1 : 0, most_ms, NULL);
}

void http2_wire_wake(struct http2_wire *wire)
{
    curl_multi_wakeup(wire->multi);
}

static ptrdiff_t passed(struct http2_wire *wire, CURLcode code, size_t count)
{
    if (code == CURLE_AGAIN) {
        return 0;
    }
    if (code != CURLE_OK) {
        fail(wire, code);
        return -1;
    }
    return (ptrdiff_t)count;
}

ptrdiff_t http2_wire_read(struct http2_wire *wire, void *bytes, size_t room)
{
    size_t count = 0;
    CURLcode code = curl_easy_recv(wire->curl, bytes, room, &count);

    if (code == CURLE_OK && count == 0) {
        wire->error = "the connection was closed";
        return -1;
    }
    return passed(wire, code, count);
}

ptrdiff_t http2_wire_write(struct http2_wire *wire, const void *bytes, size_t size)
{
    size_t count = 0;
    CURLcode code = curl_easy_send(wire->curl, bytes, size, &count);

    return passed(wire, code, count);
}
