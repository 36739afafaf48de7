/* What the order's workflow does to the world: each asks a use case and answers in JSON. All may
 * run twice. */
#ifndef ORDER_SERVICE_WORKFLOW_ACTIVITIES_H
#define ORDER_SERVICE_WORKFLOW_ACTIVITIES_H

#include "common/temporal/flow_worker.h"

/* ---- activity_order.c: input and answer are struct order_news ---- */
flow_activity_main activity_expire_order; /* if its deadline has passed */
flow_activity_main activity_stop_order;   /* input's reason says why */

/* ---- activity_payment.c: ST_CONFLICT is a no for ever ---- */
flow_activity_main activity_capture_payment;
flow_activity_main activity_return_payment;

/* ---- activity_notify.c: until it was sent ---- */
flow_activity_main activity_notify_barista;
flow_activity_main activity_notify_customer;

#endif
