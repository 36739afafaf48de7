/* Whose address a request came from, when trusted proxies stand in between. */
#ifndef GATEWAY_EDGE_EDGE_ADDRESS_H
#define GATEWAY_EDGE_EDGE_ADDRESS_H

#include "common/base/arena.h"

#include <stdbool.h>

struct proxies;

/* "10.0.0.0/8, ::1/128"; "" trusts nobody. NULL: malformed. */
struct proxies *proxies_new(const char *networks);
void proxies_free(struct proxies *proxies); /* NULL is fine */
bool proxies_trust(const struct proxies *proxies, const char *address);

/* The right-most address of X-Forwarded-For that is no trusted proxy, if the connection itself
 * comes from one; else the connection's own. 'forwarded' may be NULL. */
const char *client_address(struct arena *arena, const struct proxies *proxies,
                           const char *connection, const char *forwarded);

/* What limits count as one client: an address, or the /64 of IPv6 that a household has. */
const char *limited_address(struct arena *arena, const char *address);

#endif
