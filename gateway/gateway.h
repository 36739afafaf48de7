/* What the gateway is made of, started and stopped in order. It holds no rules and no user's state:
 * any replica serves any request. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "common/cache/cache.h"
#include "common/contract/contract.h"
#include "common/http/http_server.h"
#include "common/process/daemon.h"
#include "common/rpc/identity.h"
#include "common/token/token.h"
#include "gateway/backend.h"
#include "gateway/config.h"
#include "gateway/trim.h"

#include <pthread.h>
#include <stdatomic.h>

struct gateway {
    const struct config *config;
    struct contract *contract;
    struct identity_keys *identity_keys;
    struct routes *routes;
    struct backend *backends[BACKEND_COUNT];
    struct cache_options cache_options; /* for subscribers of their own */
    struct cache *cache;
    struct errands *errands;
    struct limiter *limiter;
    struct deny_list *deny_list;
    struct token_verifier *verifier;
    struct key_fetcher *key_fetcher;
    struct proxies *proxies;
    struct live *live;
    struct http_metrics *metrics;
    struct health *health;
    struct http_server *http;
    struct admin_server *admin;
    atomic_int uploads;   /* large bodies that are held */
    struct trim trim;     /* of the ticking thread */
    pthread_mutex_t lock; /* of the errands: guards http while it comes and goes */
    struct documents *documents;
    struct arena *arena; /* of what lives as long as the gateway */
};

/* NULL, with the reason on the log or stderr, when it cannot start. 'contract' is taken over; NULL:
 * the embedded one. */
struct gateway *gateway_start(const struct config *config, struct contract *contract);
/* Not ready, serve drain_s more, let streams go, finish, stop. */
void gateway_stop(struct gateway *gateway);

#endif
