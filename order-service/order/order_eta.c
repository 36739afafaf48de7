/* When it will be ready, as far as the queue tells: everybody before, and the drink itself. */
#include "order-service/order/order.h"

int order_eta_seconds(int queue_position, int seconds_a_drink)
{
    return queue_position > 0 ? queue_position * seconds_a_drink : 0;
}
