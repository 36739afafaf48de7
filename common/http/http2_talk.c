/* HPACK remembers on both sides what comes with each call: from the second on it is one byte. What
 * is a call's own is marked, and pushes nothing out; 'authorization' nghttp2 always says in
 * full. */
#include "common/http/http2_talk.h"

#include "common/base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { PSEUDO_HEADERS = 4, MOST_DIGITS = 9 };

static struct http2_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* ---- what is said ---- */

static nghttp2_nv header(const char *name, size_t name_size, const char *value, bool is_own)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .namelen = name_size,
        .value = (uint8_t *)(uintptr_t)value,
        .valuelen = strlen(value),
        .flags = is_own ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE,
    };
}

static size_t list_headers(const struct http2_talk *talk, const struct http_multi_call *call,
                           nghttp2_nv list[])
{
    size_t count = 0;

    list[count++] = header(":method", 7, "POST", false);
    list[count++] = header(":scheme", 7, "https", false);
    list[count++] = header(":authority", 10, talk->authority, false);
    list[count++] = header(":path", 5, call->url, true);
    for (int i = 0; call->headers[i]; i++) {
        const char *line = call->headers[i];
        size_t name_size = strcspn(line, ":");

        list[count++] = header(line, name_size, line + name_size + 2, i >= call->shared);
    }
    return count;
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t room,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct http2_stream *stream = stream_of(session, id);

    (void)source, (void)user;
    if (!stream) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* cancelled: its call is gone */
    }
    const struct http_multi_call *call = stream->call;
    size_t left = call->size - stream->sent;
    size_t count = left < room ? left : room;
    memcpy(to, call->body + stream->sent, count);
    stream->sent += count;
    if (stream->sent == call->size) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)count;
}

static struct http_multi_call *let_go(struct http2_talk *talk, struct http2_stream *stream)
{
    struct http_multi_call *call = stream->call;

    stream->call = NULL;
    stream->next = talk->free;
    talk->free = stream;
    talk->busy--;
    return call;
}

static void finish(struct http2_talk *talk, struct http2_stream *stream)
{
    struct http_multi_call *call = let_go(talk, stream);

    call->done(call, &stream->answer);
}

void http2_talk_call(struct http2_talk *talk, struct http_multi_call *call, int64_t now_ms)
{
    struct http2_stream *stream = talk->free;
    nghttp2_data_provider body = {.read_callback = read_body};
    nghttp2_nv headers[PSEUDO_HEADERS + HTTP_MULTI_HEADERS];
    size_t count = list_headers(talk, call, headers);

    talk->free = stream->next;
    talk->busy++;
    *stream = (struct http2_stream){.call = call, .begun_ms = now_ms};
    stream->id = nghttp2_submit_request(talk->session, NULL, headers, count,
                                        call->size ? &body : NULL, stream);
    if (stream->id < 0) {
        stream->answer.error = nghttp2_strerror(stream->id);
        finish(talk, stream);
    }
}

void http2_talk_cancel(struct http2_talk *talk, struct http2_stream *stream,
                       const struct http_multi_answer *answer)
{
    nghttp2_submit_rst_stream(talk->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_CANCEL);
    nghttp2_session_set_stream_user_data(talk->session, stream->id, NULL);
    stream->answer = *answer;
    finish(talk, stream);
}

void http2_talk_gather(struct http2_talk *talk)
{
    const uint8_t *frame;
    ssize_t size;

    if (talk->written < talk->size) {
        return; /* OpenSSL wants to see the same bytes again */
    }
    talk->size = talk->written = 0;
    while (talk->size < HTTP2_RECORD &&
           (size = nghttp2_session_mem_send(talk->session, &frame)) > 0) {
        memcpy(talk->unsent + talk->size, frame, (size_t)size);
        talk->size += (size_t)size;
    }
}

/* ---- what is heard ---- */

static bool is(const uint8_t *name, size_t size, const char *known)
{
    return size == strlen(known) && memcmp(name, known, size) == 0;
}

