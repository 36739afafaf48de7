/* Starting valkey-server, and making sure that it ends. */
#include "tests/helpers/valkey_server.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "tests/helpers/free_port.h"
#include "tests/helpers/freeze.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_LIMIT_MS = 60000, MAX_WORDS = 32 };

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static bool answers(int port)
{
    struct sockaddr_in address = loopback(port);
    char answer[8] = "";
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool open = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                write(fd, "PING\r\n", 6) == 6 && read(fd, answer, sizeof(answer) - 1) > 0;

    close(fd);
    return open && (strncmp(answer, "+PONG", 5) == 0 || strncmp(answer, "-NOAUTH", 7) == 0);
}

/* In the child. Debian's package unpacked into the cache finds its libraries beside it. */
static void become_valkey(int port, const char *const *more)
{
    char number[8], home[256], binary[320], libraries[640];
    const char *cache = getenv("XDG_CACHE_HOME"), *user = getenv("HOME");
    const char *words[MAX_WORDS] = {
        "valkey-server", "--port", number,         "--bind", "127.0.0.1", "--save", "",
        "--daemonize",   "no",     "--appendonly", "no"};
    int count = 11;

    for (; more && *more && count < MAX_WORDS - 1; more++) {
        words[count++] = *more;
    }
    snprintf(number, sizeof(number), "%d", port);
    snprintf(home, sizeof(home), "%s%s/everything/valkey-8.0.1/usr",
             cache  ? cache
             : user ? user
                    : "",
             cache ? "" : "/.cache");
    snprintf(binary, sizeof(binary), "%s/bin/valkey-server", home);
    snprintf(libraries, sizeof(libraries), "%s/lib/x86_64-linux-gnu:%s/lib/aarch64-linux-gnu", home,
             home);
    setenv("LD_LIBRARY_PATH", libraries, 1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(open("/dev/null", O_RDWR), STDOUT_FILENO);
    execv(binary, (char *const *)words);
    execvp(words[0], (char *const *)words);
    perror("valkey-server");
    _exit(127);
}

struct valkey_server valkey_server_start(int port, const char *const *more)
{
    struct valkey_server server = {.port = port ? port : free_port()};
    int64_t until = clock_monotonic_ms() + START_LIMIT_MS;

    server.pid = fork();
    if (server.pid == 0) {
        become_valkey(server.port, more);
    }
    while (!answers(server.port)) {
        if (clock_monotonic_ms() > until || waitpid(server.pid, NULL, WNOHANG) != 0) {
            fprintf(stderr, "valkey-server does not start\n");
            abort();
        }
        clock_pause_ms(10);
    }
    return server;
}

void valkey_server_stop(struct valkey_server *server)
{
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    server->pid = 0;
}

void valkey_server_freeze(const struct valkey_server *server)
{
    freeze(server->pid);
}

void valkey_server_thaw(const struct valkey_server *server)
{
    thaw(server->pid);
}
