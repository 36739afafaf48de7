/* Cache-aside: look in Valkey, else load from the database, then fill. Of the threads of one
 * process that miss the same key at once one loads, and one more for all others: what one gets was
 * read after one asked. With Valkey away every look goes to the loader: slower, correct.
 *
 * Whoever changes what a key holds owes a drop of it (docs/adr/0031): outbox_add_drop() in the
 * transaction, and cache_aside_drop() after it. What was read before the drop is not kept after
 * it, however late its fill comes. */
#ifndef COMMON_CACHE_CACHE_ASIDE_H
#define COMMON_CACHE_CACHE_ASIDE_H

#include "common/cache/cache.h"

struct cache_aside;

/* 'name' is the label of cache_hits_total and cache_misses_total: a literal, like "menu". */
struct cache_aside *cache_aside_new(struct cache *cache, const char *name, int ttl_s);
void cache_aside_free(struct cache_aside *aside); /* NULL is fine; nobody may be inside */

/* Reads from the database into ctx's arena. A NULL value with ST_OK means that there is none: that
 * is not kept. */
typedef enum status cache_load(struct ctx *ctx, void *user, const char **value, size_t *size);

/* ST_TIMEOUT when ctx ends before whoever loads is done; else what the loader says. */
enum status cache_aside_get(struct ctx *ctx, struct cache_aside *aside, const char *key,
                            cache_load *load, void *user, struct cache_reply *value) MUST_CHECK;

/* What is kept under this key goes, and what is being loaded for it is not kept. */
enum status cache_aside_drop(struct ctx *ctx, struct cache *cache, const char *key) MUST_CHECK;

/* Counts one look at a cache that is none of these but counts as one: the menu's, in its
 * process. */
void cache_count(const char *name, bool hit);

#endif
