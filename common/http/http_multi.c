/* A handle a stream, made once and used again. The thread sleeps in curl_multi_poll(), and is woken
 * by a call that was posted. */
#include "common/http/http_multi.h"

#include "common/base/clock.h"
#include "common/http/http_line.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STREAMS = 100, CONNECT_MS = 5000, CALL_MS = 20000, SLEEP_MS = 1000, MOST_HEARD = 64 * 1024 };

/* libcurl's least for what is sent; it takes them anew for each call, and would take five times
 * as much. */
#define ROOM (16 * 1024L)

struct stream {
    CURL *curl;
    struct curl_slist headers[HTTP_MULTI_HEADERS]; /* of the call's own lines: curl only reads */
    struct http_multi_call *call;
    struct http_multi_answer answer;
    size_t length, heard; /* of the answer's body: kept, and all */
    int64_t until_ms;     /* monotonic: not longer */
    bool others_heard;    /* since it began somebody was answered by its host */
    struct stream *next;  /* among those that are free */
};

struct http_multi {
    struct http_multi_options options;
    CURLM *multi; /* NULL, with what follows, until the first call */
    struct stream *streams, *free;
    int count, busy;
    atomic_bool stopping;
    pthread_t thread;
    struct http_line line;
};

static size_t keep_body(char *bytes, size_t one, size_t count, void *user)
{
    struct stream *stream = user;
    size_t room = sizeof(stream->answer.body) - 1 - stream->length;
    size_t kept = count < room ? count : room;

    memcpy(stream->answer.body + stream->length, bytes, kept);
    stream->length += kept;
    stream->answer.body[stream->length] = '\0';
    stream->heard += count;
    return stream->heard <= MOST_HEARD ? one * count : 0; /* 0 ends a stranger's endless answer */
}

void http_multi_set_connection(void *curl, const struct http_multi_options *options)
{
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    http_client_set_reach(curl, &options->reach);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* waits for no name that is still looked up */
    curl_easy_setopt(
        curl, CURLOPT_CONNECTTIMEOUT_MS,
        (long)(options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_MS));
    if (options->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
    }
}

static CURL *make_handle(const struct http_multi *multi, struct stream *stream)
{
    CURL *curl = curl_easy_init();

    if (!curl) {
        abort();
    }
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(curl, CURLOPT_PIPEWAIT, 1L); /* rather this connection than another */
    http_multi_set_connection(curl, &multi->options);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, stream);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, stream);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, ROOM);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, ROOM);
    return curl;
}

static struct curl_slist *list_headers(struct stream *stream, const struct http_multi_call *call)
{
    int count = 0;

    for (; call->headers[count]; count++) {
        stream->headers[count] =
            (struct curl_slist){(char *)call->headers[count], &stream->headers[count + 1]};
    }
    stream->headers[count] = (struct curl_slist){(char *)"accept:", NULL}; /* without libcurl's */
    return stream->headers;
}

static void begin(struct http_multi *multi, struct http_multi_call *call)
{
    struct stream *stream = multi->free;

    multi->free = stream->next;
    multi->busy++;
    stream->call = call;
    stream->length = stream->heard = 0;
    stream->until_ms = clock_monotonic_ms() + multi->options.timeout_ms;
    stream->others_heard = false;
    stream->answer = (struct http_multi_answer){0};
    curl_easy_setopt(stream->curl, CURLOPT_FORBID_REUSE, 0L);
    curl_easy_setopt(stream->curl, CURLOPT_URL, call->url);
    curl_easy_setopt(stream->curl, CURLOPT_HTTPHEADER, list_headers(stream, call));
    curl_easy_setopt(stream->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->size);
    curl_easy_setopt(stream->curl, CURLOPT_POSTFIELDS, call->body);
    curl_multi_add_handle(multi->multi, stream->curl);
}

static void finish(struct http_multi *multi, struct stream *stream, const char *error)
{
    struct http_multi_call *call = stream->call;
    curl_off_t retry_after = 0;
    long code = 0;

    if (!error) {
        curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &code);
        curl_easy_getinfo(stream->curl, CURLINFO_RETRY_AFTER, &retry_after);
    }
    stream->answer.code = (int)code;
    stream->answer.error = error;
    stream->answer.retry_after_s = (int)retry_after;
    curl_multi_remove_handle(multi->multi, stream->curl);
    stream->call = NULL;
    stream->next = multi->free;
    multi->free = stream;
    multi->busy--;
    call->done(call, &stream->answer);
}

/* ---- a host that says nothing any more ---- */

static size_t origin_length(const char *url)
{
    const char *host = strstr(url, "://");

    return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : strlen(url);
}

/* The streams of one host share its connection. */
static bool are_of_one_host(const struct stream *one, const struct stream *other)
{
    size_t length = origin_length(one->call->url);

    return length == origin_length(other->call->url) &&
           strncasecmp(one->call->url, other->call->url, length) == 0;
}

static void note_answer(struct http_multi *multi, const struct stream *answered)
{
    for (int i = 0; i < multi->count; i++) {
        struct stream *other = &multi->streams[i];

        other->others_heard =
            other->others_heard || (other->call && are_of_one_host(other, answered));
    }
}

/* Or it waits for one. */
static bool has_connection(const struct stream *stream)
{
    curl_off_t asked_us = 0;

    curl_easy_getinfo(stream->curl, CURLINFO_PRETRANSFER_TIME_T, &asked_us);
    return asked_us > 0;
}

