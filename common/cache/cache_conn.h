/* One connection to Valkey: private to this folder, and all of it that knows hiredis. */
#ifndef COMMON_CACHE_CACHE_CONN_H
#define COMMON_CACHE_CACHE_CONN_H

#include "common/cache/cache.h"

#include <hiredis/hiredis.h>

enum { CACHE_LIMIT_MS = 250 };

struct cache_words {
    const char *const *words;
    const size_t *sizes; /* NULL: by strlen() */
    size_t count;
};

struct cache_conn {
    redisContext *redis;
    int limit_ms; /* the socket's time-outs as they are set now */
};

/* Copies, since the caller's may be shorter-lived than the threads that reconnect. */
struct cache_options cache_options_copy(const struct cache_options *options);
void cache_options_free(struct cache_options *options);

/* Connects, signs in and has an answer, within limit_ms for each step. False: '*why' says
 * what was wrong. */
bool cache_conn_open(struct cache_conn *conn, const struct cache_options *options, int limit_ms,
                     char why[128]);
void cache_conn_close(struct cache_conn *conn);

/* Nothing is to be read from an idle connection: what is there is its end. */
bool cache_conn_is_usable(const struct cache_conn *conn);

/* NULL when the connection is no good any more: conn->redis->err says why. The caller frees the
 * reply. */
redisReply *cache_conn_run(struct cache_conn *conn, const struct cache_words *words, int limit_ms);
bool cache_conn_timed_out(const struct cache_conn *conn);

/* As cache_command(), which knows no words with a NUL in them. */
enum status cache_command_sized(struct ctx *ctx, struct cache *cache,
                                const struct cache_words *words,
                                struct cache_reply *reply) MUST_CHECK;

DEFINE_AUTO(redis_reply, redisReply *, freeReplyObject)

#endif
