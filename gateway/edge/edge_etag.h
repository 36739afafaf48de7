/* Conditional requests. */
#ifndef GATEWAY_EDGE_EDGE_ETAG_H
#define GATEWAY_EDGE_EDGE_ETAG_H

#include "common/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

/* A version as an entity tag: 7 as "7". */
const char *etag_of(struct arena *arena, const char *version);

/* Whether If-None-Match names it: a list, weak ones too, or *. NULL matches nothing. */
bool etag_is_listed(const char *if_none_match, const char *etag);

/* The version of the one tag that If-Match names; false for a list, or what is no tag. A weak one
 * is taken: those who compress on the way make them so. */
bool etag_version(const char *if_match, char *version, size_t size);

#endif
