/* Where events go that can never be handled: the topic "dead.letters", with the original as it was
 * and its cause in headers. Private to this folder. */
#ifndef COMMON_EVENTS_DEAD_LETTER_H
#define COMMON_EVENTS_DEAD_LETTER_H

#include "common/events/event.h"

struct dead_letters;

struct dead_letter {
    const struct event *event;
    const char *group;
    int partition;
    int64_t offset;
    enum status status; /* the cause; ctx->failure has the detail */
};

/* Nothing is connected before the first letter. */
struct dead_letters *dead_letters_new(const char *brokers, const char *daemon);
void dead_letters_free(struct dead_letters *letters); /* NULL is fine */

/* ST_UNAVAILABLE when Kafka did not take it: the event must be handled again. One thread. */
enum status dead_letter_send(struct ctx *ctx, struct dead_letters *letters,
                             const struct dead_letter *letter) MUST_CHECK;

#endif
