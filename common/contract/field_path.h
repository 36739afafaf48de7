/* Where in a message one is, as clients see it: "items[0].menuItemId". A path is a chain of
 * frames on the stack, so that walking costs nothing until a field is refused. */
#ifndef COMMON_CONTRACT_FIELD_PATH_H
#define COMMON_CONTRACT_FIELD_PATH_H

#include "common/base/text.h"

struct field_path {
    const struct field_path *up; /* NULL: the outermost */
    const char *name;            /* NULL: an entry of the list above it */
    size_t length;
    size_t index;    /* where there is no name */
    bool as_written; /* a name that came from the client, not from a descriptor */
};

const char *field_path_text(struct arena *arena, const struct field_path *path);

/* "menu_item_id" as "menuItemId". */
void text_add_camel(struct text *text, const char *field_name, size_t length);

/* An ASCII letter as its capital. */
static inline char capital_of(char c)
{
    return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

/* Whether 'camel' is the outer name of the field; compares, makes nothing. */
bool camel_equal(const char *field_name, const char *camel, size_t length);

#endif
