/* Reading an address to listen on. */
#include "common/base/socket_address.h"

#include <arpa/inet.h>
#include <stdint.h>

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
