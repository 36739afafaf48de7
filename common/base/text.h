/* Text that grows, in an arena; and the few string helpers that the C library lacks. */
#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

#include "common/base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A builder. text.data is always NUL-terminated; it moves as it grows. */
struct text {
    struct arena *arena;
    char *data;
    size_t length, room;
};

struct text text_new(struct arena *arena, size_t room);
void text_add(struct text *text, const char *s);
void text_add_bytes(struct text *text, const char *bytes, size_t count);
void text_add_char(struct text *text, char c);
void text_add_number(struct text *text, int64_t number);
void text_printf(struct text *text, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As a JSON string, with its quotes. The input must be UTF-8. */
void text_add_json(struct text *text, const char *s);

/* Always terminates; false when it had to cut. */
bool text_copy(char *to, size_t size, const char *from);

/* Well-formed UTF-8 without NUL: no overlong forms, surrogates or values past U+10FFFF. */
bool text_is_utf8(const char *bytes, size_t count);

bool text_equal(const char *a, const char *b); /* either may be NULL: equal only to NULL */
bool text_starts(const char *s, const char *prefix);

/* Decimal only, the whole string; false outside [min, max]. */
bool text_parse_int(const char *s, int64_t min, int64_t max, int64_t *number);

#endif
