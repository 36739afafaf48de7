/* What the world is told of one change: rows for the outbox. */
#ifndef ORDER_SERVICE_ORDER_ORDER_NOTICE_H
#define ORDER_SERVICE_ORDER_ORDER_NOTICE_H

#include "order-service/order/order_store.h"

/* Where an event of an order goes; 'data' NULL: the view is put in by the statement, between
 * 'before' and 'after'; else 'before' gets the whole payload. */
struct order_telling {
    const char *event_id, *type, *topics, *data;
    int64_t seq, at_ms;
    const struct order *order;
};

struct order_notice order_notice_kafka(struct ctx *ctx, const struct order_telling *telling);
/* The bare view, for the gateways' streams. */
struct order_notice order_notice_live(const char *view);

/* Everything that a change of status tells: the typed topic and the audit log, and the live bus.
 * Fills the step (id, type, seq, view) and appends to moving's notices. */
void order_tell_step(struct ctx *ctx, struct order_moving *moving, const struct order *after,
                     const struct transition *transition);

/* The order's workflow: one row for all steps of a move, and none where it knows already. */
void order_tell_workflow(struct ctx *ctx, struct service *service, struct order_moving *moving,
                         const struct order *after);
/* The row that starts it; .sink is NULL where there are no workflows. */
struct order_notice order_notice_workflow(struct ctx *ctx, struct service *service,
                                          const struct order *placed, int64_t accept_within_ms);

#endif
