/* Valkey: a cache and a wake-up, never the truth. Every call is bounded (250 ms unless ctx ends
 * sooner) and a Valkey that is away costs one failed attempt a second in the whole process, not one
 * a request: callers go on without it. Keys carry their owner's prefix ("server:", "order:",
 * "customer:"). */
#ifndef COMMON_CACHE_CACHE_H
#define COMMON_CACHE_CACHE_H

#include "common/base/auto.h"
#include "common/base/ctx.h"

#include <stdbool.h>

struct cache;

struct cache_options {
    const char *host, *user, *password; /* user NULL: no AUTH */
    int port;
    int max; /* connections; 0: 4 */
};

/* Never fails: Valkey may be away at start, and come later. */
struct cache *cache_new(const struct cache_options *options);
void cache_free(struct cache *cache);
bool cache_is_up(struct cache *cache);

/* ST_UNAVAILABLE when Valkey is away. '*value' is NULL, with ST_OK, when there is no such key. */
enum status cache_get(struct ctx *ctx, struct cache *cache, const char *key, const char **value,
                      size_t *size) MUST_CHECK;
enum status cache_put(struct ctx *ctx, struct cache *cache, const char *key, const char *value,
                      size_t size, int ttl_s) MUST_CHECK;
enum status cache_drop(struct ctx *ctx, struct cache *cache, const char *key) MUST_CHECK;
enum status cache_publish(struct ctx *ctx, struct cache *cache, const char *channel,
                          const char *message) MUST_CHECK;

/* One answer of Valkey, in the arena. */
struct cache_reply {
    enum cache_kind { CACHE_NIL, CACHE_TEXT, CACHE_INT, CACHE_LIST, CACHE_ERROR } kind;
    const char *text;
    size_t size;
    int64_t number;
    const struct cache_reply *items;
    size_t count;
};

/* Any command, as words. ST_INTERNAL when Valkey refuses it: its CACHE_ERROR is then in
 * '*reply'. */
enum status cache_command(struct ctx *ctx, struct cache *cache, const char *const *words,
                          size_t count, struct cache_reply *reply) MUST_CHECK;
#define CACHE_COMMAND(ctx, cache, reply, ...)                         \
    cache_command((ctx), (cache), (const char *const[]){__VA_ARGS__}, \
                  sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), (reply))

/* A command that may wait at Valkey for wait_ms (XREADGROUP ... BLOCK): it holds a connection
 * meanwhile, so give such readers a cache of their own. */
enum status cache_command_waiting(struct ctx *ctx, struct cache *cache, const char *const *words,
                                  size_t count, int wait_ms, struct cache_reply *reply) MUST_CHECK;

/* A Lua script, run by EVALSHA and loaded again after a restart or FLUSHALL. */
struct cache_script {
    const char *text;
    char sha1[41]; /* filled by cache_script_init() */
};
void cache_script_init(struct cache_script *script, const char *text);
/* What it is called with: KEYS and ARGV. */
struct cache_call {
    const char *const *keys;
    size_t key_count;
    const char *const *args;
    size_t arg_count;
    const size_t *arg_sizes; /* NULL: by strlen() */
};
enum status cache_eval(struct ctx *ctx, struct cache *cache, const struct cache_script *script,
                       const struct cache_call *call, struct cache_reply *reply) MUST_CHECK;

/* Subscribes on a connection and thread of its own, reconnecting by itself. up() is told of each
 * (re)connection, since messages may have been missed before it, and of each loss. */
struct cache_subscriber;
struct cache_subscriber_events {
    void (*message)(const char *channel, const char *message, size_t size, void *user);
    void (*up)(bool up, void *user);
};
/* Both run on the subscriber's thread; only 'message' may be slow, and then Valkey ends the
 * connection when its buffer is full, which up() tells. Never call cache_unsubscribe() from
 * them. */
struct cache_subscriber *cache_subscribe(const struct cache_options *options, const char *pattern,
                                         const struct cache_subscriber_events *events, void *user);
void cache_unsubscribe(struct cache_subscriber *subscriber); /* joins its thread; NULL is fine */

#endif
