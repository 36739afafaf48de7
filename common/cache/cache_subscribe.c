/* A subscription: one thread, one connection, and the truth about when it was not there. What
 * Valkey published in between is gone (pub/sub keeps nothing), so up(true) means: look for
 * yourself. */
#include "common/base/clock.h"
#include "common/cache/cache_conn.h"
#include "common/obs/log.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { DIAL_MS = 1000, FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 2000, QUIET_MS = 1000 };

struct cache_subscriber {
    struct cache_options options;
    char *pattern;
    struct cache_subscriber_events events;
    void *user;
    int wake; /* an eventfd: written once, to end */
    atomic_bool ending;
    pthread_t thread;
    struct cache_conn conn; /* the thread's own, as the next two */
    bool pinged;
    bool subscribed;
};

/* True: the connection has something; false: the time is over, or we are to end. */
static bool wait_for_input(struct cache_subscriber *subscriber, int fd, int timeout_ms)
{
    struct pollfd fds[] = {
        {.fd = subscriber->wake, .events = POLLIN},
        {.fd = fd,               .events = POLLIN}
    };

    return poll(fds, 2, timeout_ms) > 0 && fds[1].revents;
}

static bool send_words(struct cache_subscriber *subscriber, const char **words, int count)
{
    redisContext *redis = subscriber->conn.redis;
    int done = 0;

    if (redisAppendCommandArgv(redis, count, words, NULL) != REDIS_OK) {
        return false;
    }
    while (!done) {
        if (redisBufferWrite(redis, &done) != REDIS_OK) {
            return false;
        }
    }
    return true;
}

/* [pmessage, pattern, channel, payload]; [psubscribe, pattern, count]; [pong, ""]. */
static void take_reply(struct cache_subscriber *subscriber, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 || !reply->element[0]->str) {
        return;
    }
    const char *what = reply->element[0]->str;
    if (strcmp(what, "pmessage") == 0 && reply->elements == 4) {
        subscriber->events.message(reply->element[2]->str, reply->element[3]->str,
                                   reply->element[3]->len, subscriber->user);
    } else if (strcmp(what, "psubscribe") == 0 && !subscriber->subscribed) {
        subscriber->subscribed = true; /* only from here on is nothing missed */
        subscriber->events.up(true, subscriber->user);
    }
}

/* False when the connection has ended, or refuses us. */
static bool take_replies(struct cache_subscriber *subscriber)
{
    redisContext *redis = subscriber->conn.redis;

    if (redisBufferRead(redis) != REDIS_OK) {
        return false;
    }
    subscriber->pinged = false;
    for (;;) {
        AUTO(redis_reply) redisReply *reply = NULL;

        if (redisGetReplyFromReader(redis, (void **)&reply) != REDIS_OK) {
            return false;
        }
        if (!reply) {
            return true;
        }
        if (reply->type == REDIS_REPLY_ERROR) {
            log_warn(NULL, "valkey refuses to subscribe", log_text("pattern", subscriber->pattern),
                     log_text("why", reply->str));
            return false;
        }
        take_reply(subscriber, reply);
    }
}

/* A peer that fell silent with its machine, or stands still, would never be noticed without asking:
 * it is after two quiet times, and whoever counts on messages then looks for itself. */
static bool still_there(struct cache_subscriber *subscriber)
{
    if (subscriber->pinged) {
        return false;
    }
    subscriber->pinged = true;
    return send_words(subscriber, (const char *[]){"PING"}, 1);
}

static void listen_until_lost(struct cache_subscriber *subscriber)
{
    const char *words[] = {"PSUBSCRIBE", subscriber->pattern};
    bool there = send_words(subscriber, words, 2);

    while (there && !atomic_load(&subscriber->ending)) {
        there = wait_for_input(subscriber, subscriber->conn.redis->fd, QUIET_MS)
                    ? take_replies(subscriber)
                    : still_there(subscriber);
    }
}

/* True when there was a subscription for a while. */
static bool one_connection(struct cache_subscriber *subscriber)
{
    char why[128];

    if (!cache_conn_open(&subscriber->conn, &subscriber->options, DIAL_MS, why)) {
        return false;
    }
    subscriber->pinged = false;
    subscriber->subscribed = false;
    listen_until_lost(subscriber);
    cache_conn_close(&subscriber->conn);
    if (subscriber->subscribed && !atomic_load(&subscriber->ending)) {
        subscriber->events.up(false, subscriber->user);
    }
    return subscriber->subscribed;
}

static void *subscriber_main(void *argument)
{
    struct cache_subscriber *subscriber = argument;
    int pause_ms = FIRST_PAUSE_MS;

    while (!atomic_load(&subscriber->ending)) {
        if (one_connection(subscriber)) {
            pause_ms = FIRST_PAUSE_MS;
        }
        wait_for_input(subscriber, -1, pause_ms); /* only the end can wake it */
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
    return NULL;
}

struct cache_subscriber *cache_subscribe(const struct cache_options *options, const char *pattern,
                                         const struct cache_subscriber_events *events, void *user)
{
    struct cache_subscriber *subscriber = calloc(1, sizeof(*subscriber));

    if (!subscriber) {
        abort();
    }
    subscriber->options = cache_options_copy(options);
    subscriber->pattern = strdup(pattern);
    subscriber->events = *events;
    subscriber->user = user;
    subscriber->wake = eventfd(0, EFD_CLOEXEC);
    if (!subscriber->pattern || subscriber->wake < 0 ||
        pthread_create(&subscriber->thread, NULL, subscriber_main, subscriber) != 0) {
        abort(); /* no descriptor or thread at start: there is nothing to go on with */
    }
    return subscriber;
}

void cache_unsubscribe(struct cache_subscriber *subscriber)
{
    if (!subscriber) {
        return;
    }
    atomic_store(&subscriber->ending, true);
    eventfd_write(subscriber->wake, 1);
    pthread_join(subscriber->thread, NULL);
    close(subscriber->wake);
    cache_options_free(&subscriber->options);
    free(subscriber->pattern);
    free(subscriber);
}
