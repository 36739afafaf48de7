/* Where a socket listens: an IP of either kind and a port. */
#ifndef COMMON_BASE_SOCKET_ADDRESS_H
#define COMMON_BASE_SOCKET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

union socket_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Of "127.0.0.1" or "::1", no names. False: it is neither. */
bool socket_address_parse(const char *text, int port, union socket_address *address);

/* A socket that listens there, not blocking and not inherited; 'address' then has the port, where
 * it said 0. -1: errno says why. With 'v6_alone' "::" takes no IPv4. */
int socket_listen(union socket_address *address, bool v6_alone);
int socket_address_port(const union socket_address *address);

#endif
