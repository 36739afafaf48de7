/* Addresses that anybody may have: what a URL of a stranger's may lead to (SSRF). */
#ifndef COMMON_HTTP_PUBLIC_ADDRESS_H
#define COMMON_HTTP_PUBLIC_ADDRESS_H

#include <stdbool.h>

struct sockaddr;

/* False for private, local, reserved and documentation networks, and for what is no IP. */
bool address_is_public(const struct sockaddr *address);
bool address_is_loopback(const struct sockaddr *address);

#endif
