/* The sweep: deadlines that passed over a minute ago, so that time-outs survive Temporal's absence
 * (ADR 0007). With Temporal up it finds nothing. */
#ifndef ORDER_SERVICE_ORDER_ORDER_SWEEP_H
#define ORDER_SERVICE_ORDER_ORDER_SWEEP_H

struct service;
struct order_sweep;

struct order_sweep *order_sweep_start(struct service *service);
void order_sweep_stop(struct order_sweep *sweep); /* NULL is fine */

#endif
