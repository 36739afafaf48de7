/* One pass over an object, by a table. */
#include "common/json/members.h"

#include <string.h>

static enum status read_text(struct scan *scan, const char **text)
{
    struct scan_text read;

    TRY(scan_string(scan, &read));
    *text = scan_keep(scan, &read);
    return ST_OK;
}

static enum status read_number(struct scan *scan, int64_t *number)
{
    const char *at = scan->at;
    struct scan_number read;

    TRY(scan_number(scan, &read));
    if (!read.fits) {
        return scan_bad(scan, at, "must be a whole number");
    }
    *number = read.value;
    return ST_OK;
}

static enum status read_list(struct scan *scan, const struct member *member)
{
    bool first = true, more;

    if (scan_peek(scan) != '[') {
        return scan_bad(scan, scan->at, "must be a list");
    }
    TRY(scan_open(scan));
    TRY(scan_more(scan, ']', &first, &more));
    while (more) {
        TRY(member->list(scan, member->user));
        TRY(scan_more(scan, ']', &first, &more));
    }
    return ST_OK;
}

static enum status read_value(struct scan *scan, const struct member *member)
{
    if (member->text) {
        return read_text(scan, member->text);
    }
    if (member->number) {
        return read_number(scan, member->number);
    }
    return member->inner ? members_scan(scan, member->inner) : read_list(scan, member);
}

static const struct member *find(const struct member *members, const struct scan_text *name)
{
    for (; members->name; members++) {
        if (strlen(members->name) == name->length &&
            memcmp(members->name, name->data, name->length) == 0) {
            return members;
        }
    }
    return NULL;
}

enum status members_scan(struct scan *scan, const struct member *members)
{
    bool first = true, more;

    if (scan_peek(scan) != '{') {
        return scan_bad(scan, scan->at, "must be an object");
    }
    TRY(scan_open(scan));
    TRY(scan_more(scan, '}', &first, &more));
    while (more) {
        struct scan_text name;

        TRY(scan_name(scan, &name));
        const struct member *member = find(members, &name);
        TRY(member ? read_value(scan, member) : scan_skip(scan));
        TRY(scan_more(scan, '}', &first, &more));
    }
    return ST_OK;
}

enum status members_read(struct ctx *ctx, const char *json, size_t size,
                         const struct member *members)
{
    struct scan scan = scan_begin(ctx, json, size);

    TRY(members_scan(&scan, members));
    return scan_end(&scan);
}
