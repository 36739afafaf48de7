/* Writing a JSON document by hand: commas come by themselves. A NULL key is for entries of a
 * list. */
#ifndef GATEWAY_OPENAPI_OPENAPI_JSON_H
#define GATEWAY_OPENAPI_OPENAPI_JSON_H

#include "common/base/text.h"

void put_open(struct text *out, const char *key, char bracket); /* '{' or '[' */
void put_close(struct text *out, char bracket);
void put_text(struct text *out, const char *key, const char *value);
void put_number(struct text *out, const char *key, int64_t value);
void put_bool(struct text *out, const char *key, bool value);
void put_raw(struct text *out, const char *key, const char *json);
void put_reference(struct text *out, const char *key, const char *kind, const char *name);

/* Nothing for an empty text. */
void put_text_if_any(struct text *out, const char *key, const char *value);

#endif
