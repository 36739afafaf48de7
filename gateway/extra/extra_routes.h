/* The routes that are no RPC: health, documents, live streams. One line each in extra_routes.c;
 * roles and limits have been checked when the handler runs, as for every other route. */
#ifndef GATEWAY_EXTRA_EXTRA_ROUTES_H
#define GATEWAY_EXTRA_EXTRA_ROUTES_H

#include "common/contract/contract.h"
#include "gateway/exchange.h"

struct extra_route {
    enum http_verb verb;
    const char *template; /* "/orders/{id}/events": exchange->values[0] is the id */
    unsigned roles;       /* bits of enum role; ROLE_ANYONE */
    const char *limit;    /* rate class; NULL: not limited */
    /* Runs on a thread of the server, or of the limiter: it must not block. */
    void (*handle)(struct exchange *exchange);
};

extern const struct extra_route extra_routes[]; /* ends with {0} */

#endif
