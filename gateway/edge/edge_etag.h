/* Conditional requests. */
#ifndef GATEWAY_EDGE_EDGE_ETAG_H
#define GATEWAY_EDGE_EDGE_ETAG_H

#include "common/base/arena.h"

#include <stdbool.h>

/* A version as an entity tag: 7 as "7". */
const char *etag_of(struct arena *arena, const char *version);

/* Whether If-None-Match names it: a list, weak ones too, or *. NULL matches nothing. */
bool etag_is_listed(const char *if_none_match, const char *etag);

#endif
