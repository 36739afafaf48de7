/* JSON by hand; see openapi_json.h. The last character tells whether a comma is due: only an
 * opening bracket or a colon comes before a first entry. */
#include "gateway/openapi/openapi_json.h"

#include <string.h>

static void begin(struct text *out, const char *key)
{
    if (out->length && !strchr("{[:", out->data[out->length - 1])) {
        text_add_char(out, ',');
    }
    if (key) {
        text_add_json(out, key);
        text_add_char(out, ':');
    }
}

void put_open(struct text *out, const char *key, char bracket)
{
    begin(out, key);
    text_add_char(out, bracket);
}

void put_close(struct text *out, char bracket)
{
    text_add_char(out, bracket);
}

void put_text(struct text *out, const char *key, const char *value)
{
    begin(out, key);
    text_add_json(out, value);
}

void put_text_if_any(struct text *out, const char *key, const char *value)
{
    if (value && *value) {
        put_text(out, key, value);
    }
}

void put_number(struct text *out, const char *key, int64_t value)
{
    begin(out, key);
    text_add_number(out, value);
}

void put_bool(struct text *out, const char *key, bool value)
{
    begin(out, key);
    text_add(out, value ? "true" : "false");
}

void put_raw(struct text *out, const char *key, const char *json)
{
    begin(out, key);
    text_add(out, json);
}

void put_reference(struct text *out, const char *key, const char *kind, const char *name)
{
    put_open(out, key, '{');
    begin(out, "$ref");
    text_add(out, "\"#/components/");
    text_add(out, kind);
    text_add_char(out, '/');
    text_add(out, name);
    text_add_char(out, '"');
    put_close(out, '}');
}
