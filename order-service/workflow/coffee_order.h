/* The life of one order as a workflow, "order-<id>": decisions only. It is replayed, so there is no
 * clock, no database and no setting in it (common/temporal/flow.h). */
#ifndef ORDER_SERVICE_WORKFLOW_COFFEE_ORDER_H
#define ORDER_SERVICE_WORKFLOW_COFFEE_ORDER_H

#include "common/temporal/flow.h"

#define COFFEE_ORDER       "CoffeeOrderWorkflow"
#define COFFEE_ORDER_QUEUE "orders"

/* Input: struct order_news as JSON. Result: {"status":"completed"} or {"status":"cancelled",
 * "reason":"...","payment":"..."}. Queries: current_step, remaining. */
flow_main coffee_order;

#endif
