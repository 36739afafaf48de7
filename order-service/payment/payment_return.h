/* Giving back what a payment holds or took, for this folder: the workflow names an order, the sweep
 * a hold that has none. */
#ifndef ORDER_SERVICE_PAYMENT_PAYMENT_RETURN_H
#define ORDER_SERVICE_PAYMENT_PAYMENT_RETURN_H

#include "order-service/payment/payment.h"

/* Statuses as of payment_return(). */
enum status payment_give_back(struct ctx *ctx, struct service *service,
                              struct payment *payment) MUST_CHECK;

#endif
