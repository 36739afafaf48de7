/* The helper that all tests rest on: it tells each result, and fails when one fails. */
#include "tests/helpers/house_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(inner_pass)
{
}
END_TEST

START_TEST(inner_fail)
{
    ck_assert(0);
}
END_TEST

START_TEST(inner_crash)
{
    abort();
}
END_TEST

static char output[4096];

/* Runs the inner tests in a process of their own; its exit code, its stdout in 'output'. */
static int run(const TTest *const *tests, size_t count)
{
    int ends[2], state;

    ck_assert_int_eq(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        setenv("CK_FORK", "yes", 1);
        int result = house_test_run("inner", NULL, tests, count);
        fflush(NULL);
        _exit(result);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    size_t length = fread(output, 1, sizeof(output) - 1, in);
    output[length] = '\0';
    fclose(in);
    waitpid(child, &state, 0);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

START_TEST(all_passing_ends_with_0_and_a_line_each)
{
    const TTest *const tests[] = {inner_pass};

    ck_assert_int_eq(run(tests, 1), 0);
    ck_assert_ptr_nonnull(strstr(output, "\npass inner_pass\n"));
}
END_TEST

START_TEST(a_failing_and_a_crashing_test_are_told_and_end_with_1)
{
    const TTest *const tests[] = {inner_pass, inner_fail, inner_crash};

    ck_assert_int_eq(run(tests, 3), 1);
    ck_assert_ptr_nonnull(strstr(output, "\npass inner_pass\n"));
    ck_assert_ptr_nonnull(strstr(output, "\nfail inner_fail\n"));
    ck_assert_ptr_nonnull(strstr(output, "\nfail inner_crash\n"));
}
END_TEST

START_TEST(a_run_of_no_test_is_a_failure)
{
    const TTest *const tests[] = {inner_pass};

    setenv("CK_RUN_CASE", "misspelt", 1);
    ck_assert_int_eq(run(tests, 1), 1);
    unsetenv("CK_RUN_CASE");
    ck_assert_ptr_null(strstr(output, "pass inner_pass"));
}
END_TEST

TEST_MAIN("house_test", all_passing_ends_with_0_and_a_line_each,
          a_failing_and_a_crashing_test_are_told_and_end_with_1, a_run_of_no_test_is_a_failure)
