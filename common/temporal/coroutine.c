/* Switching stacks. The sanitizers are told of each switch, else they take the new stack for an
 * overflow of the old one. */
#include "common/temporal/coroutine.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#define ASAN_IS_ON 1
#elif defined(__SANITIZE_THREAD__)
#define TSAN_IS_ON 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN_IS_ON 1
#elif __has_feature(thread_sanitizer)
#define TSAN_IS_ON 1
#endif
#endif

#ifdef ASAN_IS_ON
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef TSAN_IS_ON
#include <sanitizer/tsan_interface.h>
#endif

enum { STACK_SIZE = 64 << 10, GUARD_SIZE = 4096 };

struct coroutine {
    ucontext_t inside, outside;
    struct stacks *stacks;
    char *stack; /* the guard page first: stacks grow down */
    void (*run)(void *user);
    void *user;
    bool over;
#ifdef ASAN_IS_ON
    void *fake_inside, *fake_outside;
    const void *outer_stack;
    size_t outer_size;
#endif
#ifdef TSAN_IS_ON
    void *fiber, *outer_fiber;
#endif
};

static void *stack_take(struct stacks *stacks)
{
    if (stacks->count > 0) {
        return stacks->kept[--stacks->count];
    }
    char *stack = mmap(NULL, GUARD_SIZE + STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED || mprotect(stack, GUARD_SIZE, PROT_NONE) != 0) {
        fputs("no memory for a stack\n", stderr);
        abort();
    }
    return stack;
}

static void stack_give(struct stacks *stacks, char *stack)
{
#ifdef ASAN_IS_ON /* a function that was never gone on with leaves its red zones */
    ASAN_UNPOISON_MEMORY_REGION(stack + GUARD_SIZE, STACK_SIZE);
#endif
    if (stacks->count < STACKS_KEPT) {
        stacks->kept[stacks->count++] = stack;
    } else {
        munmap(stack, GUARD_SIZE + STACK_SIZE);
    }
}

void stacks_free(struct stacks *stacks)
{
    while (stacks->count > 0) {
        munmap(stacks->kept[--stacks->count], GUARD_SIZE + STACK_SIZE);
    }
}

/* ---- both sides of a switch --------------------------------------------------------------- */

static void leave_outside(struct coroutine *coroutine)
{
#ifdef ASAN_IS_ON
    __sanitizer_start_switch_fiber(&coroutine->fake_outside, coroutine->stack + GUARD_SIZE,
                                   STACK_SIZE);
#endif
#ifdef TSAN_IS_ON
    coroutine->outer_fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(coroutine->fiber, 0);
#endif
    (void)coroutine;
}

static void back_outside(struct coroutine *coroutine)
{
#ifdef ASAN_IS_ON
    __sanitizer_finish_switch_fiber(coroutine->fake_outside, NULL, NULL);
#endif
    (void)coroutine;
}

static void come_inside(struct coroutine *coroutine)
{
#ifdef ASAN_IS_ON
    __sanitizer_finish_switch_fiber(coroutine->fake_inside, &coroutine->outer_stack,
                                    &coroutine->outer_size);
#endif
    (void)coroutine;
}

static void leave_inside(struct coroutine *coroutine)
{
#ifdef ASAN_IS_ON
    __sanitizer_start_switch_fiber(coroutine->over ? NULL : &coroutine->fake_inside,
                                   coroutine->outer_stack, coroutine->outer_size);
#endif
#ifdef TSAN_IS_ON
    __tsan_switch_to_fiber(coroutine->outer_fiber, 0);
#endif
    (void)coroutine;
}

/* ---- the coroutine ------------------------------------------------------------------------ */

/* makecontext() hands over ints: the pointer comes in two halves. */
static void enter(unsigned high, unsigned low)
{
    struct coroutine *coroutine = (struct coroutine *)(((uintptr_t)high << 32) | low);

    come_inside(coroutine);
    coroutine->run(coroutine->user);
    coroutine->over = true;
    leave_inside(coroutine);
    swapcontext(&coroutine->inside, &coroutine->outside); /* never comes back */
}

static void finish(void *user)
{
    struct coroutine *coroutine = user;

#ifdef TSAN_IS_ON
    __tsan_destroy_fiber(coroutine->fiber);
#endif
    stack_give(coroutine->stacks, coroutine->stack);
}

struct coroutine *coroutine_new(struct arena *arena, struct stacks *stacks, void (*run)(void *user),
                                void *user)
{
    struct coroutine *coroutine = arena_new_struct(arena, struct coroutine);

    coroutine->stacks = stacks;
    coroutine->stack = stack_take(stacks);
    coroutine->run = run;
    coroutine->user = user;
    getcontext(&coroutine->inside);
    coroutine->inside.uc_stack.ss_sp = coroutine->stack + GUARD_SIZE;
    coroutine->inside.uc_stack.ss_size = STACK_SIZE;
    makecontext(&coroutine->inside, (void (*)(void))enter, 2,
                (unsigned)((uintptr_t)coroutine >> 32), (unsigned)(uintptr_t)coroutine);
#ifdef TSAN_IS_ON
    coroutine->fiber = __tsan_create_fiber(0);
#endif
    arena_defer(arena, finish, coroutine);
    return coroutine;
}

void coroutine_resume(struct coroutine *coroutine)
{
    leave_outside(coroutine);
    swapcontext(&coroutine->outside, &coroutine->inside);
    back_outside(coroutine);
}

void coroutine_pause(struct coroutine *coroutine)
{
    leave_inside(coroutine);
    swapcontext(&coroutine->inside, &coroutine->outside);
    come_inside(coroutine);
}

bool coroutine_is_over(const struct coroutine *coroutine)
{
    return coroutine->over;
}
