/* The parts of the daemon, in the order they are started; they end in reverse. */
#include "customer-service/service.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/cache/cache.h"
#include "common/cache/cache_aside.h"
#include "common/contract/contract.h"
#include "common/db/db.h"
#include "common/db/migrate.h"
#include "common/events/consumer.h"
#include "common/events/producer.h"
#include "common/obs/log.h"
#include "common/outbox/outbox.h"
#include "common/process/daemon.h"
#include "common/rpc/identity.h"
#include "common/rpc/rpc_client.h"
#include "common/rpc/rpc_server.h"
#include "common/token/token.h"
#include "customer-service/auth/auth.h"
#include "customer-service/auth/password_queue.h"
#include "customer-service/housekeeping.h"
#include "customer-service/jobs.h"
#include "customer-service/methods.h"
#include "customer-service/notify/notify.h"
#include "customer-service/topics.h"
#include "migrations.h"

#include <stdio.h>
#include <stdlib.h>

#define DAEMON "customer-service"

enum { UP_MS = 300, LINGER_MS = 5000, DRAIN_MS = 15000 };
enum { PROFILE_TTL_S = 1800, FAVOURITES_TTL_S = 3600, MAKE_ADMIN_MS = 10000 };

struct service {
    struct config config;
    struct contract *contract;
    struct identity_keys *keys;
    struct token_signer *signer;
    struct password_queue *passwords;
    struct db_pool *pool;
    struct cache *cache;
    struct cache_aside *profiles, *favourites;
    struct producer *producer;
    struct outbox_relay *outbox;
    struct rpc_client *orders;
    struct housekeeping *housekeeping;
    struct cache_subscriber *subscriber;
    struct notify_senders senders;
    struct jobs *jobs;
    struct consumer *consumer;
    struct rpc_server *server;
    struct health *health;
    struct admin_server *admin;
    struct schema schema;
};

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

static bool is_seeded(void *user)
{
    return housekeeping_is_seeded(((struct service *)user)->housekeeping);
}

static bool valkey_is_up(void *user)
{
    return cache_is_up(((struct service *)user)->cache);
}

static bool kafka_is_up(void *user)
{
    struct service *service = user;

    return producer_is_up(service->producer) && consumer_is_up(service->consumer);
}

static bool orders_are_up(void *user)
{
    return rpc_client_is_up(((struct service *)user)->orders);
}

static const struct health_check checks[] = {
    {"postgres",      true, database_is_up},
    {"schema", true, is_migrated},
    {"demo",        true, is_seeded},
    {"valkey",    false, valkey_is_up},
    {"kafka",          false, kafka_is_up},
    {"order-service",      false, orders_are_up},
    {0       },
};

/* ---- start ---- */

static void on_valkey(bool up, void *user)
{
    if (up) {
        housekeeping_tell_denied(((struct service *)user)->housekeeping);
    }
}

static void on_message(const char *channel, const char *message, size_t size, void *user)
{
    (void)channel; /* what is denied we say ourselves; we only want to know when Valkey comes */
    (void)message;
    (void)size;
    (void)user;
}

static const struct cache_subscriber_events valkey_events = {.message = on_message,
                                                             .up = on_valkey};

static bool load_keys(struct service *service)
{
    service->contract = contract_new(method_services, stderr);
    service->keys = identity_keys_load(service->config.identity_keys_file, stderr);
    service->signer = token_signer_load(service->config.jwt_keys_dir, stderr);
    return service->contract && service->keys && service->signer &&
           notify_senders_start(&service->senders, &service->config, service);
}

/* What a use case needs: also enough for --make-admin. */
static void connect_stores(struct service *service)
{
    struct db_options db = db_options_of(&service->config.db, DAEMON);
    struct cache_options cache = cache_options_of(&service->config.valkey);

    service->passwords = password_queue_new(PASSWORD_QUEUE_ROOM);
    service->pool = db_pool_new(&db);
    service->cache = cache_new(&cache);
    service->profiles = cache_aside_new(service->cache, "profile", PROFILE_TTL_S);
    service->favourites = cache_aside_new(service->cache, "favourites", FAVOURITES_TTL_S);
}

