/* Settings of the gateway. config.c says where each comes from. */
#ifndef GATEWAY_CONFIG_H
#define GATEWAY_CONFIG_H

#include "common/cache/cache_settings.h"
#include "common/telemetry/otlp_export.h"

#include <stdbool.h>

struct config {
    struct otlp_settings traces;
    const char *listen_address, *log_level, *public_url;
    int http_port, metrics_port, http_threads, rpc_threads, max_connections, idle_timeout_s;
    int max_connections_per_address, max_streams_per_person;
    int drain_s;
    const char *metrics_user;
    struct secret metrics_password;
    const char *order_service, *customer_service, *identity_keys_file;
    struct cache_settings valkey;
    const char *rate_read, *rate_write, *rate_auth, *rate_image;
    const char *trusted_proxies, *cors_origins;
    bool access_log, demo;
};

/* From the environment; NULL, with every reason on stderr, when it cannot be used. */
const struct config *config_load(void);
void config_print(void);

#endif
