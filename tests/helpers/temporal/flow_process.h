/* A worker as a process of its own, so that tests can kill it: the test program, started once more
 * with other arguments. The main() of such a test is
 *
 *     FLOW_TEST_MAIN("worker", around, test, ...) */
#ifndef TESTS_HELPERS_TEMPORAL_FLOW_PROCESS_H
#define TESTS_HELPERS_TEMPORAL_FLOW_PROCESS_H

#include "tests/helpers/house_test.h"
#include "tests/helpers/temporal/shop_flows.h"
#include "tests/helpers/temporal/temporal_server.h"

#include <signal.h>
#include <stdbool.h>

struct flow_process {
    pid_t pid;
};

/* 'notes' is the file that activities write to; NULL: none. */
struct flow_process flow_process_start(const struct temporal_server *server, const char *queue,
                                       int build, const char *notes);
void flow_process_end(struct flow_process *process, int signal); /* SIGKILL, or SIGTERM: graceful */
bool flow_process_ended_well(struct flow_process *process); /* after SIGTERM: its exit code was 0 */

/* True when the arguments say that this process is a worker, which has then been and gone. */
bool flow_process_was_worker(int argc, char **argv);

#define FLOW_TEST_MAIN(suite_, around_, ...)                             \
    int main(int argc, char **argv)                                      \
    {                                                                    \
        const TTest *const tests_[] = {__VA_ARGS__};                     \
        return flow_process_was_worker(argc, argv)                       \
                   ? 0                                                   \
                   : house_test_run((suite_), (around_), tests_,         \
                                    sizeof(tests_) / sizeof(tests_[0])); \
    }

#endif
