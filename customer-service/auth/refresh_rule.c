/* Generations: token n+1 is made when token n is used. What is older than the newest used one has
 * a successor that was used: whoever shows it has a copy. */
#include "customer-service/auth/refresh_rule.h"

#include <string.h>

enum refresh_verdict refresh_judge(const struct refresh_shown *shown, int64_t grace_s)
{
    if (shown->is_over) {
        return REFRESH_DEAD;
    }
    if (shown->device == REFRESH_OTHER_DEVICE || shown->generation < shown->used_generation) {
        return REFRESH_REUSED;
    }
    if (shown->generation > shown->used_generation) {
        return REFRESH_EXCHANGE;
    }
    bool is_retry = shown->device == REFRESH_SAME_DEVICE && shown->used_ago_s <= grace_s;

    return is_retry ? REFRESH_EXCHANGE : REFRESH_REUSED;
}

enum refresh_device refresh_compare_devices(const char *signed_in_by, const char *shown_by)
{
    if (strcmp(signed_in_by, shown_by) == 0) {
        return REFRESH_SAME_DEVICE;
    }
    return *signed_in_by && *shown_by ? REFRESH_OTHER_DEVICE : REFRESH_UNTOLD_DEVICE;
}
