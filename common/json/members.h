/* The members of a JSON object by a table of what is wanted: answers of others, lines of a file.
 * What the table does not name is passed over. */
#ifndef COMMON_JSON_MEMBERS_H
#define COMMON_JSON_MEMBERS_H

#include "common/json/scan.h"

/* One of the four says what the member must be; one that is absent leaves its target alone. */
struct member {
    const char *name;
    const char **text;                                  /* into ctx's arena */
    int64_t *number;                                    /* a whole number */
    const struct member *inner;                         /* an object, read by this table */
    enum status (*list)(struct scan *scan, void *user); /* a list: called at each entry */
    void *user;
};

/* One object, where the scan stands; 'members' ends with {0}. PROBLEM_BAD_REQUEST. */
enum status members_scan(struct scan *scan, const struct member *members) MUST_CHECK;

/* A text that is one object and nothing else. */
enum status members_read(struct ctx *ctx, const char *json, size_t size,
                         const struct member *members) MUST_CHECK;

#endif
