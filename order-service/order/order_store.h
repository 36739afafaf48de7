/* Orders in PostgreSQL. Included from its own folder only. */
#ifndef ORDER_SERVICE_ORDER_ORDER_STORE_H
#define ORDER_SERVICE_ORDER_ORDER_STORE_H

#include "order-service/order/order.h"

/* One row for the outbox: 'before' and 'after' go around the order's view. */
struct order_notice {
    const char *sink, *topic, *before, *after;
};

enum { PLACE_NOTICES = 4, MOVE_NOTICES = 3 * ORDER_MAX_STEPS + 1 };

/* Orders that one statement may place. */
enum { PLACE_TOGETHER = 16 };

/* Everything that placing writes, beside what the database itself assigns. */
struct order_placing {
    struct ctx *ctx; /* of whoever asked: subject, key and trace; lent to who writes the batch */
    const struct order *order;
    const struct order_day *day;
    int64_t menu_version, accept_within_ms;
    const char *method;
    const char *event_id, *rest; /* order_view_rest() */
    int seconds_a_drink;
    int most_open;       /* orders that this customer may have open; 0: any number */
    const char *hold_id; /* of the money; NULL: payments are off */
    struct order_notice notices[PLACE_NOTICES];
    size_t notice_count;
    /* set by order_store_place() */
    bool created;
    int number, queue_position;
    int64_t placed_ms;
};

enum place_outcome { PLACE_NOTHING, PLACE_CREATED, PLACE_REPLAYED, PLACE_MISMATCH };

/* One step of a move: an event, as order and world see it. */
struct order_step {
    int64_t seq;
    char event_id[ID_TEXT_SIZE];
    const char *type, *view;
};

struct order_moving {
    const struct order *after; /* as it shall be; after->seq is the last step's */
    int64_t seen_seq;          /* as the caller saw it */
    struct order_step steps[ORDER_MAX_STEPS];
    size_t step_count;
    struct order_notice notices[MOVE_NOTICES]; /* 'before' holds the whole payload */
    size_t notice_count;
};

/* Today's base; 'zone' is the shop's time zone. */
enum status order_store_day(struct ctx *ctx, struct db_conn *db, const char *zone,
                            struct order_day *day) MUST_CHECK;
/* Places up to PLACE_TOGETHER orders, all or none where it fails; they must be sorted by key. One
 * that is not 'created' afterwards found its key used, the menu changed, the shop closed, or too
 * many of its customer's open.
 * accept_within_ms and seconds_a_drink are the first one's. */
enum status order_store_place(struct ctx *ctx, struct db_conn *db,
                              struct order_placing *const *placings, size_t count) MUST_CHECK;
/* What the caller's idempotency key was used for, if it was: PLACE_NOTHING otherwise. */
enum status order_store_replay(struct ctx *ctx, struct db_conn *db, const char *method,
                               struct order *placed, enum place_outcome *outcome) MUST_CHECK;
enum status order_store_count_open(struct ctx *ctx, struct db_conn *db,
                                   const struct customer_id *customer, int64_t *count) MUST_CHECK;
enum status order_store_get(struct ctx *ctx, struct db_conn *db, struct order_id id,
                            struct order *found) MUST_CHECK;
enum status order_store_as_placed(struct ctx *ctx, struct db_conn *db, struct order_id id,
                                  struct order *found) MUST_CHECK;
/* Sets the place that it will have once it waits again. */
enum status order_store_place_in_queue(struct ctx *ctx, struct db_conn *db,
                                       struct order *order) MUST_CHECK;
/* '*moved' is false when somebody else was faster. */
enum status order_store_move(struct ctx *ctx, struct db_conn *db, const struct order_moving *moving,
                             bool *moved) MUST_CHECK;
enum status order_store_open(struct ctx *ctx, struct db_conn *db, const struct order **orders,
                             size_t *count) MUST_CHECK;
/* For the queue in Valkey: placed_ms and id of each open order, one after the other, as text. */
enum status order_store_queue_entries(struct ctx *ctx, struct db_conn *db,
                                      const char *const **entries, size_t *count) MUST_CHECK;
/* Newest first, those before (placed_ms, id); 'customer' NULL: everybody's. */
enum status order_store_before(struct ctx *ctx, struct db_conn *db, const char *customer,
                               const struct order *before, int limit, const struct order **orders,
                               size_t *count) MUST_CHECK;
enum status order_store_views(struct ctx *ctx, struct db_conn *db, struct order_id id,
                              int64_t after_seq, const char *const **views,
                              size_t *count) MUST_CHECK;
/* Of 'count' orders those that are newer than the seq beside them. */
enum status order_store_newer(struct ctx *ctx, struct db_conn *db, const char *const *ids,
                              const int64_t *seqs, size_t count,
                              struct order_page *newer) MUST_CHECK;
/* Some of those overdue whose id is greater than 'after'. */
enum status order_store_overdue(struct ctx *ctx, struct db_conn *db, int64_t grace_ms,
                                struct order_id after, const struct order_id **ids,
                                size_t *count) MUST_CHECK;
/* Over for an hour, and its payment not taken or not given back. */
struct order_unsettled {
    struct order_id id;
    const char *status, *hold_id, *payment;
    int64_t amount_cents;
};
enum status order_store_unsettled(struct ctx *ctx, struct db_conn *db, bool refunds_uncollected,
                                  const struct order_unsettled **orders, size_t *count) MUST_CHECK;

#endif
