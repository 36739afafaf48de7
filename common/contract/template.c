/* Templates of paths: "/orders/{id}". Wildcards of google.api.http are not ours. */
#include "common/contract/template.h"

#include "common/contract/message_shape.h"

#include <string.h>

enum { LONGEST_FIELD_NAME = 64 };

bool template_next(const char **at, struct template_variable *variable)
{
    const char *open = strchr(*at, '{');
    const char *close = open ? strchr(open, '}') : NULL;

    if (!close) {
        return false;
    }
    variable->name = open + 1;
    variable->length = (size_t)(close - open - 1);
    *at = close + 1;
    return true;
}

static bool segment_is_valid(const char *segment, size_t length)
{
    static const char in_names[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";
    bool variable = length > 0 && segment[0] == '{';

    if (variable) {
        return length > 2 && segment[length - 1] == '}' &&
               strspn(segment + 1, in_names) == length - 2;
    }
    return length > 0 && !memchr(segment, '{', length) && !memchr(segment, '}', length) &&
           !memchr(segment, '*', length);
}

bool template_is_valid(const char *text)
{
    if (*text != '/') {
        return false;
    }
    while (*text == '/') {
        size_t length = strcspn(text + 1, "/");

        if (!segment_is_valid(text + 1, length)) {
            return false;
        }
        text += 1 + length;
    }
    return true;
}

bool template_same_shape(const char *a, const char *b)
{
    while (*a && *b) {
        if (*a != *b) {
            return false;
        }
        if (*a == '{') {
            a += strcspn(a, "}");
            b += strcspn(b, "}");
        }
        a += *a != '\0';
        b += *b != '\0';
    }
    return *a == *b;
}

const ProtobufCFieldDescriptor *template_field(const ProtobufCMessageDescriptor *type,
                                               const char *name, size_t length)
{
    const ProtobufCFieldDescriptor *field = NULL;
    const char *end = name + length;

    while (name < end) {
        const char *dot = memchr(name, '.', (size_t)(end - name));
        size_t part = (size_t)((dot ? dot : end) - name);
        char text[LONGEST_FIELD_NAME];

        if (part >= sizeof(text) || !type) {
            return NULL;
        }
        memcpy(text, name, part);
        text[part] = '\0';
        field = protobuf_c_message_descriptor_get_field_by_name(type, text);
        if (!field || (dot && (field->type != PROTOBUF_C_TYPE_MESSAGE || field_is_list(field)))) {
            return NULL;
        }
        type = dot ? field->descriptor : NULL;
        name += part + (dot ? 1 : 0);
    }
    return field;
}