static int number_in(const uint8_t *digits, size_t size)
{
    int number = 0;

    for (size_t i = 0; i < size && i < MOST_DIGITS && isdigit(digits[i]); i++) {
        number = number * 10 + (digits[i] - '0');
    }
    return number;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *user)
{
    struct http2_stream *stream = stream_of(session, frame->hd.stream_id);

    (void)flags, (void)user;
    if (stream && is(name, name_size, ":status")) {
        stream->answer.code = number_in(value, value_size);
    } else if (stream && is(name, name_size, "retry-after")) {
        stream->answer.retry_after_s = number_in(value, value_size);
    }
    return 0;
}

static int on_body(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t size, void *user)
{
    struct http2_stream *stream = stream_of(session, id);

    (void)flags, (void)user;
    if (stream) {
        struct http_multi_answer *answer = &stream->answer;
        size_t room = sizeof(answer->body) - 1 - stream->kept;
        size_t count = size < room ? size : room;

        memcpy(answer->body + stream->kept, bytes, count);
        stream->kept += count;
    }
    return 0;
}

/* A call that the host refused it has not looked at. */
static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct http2_talk *talk = user;
    struct http2_stream *stream = stream_of(session, id);

    if (!stream) {
        return 0;
    }
    if (error == NGHTTP2_REFUSED_STREAM && !stream->call->was_refused) {
        stream->call->was_refused = true;
        http_line_put_back(talk->line, let_go(talk, stream));
        return 0;
    }
    if (error != NGHTTP2_NO_ERROR || stream->answer.code < 200) {
        stream->answer.code = 0;
        stream->answer.error = nghttp2_http2_strerror(error);
    } else {
        talk->has_answered = true;
    }
    finish(talk, stream);
    return 0;
}

const char *http2_talk_hear(struct http2_talk *talk, const void *bytes, size_t size)
{
    ssize_t heard = nghttp2_session_mem_recv(talk->session, bytes, size);

    return heard < 0 ? nghttp2_strerror((int)heard) : NULL;
}

bool http2_talk_is_leaving(const struct http2_talk *talk)
{
    return !nghttp2_session_check_request_allowed(talk->session);
}

bool http2_talk_is_over(const struct http2_talk *talk)
{
    return !nghttp2_session_want_read(talk->session);
}

bool http2_talk_has_room(const struct http2_talk *talk)
{
    uint32_t most =
        nghttp2_session_get_remote_settings(talk->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);

    /* One that bears none is found out by a call that waits in vain. */
    return talk->free && (talk->busy == 0 || (uint32_t)talk->busy < most) &&
           !http2_talk_is_leaving(talk);
}

/* ---- a connection's beginning and end ---- */

/* Apple bears one call until it has seen a provider token, and says so in its first frame: of more
 * that were begun before, it refuses each. */
static nghttp2_option *make_options(void)
{
    nghttp2_option *options;

    if (nghttp2_option_new(&options) != 0) {
        abort();
    }
    nghttp2_option_set_peer_max_concurrent_streams(options, 1);
    return options;
}

static nghttp2_session *make_session(struct http2_talk *talk)
{
    nghttp2_option *options = make_options();
    nghttp2_session_callbacks *callbacks;
    nghttp2_session *session;

    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        abort();
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_body);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (nghttp2_session_client_new2(&session, callbacks, talk, options) != 0) {
        abort();
    }
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(options);
    return session;
}

void http2_talk_begin(struct http2_talk *talk)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}
    };

    talk->session = make_session(talk);
    talk->has_answered = false;
    talk->size = talk->written = 0;
    nghttp2_submit_settings(talk->session, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings));
}

void http2_talk_end(struct http2_talk *talk, const struct http_multi_answer *answer)
{
    nghttp2_session_del(talk->session);
    talk->session = NULL;
    for (int i = 0; i < talk->count; i++) {
        if (talk->streams[i].call) {
            talk->streams[i].answer = *answer;
            finish(talk, &talk->streams[i]);
        }
    }
}

void http2_talk_init(struct http2_talk *talk, const char *authority, int streams,
                     struct http_line *line)
{
    *talk = (struct http2_talk){.authority = authority, .count = streams, .line = line};
    talk->streams = calloc((size_t)streams, sizeof(*talk->streams));
    if (!talk->streams) {
        abort();
    }
    for (int i = 0; i < streams; i++) {
        talk->streams[i].next = talk->free;
        talk->free = &talk->streams[i];
    }
}

void http2_talk_destroy(struct http2_talk *talk)
{
    free(talk->streams);
}
