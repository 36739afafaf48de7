/* links: common_http */
/* A host of HTTP/2 calls that falls silent, closes, or is none: calls end, in time and once, and
 * the next ones connect anew where that helps. */
#include "tests/unit/common/http/http2_calls.h"

#include "tests/helpers/free_port.h"

#include <stdio.h>
#include <unistd.h>

/* ---- what the host does not answer ---- */

/* False: this machine was too busy. */
static bool next_call_connects_anew(void)
{
    start_with(&(struct http_multi_options){.timeout_ms = SHORT_MS});
    struct one *one = post(), *other = post(), *late = post();
    peer = http2_host_accept(&host);
    expect_error(one, true);
    expect_error(other, true);
    expect_error(late, true);
    while (http2_peer_read(&peer, &frame)) {
    }
    http2_peer_close(&peer);
    struct one *again = post();
    accept_client(10);
    if (!call_comes()) {
        return false;
    }
    answer(1);
    if (wait_for(again)->timed_out) {
        return false;
    }
    expect_code(again, 200);
    return true;
}

START_TEST(a_host_that_falls_silent_is_left_and_the_next_call_connects_anew)
{
    try_until(next_call_connects_anew);
}
END_TEST

/* False: this machine was too busy. */
static bool only_one_ends(void)
{
    start_with(&(struct http_multi_options){.timeout_ms = SHORT_MS});
    struct one *lost = post();

    accept_client(10);
    if (!call_comes()) {
        return false;
    }
    clock_pause_ms(SHORT_MS / 2);
    struct one *slow = post();
    if (!call_comes() || is_done(lost)) {
        return false;
    }
    expect_error(lost, true);
    if (is_done(slow)) {
        return false;
    }
    ck_assert_uint_eq(next(H2_RST_STREAM), 1);
    ck_assert_uint_eq(http2_number(frame.payload), H2_CANCEL);
    answer(1); /* too late, and nobody's */
    answer(3);
    if (wait_for(slow)->timed_out) {
        return false;
    }
    expect_code(slow, 200);
    struct one *third = post();
    if (!call_comes()) {
        return false;
    }
    answer(5);
    return !wait_for(third)->timed_out;
}

START_TEST(of_a_host_that_answers_others_only_the_call_that_it_does_not_answer_ends)
{
    try_until(only_one_ends);
}
END_TEST

/* Or until it connects anew. */
static void wait_for_end(struct one *one)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (!is_done(one) && !http2_host_is_called(&host) && clock_monotonic_ms() < until_ms) {
        clock_pause_ms(5);
    }
}

static char *huge;

/* One is cut off in the middle of a frame, of the other nothing has been said. False: this machine
 * was too busy, and the first one ended before the other could wait behind it. */
static bool both_end_in_time(void)
{
    start_with(&(struct http_multi_options){.timeout_ms = SHORT_MS});
    struct one *one = post_body(huge, HUGE_SIZE);
    accept_client(10);
    if (!call_comes()) {
        return false;
    }
    bear_all();
    expect_quiet();
    struct one *other = post();
    if (is_done(one)) {
        return false;
    }
    wait_for_end(other);
    if (http2_host_is_called(&host)) {
        return false;
    }
    expect_error(one, true);
    expect_error(other, true);
    http2_peer_send(&peer, H2_PING, 0, 0, "12345678", 8);
    while (http2_peer_read(&peer, &frame) && frame.type != H2_PING) {
        ck_assert(frame.type != H2_DATA || !(frame.flags & H2_END_STREAM));
    }
    return true;
}

START_TEST(calls_end_in_time_though_the_host_does_not_read)
{
    huge = make_body(HUGE_SIZE);
    try_until(both_end_in_time);
    free(huge);
}
END_TEST

/* They were posted while the first one could not begin yet: its time is over with theirs. */
START_TEST(calls_that_wait_for_one_that_is_not_answered_end_with_it)
{
    struct one *of[4];

    start_with(&(struct http_multi_options){.timeout_ms = SHORT_MS, .streams = 1});
    for (int i = 0; i < 4; i++) {
        of[i] = post();
    }
    accept_client(10);
    clock_pause_ms(2); /* so that it is heard after the call began */
    call_comes();
    for (int i = 0; i < 4; i++) {
        expect_error(of[i], true);
    }
    stop();
    expect_closed();
}
END_TEST

/* ---- a host that closes, or is none ---- */

