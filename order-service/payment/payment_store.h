/* Payments in PostgreSQL. Included from its own folder only. */
#ifndef ORDER_SERVICE_PAYMENT_PAYMENT_STORE_H
#define ORDER_SERVICE_PAYMENT_PAYMENT_STORE_H

#include "order-service/payment/payment.h"
#include "order-service/payment/payment_provider.h"

enum status payment_store_of_order(struct ctx *ctx, struct db_conn *db, struct order_id order,
                                   struct payment *found) MUST_CHECK;

/* Newest first, those before (created_ms, order). */
enum status payment_store_before(struct ctx *ctx, struct db_conn *db, const char *customer,
                                 const struct payment *before, int limit,
                                 struct payment_page *page) MUST_CHECK;

struct payment_moving {
    const struct payment *after; /* its version is still the one that was seen */
    const char *event_id;
    const char *topic, *payload; /* topic NULL: nobody is told */
};
/* '*moved' is false when somebody else was faster. */
enum status payment_store_move(struct ctx *ctx, struct db_conn *db,
                               const struct payment_moving *moving, bool *moved) MUST_CHECK;

/* The seq of the newest refusal of a refund, as long as the payment is as the caller saw it; 0: no
 * refund was refused. */
enum status payment_store_refund_refused(struct ctx *ctx, struct db_conn *db,
                                         const struct payment *payment, int64_t *seq) MUST_CHECK;

/* Of some open holds those that no order has taken are to be voided: from now on none can. */
enum status payment_store_give_up(struct ctx *ctx, struct db_conn *db,
                                  const struct provider_hold *holds, size_t count) MUST_CHECK;
/* The next hundred that are not voided yet, behind that hold; "": from the start. */
enum status payment_store_given_up(struct ctx *ctx, struct db_conn *db, const char *after,
                                   struct payment_page *page) MUST_CHECK;

#endif
