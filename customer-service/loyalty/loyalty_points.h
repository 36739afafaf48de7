/* What an order earns. Pure. */
#ifndef CUSTOMER_SERVICE_LOYALTY_LOYALTY_POINTS_H
#define CUSTOMER_SERVICE_LOYALTY_LOYALTY_POINTS_H

#include <stdint.h>

/* One point for each full 100 cents; none for what is not positive. */
int64_t loyalty_points(int64_t total_cents);

#endif
