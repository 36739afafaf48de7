/* links: test_temporal */
/* Leaving functions in the middle. */
#include "tests/helpers/house_test.h"

#include "common/temporal/coroutine.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct walk {
    struct coroutine *self;
    char steps[16];
};

static void step(struct walk *w, char c)
{
    w->steps[strlen(w->steps)] = c;
}

static void walk(void *user)
{
    struct walk *w = user;

    for (int i = 0; i < 3; i++) {
        step(w, 'i');
        coroutine_pause(w->self);
    }
    step(w, '!');
}

START_TEST(a_coroutine_goes_on_where_it_paused)
{
    struct arena *arena = arena_new(1024);
    struct stacks stacks = {.count = 0};
    struct walk w = {.steps = ""};

    w.self = coroutine_new(arena, &stacks, walk, &w);
    while (!coroutine_is_over(w.self)) {
        coroutine_resume(w.self);
        step(&w, 'o');
    }
    ck_assert_str_eq(w.steps, "ioioio!o");
    arena_free(arena);
    stacks_free(&stacks);
}
END_TEST

START_TEST(a_coroutine_that_never_ends_gives_its_stack_back)
{
    struct stacks stacks = {.count = 0};

    for (int i = 0; i < 100; i++) {
        struct arena *arena = arena_new(1024);
        struct walk w = {.steps = ""};

        w.self = coroutine_new(arena, &stacks, walk, &w);
        coroutine_resume(w.self);
        arena_free(arena);
        ck_assert_int_eq(stacks.count, 1);
    }
    stacks_free(&stacks);
    ck_assert_int_eq(stacks.count, 0);
}
END_TEST

static int dig(volatile char *before, int depth)
{
    volatile char room[1024];

    room[0] = (char)depth;
    return before && depth <= 0 ? before[0] : dig(room, depth - 1) + room[0];
}

static void overflow(void *user)
{
    *(int *)user = dig(NULL, 1000); /* 1 MB of a stack of 64 KiB */
}

/* An overflow ends the process: it does not write into others' memory. */
START_TEST(an_overflow_meets_the_guard_page)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct arena *arena = arena_new(1024);
        struct stacks stacks = {.count = 0};
        int depth = 0;

        close(STDERR_FILENO); /* the sanitizer's story */
        coroutine_resume(coroutine_new(arena, &stacks, overflow, &depth));
        _exit(0);
    }
    waitpid(child, &status, 0);
    ck_assert(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
}
END_TEST

TEST_MAIN("coroutine", a_coroutine_goes_on_where_it_paused,
          a_coroutine_that_never_ends_gives_its_stack_back, an_overflow_meets_the_guard_page)