START_TEST(a_closed_connection_ends_what_is_under_way_once_and_the_rest_goes_to_another)
{
    start_with(&(struct http_multi_options){.streams = 3});
    struct one *of[] = {post(), post(), post(), post()};
    accept_client(10);
    for (int i = 0; i < 3; i++) {
        next_call();
    }
    http2_peer_close(&peer);
    for (int i = 0; i < 3; i++) {
        expect_error(of[i], false);
    }
    accept_client(10);
    answer(next_call());
    expect_code(of[3], 200);
    http2_peer_close(&peer);
}
END_TEST

enum { MANY = 5 };

/* Where two connections were in vain, a third is not made for those that still wait. */
static void expect_all_end(struct one *const of[])
{
    for (int i = 0; i < MANY; i++) {
        expect_error(of[i], false);
    }
    ck_assert(!http2_host_is_called(&host));
}

static void post_some(struct one *of[])
{
    for (int i = 0; i < MANY; i++) {
        of[i] = post();
    }
}

START_TEST(a_host_that_speaks_no_http2_ends_all_calls)
{
    static const char *const says[] = {"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
                                       "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"};

    for (int i = 0; i < 2; i++) {
        struct one *of[MANY];

        start();
        post_some(of);
        for (int tries = 0; tries < 2; tries++) {
            peer = http2_host_accept(&host);
            http2_peer_send_bytes(&peer, says[i], strlen(says[i]));
            while (http2_peer_read(&peer, &frame)) {
            }
            http2_peer_close(&peer);
        }
        expect_all_end(of);
        stop();
    }
}
END_TEST

/* All that it says comes with the end of the handshake, before a call can have begun. */
START_TEST(a_host_that_closes_or_goes_at_once_ends_all_calls)
{
    SSL_CTX_set_max_proto_version(host.tls, TLS1_2_VERSION);
    for (int goes = 0; goes < 2; goes++) {
        struct one *of[MANY];

        start();
        post_some(of);
        for (int tries = 0; tries < 2; tries++) {
            peer = http2_host_accept_tls(&host, true);
            ck_assert_ptr_nonnull(peer.tls);
            if (goes) {
                http2_peer_settle(&peer, 10);
                http2_peer_go_away(&peer, 0);
            }
            http2_peer_close(&peer);
        }
        expect_all_end(of);
        stop();
    }
}
END_TEST

START_TEST(where_nobody_listens_calls_end_with_an_error)
{
    snprintf(host.url, sizeof(host.url), "https://127.0.0.1:%d", free_port());
    start();
    struct one *of[] = {post(), post()};
    expect_error(of[0], false);
    expect_error(of[1], false);
    expect_error(post(), false);
    expect_quiet();
}
END_TEST

START_TEST(a_host_that_does_not_shake_hands_is_given_up_in_time)
{
    start_with(&(struct http_multi_options){.connect_timeout_ms = SHORT_MS});
    struct one *of[] = {post(), post()};
    int fd = http2_host_accept_tcp(&host);
    expect_error(of[0], true);
    expect_error(of[1], true);
    close(fd);
}
END_TEST

START_TEST(a_host_with_a_certificate_that_is_not_trusted_is_told_nothing)
{
    struct http2_host other;

    http2_host_start(&other);
    start_with(&(struct http_multi_options){.ca_file = other.ca_file});
    struct one *one = post();
    peer = http2_host_accept_tls(&host, false);
    expect_error(one, false);
    ck_assert(!peer.tls || !http2_peer_read(&peer, &frame));
    http2_peer_close(&peer);
    http2_host_stop(&other);
}
END_TEST

TEST_MAIN_AROUND("http2_bad_hosts", (&(struct test_around){.before = before, .after = after}),
                 a_host_that_falls_silent_is_left_and_the_next_call_connects_anew,
                 of_a_host_that_answers_others_only_the_call_that_it_does_not_answer_ends,
                 calls_end_in_time_though_the_host_does_not_read,
                 calls_that_wait_for_one_that_is_not_answered_end_with_it,
                 a_closed_connection_ends_what_is_under_way_once_and_the_rest_goes_to_another,
                 a_host_that_speaks_no_http2_ends_all_calls,
                 a_host_that_closes_or_goes_at_once_ends_all_calls,
                 where_nobody_listens_calls_end_with_an_error,
                 a_host_that_does_not_shake_hands_is_given_up_in_time,
                 a_host_with_a_certificate_that_is_not_trusted_is_told_nothing)
