/* The head of an HTTP request, as far as the admin port looks at it. */
#include "common/process/admin_http.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* RFC 9110's token, which methods and names of headers are. */
static bool is_token(const char *text, size_t size)
{
    static const char allowed[] = "!#$%&'*+-.^_`|~0123456789"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    return size > 0 && strspn(text, allowed) >= size;
}

static bool is_version(const char *text)
{
    return strcmp(text, "HTTP/1.1") == 0 || strcmp(text, "HTTP/1.0") == 0;
}

/* "name: value"; no white space before the colon, no line that goes on in the next. */
static bool is_header(const char *line)
{
    const char *colon = strchr(line, ':');

    return colon && is_token(line, (size_t)(colon - line));
}

/* Each line of 'lines' on its own, the CR LF behind it put back: they are read once more. */
static bool are_headers(char *lines)
{
    bool good = true;

    while (*lines && good) {
        char *end = strstr(lines, "\r\n");

        *end = '\0';
        good = is_header(lines) && !strpbrk(lines, "\r\n");
        *end = '\r';
        lines = end + 2;
    }
    return good;
}

int admin_head_parse(char *head, size_t size, struct admin_request *request)
{
    char *line_end = strstr(head, "\r\n");

    if (!line_end || strlen(head) != size || size < 4) { /* or a NUL hides in it */
        return 400;
    }
    *line_end = '\0';
    char *target = strchr(head, ' ');
    char *version = target ? strchr(target + 1, ' ') : NULL;
    if (!version || !is_token(head, (size_t)(target - head)) || !is_version(version + 1) ||
        target[1] != '/') {
        return 400;
    }
    *target++ = '\0';
    *version = '\0';
    target[strcspn(target, "?")] = '\0';
    head[size - 2] = '\0'; /* the empty line at the end */
    if (!are_headers(line_end + 2)) {
        return 400;
    }
    *request = (struct admin_request){.method = head, .path = target, .headers = line_end + 2};
    return 0;
}

const char *admin_header(struct arena *arena, const struct admin_request *request, const char *name)
{
    size_t length = strlen(name);

    for (const char *line = request->headers; *line; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, name, length) != 0 || line[length] != ':') {
            continue;
        }
        const char *value = line + length + 1;
        value += strspn(value, " \t");
        int size = (int)strcspn(value, "\r");
        while (size > 0 && strchr(" \t", value[size - 1])) {
            size--;
        }
        return arena_printf(arena, "%.*s", size, value);
    }
    return NULL;
}
