/* Tries ports in an order that begins somewhere else in each process. A port that was given out is
 * known by a Unix socket's name, which the kernel takes back when the process ends. */
#include "tests/helpers/free_port.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { LOWEST = 10000, COUNT = 10000 };

static bool is_free(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool bound = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

    close(fd);
    return bound;
}

/* -1: another process has been given that port. */
static int claim(int port)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(name.sun_path + 1, sizeof(name.sun_path) - 1, "everything-test-port-%d", port);
    if (bind(fd, (struct sockaddr *)&name, sizeof(name)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int free_port(void)
{
    static unsigned next;
    static pid_t of; /* a forked test begins anew, not where its siblings do */

    if (of != getpid()) {
        of = getpid();
        if (getrandom(&next, sizeof(next), 0) != (ssize_t)sizeof(next)) {
            perror("getrandom");
            abort();
        }
    }
    for (int tries = 0; tries < COUNT; tries++) {
        int port = LOWEST + (int)(next++ % COUNT), claimed = claim(port);

        if (claimed >= 0 && is_free(port)) {
            return port; /* and it stays claimed */
        }
        close(claimed);
    }
    fputs("no free port\n", stderr);
    abort();
}
