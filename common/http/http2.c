/* One thread a host. In each turn it reads what came, begins the calls that wait, and writes all
 * that is to be said with one system call. */
#include "common/http/http2.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/http/http2_talk.h"
#include "common/http/http2_wire.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    STREAMS = 100,
    CALL_MS = 20000,
    LEAVE_MS = 3000, /* what a host that goes has for the calls under way */
    MOST_IN_VAIN = 2,
    QUIET_MS = 110 * 1000 /* who forwards packets in between soon forgets a silent connection */
};

struct http2 {
    struct http_multi_options options;
    char *origin;
    struct http_line line;
    struct http2_wire wire;
    struct http2_talk talk;
    int64_t heard_ms;    /* last */
    int64_t leave_by_ms; /* 0: the host has not said that it goes */
    int in_vain;         /* connections, one after the other, on which nothing was answered */
    atomic_bool stopping;
    pthread_t thread;
    uint8_t heard[HTTP2_RECORD];
};

static void disconnect(struct http2 *http2, const struct http_multi_answer *answer)
{
    http2_wire_close(&http2->wire);
    http2->leave_by_ms = 0;
    if (http2->talk.session) {
        http2_talk_end(&http2->talk, answer);
    }
}

/* Those that wait would only learn the same, one time-out after the other. */
static void give_up(struct http2 *http2, const char *why, bool timed_out)
{
    struct http_multi_answer answer = {.error = why, .timed_out = timed_out};

    http2->in_vain = 0;
    http_line_end_all(&http2->line, &answer);
    disconnect(http2, &answer);
}

/* Those that wait go to the next connection: who closes each at once would have them wait for
 * ever. */
static void hang_up(struct http2 *http2, const char *why)
{
    http2->in_vain = http2->talk.has_answered ? 0 : http2->in_vain + 1;
    if (http2->in_vain >= MOST_IN_VAIN) {
        give_up(http2, why, false);
        return;
    }
    disconnect(http2, &(struct http_multi_answer){.error = why});
}

static void connect_step(struct http2 *http2)
{
    struct http2_wire *wire = &http2->wire;

    if (!wire->curl) {
        http2_wire_connect(wire, http2->origin, &http2->options);
    }
    if (!http2_wire_step(wire)) {
        give_up(http2, wire->error, wire->timed_out);
    } else if (wire->is_open) {
        http2->heard_ms = clock_monotonic_ms();
        http2_talk_begin(&http2->talk);
    }
}

/* ---- a turn of a connection that is open: each step may end it ---- */

static void hear(struct http2 *http2, int64_t now_ms)
{
    ptrdiff_t size;

    while (http2->talk.session &&
           (size = http2_wire_read(&http2->wire, http2->heard, sizeof(http2->heard))) != 0) {
        const char *wrong = size < 0 ? http2->wire.error
                                     : http2_talk_hear(&http2->talk, http2->heard, (size_t)size);
        http2->heard_ms = now_ms;
        if (wrong) {
            hang_up(http2, wrong);
        }
    }
}

static void leave(struct http2 *http2, int64_t now_ms)
{
    if (http2_talk_is_leaving(&http2->talk) && !http2->leave_by_ms) {
        http2->leave_by_ms = now_ms + LEAVE_MS;
    }
    if (http2->leave_by_ms ? now_ms >= http2->leave_by_ms
                           : !http2->talk.busy && now_ms - http2->heard_ms >= QUIET_MS) {
        hang_up(http2, "the other side has gone");
    }
}

/* A call that got no answer although the connection is alive ends alone, with those that have
 * waited as long for their turn. */
static void end_late(struct http2 *http2, int64_t now_ms)
{
    struct http_multi_answer late = {.error = "no answer in time", .timed_out = true};

    for (int i = 0; i < http2->talk.count && http2->talk.session; i++) {
        struct http2_stream *stream = &http2->talk.streams[i];

        if (!stream->call || now_ms - stream->begun_ms < http2->options.timeout_ms) {
            continue;
        }
        if (http2->heard_ms > stream->begun_ms) {
            http2_talk_cancel(&http2->talk, stream, &late);
        } else {
            give_up(http2, late.error, true);
        }
    }
    http_line_end_old(&http2->line, now_ms - http2->options.timeout_ms, &late);
}

static void begin_calls(struct http2 *http2, int64_t now_ms)
{
    struct http_multi_call *call;

    while (http2_talk_has_room(&http2->talk) && (call = http_line_take(&http2->line))) {
        http2_talk_call(&http2->talk, call, now_ms);
    }
}

