/* Names and paths of fields in lowerCamelCase; see field_path.h. */
#include "common/contract/field_path.h"

enum { LONGEST_FOREIGN_NAME = 64 }; /* what a client invented is shown cut */

void text_add_camel(struct text *text, const char *field_name, size_t length)
{
    bool upper = false;

    for (size_t i = 0; i < length; i++) {
        char c = field_name[i];

        if (c == '_') {
            upper = true;
            continue;
        }
        text_add_char(text, (char)(upper ? capital_of(c) : c));
        upper = false;
    }
}

bool camel_equal(const char *field_name, const char *camel, size_t length)
{
    size_t i = 0;

    for (; *field_name; field_name++) {
        char c = *field_name;

        if (c == '_') {
            if (!field_name[1]) {
                break;
            }
            field_name++;
            c = capital_of(*field_name);
            if (c == '_') { /* two in a row: the second one is looked at again */
                field_name--;
                continue;
            }
        }
        if (i == length || camel[i] != c) {
            return false;
        }
        i++;
    }
    return i == length;
}

static void add_foreign(struct text *text, const char *name, size_t length)
{
    if (length > LONGEST_FOREIGN_NAME) {
        length = LONGEST_FOREIGN_NAME;
        while (length && ((unsigned char)name[length] & 0xc0) == 0x80) {
            length--; /* not in the middle of a character */
        }
    }
    text_add_bytes(text, name, length);
}

static void add_path(struct text *text, const struct field_path *path)
{
    if (path->up) {
        add_path(text, path->up);
    }
    if (!path->name) {
        text_add_char(text, '[');
        text_add_number(text, (int64_t)path->index);
        text_add_char(text, ']');
        return;
    }
    if (path->up) {
        text_add_char(text, '.');
    }
    if (path->as_written) {
        add_foreign(text, path->name, path->length);
    } else {
        text_add_camel(text, path->name, path->length);
    }
}

const char *field_path_text(struct arena *arena, const struct field_path *path)
{
    struct text text = text_new(arena, 64);

    if (path) {
        add_path(&text, path);
    }
    return text.data;
}
