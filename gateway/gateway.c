/* See gateway.h. */
#include "gateway/gateway.h"

#include "common/base/clock.h"
#include "common/obs/log.h"
#include "gateway/contracts.h"
#include "gateway/edge/edge.h"
#include "gateway/edge/edge_address.h"
#include "gateway/edge/edge_deny.h"
#include "gateway/edge/edge_keys.h"
#include "gateway/edge/edge_limit.h"
#include "gateway/edge/edge_upload.h"
#include "gateway/errands.h"
#include "gateway/extra/documents.h"
#include "gateway/extra/extra_routes.h"
#include "gateway/extra/static_files.h"
#include "gateway/live/live.h"
#include "gateway/reply.h"
#include "gateway/routes.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

enum { ERRAND_THREADS = 2, DRAIN_MS = 10000, ARENA_BLOCK = 16 * 1024 };

/* --- health: what is known already, since it is asked on a thread of the server ------------ */

static bool keys_known(void *service)
{
    return token_verifier_has_keys(((struct gateway *)service)->verifier);
}

static bool valkey_answers(void *service)
{
    return deny_list_is_fresh(((struct gateway *)service)->deny_list);
}

static bool order_service_up(void *service)
{
    return backend_is_up(((struct gateway *)service)->backends[BACKEND_ORDER]);
}

static bool customer_service_up(void *service)
{
    return backend_is_up(((struct gateway *)service)->backends[BACKEND_CUSTOMER]);
}

static const struct health_check checks[] = {
    {"keys",          true, keys_known},
    {"valkey",     false, valkey_answers},
    {"order-service",        false, order_service_up},
    {"customer-service", false, customer_service_up},
    {0},
};

static void give_memory_back(struct gateway *gateway, int64_t now_ms)
{
    struct http_load load = {0};

    pthread_mutex_lock(&gateway->lock);
    if (gateway->http) {
        http_server_load(gateway->http, &load);
    }
    pthread_mutex_unlock(&gateway->lock);
    if (trim_is_due(&gateway->trim, load.streams + load.sockets + load.requests, now_ms)) {
        malloc_trim(0);
    }
}

static void tick(void *user, int64_t now_ms)
{
    struct gateway *gateway = user;

    key_fetcher_tick(gateway->key_fetcher, now_ms);
    limiter_tick(gateway->limiter, now_ms);
    deny_list_tick(gateway->deny_list, now_ms);
    give_memory_back(gateway, now_ms);
}

/* --- start -------------------------------------------------------------------------------- */

static bool load(struct gateway *gateway, struct contract *contract)
{
    const struct config *config = gateway->config;

    gateway->contract = contract ? contract : contract_new(contract_services, stderr);
    if (!gateway->contract) {
        return false;
    }
    gateway->documents = documents_new(gateway->contract, config->public_url);
    gateway->routes = routes_new(gateway->arena, gateway->contract,
                                 static_files_add_routes(gateway->arena, extra_routes), stderr);
    gateway->identity_keys = identity_keys_load(config->identity_keys_file, stderr);
    gateway->proxies = proxies_new(config->trusted_proxies);
    return gateway->routes && gateway->identity_keys && gateway->proxies;
}

static void start_valkey(struct gateway *gateway)
{
    gateway->cache_options = cache_options_of(&gateway->config->valkey);
    gateway->cache_options.max = ERRAND_THREADS + 1;
    gateway->cache = cache_new(&gateway->cache_options);
}

/* The errands' first tick uses all of these: it comes last. */
static void start_edge(struct gateway *gateway)
{
    const struct config *config = gateway->config;
    struct backend *customer_service = gateway->backends[BACKEND_CUSTOMER];

    gateway->verifier = token_verifier_new(TOKEN_ISSUER, TOKEN_AUDIENCE);
    gateway->key_fetcher = key_fetcher_new(customer_service, gateway->verifier);
    gateway->errands = errands_new(tick, gateway);
    gateway->limiter = limiter_new(&(struct limiter_options){.cache = gateway->cache,
                                                             .errands = gateway->errands,
                                                             .read = config->rate_read,
                                                             .write = config->rate_write,
                                                             .auth = config->rate_auth,
                                                             .image = config->rate_image});
    gateway->deny_list = deny_list_new(gateway->cache, &gateway->cache_options, gateway->errands);
    gateway->live =
        live_new(&(struct live_options){.cache = gateway->cache_options,
                                        .contract = gateway->contract,
                                        .orders = gateway->backends[BACKEND_ORDER],
                                        .deny_list = gateway->deny_list,
                                        .limiter = gateway->limiter,
                                        .max_per_person = config->max_streams_per_person});
    gateway->metrics = http_metrics_new(gateway);
    gateway->health = health_new(checks, gateway);
    errands_start(gateway->errands, ERRAND_THREADS);
}