static void leave(struct http_multi *multi, struct stream *stream, bool with_connection)
{
    curl_easy_setopt(stream->curl, CURLOPT_FORBID_REUSE, (long)with_connection);
    stream->answer.timed_out = true;
    finish(multi, stream, curl_easy_strerror(CURLE_OPERATION_TIMEDOUT));
}

/* libcurl would keep the connection, though its other end may be gone, and send all that is asked
 * from now on over it. With the last stream it is closed: so all that are on it go. */
static void end_late(struct http_multi *multi, struct stream *late)
{
    bool is_dead = has_connection(late) && !late->others_heard;

    for (int i = 0; is_dead && i < multi->count; i++) {
        struct stream *other = &multi->streams[i];

        if (other->call && other != late && has_connection(other) && are_of_one_host(other, late)) {
            leave(multi, other, true);
        }
    }
    leave(multi, late, is_dead);
}

static int end_all_late(struct http_multi *multi)
{
    int64_t now_ms = clock_monotonic_ms();
    int ended = 0;

    for (int i = 0; i < multi->count; i++) {
        if (multi->streams[i].call && multi->streams[i].until_ms <= now_ms) {
            end_late(multi, &multi->streams[i]);
            ended++;
        }
    }
    return ended;
}

/* ---- the thread ---- */

static int finish_done(struct http_multi *multi)
{
    const CURLMsg *message;
    int left, done = 0;

    while ((message = curl_multi_info_read(multi->multi, &left))) {
        struct stream *stream = NULL;
        CURLcode code = message->data.result;

        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &stream);
        stream->answer.timed_out = code == CURLE_OPERATION_TIMEDOUT; /* to connect */
        if (code == CURLE_OK) {
            note_answer(multi, stream);
        }
        finish(multi, stream, code == CURLE_OK ? NULL : curl_easy_strerror(code));
        done++;
    }
    return done;
}

/* True when nothing was to do but wait. */
static bool turn(struct http_multi *multi)
{
    struct http_multi_call *call;
    int running, begun = 0;

    while (multi->free && (call = http_line_take(&multi->line))) {
        begin(multi, call);
        begun++;
    }
    curl_multi_perform(multi->multi, &running);
    int done = finish_done(multi); /* whose answer has come was not late */
    return done + end_all_late(multi) + begun == 0;
}

static int sleep_ms(const struct http_multi *multi)
{
    int64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + SLEEP_MS;

    for (int i = 0; i < multi->count; i++) {
        const struct stream *stream = &multi->streams[i];

        until_ms = stream->call && stream->until_ms < until_ms ? stream->until_ms : until_ms;
    }
    return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

static void abandon(struct http_multi *multi)
{
    for (int i = 0; i < multi->count; i++) {
        if (multi->streams[i].call) {
            finish(multi, &multi->streams[i], "stopped");
        }
    }
    do {
        http_line_end_all(&multi->line, &(struct http_multi_answer){.error = "stopped"});
    } while (!http_line_may_sleep(&multi->line));
}

static void *run(void *argument)
{
    struct http_multi *multi = argument;

    while (!atomic_load(&multi->stopping)) {
        if (turn(multi) && (http_line_may_sleep(&multi->line) || !multi->free)) {
            curl_multi_poll(multi->multi, NULL, 0, sleep_ms(multi), NULL);
        }
    }
    abandon(multi);
    return NULL;
}

/* Not before there is something to send: libcurl and its handles take 1.5 MiB. */
static void open_streams(struct http_multi *multi)
{
    http_client_start_library();
    multi->multi = curl_multi_init();
    multi->streams = calloc((size_t)multi->count, sizeof(*multi->streams));
    if (!multi->multi || !multi->streams) {
        abort();
    }
    for (int i = 0; i < multi->count; i++) {
        multi->streams[i].curl = make_handle(multi, &multi->streams[i]);
        multi->streams[i].next = multi->free;
        multi->free = &multi->streams[i];
    }
    curl_multi_setopt(multi->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
    curl_multi_setopt(multi->multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    curl_multi_setopt(multi->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)multi->count);
    if (pthread_create(&multi->thread, NULL, run, multi) != 0) {
        abort();
    }
}

struct http_multi *http_multi_start(const struct http_multi_options *options)
{
    struct http_multi *multi = calloc(1, sizeof(*multi));

    if (!multi) {
        abort();
    }
    multi->options = *options;
    multi->options.timeout_ms = options->timeout_ms ? options->timeout_ms : CALL_MS;
    if (options->ca_file && !(multi->options.ca_file = strdup(options->ca_file))) {
        abort();
    }
    multi->count = options->streams ? options->streams : STREAMS;
    http_line_init(&multi->line);
    return multi;
}

static void close_streams(struct http_multi *multi)
{
    atomic_store(&multi->stopping, true);
    curl_multi_wakeup(multi->multi);
    pthread_join(multi->thread, NULL);
    for (int i = 0; i < multi->count; i++) {
        curl_easy_cleanup(multi->streams[i].curl);
    }
    curl_multi_cleanup(multi->multi);
    free(multi->streams);
}

void http_multi_stop(struct http_multi *multi)
{
    if (!multi) {
        return;
    }
    if (multi->multi) {
        close_streams(multi);
    }
    http_line_destroy(&multi->line);
    free((char *)(uintptr_t)multi->options.ca_file);
    free(multi);
}

void http_multi_post(struct http_multi *multi, struct http_multi_call *call)
{
    switch (http_line_add(&multi->line, call)) {
    case HTTP_LINE_NOTHING:
        break;
    case HTTP_LINE_WAKE:
        curl_multi_wakeup(multi->multi);
        break;
    case HTTP_LINE_START:
        open_streams(multi);
    }
}
