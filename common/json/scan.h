/* JSON text, token by token, checked to the letter of RFC 8259: what is not JSON, not UTF-8, a
 * lone surrogate or nested too deeply ends the scan with PROBLEM_BAD_REQUEST and the place.
 * Nothing is kept but strings with escapes: the rest points into the text. */
#ifndef COMMON_JSON_SCAN_H
#define COMMON_JSON_SCAN_H

#include "common/base/ctx.h"

struct scan {
    struct ctx *ctx;
    const char *start, *at, *end;
    int depth;
};

struct scan_text {
    const char *data; /* in the text itself, or decoded and terminated in the arena */
    size_t length;
    bool in_place;
    bool has_nul;
};

struct scan_number {
    const char *data; /* in the text itself */
    size_t length;
    bool is_integer; /* no fraction, no exponent */
    bool fits;       /* an integer that 'value' holds */
    int64_t value;
};

struct scan scan_begin(struct ctx *ctx, const char *json, size_t size);

/* The next character that is no white space, which stays where it is; 0 at the end. */
char scan_peek(struct scan *scan);

enum status scan_string(struct scan *scan, struct scan_text *text) MUST_CHECK;
enum status scan_number(struct scan *scan, struct scan_number *number) MUST_CHECK;
enum status scan_word(struct scan *scan, const char *word) MUST_CHECK; /* true, false, null */

/* The text as a string of its own, in the arena. */
char *scan_keep(struct scan *scan, const struct scan_text *text);

/* A list or object: scan_open() at its bracket, then scan_more() before each entry; it takes the
 * commas and the closing bracket. 'first' begins as true. */
enum status scan_open(struct scan *scan) MUST_CHECK;
enum status scan_more(struct scan *scan, char close, bool *first, bool *more) MUST_CHECK;

/* The name of a member and its colon. */
enum status scan_name(struct scan *scan, struct scan_text *name) MUST_CHECK;

/* Steps over one value of any kind; it must be right all the same. */
enum status scan_skip(struct scan *scan) MUST_CHECK;

/* Nothing but white space is left. */
enum status scan_end(struct scan *scan) MUST_CHECK;

/* PROBLEM_BAD_REQUEST at the place 'at', with its line and column in the sentence. */
enum status scan_bad(struct scan *scan, const char *at, const char *what) MUST_CHECK;

#endif
