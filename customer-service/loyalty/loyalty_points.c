/* The rule of the points: one for each full 100 cents. */
#include "customer-service/loyalty/loyalty_points.h"

enum { CENTS_PER_POINT = 100 };

int64_t loyalty_points(int64_t total_cents)
{
    return total_cents > 0 ? total_cents / CENTS_PER_POINT : 0;
}
