/* The protocol: JSON over HTTP/1.1, as payment providers speak it.
 *
 *     POST /authorizations {"amountCents","currency","customer"}     201 made; 402 declined
 *     POST /authorizations/{id}/capture | void                       200; 409 in the wrong state
 *     POST /refunds {"authorization","amountCents"}                  201; 422 over what was taken
 *     GET  /authorizations?state=&before=&after=&limit=              a page, oldest first
 *     GET  /authorizations/{id}, /ledger (sums), /healthz
 *     POST /faults {"rules":"slow:any:100:0:500"}, {"clear":1}       204
 *
 * Each POST but /faults needs an Idempotency-Key; an answer that is given again has
 * Idempotent-Replayed: true. A refusal is {"error":{"code":"card_declined"}}. */
#ifndef TESTS_FAKES_PAYMENT_API_H
#define TESTS_FAKES_PAYMENT_API_H

#include "common/http/http_server.h"

struct faults;
struct later;
struct ledger;

struct provider {
    struct ledger *ledger;
    struct faults *faults;
    struct later *later;
};

/* Its 'user' is a struct provider. */
void api_handle(struct ctx *ctx, struct http_request *request, void *user);

#endif
