/* Statements of device.sql. Only this folder includes this. */
#ifndef CUSTOMER_SERVICE_NOTIFY_DEVICE_STORE_H
#define CUSTOMER_SERVICE_NOTIFY_DEVICE_STORE_H

#include "common/db/db.h"
#include "customer-service/notify/device.h"

enum status device_store_register(struct ctx *ctx, struct db_conn *tx, struct customer_id who,
                                  const struct device_wish *wish, struct device *device) MUST_CHECK;
enum status device_store_trim(struct ctx *ctx, struct db_conn *tx,
                              struct customer_id who) MUST_CHECK;
enum status device_store_remove(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                const char *id) MUST_CHECK;
/* Unless it was registered again after 'before_ms'. */
enum status device_store_gone(struct ctx *ctx, struct db_conn *db, const char *id,
                              int64_t before_ms) MUST_CHECK;
/* Nothing is to be sent to it, or to one of its Live Activities, for so long. */
enum status device_store_waits(struct ctx *ctx, struct db_conn *db, const char *id,
                               int64_t wait_ms) MUST_CHECK;
enum status device_store_activity_waits(struct ctx *ctx, struct db_conn *db, const char *id,
                                        const char *token, int64_t wait_ms) MUST_CHECK;
enum status device_store_forget_activity(struct ctx *ctx, struct db_conn *db, const char *id,
                                         const char *token) MUST_CHECK;
enum status device_store_live_activity(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                       const struct live_activity_wish *wish,
                                       char id[ID_TEXT_SIZE]) MUST_CHECK;
enum status device_store_shift_on(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                  int64_t *since_ms) MUST_CHECK;
enum status device_store_shift_off(struct ctx *ctx, struct db_conn *db,
                                   struct customer_id who) MUST_CHECK;
enum status device_store_preferences(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                     struct device_preferences *preferences) MUST_CHECK;
enum status device_store_prefer(struct ctx *ctx, struct db_conn *db, struct customer_id who,
                                const struct device_preferences *preferences) MUST_CHECK;

#endif
