/* See subject_table.h. */
#include "gateway/edge/subject_table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 16, SLOTS = 64 };

struct shard {
    pthread_mutex_t lock;
    struct subject_entry *slots[SLOTS];
};

struct subject_table {
    size_t entry_size;
    struct shard shards[SHARDS];
};

static void *must(void *memory)
{
    if (!memory) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return memory;
}

struct subject_table *subject_table_new(size_t entry_size)
{
    struct subject_table *table = must(calloc(1, sizeof(*table)));

    table->entry_size = entry_size;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&table->shards[i].lock, NULL);
    }
    return table;
}

static bool always(const void *entry)
{
    (void)entry;
    return true;
}

void subject_table_free(struct subject_table *table)
{
    if (!table) {
        return;
    }
    subject_sweep(table, INT64_MAX, 0, always);
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_destroy(&table->shards[i].lock);
    }
    free(table);
}

/* FNV-1a. Keys are ids and addresses that we have checked: nobody can choose them to collide at
 * will. */
static unsigned hash_of(const char *key)
{
    unsigned hash = 2166136261u;

    for (; *key; key++) {
        hash = (hash ^ (unsigned char)*key) * 16777619u;
    }
    return hash ^ hash >> 15;
}

static struct shard *shard_of(struct subject_table *table, unsigned hash)
{
    return &table->shards[hash % SHARDS];
}

static struct subject_entry *add(struct subject_table *table, struct subject_entry **slot,
                                 const char *key, unsigned hash)
{
    size_t size = strlen(key) + 1;
    struct subject_entry *entry = must(calloc(1, table->entry_size + size));

    entry->key = memcpy((char *)entry + table->entry_size, key, size);
    entry->hash = hash;
    entry->next = *slot;
    *slot = entry;
    return entry;
}

void *subject_lock(struct subject_table *table, const char *key, int64_t now_ms)
{
    unsigned hash = hash_of(key);
    struct shard *shard = shard_of(table, hash);

    pthread_mutex_lock(&shard->lock);
    struct subject_entry **slot = &shard->slots[hash / SHARDS % SLOTS];
    struct subject_entry *entry = *slot;

    while (entry && (entry->hash != hash || strcmp(entry->key, key) != 0)) {
        entry = entry->next;
    }
    entry = entry ? entry : add(table, slot, key, hash);
    entry->used_ms = now_ms;
    return entry;
}

void subject_relock(struct subject_table *table, void *entry)
{
    pthread_mutex_lock(&shard_of(table, ((struct subject_entry *)entry)->hash)->lock);
}

void subject_unlock(struct subject_table *table, void *entry)
{
    pthread_mutex_unlock(&shard_of(table, ((struct subject_entry *)entry)->hash)->lock);
}

static void sweep_slot(struct subject_entry **link, int64_t used_before_ms,
                       bool (*may_go)(const void *entry))
{
    while (*link) {
        struct subject_entry *entry = *link;

        if (entry->used_ms < used_before_ms && may_go(entry)) {
            *link = entry->next;
            free(entry);
        } else {
            link = &entry->next;
        }
    }
}

void subject_sweep(struct subject_table *table, int64_t now_ms, int64_t idle_ms,
                   bool (*may_go)(const void *entry))
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&table->shards[i].lock);
        for (size_t k = 0; k < SLOTS; k++) {
            sweep_slot(&table->shards[i].slots[k], now_ms - idle_ms, may_go);
        }
        pthread_mutex_unlock(&table->shards[i].lock);
    }
}