static void connect_others(struct service *service)
{
    const struct config *config = &service->config;
    struct db_options db = db_options_of(&config->db, DAEMON);
    struct cache_options cache = cache_options_of(&config->valkey);

    service->producer = producer_new(&(struct producer_options){
        .brokers = config->kafka_brokers, .daemon = DAEMON, .topics = topics});
    service->outbox = outbox_relay_start(
        &db, (const struct outbox_sink[]){
                 outbox_kafka_sink(service->producer), outbox_drop_sink(service->cache), {0}});
    service->orders = rpc_client_new(&(struct rpc_client_options){
        .target = config->order_service, .audience = "order-service", .keys = service->keys});
    service->housekeeping = housekeeping_start(service, config->demo);
    service->subscriber = cache_subscribe(&cache, "customer:deny", &valkey_events, service);
    service_start_jobs(service);
    service->consumer = consumer_start(&(struct consumer_options){
        .brokers = config->kafka_brokers,
        .group = config->kafka_group,
        .daemon = DAEMON,
        .routes = routes,
        .service = service,
    });
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
        .daemon = DAEMON,
        .contract = service->contract,
        .services = methods,
        .keys = service->keys,
        .service = service,
        .workers = config->workers,
        .slow = password_methods,
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

static struct service *service_new(const struct config *config)
{
    struct service *service = calloc(1, sizeof(*service));

    if (!service) {
        abort();
    }
    service->config = *config;
    service->schema = (struct schema){.table = migrations, .count = ARRAY_LEN(migrations)};
    return service;
}

struct service *service_open(const struct config *config)
{
    struct service *service = service_new(config);

    if (!load_keys(service)) {
        service_stop(service);
        return NULL;
    }
    connect_stores(service);
    return service;
}

struct service *service_start(const struct config *config)
{
    struct service *service = service_open(config);

    if (!service) {
        return NULL;
    }
    connect_others(service);
    if (!open_ports(service)) {
        service_stop(service);
        return NULL;
    }
    return service;
}

/* ---- stop ---- */

static void stop_serving(struct service *service)
{
    if (service->health) {
        health_set_draining(service->health);
    }
    if (service->server) {
        clock_pause_ms(service->admin ? LINGER_MS : 0); /* until those who route to us saw it */
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
    consumer_stop(service->consumer);
    jobs_stop(service->jobs);
    notify_senders_stop(&service->senders);
    cache_unsubscribe(service->subscriber);
    housekeeping_stop(service->housekeeping);
    outbox_relay_stop(service->outbox);
    producer_free(service->producer);
    rpc_client_free(service->orders);
    cache_aside_free(service->favourites);
    cache_aside_free(service->profiles);
    cache_free(service->cache);
    db_pool_free(service->pool);
    password_queue_free(service->passwords);
    token_signer_free(service->signer);
    identity_keys_free(service->keys);
    contract_free(service->contract);
    free(service);
}

/* ---- the other two things that this program does ---- */

bool service_migrate(const struct config *config)
{
    return migrate_all(&config->db, DAEMON, migrations, ARRAY_LEN(migrations));
}

bool service_make_admin(const struct config *config, const char *handle)
{
    struct service *service = service_open(config);
    struct ctx *ctx = ctx_new_system(DAEMON);

    if (!service) {
        ctx_free(ctx);
        return false;
    }
    ctx->deadline_ms = clock_monotonic_ms() + MAKE_ADMIN_MS;
    enum status st = auth_make_admin(ctx, service, handle);
    if (st != ST_OK) {
        log_failure(ctx, "make admin");
        fprintf(stderr, "%s: %s\n", handle,
                st == ST_NOT_FOUND ? "nobody has this handle" : "failed, see the log");
    }
    ctx_free(ctx);
    service_stop(service);
    return st == ST_OK;
}

/* ---- what the features ask for ---- */

enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db)
{
    return db_take(ctx, service->pool, db);
}

void service_tell_denied_again(struct service *service)
{
    if (service->housekeeping) {
        housekeeping_tell_denied(service->housekeeping);
    }
}

void service_start_jobs(struct service *service)
{
    service->jobs = jobs_start(&(struct jobs_options){
        .pool = service->pool,
        .valkey = cache_options_of(&service->config.valkey),
        .prefix = "customer",
        .daemon = DAEMON,
        .kinds = job_kinds,
        .service = service,
    });
}

void service_wake_jobs(struct service *service)
{
    if (service->jobs) {
        jobs_wake(service->jobs);
    }
}

const struct notify_senders *service_senders(const struct service *service)
{
    return &service->senders;
}

bool service_is_ready(struct service *service)
{
    return database_is_up(service) && is_migrated(service);
}

struct cache *service_cache(struct service *service)
{
    return service->cache;
}

struct cache_aside *service_profiles(struct service *service)
{
    return service->profiles;
}

struct cache_aside *service_favourites(struct service *service)
{
    return service->favourites;
}

void service_wake_outbox(struct service *service)
{
    if (service->outbox) { /* a command has none: the daemon's relay finds the rows */
        outbox_wake(service->outbox);
    }
}

struct password_queue *service_passwords(struct service *service)
{
    return service->passwords;
}

struct rpc_client *service_orders(struct service *service)
{
    return service->orders;
}

const struct token_signer *service_signer(const struct service *service)
{
    return service->signer;
}
