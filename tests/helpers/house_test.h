/* The main() of a test file, in one line at its end:
 *
 *     START_TEST(a_retry_places_one_order) { ... }
 *     END_TEST
 *     TEST_MAIN("order", a_retry_places_one_order, names_read_back)
 *
 * Each test runs as a case of its own and is told on stdout as `pass NAME` or
 * `fail NAME`, which is what tools/features reads. The process ends with 1 when any
 * test failed. What libcheck knows works: CK_FORK=no for a debugger,
 * CK_RUN_CASE=NAME for one test, CK_DEFAULT_TIMEOUT=SECONDS (ours is 300). */
#ifndef TESTS_HELPERS_HOUSE_TEST_H
#define TESTS_HELPERS_HOUSE_TEST_H

#include <check.h>
#include <stddef.h>

/* What happens around the tests; every member may be NULL. 'start' and 'stop' run once
 * in the process that the tests are forked from; 'before' and 'after' at each test. */
struct test_around {
    void (*start)(void);
    void (*stop)(void);
    void (*before)(void);
    void (*after)(void);
};

/* Runs the tests in their order; what main() returns. 'around' may be NULL. */
int house_test_run(const char *suite, const struct test_around *around, const TTest *const *tests,
                   size_t count);

#define TEST_MAIN(suite_, ...)                                                             \
    int main(void)                                                                         \
    {                                                                                      \
        const TTest *const tests_[] = {__VA_ARGS__};                                       \
        return house_test_run((suite_), NULL, tests_, sizeof(tests_) / sizeof(tests_[0])); \
    }

/* TEST_MAIN_AROUND("pool", (&(struct test_around){.before = empty_tables}), test, ...) */
#define TEST_MAIN_AROUND(suite_, around_, ...)                                                  \
    int main(void)                                                                              \
    {                                                                                           \
        const TTest *const tests_[] = {__VA_ARGS__};                                            \
        return house_test_run((suite_), (around_), tests_, sizeof(tests_) / sizeof(tests_[0])); \
    }

#endif
