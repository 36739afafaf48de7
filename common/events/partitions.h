/* What a consumer knows of each partition it was assigned: how far it is, and whether it waits.
 * Private to this folder; one thread. */
#ifndef COMMON_EVENTS_PARTITIONS_H
#define COMMON_EVENTS_PARTITIONS_H

#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { PARTITION_TOPIC_SIZE = 250 };

struct partition {
    struct partition *next;
    char topic[PARTITION_TOPIC_SIZE];
    int number;
    int64_t position;     /* of the next event to be handled; -1: nothing came yet */
    int attempts;         /* at the event of that position */
    int internal;         /* how many of them ended with ST_INTERNAL */
    int64_t resume_at_ms; /* 0: it is not waiting */
};

/* Made when new. The list's owner frees it with partitions_clear(). */
struct partition *partition_of(struct partition **list, const char *topic, int number);
void partitions_clear(struct partition **list);

/* How long to wait before the next attempt: 100 ms, doubled up to 10 s. */
int64_t partition_pause_ms(int attempts);

/* After an attempt that failed with 'st': whether the event waits for another. After a passing
 * fault always; after ST_INTERNAL for about three minutes, in which what is ours to mend may be
 * mended. */
bool partition_tries_again(struct partition *partition, enum status st);

#endif
