/* Statements of favourite.sql. Only this folder includes this. */
#ifndef CUSTOMER_SERVICE_FAVOURITE_FAVOURITE_STORE_H
#define CUSTOMER_SERVICE_FAVOURITE_FAVOURITE_STORE_H

#include "common/db/db.h"
#include "customer-service/favourite/favourite.h"

enum status favourite_store_list(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 const struct favourite **list, size_t *count) MUST_CHECK;
enum status favourite_store_usual(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                  struct favourite *usual) MUST_CHECK;
enum status favourite_store_count(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                  int64_t *count) MUST_CHECK;
enum status favourite_store_lock(struct ctx *ctx, struct db_conn *tx,
                                 struct customer_id id) MUST_CHECK;
enum status favourite_store_no_usual(struct ctx *ctx, struct db_conn *tx,
                                     struct customer_id id) MUST_CHECK;
/* PROBLEM_ALREADY_EXISTS. */
enum status favourite_store_insert(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                   const struct favourite *favourite,
                                   struct favourite *kept) MUST_CHECK;
enum status favourite_store_delete(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                   const char *favourite) MUST_CHECK;
enum status favourite_store_seed(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 const struct favourite *favourite) MUST_CHECK;

/* For the test that prepares every statement. */
const struct sql *const *favourite_store_sql(size_t *count);

#endif
