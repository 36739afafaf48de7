/* See edge_etag.h. */
#include "gateway/edge/edge_etag.h"

#include <string.h>

const char *etag_of(struct arena *arena, const char *version)
{
    return arena_printf(arena, "\"%s\"", version);
}

bool etag_is_listed(const char *if_none_match, const char *etag)
{
    size_t length = strlen(etag);

    for (const char *at = if_none_match; at && *at;) {
        at += strspn(at, " \t,");
        if (*at == '*') {
            return true;
        }
        at += strncmp(at, "W/", 2) == 0 ? 2 : 0;
        if (strncmp(at, etag, length) == 0 && strchr(" \t,", at[length])) {
            return true; /* strchr() finds the end of the text, too */
        }
        const char *close = *at == '"' ? strchr(at + 1, '"') : NULL;
        at = close ? close + 1 : at + strcspn(at, ",");
    }
    return false;
}
