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

/* Whoever shows the token, compared with whoever signed in. */
enum refresh_device {
    REFRESH_SAME_DEVICE,   /* both told which, or neither did */
    REFRESH_UNTOLD_DEVICE, /* only one of them told */
    REFRESH_OTHER_DEVICE,
};

struct refresh_shown {
    int64_t generation;      /* of the token */
    int64_t used_generation; /* the newest one of its session that was used */
    int64_t used_ago_s;      /* how long ago that was */
    enum refresh_device device;
    bool is_over;
};

/* The newest token is exchanged unless another device shows it; ADR 0006 lets one keep silent about
 * its device. A retry deserves grace within 'grace_s' of the first use, by the same device and no
 * other, while no token of the next generation was used: its answer may have been lost on the way.
 * Who does not say so is not the same: a copied token would be good for half a minute. */
enum refresh_verdict refresh_judge(const struct refresh_shown *shown, int64_t grace_s);

/* Device ids as they were told; "" was not. */
enum refresh_device refresh_compare_devices(const char *signed_in_by, const char *shown_by);

#endif
