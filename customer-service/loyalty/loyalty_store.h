/* Statements of loyalty.sql. Only this folder includes this. */
#ifndef CUSTOMER_SERVICE_LOYALTY_LOYALTY_STORE_H
#define CUSTOMER_SERVICE_LOYALTY_LOYALTY_STORE_H

#include "common/db/db.h"
#include "customer-service/loyalty/loyalty.h"

enum status loyalty_store_count(struct ctx *ctx, struct db_conn *tx,
                                const struct loyalty_change *change, bool *earned) MUST_CHECK;
enum status loyalty_store_points(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 int64_t *points) MUST_CHECK;
enum status loyalty_store_ledger(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 struct loyalty_account *account) MUST_CHECK;
enum status loyalty_store_stats(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                struct loyalty_stats *stats) MUST_CHECK;

/* For the test that prepares every statement. */
const struct sql *const *loyalty_store_sql(size_t *count);

#endif
