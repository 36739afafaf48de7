/* For this folder: what is said on an HTTP/2 connection, with nghttp2, which sees bytes only. */
#ifndef COMMON_HTTP_HTTP2_TALK_H
#define COMMON_HTTP_HTTP2_TALK_H

#include "common/http/http_line.h"

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What TLS sends in one piece, and what nghttp2 hands over in one: a frame with its head. */
enum { HTTP2_RECORD = 16 * 1024, HTTP2_FRAME = HTTP2_RECORD + 64 };

struct http2_stream {
    struct http_multi_call *call; /* NULL: it is free */
    struct http_multi_answer answer;
    size_t kept; /* of the answer's body */
    size_t sent; /* of the call's */
    int32_t id;
    int64_t begun_ms;
    struct http2_stream *next; /* among those that are free */
};

struct http2_talk {
    nghttp2_session *session; /* NULL: there is no connection */
    const char *authority;
    struct http_line *line; /* where calls go back to that the host has not looked at */
    struct http2_stream *streams, *free;
    int count, busy;
    bool has_answered; /* a call, on this connection */
    uint8_t unsent[HTTP2_RECORD + HTTP2_FRAME];
    size_t size, written; /* of what is unsent, and how much of that has left */
};

void http2_talk_init(struct http2_talk *talk, const char *authority, int streams,
                     struct http_line *line);
void http2_talk_destroy(struct http2_talk *talk);

void http2_talk_begin(struct http2_talk *talk);
/* With it end all calls under way: 'answer' says why. */
void http2_talk_end(struct http2_talk *talk, const struct http_multi_answer *answer);

/* The host said that it goes, or the numbers have run out: no more calls here. */
bool http2_talk_is_leaving(const struct http2_talk *talk);
/* It has left with nothing under way, or what it says is no HTTP/2. */
bool http2_talk_is_over(const struct http2_talk *talk);
/* Neither is it leaving, nor are as many calls under way as it bears. */
bool http2_talk_has_room(const struct http2_talk *talk);
void http2_talk_call(struct http2_talk *talk, struct http_multi_call *call, int64_t now_ms);
void http2_talk_cancel(struct http2_talk *talk, struct http2_stream *stream,
                       const struct http_multi_answer *answer);

/* NULL, or what is wrong with the other side. */
const char *http2_talk_hear(struct http2_talk *talk, const void *bytes, size_t size);
/* Fills 'unsent', a record or two at most; what was written of it counts as gone. */
void http2_talk_gather(struct http2_talk *talk);

#endif
