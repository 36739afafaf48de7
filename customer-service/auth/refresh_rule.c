/* Generations: token n+1 is made when token n is used. What is older than the newest used one has
 * a successor that was used: whoever shows it has a copy. */
#include "customer-service/auth/refresh_rule.h"

#include <string.h>

enum refresh_verdict refresh_judge(const struct refresh_shown *shown, int64_t grace_s)
{
    if (shown->is_over) {
        return REFRESH_DEAD;
    }
    if (!shown->same_device || shown->generation < shown->used_generation) {
        return REFRESH_REUSED;
    }
    if (shown->generation > shown->used_generation) {
        return REFRESH_EXCHANGE;
    }
    return shown->used_ago_s <= grace_s ? REFRESH_EXCHANGE : REFRESH_REUSED;
}

bool refresh_same_device(const char *signed_in_by, const char *shown_by)
{
    return !*signed_in_by || !*shown_by || strcmp(signed_in_by, shown_by) == 0;
}
