/* Every setting of the order service, in one table. */
#include "order-service/config.h"

#include "common/base/auto.h"
#include "common/conf/settings.h"
#include "common/db/migrate.h"

#include <ctype.h>
#include <string.h>

static struct config loaded;

/* clang-format off */
static const struct setting table[] = {
    SETTING_TEXT("LISTEN_ADDRESS", &loaded.listen_address, "127.0.0.1", "address that gRPC and the admin port listen on"),
    SETTING_NUMBER("GRPC_PORT", &loaded.grpc_port, "50051", 1, 65535, "port of gRPC"),
    SETTING_NUMBER("METRICS_PORT", &loaded.metrics_port, "9465", 1, 65535, "port of /healthz, /readyz and /metrics"),
    SETTING_TEXT("METRICS_USER", &loaded.metrics_user, "", "user for /metrics; empty: open"),
    SETTING_SECRET_OPTIONAL("METRICS_PASSWORD", &loaded.metrics_password, "password of METRICS_USER"),
    SETTING_NUMBER("WORKERS", &loaded.workers, "16", 1, 64, "calls worked on at once"),
    SETTING_CHOICE("LOG_LEVEL", &loaded.log_level, "info", "debug info warn error", "lowest level that is logged"),
    OTLP_SETTINGS(loaded.traces),
    DB_SETTINGS(loaded.db, "order_db", "order_service", "order_owner"),
    VALKEY_SETTINGS(loaded.valkey),
    SETTING_TEXT("KAFKA_BROKERS", &loaded.kafka_brokers, "localhost:9092", "Kafka brokers, comma separated"),
    SETTING_TEXT("TEMPORAL_HOST", &loaded.temporal_host, "", "Temporal's frontend; empty: no workflows"),
    SETTING_NUMBER("TEMPORAL_PORT", &loaded.temporal_port, "7233", 1, 65535, "port of TEMPORAL_HOST"),
    SETTING_TEXT("TEMPORAL_NAMESPACE", &loaded.temporal_namespace, "default", "namespace of the workflows"),
    SETTING_TEXT("CUSTOMER_SERVICE_ADDR", &loaded.customer_service, "localhost:50052", "customer-service, host:port"),
    SETTING_TEXT("IDENTITY_KEYS_FILE", &loaded.identity_keys_file, NULL, "keys that callers' identities are signed with"),
    SETTING_TEXT("PAGE_TOKEN_KEY_FILE", &loaded.page_token_key_file, NULL, "key that page tokens are sealed with"),
    SETTING_TEXT("SHOP_TZ", &loaded.shop_zone, "Europe/Amsterdam", "time zone of the shop's day"),
    SETTING_TEXT("CURRENCY", &loaded.currency, "EUR", "currency of all prices, its three letters of ISO 4217"),
    SETTING_NUMBER("ACCEPT_TIMEOUT", &loaded.accept_timeout_s, "300", 1, 86400, "seconds a barista has to accept"),
    SETTING_NUMBER("PICKUP_TIMEOUT", &loaded.pickup_timeout_s, "1800", 1, 86400, "seconds a ready order waits"),
    SETTING_NUMBER("TIME_FACTOR", &loaded.time_factor, "1", 1, 10000, "divides business deadlines (with DEMO only)"),
    SETTING_NUMBER("SECONDS_A_DRINK", &loaded.seconds_a_drink, "90", 1, 3600, "for the estimate while waiting"),
    SETTING_NUMBER("MAX_OPEN_ORDERS", &loaded.max_open_orders, "20", 0, 1000000, "orders of the last day that a customer may have open at once; staff may have any number; 0: so may all"),
    SETTING_TEXT("PAYMENT_PROVIDER_URL", &loaded.payment_provider_url, "", "payment provider, http(s)://host:port; empty: payments are off"),
    SETTING_NUMBER("PAYMENT_TIMEOUT_MS", &loaded.payment_timeout_ms, "2000", 100, 10000, "how long the provider may take for one answer"),
    SETTING_NUMBER("PAYMENT_SWEEP_AFTER", &loaded.payment_sweep_after_s, "60", 1, 86400, "seconds until a hold without an order is voided"),
    SETTING_TEXT("PHOTO_WORKER", &loaded.photo_worker, "", "the program that makes photos small; empty: photo-worker beside this one"),
    SETTING_FLAG("AUTO_PREPARE", &loaded.auto_prepare, "1", "accepting an order also begins it"),
    SETTING_FLAG("PICKUP_TIMEOUT_REFUND", &loaded.refunds_uncollected, "1", "orders nobody collects are paid back"),
    SETTING_FLAG("DEMO", &loaded.demo, "0", "demonstration; on loopback only"),
};
/* clang-format on */

/* Pages and the payment provider refuse what is none. */
static bool is_currency(const char *text)
{
    return strlen(text) == 3 && isupper((unsigned char)text[0]) &&
           isupper((unsigned char)text[1]) && isupper((unsigned char)text[2]);
}

const struct config *config_load(void)
{
    if (!settings_load(table, ARRAY_LEN(table), stderr) ||
        !otlp_settings_are_good(&loaded.traces, stderr)) {
        return NULL;
    }
    if (loaded.demo && strncmp(loaded.listen_address, "127.", 4) != 0) {
        fputs("DEMO: refused, LISTEN_ADDRESS is not on loopback\n", stderr);
        return NULL;
    }
    if (loaded.time_factor != 1 && !loaded.demo) {
        fputs("TIME_FACTOR: only with DEMO=1\n", stderr);
        return NULL;
    }
    if (!is_currency(loaded.currency)) {
        fputs("CURRENCY: must be three capital letters, such as EUR\n", stderr);
        return NULL;
    }
    if (*loaded.payment_provider_url && !*loaded.temporal_host) {
        fputs("PAYMENT_PROVIDER_URL: only with TEMPORAL_HOST, workflows return the money\n",
              stderr);
        return NULL;
    }
    return &loaded;
}

const struct config *config_load_to_migrate(void)
{
    bool loads = settings_load_only(table, ARRAY_LEN(table), migrate_settings, stderr);

    return loads ? &loaded : NULL;
}

void config_print(void)
{
    settings_print(table, ARRAY_LEN(table), stdout);
}
