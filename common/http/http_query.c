/* The query part of an address: decoded here, since libmicrohttpd lets %00 cut a value short. */
#include "common/base/text.h"
#include "common/http/http_internal.h"

#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_decode(char *text, bool plus_is_space)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        char c = *from;

        if (c == '+' && plus_is_space) {
            c = ' ';
        } else if (c == '%') {
            int high = hex_value(from[1]);
            int low = high < 0 ? -1 : hex_value(from[2]);

            if (low < 0 || (high == 0 && low == 0)) {
                return false;
            }
            c = (char)(high * 16 + low);
            from += 2;
        }
        *to++ = c;
    }
    *to = '\0';
    return text_is_utf8(text, (size_t)(to - text));
}

/* Calls each parameter, its name and value decoded in a copy; false when one is bad or was not
 * wanted. */
static bool walk(struct arena *arena, const char *query,
                 bool (*each)(const char *name, const char *value, void *user), void *user)
{
    char *rest = arena_strdup(arena, query);

    while (rest) {
        char *name = strsep(&rest, "&");
        char *value = strchr(name, '=');

        if (!*name) {
            continue; /* "a=1&&b=2" */
        }
        if (value) {
            *value++ = '\0';
        }
        if (!http_decode(name, true) || (value && !http_decode(value, true)) ||
            !each(name, value ? value : "", user)) {
            return false;
        }
    }
    return true;
}

static bool ignore(const char *name, const char *value, void *user)
{
    (void)name;
    (void)value;
    (void)user;
    return true;
}

bool http_query_is_good(const char *query)
{
    AUTO(arena) struct arena *arena = arena_new(1024);

    return walk(arena, query, ignore, NULL);
}

void http_query(const struct http_request *request,
                bool (*each)(const char *name, const char *value, void *user), void *user)
{
    if (request->query) {
        (void)walk(request->ctx->arena, request->query, each, user);
    }
}
