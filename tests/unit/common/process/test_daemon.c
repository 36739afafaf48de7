/* Signals reach the one thread that waits. */
#include "common/base/clock.h"
#include "common/process/daemon.h"
#include "tests/helpers/house_test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(a_daemon_is_told_which_signal_came)
{
    daemon_block_signals();
    kill(getpid(), SIGTERM);
    ck_assert_int_eq(daemon_wait_for_signal(), SIGTERM);
    kill(getpid(), SIGINT);
    ck_assert_int_eq(daemon_wait_for_signal(), SIGINT);
}
END_TEST

START_TEST(a_reader_that_goes_away_does_not_kill_us)
{
    int ends[2];

    daemon_block_signals();
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    ck_assert_int_lt(write(ends[1], "x", 1), 0);
    close(ends[1]);
}
END_TEST

/* Fills the log's pipe, so that the next line of it waits for ever. */
static void stop_reading_the_log(void)
{
    static const char line[1024];
    int ends[2];

    if (pipe(ends) != 0 || fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) {
        _exit(EXIT_FAILURE);
    }
    while (write(ends[1], line, sizeof(line)) > 0) {
    }
    if (fcntl(ends[1], F_SETFL, 0) != 0 || dup2(ends[1], STDOUT_FILENO) < 0) {
        _exit(EXIT_FAILURE);
    }
}

static void check_that_it_ends(void (*first)(void))
{
    int status = -1;
    int64_t from = clock_monotonic_ms();
    pid_t child = fork();

    if (child == 0) {
        first();
        daemon_end_within(300);
        for (;;) {
            pause();
        }
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), EXIT_SUCCESS);
    ck_assert_int_ge(clock_monotonic_ms() - from, 300);
}

static void nothing(void)
{
}

/* K8S-17 */
START_TEST(a_stop_that_hangs_ends_in_time_and_well)
{
    check_that_it_ends(nothing);
}
END_TEST

/* K8S-17 */
START_TEST(a_stop_ends_in_time_though_nobody_reads_its_log)
{
    check_that_it_ends(stop_reading_the_log);
}
END_TEST

TEST_MAIN("daemon", a_daemon_is_told_which_signal_came, a_reader_that_goes_away_does_not_kill_us,
          a_stop_that_hangs_ends_in_time_and_well, a_stop_ends_in_time_though_nobody_reads_its_log)
