/* A few threads for what would block a thread of the server: questions to Valkey. Bounded: when the
 * queue is full the caller decides without. */
#ifndef GATEWAY_ERRANDS_H
#define GATEWAY_ERRANDS_H

#include <stdbool.h>
#include <stdint.h>

/* Part of something that lives until run() was called. */
struct errand {
    struct errand *next;
    void (*run)(struct errand *errand);
};

struct errands;

/* tick() runs on one of the threads, four times a second. What both need may be made between the
 * two. */
struct errands *errands_new(void (*tick)(void *user, int64_t now_ms), void *user);
void errands_start(struct errands *errands, int threads);
void errands_stop(struct errands *errands); /* after what is queued was run; NULL is fine */
void errands_free(struct errands *errands); /* stopped; NULL is fine */
bool errands_push(struct errands *errands, struct errand *errand); /* false: full */

#endif
