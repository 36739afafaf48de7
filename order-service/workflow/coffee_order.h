/* The life of one order as a workflow, "order-<id>": decisions only. It is replayed, so there is no
 * clock, no database and no setting in it (common/temporal/flow.h). */
#ifndef ORDER_SERVICE_WORKFLOW_COFFEE_ORDER_H
#define ORDER_SERVICE_WORKFLOW_COFFEE_ORDER_H

#include "common/temporal/flow.h"

#define COFFEE_ORDER       "CoffeeOrderWorkflow"
#define COFFEE_ORDER_QUEUE "orders"
/* Notices wait until they were sent: on a queue of their own, so that nothing waits for them. */
#define COFFEE_NOTICE_QUEUE "order-notices"

/* Input: struct order_news as JSON. Result: {"status":"completed"} or {"status":"cancelled",
 * "reason":"...","payment":"..."}. Queries: current_step, remaining. */
flow_main coffee_order;

#endif
