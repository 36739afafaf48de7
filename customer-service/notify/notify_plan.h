/* From a stage of an order to what is said of it, and to whom: a table. */
#ifndef CUSTOMER_SERVICE_NOTIFY_NOTIFY_PLAN_H
#define CUSTOMER_SERVICE_NOTIFY_NOTIFY_PLAN_H

#include "common/base/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum notify_audience { TELL_NOBODY, TELL_CUSTOMER, TELL_BARISTAS };
enum notify_live { LIVE_NONE, LIVE_START, LIVE_UPDATE, LIVE_END };

/* Who ended an order decides how that is said. */
enum notify_by { BY_ANYONE, BY_CUSTOMER, BY_STAFF, BY_CLOCK, BY_PAYMENT };

struct notify_plan {
    const char *type; /* of the event */
    enum notify_by by;
    bool accepted;     /* with BY_STAFF: whether it had been accepted */
    const char *stage; /* a notice is made once an order and stage */
    enum notify_audience audience;
    const char *title, *body; /* %s: the drink; NULL: no alert */
    const char *category;     /* which buttons the notice has */
    enum notify_live live;
    int progress; /* of the making, in per cent */
};

struct notify_order {
    const char *id, *customer;
    int64_t number;
    const char *drink;  /* "Flat White", "Flat White and 2 more" */
    const char *photo;  /* URL of the drink's; NULL: none */
    const char *reason; /* why it was cancelled; "" */
    bool accepted;
    enum notify_by by;
};

/* Who is behind it when an order was cancelled by no person, from the reason: a deadline, a payment
 * that was refused, or else the shop. */
enum notify_by notify_by_reason(const char *reason);

/* NULL: nobody is told of such an event. */
const struct notify_plan *notify_plan_find(const char *type, const struct notify_order *order);
/* What else is said of it, to others, as a stage of its own. NULL: that was all. */
const struct notify_plan *notify_plan_next(const struct notify_plan *last, const char *type,
                                           const struct notify_order *order);

/* What an order is called: "Flat White", "2 Flat White", "Flat White and 2 more". */
const char *notify_drink(struct arena *arena, const char *first, int64_t quantity, size_t lines);

/* One notice replaces the other with the same; at most 64 bytes. */
const char *notify_collapse_id(struct arena *arena, const struct notify_plan *plan,
                               const struct notify_order *order);

/* Payloads: JSON. */
const char *notify_alert(struct arena *arena, const struct notify_plan *plan,
                         const struct notify_order *order);
const char *notify_web(struct arena *arena, const struct notify_plan *plan,
                       const struct notify_order *order);
const char *notify_live_activity(struct arena *arena, const struct notify_plan *plan,
                                 const struct notify_order *order, int64_t now_ms);
const char *notify_background(struct arena *arena, const char *what);

#endif
