/* The arena: its memory is zeroed, aligned and whole, and what was deferred runs in order. */
#include "common/base/arena.h"

#include "tests/helpers/house_test.h"

#include <stdint.h>
#include <string.h>

static char order_of_release[8];

static void release(void *handle)
{
    strncat(order_of_release, handle, 1);
}

static void release_and_touch(void *handle)
{
    *(char *)handle = '!'; /* ASan tells when the memory went before its release */
}

START_TEST(what_was_deferred_runs_newest_first)
{
    struct arena *arena = arena_new(64);

    arena_defer(arena, release, arena_strdup(arena, "a"));
    arena_defer(arena, release, arena_strdup(arena, "b"));
    arena_defer(arena, release, arena_strdup(arena, "c"));
    ck_assert_str_eq(order_of_release, "");
    arena_free(arena);
    ck_assert_str_eq(order_of_release, "cba");
}
END_TEST

START_TEST(memory_outlives_what_was_deferred)
{
    struct arena *arena = arena_new(16);

    arena_defer(arena, release_and_touch, arena_strdup(arena, "x"));
    arena_alloc(arena, 4096);
    arena_free(arena);
}
END_TEST

START_TEST(memory_is_zeroed_and_aligned_for_any_type)
{
    AUTO(arena) struct arena *arena = arena_new(64);

    for (size_t size = 1; size < 300; size++) {
        unsigned char *p = arena_alloc(arena, size);

        ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++) {
            ck_assert_uint_eq(p[i], 0);
        }
        memset(p, 0xff, size);
    }
}
END_TEST

START_TEST(pieces_do_not_overlap_across_blocks)
{
    AUTO(arena) struct arena *arena = arena_new(32);
    char *pieces[100];

    for (int i = 0; i < 100; i++) {
        pieces[i] = arena_printf(arena, "piece %d of %s", i, "a hundred");
    }
    for (int i = 0; i < 100; i++) {
        ck_assert_str_eq(pieces[i], arena_printf(arena, "piece %d of a hundred", i));
    }
}
END_TEST

START_TEST(a_piece_larger_than_a_block_fits)
{
    AUTO(arena) struct arena *arena = arena_new(16);
    char *large = arena_alloc(arena, 100000);

    memset(large, 1, 100000);
    ck_assert_str_eq(arena_strdup(arena, "after"), "after");
}
END_TEST

START_TEST(an_arena_without_a_first_block_works)
{
    AUTO(arena) struct arena *arena = arena_new(0);

    ck_assert_str_eq(arena_strdup(arena, ""), "");
    ck_assert_ptr_nonnull(arena_alloc(arena, 0));
}
END_TEST

START_TEST(freeing_none_is_fine)
{
    arena_free(NULL);
}
END_TEST

TEST_MAIN("arena", what_was_deferred_runs_newest_first, memory_outlives_what_was_deferred,
          memory_is_zeroed_and_aligned_for_any_type, pieces_do_not_overlap_across_blocks,
          a_piece_larger_than_a_block_fits, an_arena_without_a_first_block_works,
          freeing_none_is_fine)
