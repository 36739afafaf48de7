/* What a balance is called. Pure. */
#ifndef CUSTOMER_SERVICE_LOYALTY_LOYALTY_TIER_H
#define CUSTOMER_SERVICE_LOYALTY_LOYALTY_TIER_H

#include <stdint.h>

enum loyalty_tier { TIER_BRONZE, TIER_SILVER, TIER_GOLD };

enum loyalty_tier loyalty_tier(int64_t points);

#endif
