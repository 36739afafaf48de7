/* Reading an address to listen on. */
#include "common/base/socket_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <unistd.h>

bool socket_address_parse(const char *text, int port, union socket_address *address)
{
    *address = (union socket_address){
        .v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}
    };
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        return true;
    }
    *address = (union socket_address){
        .v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}
    };
    return inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1;
}

int socket_address_port(const union socket_address *address)
{
    return ntohs(address->v4.sin_port); /* v6 has it at the same place */
}

static bool listen_at(int fd, union socket_address *address, bool v6_alone)
{
    socklen_t size = sizeof(*address);

    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) == 0 &&
           (!v6_alone || address->any.sa_family != AF_INET6 ||
            setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int)) == 0) &&
           bind(fd, &address->any, size) == 0 && listen(fd, SOMAXCONN) == 0 &&
           getsockname(fd, &address->any, &size) == 0;
}

int socket_listen(union socket_address *address, bool v6_alone)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd >= 0 && !listen_at(fd, address, v6_alone)) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}
