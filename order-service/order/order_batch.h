/* Orders that come at the same time are written together: one statement, one commit. */
#ifndef ORDER_SERVICE_ORDER_ORDER_BATCH_H
#define ORDER_SERVICE_ORDER_ORDER_BATCH_H

#include "order-service/order/order_store.h"

struct order_batches;

struct order_batches *order_batches_new(void);
void order_batches_free(struct order_batches *batches); /* NULL is fine */

/* As order_store_place(), for one order, with whichever others are waiting. Alone it waits for
 * nobody. When writing several fails, each is tried by itself, so that none fails for another. */
enum status order_batch_place(struct service *service, struct order_placing *placing) MUST_CHECK;

/* For qsort() of struct order_placing *: caller, key, method. All who write keys take them in this
 * order, so that none waits in a circle; no key is "". */
int order_batch_by_key(const void *a, const void *b);

#endif
