/* What the tests of http2.h share: calls that are posted, waited for and counted, and the host's
 * side of one connection. Included by those tests only. */
#ifndef TESTS_UNIT_COMMON_HTTP_HTTP2_CALLS_H
#define TESTS_UNIT_COMMON_HTTP_HTTP2_CALLS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/http/http2.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/http2_host.h"
#include "tests/helpers/patience.h"
#include "tests/unit/common/http/no_proxy.h"

enum {
    NEVER_MS = 3600 * 1000,
    SHORT_MS = 2000, /* a call's time where its end is waited for */
    WINDOW = 65535,  /* what may be sent unasked, of a call and of all together */
    CALLS = 2048,    /* at most, of one fact */
    THREADS = 8,
    LINE_SIZE = 256,
};

struct one {
    struct http_multi_call call;
    struct http_multi_answer answer;
    int done;
};

static struct http2_host host;
static struct http2_peer peer;
static struct http2_frame frame;
static struct http2 *http2;
static struct one ones[CALLS];
static atomic_int posted;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what of 'ones' is not the call */
static pthread_cond_t news = PTHREAD_COND_INITIALIZER;

/* ---- the client's side ---- */

static __attribute__((unused)) void start_with(const struct http_multi_options *options)
{
    struct http_multi_options own = *options;

    own.connect_timeout_ms = own.connect_timeout_ms ? own.connect_timeout_ms : NEVER_MS;
    own.timeout_ms = own.timeout_ms ? own.timeout_ms : NEVER_MS;
    own.ca_file = own.ca_file ? own.ca_file : host.ca_file;
    http2 = http2_start(host.url, &own);
}

static __attribute__((unused)) void start(void)
{
    start_with(&(struct http_multi_options){0});
}

static __attribute__((unused)) void stop(void)
{
    http2_stop(http2);
    http2 = NULL;
}

static __attribute__((unused)) void note(struct http_multi_call *call,
                                         const struct http_multi_answer *answer)
{
    struct one *one = call->user;

    pthread_mutex_lock(&lock);
    one->answer = *answer;
    one->done++;
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
}

static __attribute__((unused)) struct one *post_body(const char *body, size_t size)
{
    struct one *one = &ones[atomic_fetch_add(&posted, 1)];

    one->call = (struct http_multi_call){
        .url = "/3/device/1", .body = body, .size = size, .done = note, .user = one};
    http2_post(http2, &one->call);
    return one;
}

static __attribute__((unused)) struct one *post(void)
{
    return post_body("hello", 5);
}

static __attribute__((unused)) bool is_done(struct one *one)
{
    pthread_mutex_lock(&lock);
    bool done = one->done > 0;
    pthread_mutex_unlock(&lock);
    return done;
}

static __attribute__((unused)) const struct http_multi_answer *wait_for(struct one *one)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    pthread_mutex_lock(&lock);
    while (!one->done && pthread_cond_timedwait(&news, &lock, &until) == 0) {
    }
    ck_assert_int_eq(one->done, 1);
    pthread_mutex_unlock(&lock);
    return &one->answer;
}

static __attribute__((unused)) void expect_code(struct one *one, int code)
{
    const struct http_multi_answer *answer = wait_for(one);

    ck_assert_msg(answer->code == code, "%d: %s", answer->code, answer->error);
}

static __attribute__((unused)) void expect_error(struct one *one, bool timed_out)
{
    expect_code(one, 0);
    ck_assert_ptr_nonnull(one->answer.error);
    ck_assert_int_eq(one->answer.timed_out, timed_out);
}

static __attribute__((unused)) void before(void)
{
    forget_proxies();
    http2_host_start(&host);
}

/* Of each fact: whatever was posted is done once, and not once more at the end. */
static __attribute__((unused)) void after(void)
{
    stop();
    for (int i = 0; i < atomic_load(&posted); i++) {
        ck_assert_int_eq(ones[i].done, 1);
    }
    http2_host_stop(&host);
}

/* ---- the host's side ---- */

/* The next frame that is not about the connection itself. False: it closed. */
static __attribute__((unused)) bool try_read_frame(void)
{
    do {
        if (!http2_peer_read(&peer, &frame)) {
            return false;
        }
    } while (frame.type == H2_SETTINGS || frame.type == H2_WINDOW_UPDATE);
    return true;
}

