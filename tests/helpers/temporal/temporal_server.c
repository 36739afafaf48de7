/* Starting Temporal, and making sure that it ends. */
#include "tests/helpers/temporal/temporal_server.h"

#include "common/base/clock.h"
#include "tests/helpers/free_port.h"
#include "tests/helpers/raw_client.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_LIMIT_MS = 60000 };

static void become_temporal(const struct temporal_server *server)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *user = getenv("HOME");
    char binary[320], port[8], file[96], log[96];

    snprintf(binary, sizeof(binary), "%s%s/everything/temporal-1.5.1/bin/temporal",
             cache  ? cache
             : user ? user
                    : "",
             cache ? "" : "/.cache");
    snprintf(port, sizeof(port), "%d", server->port);
    snprintf(file, sizeof(file), "%s/db", server->folder);
    snprintf(log, sizeof(log), "%s/log", server->folder);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execl(binary, "temporal", "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port",
          port, "--db-filename", file, "--log-level", "warn", (char *)NULL);
    execlp("temporal", "temporal", "server", "start-dev", "--headless", "--ip", "127.0.0.1",
           "--port", port, "--db-filename", file, "--log-level", "warn", (char *)NULL);
    perror("temporal");
    _exit(127);
}

void temporal_server_again(struct temporal_server *server)
{
    int64_t until = clock_monotonic_ms() + START_LIMIT_MS;

    server->pid = fork();
    if (server->pid == 0) {
        become_temporal(server);
    }
    for (int fd = -1; fd < 0;) {
        if (clock_monotonic_ms() > until || waitpid(server->pid, NULL, WNOHANG) != 0) {
            fprintf(stderr, "the Temporal server does not start\n");
            abort();
        }
        clock_pause_ms(50);
        fd = raw_connect(server->port);
        if (fd >= 0) {
            close(fd);
        }
    }
}

void temporal_server_start(struct temporal_server *server)
{
    snprintf(server->folder, sizeof(server->folder), "%s", "/tmp/temporal-test-XXXXXX");
    if (!mkdtemp(server->folder)) {
        perror("mkdtemp");
        abort();
    }
    server->port = free_port();
    snprintf(server->target, sizeof(server->target), "ipv4:127.0.0.1:%d", server->port);
    temporal_server_again(server);
}

void temporal_server_kill(struct temporal_server *server)
{
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    server->pid = 0;
}

void temporal_server_stop(struct temporal_server *server)
{
    DIR *folder = opendir(server->folder);
    char path[512];

    temporal_server_kill(server);
    for (struct dirent *e = folder ? readdir(folder) : NULL; e; e = readdir(folder)) {
        snprintf(path, sizeof(path), "%s/%s", server->folder, e->d_name);
        unlink(path);
    }
    if (folder) {
        closedir(folder);
    }
    rmdir(server->folder);
}
