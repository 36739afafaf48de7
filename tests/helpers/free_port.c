/* Tries ports in an order that begins somewhere else in each process. */
#include "tests/helpers/free_port.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
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
        int port = LOWEST + (int)(next++ % COUNT);

        if (is_free(port)) {
            return port;
        }
    }
    fputs("no free port\n", stderr);
    abort();
}
