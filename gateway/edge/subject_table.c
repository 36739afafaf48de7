/* See subject_table.h. */
#include "gateway/edge/subject_table.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHARDS = 16, SLOTS = 128, FULL = 20000 / SHARDS, FULL_IDLE_MS = 1000, FULL_SWEEP_MS = 100 };

struct shard {
    pthread_mutex_t lock;
    size_t count;
    int64_t next_sweep_ms; /* while it is full */
    struct subject_entry *slots[SLOTS];
};

struct subject_table {
    size_t entry_size;
    bool (*may_go)(const void *entry, bool is_full);
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

struct subject_table *subject_table_new(size_t entry_size,
                                        bool (*may_go)(const void *entry, bool is_full))
{
    struct subject_table *table = must(calloc(1, sizeof(*table)));

    table->entry_size = entry_size;
    table->may_go = may_go;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&table->shards[i].lock, NULL);
    }
    return table;
}

void subject_table_free(struct subject_table *table)
{
    if (!table) {
        return;
    }
    for (size_t i = 0; i < SHARDS; i++) {
        for (size_t k = 0; k < SLOTS; k++) {
            struct subject_entry *entry = table->shards[i].slots[k];

            while (entry) {
                struct subject_entry *next = entry->next;

                free(entry);
                entry = next;
            }
        }
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

static void sweep_slot(struct shard *shard, struct subject_entry **link, int64_t used_before_ms,
                       const struct subject_table *table, bool is_full)
{
    while (*link) {
        struct subject_entry *entry = *link;

        if (entry->used_ms < used_before_ms && table->may_go(entry, is_full)) {
            *link = entry->next;
            shard->count--;
            free(entry);
        } else {
            link = &entry->next;
        }
    }
}

static void sweep_shard(const struct subject_table *table, struct shard *shard,
                        int64_t used_before_ms, bool is_full)
{
    for (size_t i = 0; i < SLOTS; i++) {
        sweep_slot(shard, &shard->slots[i], used_before_ms, table, is_full);
    }
}

static struct subject_entry *add(struct subject_table *table, struct shard *shard, const char *key,
                                 unsigned hash, int64_t now_ms)
{
    struct subject_entry **slot = &shard->slots[hash / SHARDS % SLOTS];
    size_t size = strlen(key) + 1;
    struct subject_entry *entry = must(calloc(1, table->entry_size + size));

    if (shard->count >= FULL && now_ms >= shard->next_sweep_ms) {
        shard->next_sweep_ms = now_ms + FULL_SWEEP_MS;
        sweep_shard(table, shard, now_ms - FULL_IDLE_MS, true);
    }
    entry->key = memcpy((char *)entry + table->entry_size, key, size);
    entry->hash = hash;
    entry->next = *slot;
    *slot = entry;
    shard->count++;
    return entry;
}

void *subject_lock(struct subject_table *table, const char *key, int64_t now_ms)
{
    unsigned hash = hash_of(key);
    struct shard *shard = shard_of(table, hash);

    pthread_mutex_lock(&shard->lock);
    struct subject_entry *entry = shard->slots[hash / SHARDS % SLOTS];

    while (entry && (entry->hash != hash || strcmp(entry->key, key) != 0)) {
        entry = entry->next;
    }
    entry = entry ? entry : add(table, shard, key, hash, now_ms);
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

void subject_sweep(struct subject_table *table, int64_t now_ms, int64_t idle_ms)
{
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&table->shards[i].lock);
        sweep_shard(table, &table->shards[i], now_ms - idle_ms, false);
        pthread_mutex_unlock(&table->shards[i].lock);
    }
}
