/* The scanner of scan.h. Strings are looked over eight bytes at a time, since they are most
 * of what comes in. */
#include "common/json/scan.h"

#include "common/base/text.h"
#include "common/json/transcode.h"

#include <string.h>

#define EACH(byte) (0x0101010101010101ULL * (byte))

struct scan scan_begin(struct ctx *ctx, const char *json, size_t size)
{
    return (struct scan){.ctx = ctx, .start = json, .at = json, .end = json + size};
}

enum status scan_bad(struct scan *scan, const char *at, const char *what)
{
    int line = 1, column = 1;

    for (const char *p = scan->start; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else {
            column += ((unsigned char)*p & 0xc0) != 0x80;
        }
    }
    scan->ctx->failure.fields = NULL; /* half a request: its fields say nothing */
    return fail_problem(scan->ctx, PROBLEM_BAD_REQUEST, "line %d, column %d: %s", line, column,
                        what);
}

char scan_peek(struct scan *scan)
{
    while (scan->at < scan->end) {
        char c = *scan->at;

        if (c != ' ' && c != '\n' && c != '\r' && c != '\t') {
            return c;
        }
        scan->at++;
    }
    return '\0';
}

/* Whether any of eight bytes is a quote, a backslash, a control character or not ASCII. */
static bool any_special(const char *bytes)
{
    uint64_t w, quote, slash;

    memcpy(&w, bytes, sizeof(w));
    quote = w ^ EACH('"');
    slash = w ^ EACH('\\');
    uint64_t found =
        ((quote - EACH(1)) & ~quote) | ((slash - EACH(1)) & ~slash) | ((w - EACH(0x20)) & ~w) | w;
    return (found & EACH(0x80)) != 0;
}

struct raw_string {
    const char *first, *last; /* between the quotes */
    bool ascii, escaped;
};

/* Finds the closing quote; 'scan' stands behind it then. */
static enum status find_end(struct scan *scan, struct raw_string *raw)
{
    const char *p = scan->at + 1;

    *raw = (struct raw_string){.first = p, .ascii = true};
    for (;;) {
        while (scan->end - p >= 8 && !any_special(p)) {
            p += 8;
        }
        while (p < scan->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20 &&
               (unsigned char)*p < 0x80) {
            p++;
        }
        if (p == scan->end) {
            return scan_bad(scan, scan->at, "this string has no end");
        }
        if (*p == '"') {
            break;
        }
        if ((unsigned char)*p < 0x20) {
            return scan_bad(scan, p, "a control character in a string must be escaped");
        }
        if (*p == '\\') {
            raw->escaped = true;
            p += scan->end - p > 1 ? 2 : 1;
        } else {
            raw->ascii = false;
            p++;
        }
    }
    raw->last = p;
    scan->at = p + 1;
    return ST_OK;
}

static bool hex4(const char *s, const char *end, unsigned *value)
{
    *value = 0;
    if (end - s < 4) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                                : 16;

        if (digit == 16) {
            return false;
        }
        *value = *value << 4 | digit;
    }
    return true;
}

static char *add_utf8(char *to, unsigned code)
{
    static const struct {
        unsigned below, lead;
        int more;
    } forms[] = {
        {0x80,     0x00, 0},
        {0x800,    0xc0, 1},
        {0x10000,  0xe0, 2},
        {0x110000, 0xf0, 3}
    };
    size_t form = 0;

    while (code >= forms[form].below) {
        form++;
    }
    int more = forms[form].more;
    *to++ = (char)(forms[form].lead | code >> (6 * more));
    while (more-- > 0) {
        *to++ = (char)(0x80 | (code >> (6 * more) & 0x3f));
    }
    return to;
}

/* \uXXXX, or a pair of them, at *from, which stands on the first digit. */
static bool take_unicode(const char **from, const char *last, unsigned *code)
{
    unsigned low;

    if (!hex4(*from, last, code)) {
        return false;
    }
    *from += 4;
    if (*code < 0xd800 || *code > 0xdfff) {
        return true;
    }
    if (*code > 0xdbff || last - *from < 6 || (*from)[0] != '\\' || (*from)[1] != 'u' ||
        !hex4(*from + 2, last, &low) || low < 0xdc00 || low > 0xdfff) {
        return false;
    }
    *from += 6;
    *code = 0x10000 + ((*code - 0xd800) << 10 | (low - 0xdc00));
    return true;
}

/* The decoded text is never longer than the raw one. */
static enum status decode(struct scan *scan, const struct raw_string *raw, struct scan_text *text)
{
    static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *to = arena_alloc(scan->ctx->arena, (size_t)(raw->last - raw->first) + 1);

    text->data = to;
    for (const char *p = raw->first; p < raw->last;) {
        const char *escape = p;
        unsigned code = 0;

        if (*p != '\\') {
            *to++ = *p++;
            continue;
        }
        const char *letter = p[1] ? strchr(letters, p[1]) : NULL;
        p += 2;
        if (letter) {
            *to++ = meant[letter - letters];
            continue;
        }
        if (escape[1] != 'u') {
            return scan_bad(scan, escape, "no such escape");
        }
        if (!take_unicode(&p, raw->last, &code)) {
            return scan_bad(scan, escape,
                            "this is no character: four hex digits, surrogates in "
                            "pairs");
        }
        text->has_nul = text->has_nul || code == 0;
        to = add_utf8(to, code);
    }
    *to = '\0';
    text->length = (size_t)(to - text->data);
    return ST_OK;
}

