/* The parts of the daemon, in the order they are started; they end in reverse. */
#include "order-service/service.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/cache/cache.h"
#include "common/contract/contract.h"
#include "common/crypto/crypto.h"
#include "common/db/db.h"
#include "common/db/migrate.h"
#include "common/events/producer.h"
#include "common/obs/log.h"
#include "common/outbox/outbox.h"
#include "common/process/daemon.h"
#include "common/rpc/identity.h"
#include "common/rpc/rpc_client.h"
#include "common/rpc/rpc_server.h"
#include "migrations.h"
#include "order-service/jobs.h"
#include "order-service/menu/menu.h"
#include "order-service/methods.h"
#include "order-service/order/order.h"
#include "order-service/order/order_batch.h"
#include "order-service/order/order_queue_cache.h"
#include "order-service/order/order_sweep.h"
#include "order-service/order/order_watch.h"
#include "order-service/payment/payment_provider.h"
#include "order-service/topics.h"
#include "order-service/workflow/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

DEFINE_AUTO(file, FILE *, fclose)

enum { UP_MS = 300, LINGER_MS = 5000, DRAIN_MS = 15000, WORKFLOWS_MS = 500 };

struct service {
    struct config config;
    uint8_t page_key[SHA256_SIZE];
    struct contract *contract;
    struct identity_keys *keys;
    struct db_pool *pool;
    struct cache *cache;
    struct menu_cache *menu;
    struct order_days *days;
    struct order_batches *batches;
    struct producer *producer;
    struct outbox_relay *outbox;
    struct order_queue_cache *queue;
    struct order_watch *watch;
    struct cache_subscriber *subscriber;
    struct rpc_client *customers;
    struct payment_provider *payments; /* NULL: off */
    struct order_sweep *sweep;
    struct jobs *jobs;
    struct workflows *workflows;
    struct rpc_server *server;
    struct health *health;
    struct admin_server *admin;
    struct schema schema;
};

bool service_migrate(const struct config *config)
{
    return migrate_all(&config->db, "order-service", migrations, ARRAY_LEN(migrations));
}

/* ---- health: what is required, and what may be away ---- */

static bool is_migrated(void *user)
{
    struct service *service = user;

    return schema_is_current(&service->schema, service->pool, UP_MS);
}

static bool database_is_up(void *user)
{
    return db_pool_is_up(((struct service *)user)->pool, UP_MS);
}

/* Asked after the schema: before it there is no menu to read. */
static bool menu_is_warm(void *user)
{
    struct service *service = user;

    return atomic_load(&service->schema.current) && menu_warm(service);
}

static bool valkey_is_up(void *user)
{
    return cache_is_up(((struct service *)user)->cache);
}

static bool kafka_is_up(void *user)
{
    return producer_is_up(((struct service *)user)->producer);
}

static bool customers_are_up(void *user)
{
    return rpc_client_is_up(((struct service *)user)->customers);
}

static bool temporal_is_there(void *user)
{
    return workflows_are_up(((struct service *)user)->workflows);
}

static bool payments_are_up(void *user)
{
    return payment_provider_is_up(((struct service *)user)->payments);
}

static const struct health_check checks[] = {
    {"postgres",      true, database_is_up},
    {"schema", true, is_migrated},
    {"menu",        true, menu_is_warm},
    {"valkey",    false, valkey_is_up},
    {"kafka",          false, kafka_is_up},
    {"customer-service",   false, customers_are_up},
    {"payment-provider",        false, payments_are_up},
    {"temporal",   false, temporal_is_there},
    {0        },
};

/* ---- the live bus ---- */

static void on_message(const char *channel, const char *message, size_t size, void *user)
{
    struct service *service = user;

    (void)size;
    if (strcmp(channel, "order:pub:menu") == 0) {
        menu_cache_doubt(service->menu);
    } else if (service->watch) {
        order_watch_message(service->watch, message);
    }
}

static void on_bus(bool up, void *user)
{
    (void)up;
    menu_cache_doubt(((struct service *)user)->menu); /* a change may have been missed */
}

static const struct cache_subscriber_events bus = {.message = on_message, .up = on_bus};

/* ---- start and stop ---- */

static bool load_page_key(struct service *service)
{
    AUTO(file) FILE *file = fopen(service->config.page_token_key_file, "r");
    char line[2 * SHA256_SIZE + 2] = "";

    if (!file || !fgets(line, sizeof(line), file)) {
        log_error(NULL, "page token key cannot be read",
                  log_text("file", service->config.page_token_key_file));
        return false;
    }
    line[strcspn(line, "\r\n")] = '\0';
    bool good = hex_decode(line, service->page_key, sizeof(service->page_key));
    explicit_bzero(line, sizeof(line));
    if (!good) {
        log_error(NULL, "page token key is not 64 hex digits",
                  log_text("file", service->config.page_token_key_file));
    }
    return good;
}

static bool load_contracts(struct service *service)
{
    service->contract = contract_new(method_services, stderr);
    service->keys = identity_keys_load(service->config.identity_keys_file, stderr);
    return service->contract && service->keys && load_page_key(service);
}

