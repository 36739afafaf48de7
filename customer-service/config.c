/* Every setting of the customer service, in one table. */
#include "customer-service/config.h"

#include "common/base/auto.h"
#include "common/base/text.h"
#include "common/conf/settings.h"
#include "common/db/migrate.h"

static struct config loaded;

/* clang-format off */
static const struct setting table[] = {
    SETTING_TEXT("LISTEN_ADDRESS", &loaded.listen_address, "127.0.0.1", "address of gRPC and of the admin port"),
    SETTING_NUMBER("GRPC_PORT", &loaded.grpc_port, "50052", 1, 65535, "port of gRPC"),
    SETTING_NUMBER("METRICS_PORT", &loaded.metrics_port, "9466", 1, 65535, "port of /healthz, /readyz and /metrics"),
    SETTING_TEXT("METRICS_USER", &loaded.metrics_user, "", "user for /metrics; empty: open"),
    SETTING_SECRET_OPTIONAL("METRICS_PASSWORD", &loaded.metrics_password, "password of METRICS_USER"),
    SETTING_NUMBER("WORKERS", &loaded.workers, "16", 1, 64, "calls worked on at once"),
    SETTING_CHOICE("LOG_LEVEL", &loaded.log_level, "info", "debug info warn error", "lowest level that is logged"),
    OTLP_SETTINGS(loaded.traces),
    DB_SETTINGS(loaded.db, "customer_db", "customer_service", "customer_owner"),
    VALKEY_SETTINGS(loaded.valkey),
    SETTING_TEXT("KAFKA_BROKERS", &loaded.kafka_brokers, "localhost:9092", "Kafka brokers, comma separated"),
    SETTING_TEXT("KAFKA_GROUP", &loaded.kafka_group, "customer-service", "consumer group; another one for another database"),
    SETTING_TEXT("ORDER_SERVICE_ADDR", &loaded.order_service, "localhost:50051", "order-service, host:port"),
    SETTING_TEXT("IDENTITY_KEYS_FILE", &loaded.identity_keys_file, NULL, "keys that callers' identities are signed with"),
    SETTING_TEXT("JWT_KEYS_DIR", &loaded.jwt_keys_dir, NULL, "current.pem signs access tokens; next.pem, previous.pem"),
    SETTING_TEXT("APNS_KEY_FILE", &loaded.apns_key_file, "", "Apple's push key (.p8); empty: no pushes to Apple"),
    SETTING_TEXT("APNS_KEY_ID", &loaded.apns_key_id, "", "the key's id"),
    SETTING_TEXT("APNS_TEAM_ID", &loaded.apns_team_id, "", "the developer team's id"),
    SETTING_TEXT("APNS_TOPIC", &loaded.apns_topic, "", "the app's bundle id"),
    SETTING_TEXT("APNS_URL", &loaded.apns_url, "https://api.push.apple.com", "where pushes to apps of the store go"),
    SETTING_TEXT("APNS_SANDBOX_URL", &loaded.apns_sandbox_url, "https://api.sandbox.push.apple.com", "where pushes to apps under development go"),
    SETTING_TEXT("APNS_CA_FILE", &loaded.apns_ca_file, "", "certificates that Apple's server must have; empty: the system's"),
    SETTING_TEXT("VAPID_KEY_FILE", &loaded.vapid_key_file, "", "the key that browsers subscribe to; empty: no pushes to browsers"),
    SETTING_TEXT("VAPID_SUBJECT", &loaded.vapid_subject, "", "whom push services may write to: mailto:... or https:..."),
    SETTING_TEXT("WEB_PUSH_CA_FILE", &loaded.web_push_ca_file, "", "certificates that push services must have; empty: the system's"),
    SETTING_TEXT("PUBLIC_URL", &loaded.public_url, "http://localhost:8000", "how clients reach the API; where pushes find photos"),
    SETTING_FLAG("WEB_PUSH_LOOPBACK", &loaded.web_push_loopback, "0", "push services may be on this machine; with DEMO only"),
    SETTING_FLAG("DEMO", &loaded.demo, "0", "demonstration accounts; on loopback only"),
};
/* clang-format on */

static bool is_loopback(const char *address)
{
    return text_starts(address, "127.") || text_equal(address, "::1") ||
           text_equal(address, "localhost");
}

const struct config *config_load(void)
{
    if (!settings_load(table, ARRAY_LEN(table), stderr) ||
        !otlp_settings_are_good(&loaded.traces, stderr)) {
        return NULL;
    }
    if (loaded.demo && !is_loopback(loaded.listen_address)) {
        fputs("DEMO: refused, its passwords are public and LISTEN_ADDRESS is not on loopback\n",
              stderr);
        return NULL;
    }
    if (*loaded.vapid_key_file && !text_starts(loaded.vapid_subject, "mailto:") &&
        !text_starts(loaded.vapid_subject, "https:")) {
        fputs("VAPID_SUBJECT: goes with VAPID_KEY_FILE, and begins with mailto: or https:\n",
              stderr);
        return NULL;
    }
    if (loaded.web_push_loopback && !loaded.demo) {
        fputs("WEB_PUSH_LOOPBACK: refused, this is no demonstration (DEMO)\n", stderr);
        return NULL;
    }
    if (*loaded.apns_key_file &&
        (!*loaded.apns_key_id || !*loaded.apns_team_id || !*loaded.apns_topic)) {
        fputs("APNS_KEY_FILE: APNS_KEY_ID, APNS_TEAM_ID and APNS_TOPIC go with it\n", stderr);
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
