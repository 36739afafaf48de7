/* One pass over an object, by a table of what is wanted. */
#include "tests/fakes/payment/fields.h"

#include "common/json/scan.h"

#include <string.h>

static enum status read_value(struct scan *scan, const struct field *field)
{
    struct scan_text text;
    struct scan_number number;

    if (field->text) {
        TRY(scan_string(scan, &text));
        *field->text = scan_keep(scan, &text);
        return ST_OK;
    }
    const char *at = scan->at;
    TRY(scan_number(scan, &number));
    if (!number.fits) {
        return scan_bad(scan, at, "must be a whole number");
    }
    *field->number = number.value;
    return ST_OK;
}

static const struct field *find(const struct field *fields, const struct scan_text *name)
{
    for (; fields->name; fields++) {
        if (strlen(fields->name) == name->length &&
            memcmp(fields->name, name->data, name->length) == 0) {
            return fields;
        }
    }
    return NULL;
}

enum status fields_read(struct ctx *ctx, const char *json, size_t size, const struct field *fields)
{
    struct scan scan = scan_begin(ctx, json, size);
    bool first = true, more;

    TRY(scan_open(&scan));
    TRY(scan_more(&scan, '}', &first, &more));
    while (more) {
        struct scan_text name;

        TRY(scan_name(&scan, &name));
        const struct field *field = find(fields, &name);
        TRY(field ? read_value(&scan, field) : scan_skip(&scan));
        TRY(scan_more(&scan, '}', &first, &more));
    }
    return scan_end(&scan);
}
