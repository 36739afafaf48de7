/* Statements of customer.sql. Only this folder includes this. */
#ifndef CUSTOMER_SERVICE_CUSTOMER_CUSTOMER_STORE_H
#define CUSTOMER_SERVICE_CUSTOMER_CUSTOMER_STORE_H

#include "common/db/db.h"
#include "customer-service/customer/customer.h"

enum status customer_store_insert(struct ctx *ctx, struct db_conn *tx,
                                  const struct customer *customer, bool once) MUST_CHECK;
enum status customer_store_by_id(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 struct customer *found) MUST_CHECK;
enum status customer_store_by_login(struct ctx *ctx, struct db_conn *db, const char *login,
                                    struct customer *found) MUST_CHECK;
enum status customer_store_hold(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                struct customer *found) MUST_CHECK;
enum status customer_store_set_role(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                    enum role role, struct customer *changed) MUST_CHECK;
enum status customer_store_update(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                  const struct customer_change *change,
                                  struct customer *changed) MUST_CHECK;

/* For the test that prepares every statement. */
const struct sql *const *customer_store_sql(size_t *count);

#endif
