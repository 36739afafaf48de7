/* The provider's own books: a file of one JSON line an act, on the disk before anybody is answered,
 * and what it adds up to, in memory. A line holds the act, its key and its answer, so that a kill
 * leaves all of them or none. Any thread may ask. */
#ifndef TESTS_FAKES_PAYMENT_LEDGER_H
#define TESTS_FAKES_PAYMENT_LEDGER_H

#include "common/base/text.h"
#include "tests/fakes/payment/acts.h"

struct ctx;
struct ledger;

/* Reads what there is; a torn last line is cut off. NULL: the reason is on stderr. */
struct ledger *ledger_open(const char *path);
void ledger_close(struct ledger *ledger); /* NULL is fine */

struct ledger_request {
    enum act act;
    const char *key, *digest; /* Idempotency-Key, and of what else was sent */
    const char *hold_id;      /* of an authorisation: "" */
    const char *currency, *customer;
    int64_t cents;
    bool decline;
};

struct ledger_answer {
    int http;
    const char *body; /* in ctx's arena */
    bool replayed;    /* the key was used before, and nothing was done now */
};

/* The same key gets the same answer, and with another digest 422. */
void ledger_do(struct ctx *ctx, struct ledger *ledger, const struct ledger_request *request,
               struct ledger_answer *answer);

/* One hold as it is now; false: there is none. */
bool ledger_show(struct ledger *ledger, const char *hold_id, struct text *out);

struct ledger_filter {
    const char *state; /* NULL: any */
    int64_t before_ms; /* 0: whenever */
    const char *after; /* the last id of the page before; NULL: from the start */
    size_t limit;
};
/* {"authorizations":[...],"more":true}, oldest first. */
void ledger_list(struct ledger *ledger, const struct ledger_filter *filter, struct text *out);

/* {"acts":4,"authorizations":2,"heldCents":0,"capturedCents":900,"refundedCents":450} */
void ledger_sum(struct ledger *ledger, struct text *out);

#endif
