/* What to do with a refresh token that somebody shows. Pure. */
#ifndef CUSTOMER_SERVICE_AUTH_REFRESH_RULE_H
#define CUSTOMER_SERVICE_AUTH_REFRESH_RULE_H

#include <stdbool.h>
#include <stdint.h>

enum refresh_verdict {
    REFRESH_EXCHANGE, /* first use, or a retry that deserves grace */
    REFRESH_DEAD,     /* its session is over: nothing to protect any more */
    REFRESH_REUSED,   /* somebody has a copy: the session must end */
};

struct refresh_shown {
    int64_t generation;      /* of the token */
    int64_t used_generation; /* the newest one of its session that was used */
    int64_t used_ago_s;      /* how long ago that was */
    bool same_device;
    bool is_over;
};

/* A retry deserves grace within 'grace_s' of the first use, by the same device, while no token of
 * the next generation was used: its answer may have been lost on the way. */
enum refresh_verdict refresh_judge(const struct refresh_shown *shown, int64_t grace_s);

/* Whether two devices are the same; one that was not told is not another. */
bool refresh_same_device(const char *signed_in_by, const char *shown_by);

#endif