static __attribute__((unused)) void read_frame(void)
{
    ck_assert(try_read_frame());
}

static __attribute__((unused)) uint32_t next(int type)
{
    read_frame();
    ck_assert_int_eq(frame.type, type);
    return frame.stream;
}

/* The stream of the next call that has come whole: heads may come before the bodies. */
static __attribute__((unused)) uint32_t next_call(void)
{
    do {
        read_frame();
        ck_assert(frame.type == H2_HEADERS || frame.type == H2_DATA);
    } while (!(frame.flags & H2_END_STREAM));
    return frame.stream;
}

/* A call that is in line when the client hears the first word is sent before it hears the other.
 * False: it ended before it could begin, since the machine was too busy. */
static __attribute__((unused)) bool call_comes(void)
{
    bool came = false;

    for (int i = 0; i < 2; i++) {
        http2_peer_send(&peer, H2_PING, 0, 0, "12345678", 8);
        do {
            if (!http2_peer_read(&peer, &frame)) {
                return false;
            }
            came = came || frame.type == H2_HEADERS;
        } while (frame.type != H2_PING);
    }
    return came;
}

/* Next the client says that it has heard all that was said before. False: it closed. */
static __attribute__((unused)) bool try_fence(void)
{
    http2_peer_send(&peer, H2_PING, 0, 0, "12345678", 8);
    if (!try_read_frame()) {
        return false;
    }
    ck_assert_int_eq(frame.type, H2_PING);
    ck_assert_int_eq(frame.flags, H2_ACK);
    return true;
}

static __attribute__((unused)) void fence(void)
{
    ck_assert(try_fence());
}

/* What says false found this machine too busy: it is tried again, at another host, since a
 * connection made in vain may wait at this one. */
static __attribute__((unused)) void try_until(bool (*holds)(void))
{
    bool held = false;

    for (int i = 0; i < PATIENCE_TRIES && !held; i++) {
        held = holds();
        stop();
        http2_peer_close(&peer);
        http2_host_stop(&host);
        http2_host_start(&host);
    }
    ck_assert(held);
}

static __attribute__((unused)) void accept_client(uint32_t streams)
{
    peer = http2_host_accept(&host);
    http2_peer_settle(&peer, streams);
}

static __attribute__((unused)) void answer(uint32_t stream)
{
    http2_peer_answer(&peer, stream);
}

static __attribute__((unused)) void expect_closed(void)
{
    while (http2_peer_read(&peer, &frame)) {
        ck_assert_int_ne(frame.type, H2_HEADERS);
    }
    http2_peer_close(&peer);
}

static __attribute__((unused)) char *make_body(size_t size)
{
    char *body = malloc(size);

    ck_assert_ptr_nonnull(body);
    for (size_t i = 0; i < size; i++) {
        body[i] = (char)(i * 7919 >> 8);
    }
    return body;
}

static __attribute__((unused)) int64_t cpu_ms(clockid_t whose)
{
    struct timespec used;

    clock_gettime(whose, &used);
    return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

/* Who spins takes as much as this thread, which spins too, and for ever; work is over some time. */
static __attribute__((unused)) void expect_quiet(void)
{
    enum { LOOK_MS = 100 };
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS, used_ms;

    do {
        ck_assert_int_lt(clock_monotonic_ms(), until_ms);
        int64_t begun_ms = cpu_ms(CLOCK_THREAD_CPUTIME_ID),
                all_ms = cpu_ms(CLOCK_PROCESS_CPUTIME_ID);
        while (cpu_ms(CLOCK_THREAD_CPUTIME_ID) - begun_ms < LOOK_MS) {
        }
        used_ms = cpu_ms(CLOCK_PROCESS_CPUTIME_ID) - all_ms - LOOK_MS;
    } while (used_ms > LOOK_MS / 4);
}

enum { HUGE_SIZE = 24 * 1024 * 1024 };

/* More is under way than the kernel keeps for a host that does not read. */
static __attribute__((unused)) void bear_all(void)
{
    http2_peer_send_number(&peer, H2_WINDOW_UPDATE, 0, INT32_MAX - WINDOW);
    http2_peer_send_number(&peer, H2_WINDOW_UPDATE, 1, INT32_MAX - WINDOW);
}

#endif
