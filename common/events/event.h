/* An event: what happened to one thing. librdkafka stays behind this folder. Envelope:
 * {"id","v":1,"type","at","orderId"|"customerId","seq","actor":{...},"data":{...}}. */
#ifndef COMMON_EVENTS_EVENT_H
#define COMMON_EVENTS_EVENT_H

#include "common/base/ctx.h"

enum { EVENT_VERSION = 1 };

/* As its consumer sees it. */
struct event {
    const char *topic, *key;
    const char *payload; /* the whole envelope; NUL-terminated, 'size' bytes long */
    size_t size;
    const char *id, *type; /* from the envelope */
    int64_t seq;           /* 0: none */
    int64_t at_ms;
    int attempt; /* 1 at first; more after a fault that may pass */
};

typedef enum status event_handler(struct ctx *ctx, void *service, const struct event *event);

/* Writes the envelope around 'data' (a JSON object). 'subject' names the id field: "orderId". */
struct event_draft {
    char id[ID_TEXT_SIZE];
    const char *type, *subject, *subject_id, *data;
    int64_t seq, at_ms;
    const struct caller *actor; /* NULL: the system */
};
const char *event_envelope(struct arena *arena, const struct event_draft *draft);

#endif
