/* The outbox's sink "temporal": rows become starts and signals of workflows. */
#ifndef ORDER_SERVICE_WORKFLOW_WORKFLOW_SINK_H
#define ORDER_SERVICE_WORKFLOW_WORKFLOW_SINK_H

#include "common/outbox/outbox.h"

struct temporal;

#define WORKFLOW_SINK   "temporal"
#define WORKFLOW_PLACED "placed" /* the topic of the row that starts; all others are signals */

struct outbox_sink workflow_sink(struct temporal *temporal);

#endif