static void connect_all(struct service *service)
{
    const struct config *config = &service->config;
    struct db_options db = db_options_of(&config->db, "order-service");
    struct cache_options cache = cache_options_of(&config->valkey);

    service->pool = db_pool_new(&db);
    service->cache = cache_new(&cache);
    service->menu = menu_cache_new();
    service->days = order_days_new();
    service->batches = order_batches_new();
    service->producer = producer_new(&(struct producer_options){
        .brokers = config->kafka_brokers, .daemon = "order-service", .topics = topics});
    service->queue = order_queue_cache_new(service->cache);
    service->workflows = workflows_new(service);
    service->outbox = outbox_relay_start(&db, (const struct outbox_sink[]){
                                                  outbox_kafka_sink(service->producer),
                                                  order_queue_cache_sink(service->queue),
                                                  workflows_sink(service->workflows),
                                                  {0},
                                              });
    service->watch = order_watch_new(service);
    service->subscriber = cache_subscribe(&cache, "order:pub:*", &bus, service);
    service->customers = rpc_client_new(&(struct rpc_client_options){
        .target = config->customer_service, .audience = "customer-service", .keys = service->keys});
    service->payments =
        payment_provider_new(config->payment_provider_url, config->payment_timeout_ms,
                             config->workers > 1 ? config->workers / 2 : 1);
    service->sweep = order_sweep_start(service);
    service->jobs = jobs_start(&(struct jobs_options){
        .pool = service->pool,
        .valkey = cache,
        .prefix = "order",
        .daemon = "order-service",
        .kinds = job_kinds,
        .service = service,
    });
    workflows_start(service->workflows);
}

/* gRPC's health says what /readyz says. */
static void tell_health(bool ready, void *user)
{
    rpc_server_set_serving(((struct service *)user)->server, ready);
}

static bool open_ports(struct service *service)
{
    const struct config *config = &service->config;
    char address[128];

    if (!daemon_await_port(config->listen_address, config->grpc_port)) {
        return false;
    }
    snprintf(address, sizeof(address), "%s:%d", config->listen_address, config->grpc_port);
    service->server = rpc_server_start(&(struct rpc_server_options){
        .address = address,
        .daemon = "order-service",
        .contract = service->contract,
        .services = methods,
        .keys = service->keys,
        .service = service,
        .workers = config->workers,
        .unready = true,
    });
    if (!service->server) {
        return false;
    }
    service->health = health_new(checks, service);
    health_tell(service->health, tell_health, service);
    service->admin = admin_server_start(&(struct admin_options){
        .address = config->listen_address,
        .port = config->metrics_port,
        .health = service->health,
        .user = *config->metrics_user ? config->metrics_user : NULL,
        .password = secret_reveal(&config->metrics_password),
    });
    return service->admin;
}

struct service *service_start(const struct config *config)
{
    struct service *service = calloc(1, sizeof(*service));

    if (!service) {
        abort();
    }
    service->config = *config;
    service->schema = (struct schema){.table = migrations, .count = ARRAY_LEN(migrations)};
    if (!load_contracts(service)) {
        service_stop(service);
        return NULL;
    }
    connect_all(service);
    if (!open_ports(service)) {
        service_stop(service);
        return NULL;
    }
    return service;
}

static void stop_serving(struct service *service)
{
    int64_t until_ms = clock_monotonic_ms() + (service->admin ? LINGER_MS : 0);

    workflows_wind_down(service->workflows); /* its polls end while the rest drains */
    if (service->health) {
        health_set_draining(service->health);
    }
    order_sweep_stop(service->sweep); /* what it is at ends while we linger */
    if (service->server) {
        int64_t left_ms = until_ms - clock_monotonic_ms();

        clock_pause_ms(left_ms > 0 ? left_ms : 0); /* until those who route to us saw it */
        rpc_server_drain(service->server, DRAIN_MS);
        rpc_server_free(service->server);
    }
}

void service_stop(struct service *service)
{
    if (!service) {
        return;
    }
    stop_serving(service);
    admin_server_stop(service->admin); /* before what its checks look at */
    health_free(service->health);
    jobs_stop(service->jobs);
    workflows_stop(service->workflows, WORKFLOWS_MS);
    cache_unsubscribe(service->subscriber);
    order_watch_free(service->watch);
    outbox_relay_stop(service->outbox);
    workflows_free(service->workflows);
    producer_free(service->producer);
    rpc_client_free(service->customers);
    payment_provider_free(service->payments);
    order_batches_free(service->batches);
    order_days_free(service->days);
    order_queue_cache_free(service->queue);
    menu_cache_free(service->menu);
    cache_free(service->cache);
    db_pool_free(service->pool);
    identity_keys_free(service->keys);
    contract_free(service->contract);
    free(service);
}

/* ---- what the features ask for ---- */

enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db)
{
    return db_take(ctx, service->pool, db);
}

bool service_is_ready(struct service *service)
{
    return database_is_up(service) && is_migrated(service);
}

const struct config *service_config(const struct service *service)
{
    return &service->config;
}

struct cache *service_cache(struct service *service)
{
    return service->cache;
}

struct menu_cache *service_menu_cache(struct service *service)
{
    return service->menu;
}

struct order_batches *service_order_batches(struct service *service)
{
    return service->batches;
}

struct order_days *service_days(struct service *service)
{
    return service->days;
}

struct order_watch *service_watch(struct service *service)
{
    return service->watch;
}

struct order_queue_cache *service_queue_cache(struct service *service)
{
    return service->queue;
}

struct outbox_relay *service_outbox(struct service *service)
{
    return service->outbox;
}

void service_wake_jobs(struct service *service)
{
    if (service->jobs) {
        jobs_wake(service->jobs);
    }
}

struct rpc_client *service_customers(struct service *service)
{
    return service->customers;
}

bool service_has_workflows(struct service *service)
{
    return service->workflows;
}

struct payment_provider *service_payment_provider(struct service *service)
{
    return service->payments;
}

const uint8_t *service_page_key(const struct service *service)
{
    return service->page_key;
}

int64_t service_business_ms(const struct service *service, int seconds)
{
    return (int64_t)seconds * 1000 / service->config.time_factor;
}
