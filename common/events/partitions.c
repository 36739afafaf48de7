/* A short list: a consumer has tens of partitions, not thousands. */
#include "common/events/partitions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_PAUSE_MS = 100,
    LONGEST_PAUSE_MS = 10000,
    INTERNAL_ATTEMPTS = 25, /* their pauses are 183 s */
};

struct partition *partition_of(struct partition **list, const char *topic, int number)
{
    for (struct partition *p = *list; p; p = p->next) {
        if (p->number == number && strcmp(p->topic, topic) == 0) {
            return p;
        }
    }
    struct partition *made = calloc(1, sizeof(*made));
    if (!made) {
        abort();
    }
    snprintf(made->topic, sizeof(made->topic), "%s", topic);
    made->number = number;
    made->position = -1;
    made->next = *list;
    *list = made;
    return made;
}

void partitions_clear(struct partition **list)
{
    while (*list) {
        struct partition *gone = *list;

        *list = gone->next;
        free(gone);
    }
}

int64_t partition_pause_ms(int attempts)
{
    int64_t pause = FIRST_PAUSE_MS;

    for (int i = 1; i < attempts && pause < LONGEST_PAUSE_MS; i++) {
        pause *= 2;
    }
    return pause < LONGEST_PAUSE_MS ? pause : LONGEST_PAUSE_MS;
}

/* ST_INTERNAL may be the event's fault or ours: a GRANT that was forgotten, a table that is not
 * there yet. Taken for the event's at once, it would send all that comes to the dead letters. */
bool partition_tries_again(struct partition *partition, enum status st)
{
    if (st != ST_INTERNAL) {
        return st == ST_UNAVAILABLE || st == ST_TIMEOUT || st == ST_RETRY;
    }
    partition->internal++;
    return partition->internal < INTERNAL_ATTEMPTS;
}
