/* Time in tests. What comes at all is waited for with PATIENCE_MS, however slow or busy the
 * machine is. Where a time is itself the fact, other work on the machine can only make it longer:
 * the best of several tries counts. */
#ifndef TESTS_HELPERS_PATIENCE_H
#define TESTS_HELPERS_PATIENCE_H

#include <check.h>
#include <stdint.h>

#include "common/base/clock.h"

enum { PATIENCE_MS = 60000, PATIENCE_TRIES = 5 };

/* Does the statements until they took no more than 'limit_ms', or fails after five tries. */
#define ck_assert_quick(limit_ms, ...)                                               \
    do {                                                                             \
        int64_t best_ms_ = INT64_MAX;                                                \
        for (int try_ = 0; try_ < PATIENCE_TRIES && best_ms_ > (limit_ms); try_++) { \
            int64_t before_ms_ = clock_monotonic_ms();                               \
            __VA_ARGS__;                                                             \
            int64_t took_ms_ = clock_monotonic_ms() - before_ms_;                    \
            best_ms_ = took_ms_ < best_ms_ ? took_ms_ : best_ms_;                    \
        }                                                                            \
        ck_assert_int_le(best_ms_, (limit_ms));                                      \
    } while (0)

#endif
