/* An order: what was asked for, where it stands, and what may be done with it.
 *
 * The rules are in order_state.c (who may move what where), order_price.c (what it costs) and
 * order_eta.c; the use cases in order_place.c, order.c (moves) and order_history.c; the tables in
 * order_store.c; the gRPC face in order_rpc.c and order_stream.c; order_view.c writes it down as
 * the API shows it. */
#ifndef ORDER_SERVICE_ORDER_ORDER_H
#define ORDER_SERVICE_ORDER_ORDER_H

#include "common/base/ctx.h"

struct db_conn;
struct order_days;
struct service;

/* Distinct types: an order id cannot be handed in where a customer id is due. */
struct order_id {
    char text[ID_TEXT_SIZE];
};

struct customer_id {
    char text[ID_TEXT_SIZE];
};

enum order_status { /* values of the proto */
                    ORDER_PLACED = 1,
                    ORDER_ACCEPTED,
                    ORDER_PREPARING,
                    ORDER_READY,
                    ORDER_COMPLETED,
                    ORDER_CANCELLED,
};

enum order_channel { CHANNEL_APP = 1, CHANNEL_POS = 2 };

enum order_command { /* what somebody, or a clock, wants of an order */
                     COMMAND_PLACE,
                     COMMAND_ACCEPT,
                     COMMAND_DECLINE,
                     COMMAND_PREPARE,
                     COMMAND_READY,
                     COMMAND_UNDO_READY,
                     COMMAND_PICK_UP,
                     COMMAND_CANCEL,
                     COMMAND_EXPIRE_ACCEPT,  /* nobody accepted in time */
                     COMMAND_EXPIRE_COLLECT, /* nobody came for it */
                     COMMAND_STOP,           /* it cannot be paid, or its workflow was cancelled */
                     COMMAND_FIND_UNPAID, /* it was picked up, and then the payment was refused */
};

struct order {
    struct order_id id;
    struct customer_id customer; /* whose it is; a walk-in's: of who took it down */
    const char *placed_by;       /* who asked for it */
    int number;
    enum order_status status;
    enum order_channel channel;
    int64_t seq; /* grows by one with each change */
    int64_t total_cents;
    const char *currency, *note, *pickup_name;
    const char *lines; /* the items as the API shows them: a JSON array, frozen at placing */
    const char *barista_id, *cancel_reason;
    enum order_command last_command;
    const char *last_actor; /* who did that; of an unpaid order still who picked it up */
    int64_t placed_ms, accepted_ms, preparing_ms, ready_ms, completed_ms, cancelled_ms;
    int64_t accept_by_ms, collect_by_ms; /* 0: no deadline */
    int64_t now_ms;                      /* the database's clock when this was read */
    bool pays;                           /* money was held for it; of order_get() and moves only */
    int queue_position;                  /* 1 is next; 0: not waiting */
    int eta_seconds;
};

/* ---- order_state.c: the whole life of an order, as a table; pure ---- */
enum { UNDO_READY_MS = 30000, ORDER_MAX_STEPS = 2 };

struct transition {
    enum order_status from;
    enum order_command command;
    enum order_status to;
    unsigned roles;    /* who may, by role */
    bool owner_may;    /* the customer whose order it is may, too */
    const char *type;  /* of the event */
    const char *topic; /* beside audit.events; NULL: none */
};

/* NULL when the order cannot make that move from there, whoever asks. */
const struct transition *order_transition(enum order_status from, enum order_command command);
/* The deadline that must have passed before that command is legal; 0: none. */
int64_t order_expires_by(const struct order *order, enum order_command command);
/* Reasons that are codes: money and notices go by them. */
#define ORDER_NOT_ACCEPTED       "not_accepted"
#define ORDER_NOT_COLLECTED      "not_collected"
#define ORDER_PAYMENT_FAILED     "payment_failed"
#define ORDER_WORKFLOW_CANCELLED "workflow_cancelled"
/* Why an order is cancelled, from what was said ("" or NULL: nothing). People may say what they
 * like, but for our codes: those count as nothing said. */
const char *order_cancel_reason(enum order_command command, const char *said);
bool order_is_final(enum order_status status);
/* Sold, and nobody paid: what was held was given back, and a person must see to it. */
bool order_is_unpaid(const struct order *order);
const char *order_status_name(enum order_status status);
bool order_status_parse(const char *name, enum order_status *status);
const char *order_command_name(enum order_command command); /* "accept it", "pick it up" */
const char *order_bucket_name(enum order_status status); /* "new", "in_progress", "ready", "done" */
int order_bucket(enum order_status status);              /* the proto's number */

