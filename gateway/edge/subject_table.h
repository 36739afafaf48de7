/* What is known of each caller: a hash table in shards, so that threads seldom meet. Entries are
 * the user's structs, with a subject_entry first; who has one locked has its whole shard. */
#ifndef GATEWAY_EDGE_SUBJECT_TABLE_H
#define GATEWAY_EDGE_SUBJECT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct subject_entry {
    struct subject_entry *next;
    int64_t used_ms;
    unsigned hash;
    const char *key; /* behind the struct */
};

struct subject_table;

/* may_go(): whether an entry can be dropped, once it was idle; 'is_full': after a second, since
 * somebody makes up callers faster than the table forgets them. */
struct subject_table *subject_table_new(size_t entry_size,
                                        bool (*may_go)(const void *entry, bool is_full));
void subject_table_free(struct subject_table *table); /* NULL is fine */

/* Finds it, or makes a zeroed one, and locks its shard. */
void *subject_lock(struct subject_table *table, const char *key, int64_t now_ms);
/* Locks the shard of an entry that cannot have gone meanwhile: may_go() would have said no. */
void subject_relock(struct subject_table *table, void *entry);
void subject_unlock(struct subject_table *table, void *entry);

/* Drops those that were not used for idle_ms and may go. */
void subject_sweep(struct subject_table *table, int64_t now_ms, int64_t idle_ms);

#endif
