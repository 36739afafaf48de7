/* A growing text in an arena, JSON quoting, UTF-8 and number checks. */
#include "common/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct text text_new(struct arena *arena, size_t room)
{
    room = room ? room : 64;
    return (struct text){.arena = arena, .data = arena_alloc(arena, room), .room = room};
}

static void make_room(struct text *text, size_t more)
{
    size_t needed = text->length + more + 1;

    if (needed <= text->room) {
        return;
    }
    size_t room = text->room * 2 > needed ? text->room * 2 : needed;
    char *data = arena_alloc(text->arena, room);
    memcpy(data, text->data, text->length + 1);
    text->data = data;
    text->room = room;
}

void text_add_bytes(struct text *text, const char *bytes, size_t count)
{
    make_room(text, count);
    memcpy(text->data + text->length, bytes, count);
    text->length += count;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *s)
{
    text_add_bytes(text, s, strlen(s));
}

void text_add_char(struct text *text, char c)
{
    text_add_bytes(text, &c, 1);
}

void text_add_number(struct text *text, int64_t number)
{
    char digits[24], *first = digits + sizeof(digits);
    uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;

    do {
        *--first = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    if (number < 0) {
        *--first = '-';
    }
    text_add_bytes(text, first, (size_t)(digits + sizeof(digits) - first));
}

void text_printf(struct text *text, const char *fmt, ...)
{
    size_t room = text->room - text->length;
    va_list ap, again;

    va_start(ap, fmt);
    va_copy(again, ap);
    int length = vsnprintf(text->data + text->length, room, fmt, ap);
    if (length > 0 && (size_t)length >= room) { /* it did not fit: once more */
        make_room(text, (size_t)length);
        vsnprintf(text->data + text->length, text->room - text->length, fmt, again);
    }
    text->length += length > 0 ? (size_t)length : 0;
    text->data[text->length] = '\0';
    va_end(again);
    va_end(ap);
}

void text_add_json(struct text *text, const char *s)
{
    static const char short_form[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: character, letter */
    const char *plain = s;

    text_add_char(text, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        const char *letter = NULL;

        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        text_add_bytes(text, plain, (size_t)(s - plain));
        plain = s + 1;
        for (size_t i = 0; i + 1 < sizeof(short_form); i += 2) {
            letter = (unsigned char)short_form[i] == c ? &short_form[i + 1] : letter;
        }
        if (letter) {
            text_add_bytes(text, (const char[]){'\\', *letter}, 2);
        } else {
            text_printf(text, "\\u%04x", c);
        }
    }
    text_add_bytes(text, plain, (size_t)(s - plain));
    text_add_char(text, '"');
}

bool text_copy(char *to, size_t size, const char *from)
{
    size_t length = strnlen(from, size);
    bool fits = length < size;

    length = fits ? length : size - 1;
    memcpy(to, from, length);
    to[length] = '\0';
    return fits;
}

/* How many bytes the sequence at 's' has; 0 when it is not well-formed. */
static size_t sequence_length(const unsigned char *s, size_t left)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high;
        size_t length;
    } forms[] = {
        {0x01, 0x7f, 0x00, 0xff, 1},
        {0xc2, 0xdf, 0x80, 0xbf, 2},
        {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3},
        {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4},
        {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (s[0] < forms[i].first_low || s[0] > forms[i].first_high) {
            continue;
        }
        if (forms[i].length > left ||
            (forms[i].length > 1 && (s[1] < forms[i].second_low || s[1] > forms[i].second_high))) {
            return 0;
        }
        for (size_t k = 2; k < forms[i].length; k++) {
            if ((s[k] & 0xc0) != 0x80) {
                return 0;
            }
        }
        return forms[i].length;
    }
    return 0;
}

/* Most text is ASCII: eight bytes of it, none of them NUL, can be told at once. */
static bool eight_plain(const unsigned char *s)
{
    const uint64_t ones = 0x0101010101010101ULL;
    uint64_t w;

    memcpy(&w, s, sizeof(w));
    return (((w - ones) | w) & (ones << 7)) == 0;
}

bool text_is_utf8(const char *bytes, size_t count)
{
    const unsigned char *s = (const unsigned char *)bytes;

    while (count) {
        bool plain = count >= 8 && eight_plain(s);
        bool ascii = *s > 0 && *s < 0x80;
        size_t length = plain ? 8 : ascii ? 1 : sequence_length(s, count);

        if (!length) {
            return false;
        }
        s += length;
        count -= length;
    }
    return true;
}

bool text_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool text_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_parse_int(const char *s, int64_t min, int64_t max, int64_t *number)
{
    char *end;

    if (*s != '-' && (*s < '0' || *s > '9')) {
        return false;
    }
    errno = 0;
    long long n = strtoll(s, &end, 10);
    if (errno || *end || end == s || n < min || n > max) {
        return false;
    }
    *number = n;
    return true;
}
