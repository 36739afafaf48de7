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

bool etag_version(const char *if_match, char *version, size_t size)
{
    const char *tag = if_match + (strncmp(if_match, "W/", 2) == 0 ? 2 : 0);
    size_t length = 0;

    for (const char *c = tag + 1; *tag == '"' && *c > ' ' && *c < 0x7f && *c != '"'; c++) {
        length++;
    }
    if (length == 0 || length >= size || strcmp(tag + 1 + length, "\"") != 0) {
        return false;
    }
    memcpy(version, tag + 1, length);
    version[length] = '\0';
    return true;
}
