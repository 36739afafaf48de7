/* The keys that access tokens are signed with, fetched from customer-service: at start, every five
 * minutes, and when a token names an unknown one, then at most once a minute. Nobody waits for
 * it. */
#ifndef GATEWAY_EDGE_EDGE_KEYS_H
#define GATEWAY_EDGE_EDGE_KEYS_H

#include "common/token/token.h"
#include "gateway/backend.h"

struct key_fetcher;

struct key_fetcher *key_fetcher_new(struct backend *customer_service,
                                    struct token_verifier *verifier);
void key_fetcher_free(struct key_fetcher *fetcher); /* after the backend; NULL is fine */
void key_fetcher_tick(struct key_fetcher *fetcher, int64_t now_ms);
void key_fetcher_want(struct key_fetcher *fetcher); /* a token names a key that we do not have */

#endif
