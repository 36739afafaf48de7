/* Members of a flat JSON object: a request's body, a line of the ledger. */
#ifndef TESTS_FAKES_PAYMENT_FIELDS_H
#define TESTS_FAKES_PAYMENT_FIELDS_H

#include "common/base/ctx.h"

struct field {
    const char *name;
    const char **text; /* one of the two is set; texts go into ctx's arena */
    int64_t *number;
};

/* Members that 'fields' (ends with {0}) does not name are passed over; what is absent leaves its
 * target alone. PROBLEM_BAD_REQUEST. */
enum status fields_read(struct ctx *ctx, const char *json, size_t size,
                        const struct field *fields) MUST_CHECK;

#endif
