/* One libcheck case a test, named after it: a result of libcheck knows its case but not
 * its function, and we want a line for each function. */
#include "tests/helpers/house_test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEST_LIMIT_S = 300 };

static Suite *suite_of(const char *name, const struct test_around *around,
                       const TTest *const *tests, size_t count)
{
    Suite *suite = suite_create(name);

    for (size_t i = 0; i < count; i++) {
        TCase *one = tcase_create(tests[i]->name);

        if (!getenv("CK_DEFAULT_TIMEOUT")) {
            tcase_set_timeout(one, TEST_LIMIT_S);
        }
        if (around->before || around->after) {
            tcase_add_checked_fixture(one, around->before, around->after);
        }
        tcase_add_test(one, tests[i]);
        suite_add_tcase(suite, one);
    }
    return suite;
}

/* CK_RUN_CASE leaves cases out: those were not run, and no line claims that they passed. */
static void tell_one(const char *name, TestResult **results, int count)
{
    bool ran = false, passed = true;

    for (int i = 0; i < count; i++) {
        if (strcmp(tr_tcname(results[i]), name) == 0) {
            ran = true;
            passed = passed && tr_rtype(results[i]) == CK_PASS;
        }
    }
    if (ran) {
        printf("%s %s\n", passed ? "pass" : "fail", name);
    }
}

static void tell_all(SRunner *runner, const TTest *const *tests, size_t count)
{
    TestResult **results = srunner_results(runner);
    int ran = srunner_ntests_run(runner);

    for (size_t i = 0; i < count; i++) {
        tell_one(tests[i]->name, results, ran);
    }
    free(results);
}

int house_test_run(const char *suite, const struct test_around *around, const TTest *const *tests,
                   size_t count)
{
    static const struct test_around nothing;

    around = around ? around : &nothing;
    if (around->start) {
        around->start();
    }
    SRunner *runner = srunner_create(suite_of(suite, around, tests, count));
    srunner_run_all(runner, CK_NORMAL);
    tell_all(runner, tests, count);

    bool all_passed = srunner_ntests_run(runner) > 0 && srunner_ntests_failed(runner) == 0;
    srunner_free(runner);
    if (around->stop) {
        around->stop();
    }
    return all_passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