static bool listen_on(struct gateway *gateway)
{
    const struct config *config = gateway->config;

    if (!daemon_await_port(config->listen_address, config->http_port)) {
        return false;
    }
    struct http_server *http = http_server_start(&(struct http_options){
        .address = config->listen_address,
        .port = config->http_port,
        .threads = config->http_threads,
        .max_connections = config->max_connections,
        .max_connections_per_address = config->max_connections_per_address,
        .idle_timeout_s = config->idle_timeout_s,
        .allow_body = upload_allow,
        .handle = edge_handle,
        .user = gateway,
    });
    pthread_mutex_lock(&gateway->lock);
    gateway->http = http;
    pthread_mutex_unlock(&gateway->lock);
    if (!http) {
        return false;
    }
    /* last: its metrics look at the server above, and who is ready listens */
    gateway->admin = admin_server_start(&(struct admin_options){
        .address = config->listen_address,
        .port = config->metrics_port,
        .health = gateway->health,
        .user = *config->metrics_user ? config->metrics_user : NULL,
        .password = secret_reveal(&config->metrics_password),
    });
    return gateway->admin;
}

static void finish(struct gateway *gateway)
{
    admin_server_stop(gateway->admin);
    pthread_mutex_lock(&gateway->lock);
    struct http_server *http = gateway->http;
    gateway->http = NULL;
    pthread_mutex_unlock(&gateway->lock);
    http_server_free(http);
    live_free(gateway->live);
    errands_stop(gateway->errands);
    for (size_t i = BACKEND_COUNT; i-- > 0;) { /* the first one has the threads */
        backend_free(gateway->backends[i]);
    }
    errands_free(gateway->errands);
    key_fetcher_free(gateway->key_fetcher);
    deny_list_free(gateway->deny_list);
    limiter_free(gateway->limiter);
    if (gateway->verifier) {
        token_verifier_free(gateway->verifier);
    }
    health_free(gateway->health);
    http_metrics_free(gateway->metrics);
    cache_free(gateway->cache);
    proxies_free(gateway->proxies);
    documents_free(gateway->documents);
    if (gateway->identity_keys) {
        identity_keys_free(gateway->identity_keys);
    }
    if (gateway->contract) {
        contract_free(gateway->contract);
    }
    arena_free(gateway->arena);
    pthread_mutex_destroy(&gateway->lock);
    free(gateway);
}

struct gateway *gateway_start(const struct config *config, struct contract *contract)
{
    struct gateway *gateway = calloc(1, sizeof(*gateway));

    if (!gateway) {
        fputs("out of memory\n", stderr);
        abort();
    }
    gateway->config = config;
    gateway->arena = arena_new(ARENA_BLOCK);
    pthread_mutex_init(&gateway->lock, NULL);
    if (!load(gateway, contract)) {
        finish(gateway);
        return NULL;
    }
    const char *const addresses[BACKEND_COUNT] = {
        [BACKEND_ORDER] = config->order_service,
        [BACKEND_CUSTOMER] = config->customer_service,
    };

    for (enum backend_id id = 0; id < BACKEND_COUNT; id++) {
        gateway->backends[id] = backend_new(id, addresses[id], gateway->identity_keys,
                                            config->rpc_threads, id ? gateway->backends[0] : NULL);
    }
    start_valkey(gateway);
    start_edge(gateway);
    if (!listen_on(gateway)) {
        finish(gateway);
        return NULL;
    }
    return gateway;
}

void gateway_stop(struct gateway *gateway)
{
    health_set_draining(gateway->health);
    clock_pause_ms((int64_t)gateway->config->drain_s * 1000);
    http_server_drain(gateway->http, DRAIN_MS);
    finish(gateway);
}
