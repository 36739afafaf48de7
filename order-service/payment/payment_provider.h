/* Who holds, takes and gives back the money. One implementation: payment_provider_http.c, which
 * speaks the protocol of tests/fakes/payment. Safe from any thread; nobody holds a database
 * connection while asking. */
#ifndef ORDER_SERVICE_PAYMENT_PAYMENT_PROVIDER_H
#define ORDER_SERVICE_PAYMENT_PAYMENT_PROVIDER_H

#include "common/base/ctx.h"

struct payment_provider;

/* NULL for an empty address: payments are off. While it is slow, at most 'at_once' authorisations
 * wait for it: who asks for one more is told at once that it is away. */
struct payment_provider *payment_provider_new(const char *url, int timeout_ms, int at_once);
void payment_provider_free(struct payment_provider *provider);  /* NULL is fine */
bool payment_provider_is_up(struct payment_provider *provider); /* true when they are off */

enum provider_act { PROVIDER_AUTHORIZE, PROVIDER_CAPTURE, PROVIDER_VOID, PROVIDER_REFUND };

struct provider_request {
    enum provider_act act;
    const char *key; /* the same key is done once, and answered the same each time */
    const char *hold_id;
    const char *currency, *customer; /* of an authorisation */
    int64_t amount_cents;            /* of an authorisation and a refund */
};

struct provider_hold {
    const char *id, *currency;
    bool is_open; /* neither captured nor voided */
    int64_t amount_cents;
};

struct provider_answer {
    const char *refusal; /* "card_declined": for ever; "": it was done. Of an authorisation: only
                          * that the customer may not pay so */
    bool replayed;       /* the key was used before: 'hold' is as it was then */
    struct provider_hold hold;
};

extern const char *const PROVIDER_ALREADY_CAPTURED; /* why a hold cannot be voided */

/* ST_OK with what the provider said, be it no; else ST_UNAVAILABLE: whether it was done is not
 * known, ask again with the same key. After a few failures in a row calls fail at once for a
 * moment, so that workers do not all wait for a provider that is away. */
enum status payment_provider_ask(struct ctx *ctx, struct payment_provider *provider,
                                 const struct provider_request *request,
                                 struct provider_answer *answer) MUST_CHECK;

/* One hold as it is now. */
enum status payment_provider_look(struct ctx *ctx, struct payment_provider *provider,
                                  const char *hold_id, struct provider_hold *hold) MUST_CHECK;

struct provider_page {
    const struct provider_hold *holds;
    size_t count;
    bool more;
};

/* Holds that are open and older than that moment, oldest first, behind 'after' (NULL: from the
 * start). ST_CONFLICT: it answers, but not to that. */
enum status payment_provider_open_holds(struct ctx *ctx, struct payment_provider *provider,
                                        int64_t before_ms, const char *after,
                                        struct provider_page *page) MUST_CHECK;

#endif
