/* The special-purpose registries of IANA as a table. Of IPv6 only 2000::/3 is public at all, so
 * that mapped and translated IPv4 addresses are none. */
#include "common/http/public_address.h"

#include "common/base/auto.h"

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

struct network {
    uint32_t base;
    int bits;
};

/* clang-format off */
static const struct network closed_v4[] = {
    {0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},  {0xa9fe0000, 16},
    {0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
    {0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 4},  {0xf0000000, 4},
};
/* Teredo and the rest of 2001::/23, documentation, 6to4, documentation again. */
static const struct network closed_v6[] = {
    {0x20010000, 23}, {0x20010db8, 32}, {0x20020000, 16}, {0x3fff0000, 20},
};
/* clang-format on */

static bool is_in(const struct network *list, size_t count, uint32_t address)
{
    for (size_t i = 0; i < count; i++) {
        if ((address ^ list[i].base) >> (32 - list[i].bits) == 0) {
            return true;
        }
    }
    return false;
}

/* The first 32 bits of the address. */
static uint32_t leading(const struct sockaddr *address)
{
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;

    if (address->sa_family == AF_INET) {
        return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
    }
    return (uint32_t)v6->s6_addr[0] << 24 | (uint32_t)v6->s6_addr[1] << 16 |
           (uint32_t)v6->s6_addr[2] << 8 | v6->s6_addr[3];
}

bool address_is_public(const struct sockaddr *address)
{
    switch (address->sa_family) {
    case AF_INET:
        return !is_in(closed_v4, ARRAY_LEN(closed_v4), leading(address));
    case AF_INET6:
        return leading(address) >> 29 == 1 &&
               !is_in(closed_v6, ARRAY_LEN(closed_v6), leading(address));
    default:
        return false;
    }
}

bool address_is_loopback(const struct sockaddr *address)
{
    return (address->sa_family == AF_INET && leading(address) >> 24 == 127) ||
           (address->sa_family == AF_INET6 &&
            IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr));
}
