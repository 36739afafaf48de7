/* One token for Apple of all replicas: whoever needs a new one offers theirs here. */
#ifndef CUSTOMER_SERVICE_NOTIFY_PROVIDER_TOKEN_STORE_H
#define CUSTOMER_SERVICE_NOTIFY_PROVIDER_TOKEN_STORE_H

#include "customer-service/notify/apns.h"

/* An apns_share; 'service' is a struct service. */
enum status provider_token_share(struct ctx *ctx, void *service, const char *maker, int64_t life_ms,
                                 struct apns_token *token) MUST_CHECK;

#endif
