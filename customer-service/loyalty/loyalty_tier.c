/* Tiers by points: a flat white is about four. */
#include "customer-service/loyalty/loyalty_tier.h"

#include "common/base/auto.h"

#include <stddef.h>

static const struct {
    enum loyalty_tier tier;
    int64_t from_points;
} tiers[] = {
    {TIER_GOLD,   1000},
    {TIER_SILVER, 250 },
};

enum loyalty_tier loyalty_tier(int64_t points)
{
    for (size_t i = 0; i < ARRAY_LEN(tiers); i++) {
        if (points >= tiers[i].from_points) {
            return tiers[i].tier;
        }
    }
    return TIER_BRONZE;
}
