/* Reading the members of an event's data. Members that nobody asks for are passed over: topics
 * grow by addition. */
#ifndef COMMON_EVENTS_EVENT_DATA_H
#define COMMON_EVENTS_EVENT_DATA_H

#include "common/events/event.h"

#include <stdbool.h>

/* Exactly one of the pointers is set; it says what the member must be. One that is not required
 * and is not there leaves its target alone. */
struct event_member {
    const char *name;
    const char **text; /* into ctx's arena */
    int64_t *number;
    int64_t *time_ms; /* of an RFC 3339 text in UTC */
    bool required;
};

/* 'members' ends with {0}. ST_INVALID, with the reason as detail: such an event can never
 * succeed. */
enum status event_data_read(struct ctx *ctx, const struct event *event,
                            const struct event_member *members) MUST_CHECK;

/* The same of who did it ("role", "id"), and of each object of a list in the data, in their order:
 * 'each' is called once its members are read. */
enum status event_actor_read(struct ctx *ctx, const struct event *event,
                             const struct event_member *members) MUST_CHECK;
enum status event_data_read_each(struct ctx *ctx, const struct event *event, const char *list,
                                 const struct event_member *members, void (*each)(void *user),
                                 void *user) MUST_CHECK;

#endif
