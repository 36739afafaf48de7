/* What an order costs somebody, and where that money is: held, taken, given back.
 *
 * The rules are in payment_state.c (one table: which state leads where); holding in
 * payment_hold.c, taking and giving back in payment.c, lists in payment_history.c; the table in
 * payment_store.c; the provider behind payment_provider.h; the gRPC face in payment_rpc.c. The row
 * is written by the statement that places the order (docs/adr/0020).
 *
 * With no PAYMENT_PROVIDER_URL payments are off: orders have no payment, and every call here finds
 * nothing to do. Capture, void and refund are called by the order's workflow alone: its activities
 * retry until there is a definite answer. Each can be called again at any time, from several
 * places at once and after any crash: provider keys are made of the ids, and states move by
 * compare-and-set. */
#ifndef ORDER_SERVICE_PAYMENT_PAYMENT_H
#define ORDER_SERVICE_PAYMENT_PAYMENT_H

#include "order-service/order/order.h"

struct payment_provider;

enum payment_state { /* values of the proto and of payment.payments.state */
                     PAYMENT_AUTHORIZED = 1,
                     PAYMENT_CAPTURING,
                     PAYMENT_CAPTURED,
                     PAYMENT_VOIDING,
                     PAYMENT_VOIDED,
                     PAYMENT_REFUNDING,
                     PAYMENT_REFUNDED,
                     PAYMENT_FAILED, /* the provider refused for ever; failure_code says what */
                     PAYMENT_SETTLED,
};

enum { HOLD_ID_SIZE = 64 };

struct payment_hold {
    char id[HOLD_ID_SIZE]; /* the provider's name for it; "": payments are off */
    int64_t amount_cents;
};

struct payment {
    struct order_id order; /* "": a hold whose order never came to be */
    struct customer_id customer;
    const char *hold_id, *currency, *failure_code;
    enum payment_state state;
    int64_t version; /* grows by one with each change */
    int64_t amount_cents, captured_cents, refunded_cents;
    int64_t created_ms, changed_ms;
};

/* ---- payment_state.c: the whole life of a payment, as a table; pure ---- */
enum payment_command { /* 'begin' before the provider is asked, the rest is its answer */
                       PAYMENT_BEGIN_CAPTURE,
                       PAYMENT_CAPTURE_DONE,
                       PAYMENT_CAPTURE_REFUSED,
                       PAYMENT_BEGIN_RETURN, /* void what is held, refund what was taken */
                       PAYMENT_VOID_DONE,
                       PAYMENT_VOID_TOO_LATE, /* the money was taken meanwhile */
                       PAYMENT_REFUND_DONE,
                       PAYMENT_REFUND_REFUSED,
};

struct payment_transition {
    enum payment_state from;
    enum payment_command command;
    enum payment_state to;
    const char *type;  /* of the event */
    const char *topic; /* NULL: nobody is told */
};

/* NULL when that command means nothing in that state. */
const struct payment_transition *payment_transition(enum payment_state from,
                                                    enum payment_command command);
const char *payment_state_name(enum payment_state state);
bool payment_state_parse(const char *name, enum payment_state *state);

/* ---- payment_hold.c ---- */
bool payment_is_on(struct service *service);

struct payment_request {
    const char *method; /* the RPC: idempotency keys are per method */
    const char *currency;
    struct customer_id customer;
    int64_t amount_cents;
};

/* Holds the money, before the placing transaction. Twins (same caller, method, Idempotency-Key and
 * amount) get one hold between them. A hold that no order is placed with is voided by the sweep.
 * PROBLEM_PAYMENT_DECLINED; ST_UNAVAILABLE when the provider is away or slower than
 * PAYMENT_TIMEOUT_MS. With payments off: ST_OK and an empty hold. Holds no connection meanwhile. */
enum status payment_authorize(struct ctx *ctx, struct service *service,
                              const struct payment_request *request,
                              struct payment_hold *hold) MUST_CHECK;

/* ---- payment.c ---- */

/* Takes the money that is held for an order. ST_OK: it is taken, was taken before, or the order has
 * no payment. ST_CONFLICT: never (refused by the provider, or given back meanwhile): cancel the
 * order and call payment_return(). ST_UNAVAILABLE, ST_TIMEOUT, ST_RETRY: call again. */
enum status payment_capture(struct ctx *ctx, struct service *service,
                            struct order_id order) MUST_CHECK;

enum payment_returned { PAYMENT_NOTHING_TO_RETURN, PAYMENT_WAS_VOIDED, PAYMENT_WAS_REFUNDED };

/* Gives the money back, whatever happened to it so far: voids what is only held, refunds what was
 * taken, also when a capture lands while this runs. Statuses as above; 'what' and 'cents' say what
 * was done, now or by an earlier call. */
enum status payment_return(struct ctx *ctx, struct service *service, struct order_id order,
                           enum payment_returned *what, int64_t *cents) MUST_CHECK;

/* ---- payment_history.c ---- */

/* The owner and the admin see it. ST_NOT_FOUND also when it is somebody else's. */
enum status payment_get(struct ctx *ctx, struct service *service, struct order_id order,
                        struct payment *found) MUST_CHECK;

struct payment_page {
    const struct payment *payments;
    size_t count;
    const char *next_token; /* "": that was all */
};
/* The caller's own, newest first. */
enum status payment_list(struct ctx *ctx, struct service *service, int page_size, const char *token,
                         struct payment_page *page) MUST_CHECK;

/* ---- payment_sweep.c ---- */

/* Where the next round goes on; {0}: from the start. */
struct payment_sweep {
    char open[HOLD_ID_SIZE];    /* in the provider's list of open holds */
    char to_void[HOLD_ID_SIZE]; /* in ours of those that no order came of */
};

/* Voids what the provider holds without an order: requests that failed, or that we died in. A round
 * does a bounded part of it, and the next goes on behind that: no hold waits for ever behind others
 * that cannot be voided. */
enum status payment_sweep(struct ctx *ctx, struct service *service,
                          struct payment_sweep *at) MUST_CHECK;

#endif
