/* The outbox's sink "temporal": rows become starts and signals of workflows. */
#ifndef ORDER_SERVICE_WORKFLOW_WORKFLOW_SINK_H
#define ORDER_SERVICE_WORKFLOW_WORKFLOW_SINK_H

#include "common/outbox/outbox.h"

struct temporal;

#define WORKFLOW_SINK   "temporal"
#define WORKFLOW_PLACED "placed" /* the topic of the row that starts; all others are signals */

struct outbox_sink workflow_sink(struct temporal *temporal);

/* A test's door: sets the outcomes of 'rows' by sending one after another. ST_OK, ST_INVALID
 * (never); ST_UNAVAILABLE: Temporal is away, and later rows are not tried; anything else: not this
 * key, now. */
struct workflow_sender {
    enum status (*send)(struct ctx *ctx, void *user, const struct outbox_row *row, int64_t end_ms);
    void *user;
};
void workflow_send_rows(struct ctx *ctx, const struct workflow_sender *sender,
                        struct outbox_row *rows, size_t count, int deadline_ms);

#endif