/* ---- order_eta.c: pure ---- */
int order_eta_seconds(int queue_position, int seconds_a_drink);

/* ---- order_view.c: an order as the API shows it ---- */
/* Who is told of it and gets its points; "": a walk-in, whose name is all that is known. */
const char *order_customer(const struct order *order);
const char *order_view(struct arena *arena, const struct order *order);
/* The part of it that is known before the database gave it a number and a time: without the opening
 * brace, so that {"number":17,"placedAt":"...",<this> is the whole. */
const char *order_view_rest(struct arena *arena, const struct order *order);

/* What such a view says, without reading all of it. */
struct order_glance {
    struct order_id id;
    int64_t seq, placed_ms;
    enum order_status status;
};
bool order_view_glance(const char *view, struct order_glance *glance);

/* ---- order_day.c: the day that numbers are counted in ---- */
struct order_day {
    char day[11]; /* 2026-11-21 */
    int64_t base, ends_ms;
};
struct order_days *order_days_new(void);
void order_days_free(struct order_days *days); /* NULL is fine */
enum status order_today(struct ctx *ctx, struct service *service, struct order_day *day) MUST_CHECK;
/* The next looks in the database: what we know of today may not be so any more. */
void order_doubt_today(struct service *service);

/* ---- order_place.c ---- */
struct order_line {
    const char *menu_item_id, *note;
    int quantity;
    const char *const *customization_ids;
    size_t customization_count;
};

struct order_request {
    const struct order_line *lines;
    size_t count;
    const char *note, *on_behalf_of, *pickup_name; /* "": none */
    const char *method;                            /* the RPC: idempotency keys are per method */
};

/* An order as the API shows it goes into events, queues and pages of a hundred. Fifty lines with a
 * milk, a size, every syrup and every extra fit; notes have what is left. */
enum { ORDER_MAX_VIEW = 32 * 1024 };

/* Places an order once per idempotency key: the same key and request give the same answer.
 * PROBLEM_INVALID_FIELDS, PROBLEM_SOLD_OUT, PROBLEM_SHOP_CLOSED, PROBLEM_TOO_MANY_OPEN_ORDERS,
 * PROBLEM_IDEMPOTENCY_MISMATCH. */
enum status order_place(struct ctx *ctx, struct service *service,
                        const struct order_request *request, struct order *placed) MUST_CHECK;

/* What the caller's idempotency key was answered before, for methods that must ask others first;
 * '*found' is false when there is no key, or it is new. */
enum status order_replay(struct ctx *ctx, struct service *service, const char *method,
                         struct order *placed, bool *found) MUST_CHECK;

/* ---- order.c ---- */
/* ST_NOT_FOUND also when it is somebody else's. */
enum status order_get(struct ctx *ctx, struct service *service, struct order_id id,
                      struct order *found) MUST_CHECK;
/* One move. The same actor repeating it gets the order as it is. PROBLEM_ILLEGAL_MOVE,
 * ST_FORBIDDEN. */
enum status order_apply(struct ctx *ctx, struct service *service, struct order_id id,
                        enum order_command command, const char *reason,
                        struct order *moved) MUST_CHECK;

/* What its deadline asks for, when that has passed by the database's clock: for the timer of the
 * workflow and the sweep. 'now' is the order as it then stands; '*expired': this ended it. */
enum status order_expire(struct ctx *ctx, struct service *service, struct order_id id,
                         struct order *now, bool *expired) MUST_CHECK;

/* ---- order_history.c: lists ---- */
struct order_page {
    const struct order *orders;
    size_t count;
    const char *next_token; /* "": that was all */
};
enum status order_history(struct ctx *ctx, struct service *service, bool all, int page_size,
                          const char *token, struct order_page *page) MUST_CHECK;
enum status order_queue(struct ctx *ctx, struct service *service,
                        struct order_page *page) MUST_CHECK;
/* Of 'count' orders those that moved on since the seq beside them; for gateways, which check
 * rights. */
enum status order_compare(struct ctx *ctx, struct service *service, const char *const *ids,
                          const int64_t *seqs, size_t count, struct order_page *newer) MUST_CHECK;
/* The views recorded after 'after_seq', oldest first. */
enum status order_events_after(struct ctx *ctx, struct service *service, struct order_id id,
                               int64_t after_seq, const char *const **views,
                               size_t *count) MUST_CHECK;

#endif