enum status scan_string(struct scan *scan, struct scan_text *text)
{
    const char *start = scan->at;
    struct raw_string raw;

    TRY(find_end(scan, &raw));
    if (!raw.ascii && !text_is_utf8(raw.first, (size_t)(raw.last - raw.first))) {
        return scan_bad(scan, start, "this string is not UTF-8");
    }
    *text = (struct scan_text){
        .data = raw.first, .length = (size_t)(raw.last - raw.first), .in_place = !raw.escaped};
    return raw.escaped ? decode(scan, &raw, text) : ST_OK;
}

char *scan_keep(struct scan *scan, const struct scan_text *text)
{
    if (!text->in_place) {
        return (char *)(uintptr_t)text->data;
    }
    char *copy = arena_alloc(scan->ctx->arena, text->length + 1);
    memcpy(copy, text->data, text->length);
    return copy;
}

static const char *digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9') {
        p++;
    }
    return p;
}

/* Digits after a dot or an exponent; NULL when there are none. */
static const char *some_digits(const char *p, const char *end)
{
    const char *after = digits(p, end);

    return after > p ? after : NULL;
}

/* The end of the fraction and exponent that begin at 'p'; NULL when they are not well formed. */
static const char *rest_of_number(const char *p, const char *end)
{
    if (p < end && *p == '.') {
        p = some_digits(p + 1, end);
    }
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        p = some_digits(p < end && (*p == '+' || *p == '-') ? p + 1 : p, end);
    }
    return p;
}

static bool sum_up(const char *p, const char *end, bool negative, int64_t *value)
{
    int64_t sum = 0;

    for (; p < end; p++) {
        int digit = *p - '0';

        if (__builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, negative ? -digit : digit, &sum)) {
            return false;
        }
    }
    *value = sum;
    return true;
}

enum status scan_number(struct scan *scan, struct scan_number *number)
{
    const char *first = scan->at + (*scan->at == '-');
    const char *whole = digits(first, scan->end);

    if (whole == first || (*first == '0' && whole > first + 1)) {
        return scan_bad(scan, scan->at, "this is no number");
    }
    const char *end = rest_of_number(whole, scan->end);
    if (!end) {
        return scan_bad(scan, scan->at, "this number does not end well");
    }
    *number = (struct scan_number){
        .data = scan->at, .length = (size_t)(end - scan->at), .is_integer = end == whole};
    number->fits = number->is_integer && sum_up(first, whole, *scan->at == '-', &number->value);
    scan->at = end;
    return ST_OK;
}

enum status scan_word(struct scan *scan, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(scan->end - scan->at) < length || memcmp(scan->at, word, length) != 0) {
        return scan_bad(scan, scan->at, "a value is expected here");
    }
    scan->at += length;
    return ST_OK;
}

enum status scan_open(struct scan *scan)
{
    if (scan->depth == JSON_MAX_DEPTH) {
        return scan_bad(scan, scan->at, "this is nested too deeply");
    }
    scan->depth++;
    scan->at++;
    return ST_OK;
}

enum status scan_more(struct scan *scan, char close, bool *first, bool *more)
{
    char c = scan_peek(scan);

    *more = c != close;
    if (c == close) {
        scan->at++;
        scan->depth--;
        return ST_OK;
    }
    if (!*first) {
        if (c != ',') {
            return scan_bad(scan, scan->at, "a comma or a closing bracket is expected here");
        }
        scan->at++;
        scan_peek(scan);
    }
    *first = false;
    return ST_OK;
}

enum status scan_name(struct scan *scan, struct scan_text *name)
{
    if (scan_peek(scan) != '"') {
        return scan_bad(scan, scan->at, "a name in quotes is expected here");
    }
    TRY(scan_string(scan, name));
    if (scan_peek(scan) != ':') {
        return scan_bad(scan, scan->at, "a colon is expected here");
    }
    scan->at++;
    scan_peek(scan);
    return ST_OK;
}

static enum status skip_member(struct scan *scan)
{
    struct scan_text name;

    TRY(scan_name(scan, &name));
    return scan_skip(scan);
}

static enum status skip_entries(struct scan *scan, char close)
{
    bool first = true, more;

    TRY(scan_open(scan));
    for (;;) {
        TRY(scan_more(scan, close, &first, &more));
        if (!more) {
            return ST_OK;
        }
        TRY(close == '}' ? skip_member(scan) : scan_skip(scan));
    }
}

enum status scan_skip(struct scan *scan)
{
    struct scan_text text;
    struct scan_number number;
    char c = scan_peek(scan);

    switch (c) {
    case '{':
        return skip_entries(scan, '}');
    case '[':
        return skip_entries(scan, ']');
    case '"':
        return scan_string(scan, &text);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    default:
        break;
    }
    if (c == '-' || (c >= '0' && c <= '9')) {
        return scan_number(scan, &number);
    }
    return scan_bad(scan, scan->at, "a value is expected here");
}

enum status scan_end(struct scan *scan)
{
    scan_peek(scan);
    if (scan->at < scan->end) {
        return scan_bad(scan, scan->at, "nothing may follow the end of the object");
    }
    return ST_OK;
}
