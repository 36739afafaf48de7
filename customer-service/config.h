/* Settings of the customer service. config.c says where each comes from. */
#ifndef CUSTOMER_SERVICE_CONFIG_H
#define CUSTOMER_SERVICE_CONFIG_H

#include "common/cache/cache_settings.h"
#include "common/db/db_settings.h"
#include "common/telemetry/otlp_export.h"

#include <stdbool.h>

struct config {
    struct otlp_settings traces;
    const char *listen_address;
    int grpc_port;
    int metrics_port;
    const char *metrics_user;
    struct secret metrics_password;
    int workers;
    const char *log_level;
    struct db_settings db;
    struct cache_settings valkey;
    const char *kafka_brokers;
    const char *kafka_group;
    const char *order_service;
    const char *identity_keys_file;
    const char *jwt_keys_dir;
    const char *apns_key_file, *apns_key_id, *apns_team_id, *apns_topic;
    const char *apns_url, *apns_sandbox_url, *apns_ca_file;
    const char *vapid_key_file, *vapid_subject, *web_push_ca_file;
    const char *public_url;
    bool web_push_loopback;
    bool demo;
};

const struct config *config_load(void); /* NULL: the reasons are on stderr */
/* The few that --migrate needs; the others are then unset. */
const struct config *config_load_to_migrate(void);
void config_print(void);

#endif
