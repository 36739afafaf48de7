/* XADD, XREADGROUP, XACK, XAUTOCLAIM. All workers of all replicas are one consumer, since rows, not
 * pending entries, say who has which job: so no dead consumers pile up in the group. */
#include "common/jobs/job_stream.h"

#include <stdio.h>
#include <string.h>

#define GROUP    "workers"
#define CONSUMER "any"

/* Far above what the dispatchers put in; a guard for Valkey's memory should nobody read. */
#define MOST_ENTRIES "10000"

enum status job_stream_length(struct ctx *ctx, struct cache *cache, const char *stream, int *length)
{
    struct cache_reply reply;

    TRY(CACHE_COMMAND(ctx, cache, &reply, "XLEN", stream));
    *length = (int)reply.number;
    return ST_OK;
}

enum status job_stream_put(struct ctx *ctx, struct cache *cache, const char *stream,
                           const char *const *job_ids, size_t count)
{
    const char *head[] = {"XADD", stream, "MAXLEN", "~", MOST_ENTRIES, "*"};
    const char **words = arena_new_array(ctx->arena, const char *, ARRAY_LEN(head) + 2 * count);
    struct cache_reply reply;

    memcpy(words, head, sizeof(head));
    for (size_t i = 0; i < count; i++) {
        words[ARRAY_LEN(head) + 2 * i] = "job";
        words[ARRAY_LEN(head) + 2 * i + 1] = job_ids[i];
    }
    return cache_command(ctx, cache, words, ARRAY_LEN(head) + 2 * count, &reply);
}

static bool starts(const struct cache_reply *reply, const char *word)
{
    return reply->kind == CACHE_ERROR && strncmp(reply->text, word, strlen(word)) == 0;
}

static enum status make_group(struct ctx *ctx, struct cache *cache, const char *stream)
{
    struct cache_reply reply = {0};
    enum status st =
        CACHE_COMMAND(ctx, cache, &reply, "XGROUP", "CREATE", stream, GROUP, "0", "MKSTREAM");

    if (st == ST_INTERNAL && starts(&reply, "BUSYGROUP")) { /* another was faster */
        ctx_forgive(ctx);
        return ST_OK;
    }
    return st;
}

/* [[stream, [[entry id, [field, value, ...]]]]]; nothing at all when nothing came in time. */
static struct job_entry entry_of(struct ctx *ctx, const struct cache_reply *reply)
{
    struct job_entry none = {0};

    if (reply->kind != CACHE_LIST || !reply->count || reply->items[0].count < 2) {
        return none;
    }
    const struct cache_reply *entries = &reply->items[0].items[1];
    if (!entries->count || entries->items[0].count < 2 || entries->items[0].items[1].count < 2) {
        return none;
    }
    const struct cache_reply *fields = &entries->items[0].items[1];
    struct job_entry entry = {.entry_id = entries->items[0].items[0].text,
                              .count = fields->count / 2};
    entry.job_ids = arena_new_array(ctx->arena, const char *, entry.count);
    for (size_t i = 0; i < entry.count; i++) {
        entry.job_ids[i] = fields->items[2 * i + 1].text;
    }
    return entry;
}

enum status job_stream_take(struct ctx *ctx, struct cache *cache, const char *stream, int wait_ms,
                            struct job_entry *entry, bool *lost)
{
    char wait[16];
    const char *words[] = {"XREADGROUP", "GROUP", GROUP,     CONSUMER, "COUNT", "1",
                           "BLOCK",      wait,    "STREAMS", stream,   ">"};
    struct cache_reply reply = {0};

    snprintf(wait, sizeof(wait), "%d", wait_ms);
    enum status st = cache_command_waiting(ctx, cache, words, ARRAY_LEN(words), wait_ms, &reply);
    /* NOGROUP when it is asked, UNBLOCKED when the stream goes while somebody waits */
    *lost = st == ST_INTERNAL && (starts(&reply, "NOGROUP") || starts(&reply, "UNBLOCKED"));
    *entry = (struct job_entry){0};
    if (*lost) {
        ctx_forgive(ctx);
        return make_group(ctx, cache, stream);
    }
    TRY(st);
    *entry = entry_of(ctx, &reply);
    return ST_OK;
}

enum status job_stream_settle(struct ctx *ctx, struct cache *cache, const char *stream,
                              const struct job_entry *entry)
{
    struct cache_reply reply;

    if (!entry->entry_id) {
        return ST_OK;
    }
    TRY(CACHE_COMMAND(ctx, cache, &reply, "XACK", stream, GROUP, entry->entry_id));
    return CACHE_COMMAND(ctx, cache, &reply, "XDEL", stream, entry->entry_id);
}

/* [next, [[entry id, [field, value]], ...], [deleted, ...]] */
enum status job_stream_tidy(struct ctx *ctx, struct cache *cache, const char *stream,
                            int64_t idle_ms)
{
    char idle[24];
    struct cache_reply reply = {0};

    snprintf(idle, sizeof(idle), "%lld", (long long)idle_ms);
    enum status st = CACHE_COMMAND(ctx, cache, &reply, "XAUTOCLAIM", stream, GROUP, CONSUMER, idle,
                                   "0-0", "COUNT", "100");
    if (st == ST_INTERNAL && starts(&reply, "NOGROUP")) {
        ctx_forgive(ctx);
        return ST_OK;
    }
    TRY(st);
    for (size_t i = 0; reply.count >= 2 && i < reply.items[1].count; i++) {
        const struct cache_reply *left = &reply.items[1].items[i];
        struct job_entry entry = {.entry_id = left->count ? left->items[0].text : NULL};

        TRY(job_stream_settle(ctx, cache, stream, &entry));
    }
    return ST_OK;
}
