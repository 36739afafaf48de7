/* Statements of notice.sql. Only this folder includes this. */
#ifndef CUSTOMER_SERVICE_NOTIFY_NOTICE_STORE_H
#define CUSTOMER_SERVICE_NOTIFY_NOTICE_STORE_H

#include "common/db/db.h"
#include "customer-service/notify/notify.h"
#include "customer-service/notify/push.h"

struct notice_target {
    const char *device, *channel, *kind, *token, *customer;
};

/* All notices of one stage. */
struct notice_batch {
    const char *order, *stage, *collapse_id;
    int64_t seq;
    const struct notice_target *targets;
    const char *const *payloads; /* one a target */
    size_t count;
};

struct notice {
    struct push push;
    const char *order, *channel, *device, *token;
    int64_t wave, created_ms; /* wave: the stages of an order that are open, from 1 */
    const char
        *state; /* what is known before it is sent: "expired", "replaced", "gone", "pending" (it
                        * must wait); or NULL */
};

enum status notice_store_claim_event(struct ctx *ctx, struct db_conn *tx, const char *event,
                                     bool *is_new) MUST_CHECK;
/* Until the transaction ends: whoever makes notices of this order, or a Live Activity for it. */
enum status notice_store_lock(struct ctx *ctx, struct db_conn *tx, const char *order) MUST_CHECK;
enum status notice_store_targets(struct ctx *ctx, struct db_conn *tx,
                                 const struct notify_plan *plan, const struct notify_order *order,
                                 struct notice_batch *batch) MUST_CHECK;
enum status notice_store_reached(struct ctx *ctx, struct db_conn *db, const char *order,
                                 int64_t seq, bool *there) MUST_CHECK;
enum status notice_store_stage(struct ctx *ctx, struct db_conn *db, const char *order, int64_t seq,
                               const char *name, struct notice_stage *stage) MUST_CHECK;
enum status notice_store_insert(struct ctx *ctx, struct db_conn *tx,
                                const struct notice_batch *batch, bool *any_open) MUST_CHECK;
/* '*order' is NULL when there is nothing to send, and lives as long as ctx. */
enum status notice_store_catch_up(struct ctx *ctx, struct db_conn *tx, const char *activity,
                                  const char **order) MUST_CHECK;
enum status notice_store_set_aside(struct ctx *ctx, struct db_conn *tx, const char *order,
                                   int64_t seq) MUST_CHECK;
/* The notices live as long as ctx, wave by wave. */
enum status notice_store_begin(struct ctx *ctx, struct db_conn *db, const char *const *orders,
                               size_t order_count, int64_t lease_ms, struct notice **notices,
                               size_t *count) MUST_CHECK;
/* Which of these orders have notices that are still to be sent, by whomever. */
enum status notice_store_open_orders(struct ctx *ctx, struct db_conn *db, const char *const *orders,
                                     size_t order_count, const char ***open,
                                     size_t *count) MUST_CHECK;
enum status notice_store_record(struct ctx *ctx, struct db_conn *db, const struct notice *notices,
                                size_t count) MUST_CHECK;

/* What somebody finds in their inbox. */
struct inbox_notice {
    const char *id, *order, *kind, *stage, *title, *body, *activity;
    int64_t created_ms, progress;
};
enum status notice_store_inbox(struct ctx *ctx, struct db_conn *db, const char *customer,
                               int64_t most, struct inbox_notice **notices,
                               size_t *count) MUST_CHECK;

#endif
