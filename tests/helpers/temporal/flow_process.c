/* The test program as a worker. */
#include "tests/helpers/temporal/flow_process.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/process/daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRACE_MS = 20000, SHORT_POLL_MS = 3000 };

bool flow_process_was_worker(int argc, char **argv)
{
    int64_t build = 1;

    if (argc != 6 || strcmp(argv[1], "worker") != 0 || !text_parse_int(argv[4], 1, 3, &build)) {
        return false;
    }
    daemon_block_signals();
    log_open("test-worker", getenv("TEST_LOG") ? getenv("TEST_LOG") : "error");
    struct temporal *temporal = temporal_new(&(struct temporal_options){.target = argv[2]});
    struct flow_worker *worker = flow_worker_start(&(struct flow_worker_options){
        .temporal = temporal,
        .task_queue = argv[3],
        .flows = shop_flows((int)build),
        .activities = shop_activities(),
        .service = *argv[5] ? argv[5] : NULL,
        .poll_ms = SHORT_POLL_MS,
    });

    daemon_wait_for_signal();
    flow_worker_stop(worker, GRACE_MS);
    temporal_free(temporal);
    return true;
}

struct flow_process flow_process_start(const struct temporal_server *server, const char *queue,
                                       int build, const char *notes)
{
    char number[8];
    struct flow_process process;

    snprintf(number, sizeof(number), "%d", build);
    process.pid = fork();
    if (process.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execl("/proc/self/exe", "test-worker", "worker", server->target, queue, number,
              notes ? notes : "", (char *)NULL);
        _exit(127);
    }
    return process;
}

void flow_process_end(struct flow_process *process, int signal)
{
    if (process->pid > 0) {
        kill(process->pid, signal);
        waitpid(process->pid, NULL, 0);
    }
    process->pid = 0;
}

bool flow_process_ended_well(struct flow_process *process)
{
    int status = 1;

    kill(process->pid, SIGTERM);
    waitpid(process->pid, &status, 0);
    process->pid = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