static void speak(struct http2 *http2, int64_t now_ms)
{
    struct http2_talk *talk = &http2->talk;
    ptrdiff_t size = 1;

    (void)now_ms;
    for (http2_talk_gather(talk); talk->size > 0 && size > 0; http2_talk_gather(talk)) {
        size = http2_wire_write(&http2->wire, talk->unsent + talk->written,
                                talk->size - talk->written);
        talk->written += size > 0 ? (size_t)size : 0;
    }
    if (size < 0) {
        hang_up(http2, http2->wire.error);
    } else if (http2_talk_is_over(talk)) {
        hang_up(http2, "the other side has gone, or speaks no HTTP/2");
    }
}

static void talk_step(struct http2 *http2)
{
    static void (*const steps[])(struct http2 *, int64_t) = {hear, leave, begin_calls, end_late,
                                                             speak};
    int64_t now_ms = clock_monotonic_ms();

    for (size_t i = 0; i < ARRAY_LEN(steps) && http2->talk.session; i++) {
        steps[i](http2, now_ms);
    }
}

/* ---- the thread ---- */

static int patience_ms(const struct http2 *http2, int64_t now_ms)
{
    int64_t until_ms = http2->leave_by_ms ? http2->leave_by_ms : now_ms + QUIET_MS;

    for (int i = 0; i < http2->talk.count && http2->talk.busy; i++) {
        const struct http2_stream *stream = &http2->talk.streams[i];
        int64_t late_ms = stream->begun_ms + http2->options.timeout_ms;

        until_ms = stream->call && late_ms < until_ms ? late_ms : until_ms;
    }
    return until_ms > now_ms ? (int)(until_ms - now_ms) : 0;
}

/* Whether nothing is to do until there is news of the connection. */
static bool must_wait(const struct http2 *http2)
{
    return http2->talk.session ? !http2_talk_has_room(&http2->talk) : http2->wire.curl != NULL;
}

static void *run(void *argument)
{
    struct http2 *http2 = argument;

    while (!atomic_load(&http2->stopping)) {
        bool is_wanted = !http_line_may_sleep(&http2->line);

        if (!is_wanted || must_wait(http2)) {
            bool is_unsent = http2->talk.written < http2->talk.size;
            http2_wire_wait(&http2->wire, is_unsent, patience_ms(http2, clock_monotonic_ms()));
        }
        if (http2->talk.session) {
            talk_step(http2);
        } else if (http2->wire.curl || is_wanted) {
            connect_step(http2);
        }
    }
    do {
        give_up(http2, "stopped", false);
    } while (!http_line_may_sleep(&http2->line));
    return NULL;
}

static char *copy(const char *text)
{
    char *own = strdup(text);

    if (!own) {
        abort();
    }
    return own;
}

struct http2 *http2_start(const char *origin, const struct http_multi_options *options)
{
    struct http2 *http2 = calloc(1, sizeof(*http2));

    if (!http2) {
        abort();
    }
    http2->origin = copy(origin);
    http2->options = *options;
    http2->options.ca_file = options->ca_file ? copy(options->ca_file) : NULL;
    http2->options.timeout_ms = options->timeout_ms ? options->timeout_ms : CALL_MS;
    http_line_init(&http2->line);
    return http2;
}

void http2_stop(struct http2 *http2)
{
    if (!http2) {
        return;
    }
    if (http2->line.begun) {
        atomic_store(&http2->stopping, true);
        http2_wire_wake(&http2->wire);
        pthread_join(http2->thread, NULL);
        http2_wire_destroy(&http2->wire);
        http2_talk_destroy(&http2->talk);
    }
    http_line_destroy(&http2->line);
    free((char *)(uintptr_t)http2->options.ca_file);
    free(http2->origin);
    free(http2);
}

/* Not before there is something to send: libcurl, streams and buffers are memory. */
static void begin(struct http2 *http2)
{
    const char *host = strstr(http2->origin, "://");
    int streams = http2->options.streams ? http2->options.streams : STREAMS;

    http2_wire_init(&http2->wire);
    http2_talk_init(&http2->talk, host ? host + 3 : http2->origin, streams, &http2->line);
    if (pthread_create(&http2->thread, NULL, run, http2) != 0) {
        abort();
    }
}

void http2_post(struct http2 *http2, struct http_multi_call *call)
{
    call->was_refused = false;
    switch (http_line_add(&http2->line, call)) {
    case HTTP_LINE_NOTHING:
        break;
    case HTTP_LINE_WAKE:
        http2_wire_wake(&http2->wire);
        break;
    case HTTP_LINE_START:
        begin(http2);
    }
}
