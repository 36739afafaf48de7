/* Connecting, a first answer and one command, each with a time limit. */
#include "common/cache/cache_conn.h"

#include "common/base/text.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy_of(const char *s)
{
    return s ? strdup(s) : NULL;
}

struct cache_options cache_options_copy(const struct cache_options *options)
{
    struct cache_options copy = *options;

    copy.host = copy_of(options->host);
    copy.user = copy_of(options->user);
    copy.password = copy_of(options->password);
    return copy;
}

void cache_options_free(struct cache_options *options)
{
    if (options->password) {
        explicit_bzero((char *)options->password, strlen(options->password));
    }
    free((char *)options->host);
    free((char *)options->user);
    free((char *)options->password);
}

static struct timeval as_timeval(int ms)
{
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};
}

/* Also without a password to give: the kernel takes connections for a Valkey that stands still. */
static bool greet(struct cache_conn *conn, const struct cache_options *options, char why[128])
{
    const char *ping[] = {"PING"};
    const char *auth[] = {"AUTH", options->user, options->password ? options->password : ""};
    struct cache_words greeting = {.words = ping, .count = ARRAY_LEN(ping)};

    if (options->user) {
        greeting = (struct cache_words){.words = auth, .count = ARRAY_LEN(auth)};
    }
    AUTO(redis_reply) redisReply *reply = cache_conn_run(conn, &greeting, conn->limit_ms);
    if (!reply) {
        snprintf(why, 128, "%s", conn->redis->errstr);
        return false;
    }
    if (reply->type == REDIS_REPLY_ERROR) { /* "WRONGPASS ...": says nothing secret */
        snprintf(why, 128, "%s", reply->str);
        return false;
    }
    return true;
}

bool cache_conn_open(struct cache_conn *conn, const struct cache_options *options, int limit_ms,
                     char why[128])
{
    *conn = (struct cache_conn){
        .redis = redisConnectWithTimeout(options->host, options->port, as_timeval(limit_ms)),
        .limit_ms = limit_ms,
    };
    bool open = conn->redis && !conn->redis->err;

    if (!open) {
        snprintf(why, 128, "%s", conn->redis ? conn->redis->errstr : "out of memory");
    } else {
        redisSetTimeout(conn->redis, as_timeval(limit_ms));
        open = greet(conn, options, why);
    }
    if (!open) {
        cache_conn_close(conn);
    }
    return open;
}

void cache_conn_close(struct cache_conn *conn)
{
    if (conn->redis) {
        redisFree(conn->redis);
    }
    conn->redis = NULL;
}

bool cache_conn_is_usable(const struct cache_conn *conn)
{
    struct pollfd fd = {.fd = conn->redis->fd, .events = POLLIN};

    return poll(&fd, 1, 0) == 0;
}

redisReply *cache_conn_run(struct cache_conn *conn, const struct cache_words *words, int limit_ms)
{
    redisReply *reply = NULL;

    if (limit_ms != conn->limit_ms) { /* two system calls that most commands do without */
        redisSetTimeout(conn->redis, as_timeval(limit_ms));
        conn->limit_ms = limit_ms;
    }
    if (redisAppendCommandArgv(conn->redis, (int)words->count, (const char **)words->words,
                               words->sizes) != REDIS_OK ||
        redisGetReply(conn->redis, (void **)&reply) != REDIS_OK) {
        return NULL;
    }
    return reply;
}

bool cache_conn_timed_out(const struct cache_conn *conn)
{
    return conn->redis->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT);
}
