/* Functions that can be left in the middle and gone on with: ucontext on stacks of 64 KiB with a
 * guard page. Internal to common/temporal. One thread at a time. */
#ifndef COMMON_TEMPORAL_COROUTINE_H
#define COMMON_TEMPORAL_COROUTINE_H

#include "common/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* A poller's stacks, kept for its next workflow. */
enum { STACKS_KEPT = 8 };
struct stacks {
    void *kept[STACKS_KEPT];
    int count;
};
void stacks_free(struct stacks *stacks);

struct coroutine;
/* Its memory is the arena's, its stack goes back to 'stacks' with the arena, in the middle of the
 * function or not. */
struct coroutine *coroutine_new(struct arena *arena, struct stacks *stacks, void (*run)(void *user),
                                void *user);
/* Runs it until it pauses or is over. Not from a coroutine. */
void coroutine_resume(struct coroutine *coroutine);
/* From inside: back to who resumed it. */
void coroutine_pause(struct coroutine *coroutine);
bool coroutine_is_over(const struct coroutine *coroutine);

#endif
