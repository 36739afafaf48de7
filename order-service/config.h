/* Settings of the order service. config.c says where each comes from. */
#ifndef ORDER_SERVICE_CONFIG_H
#define ORDER_SERVICE_CONFIG_H

#include "common/cache/cache_settings.h"
#include "common/db/db_settings.h"
#include "common/telemetry/otlp_export.h"

#include <stdbool.h>

struct config {
    struct otlp_settings traces;
    const char *listen_address, *log_level, *shop_zone, *currency;
    int grpc_port, metrics_port, workers;
    struct db_settings db;
    struct cache_settings valkey;
    const char *temporal_host, *temporal_namespace;
    int temporal_port;
    const char *kafka_brokers, *customer_service, *identity_keys_file, *page_token_key_file;
    const char *metrics_user;
    struct secret metrics_password;
    int accept_timeout_s, pickup_timeout_s, time_factor, seconds_a_drink, max_open_orders;
    const char *payment_provider_url;
    const char *photo_worker;
    int payment_timeout_ms, payment_sweep_after_s;
    bool auto_prepare, refunds_uncollected, demo;
};

const struct config *config_load(void); /* NULL: the reasons are on stderr */
/* The few that --migrate needs; the others are then unset. */
const struct config *config_load_to_migrate(void);
void config_print(void);

#endif
