/* The signal alone is only the wish: a thread that is at work may answer once more. */
#include "tests/helpers/freeze.h"

#include "common/base/clock.h"
#include "tests/helpers/patience.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Stopped, or over. */
static bool stands_still(pid_t server, const char *thread)
{
    char path[64], line[512];

    snprintf(path, sizeof(path), "/proc/%d/task/%.20s/stat", (int)server, thread);
    FILE *file = fopen(path, "re");
    if (!file) {
        return true;
    }
    const char *state = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
    fclose(file);
    return !state || strchr("TZX", state[2]);
}

static bool all_stand_still(pid_t server)
{
    char path[64];
    bool still = true;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)server);
    DIR *threads = opendir(path);
    const struct dirent *thread;
    while (threads && still && (thread = readdir(threads))) {
        still = thread->d_name[0] == '.' || stands_still(server, thread->d_name);
    }
    if (threads) {
        closedir(threads);
    }
    return still;
}

void freeze(pid_t server)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    kill(server, SIGSTOP);
    while (!all_stand_still(server)) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(1);
    }
}

void thaw(pid_t server)
{
    kill(server, SIGCONT);
}
