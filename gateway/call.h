/* A route that is an RPC: the request as a message, the call, the answer as JSON. Nothing here
 * knows a service: all comes from the descriptors. */
#ifndef GATEWAY_CALL_H
#define GATEWAY_CALL_H

#include "gateway/exchange.h"

/* Fills exchange->in from body, query and path. */
enum status call_prepare(struct exchange *exchange) MUST_CHECK;

/* Sends it, and ends the exchange when the answer is there. */
void call_send(struct exchange *exchange);

/* "/orders/{id}" with the fields of the answer; NULL when one of them is not set. */
const char *call_location(struct arena *arena, const char *template,
                          const ProtobufCMessage *answer);

#endif
