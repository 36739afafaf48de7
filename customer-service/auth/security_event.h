/* What the audit log is told about accounts. */
#ifndef CUSTOMER_SERVICE_AUTH_SECURITY_EVENT_H
#define CUSTOMER_SERVICE_AUTH_SECURITY_EVENT_H

#include "customer-service/customer/customer.h"

/* In the caller's transaction: security.events and audit.events hear of it. 'data' is a JSON
 * object. Call outbox_wake() after the commit. */
enum status security_event(struct ctx *ctx, struct db_conn *tx, const char *type,
                           struct customer_id id, const char *data) MUST_CHECK;

#endif
