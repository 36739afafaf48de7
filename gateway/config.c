/* Every setting of the gateway, a line each. */
#include "gateway/config.h"

#include "common/base/auto.h"
#include "common/base/text.h"
#include "common/conf/settings.h"
#include "gateway/edge/edge_address.h"
#include "gateway/edge/limit_bucket.h"

#include <stdio.h>

static struct config loaded;

/* clang-format off */
static const struct setting table[] = {
    SETTING_TEXT("LISTEN_ADDRESS", &loaded.listen_address, "127.0.0.1", "address that HTTP and the admin port listen on"),
    SETTING_NUMBER("HTTP_PORT", &loaded.http_port, "8000", 1, 65535, "port of the REST API"),
    SETTING_NUMBER("METRICS_PORT", &loaded.metrics_port, "9464", 1, 65535, "port of /healthz, /readyz and /metrics"),
    SETTING_TEXT("METRICS_USER", &loaded.metrics_user, "", "user for /metrics; empty: open"),
    SETTING_SECRET_OPTIONAL("METRICS_PASSWORD", &loaded.metrics_password, "password of METRICS_USER"),
    SETTING_CHOICE("LOG_LEVEL", &loaded.log_level, "info", "debug info warn error", "lowest level that is logged"),
    OTLP_SETTINGS(loaded.traces),
    SETTING_FLAG("ACCESS_LOG", &loaded.access_log, "1", "a line for each request"),
    SETTING_TEXT("PUBLIC_URL", &loaded.public_url, "http://localhost:8000", "how clients reach the API; shown in /openapi.json"),
    SETTING_TEXT("ORDER_SERVICE_ADDR", &loaded.order_service, "localhost:50051", "order-service, host:port or ipv4:a:port,b:port"),
    SETTING_TEXT("CUSTOMER_SERVICE_ADDR", &loaded.customer_service, "localhost:50052", "customer-service, the same"),
    SETTING_TEXT("IDENTITY_KEYS_FILE", &loaded.identity_keys_file, NULL, "keys that callers' identities are signed with"),
    VALKEY_SETTINGS(loaded.valkey),
    SETTING_TEXT("RATE_READ", &loaded.rate_read, "60/60s", "requests a caller may make: reading"),
    SETTING_TEXT("RATE_WRITE", &loaded.rate_write, "60/60s", "the same: changing something"),
    SETTING_TEXT("RATE_AUTH", &loaded.rate_auth, "10/60s", "the same: signing up and in, by address and handle; renewing and signing out, by address and token"),
    SETTING_TEXT("RATE_IMAGE", &loaded.rate_image, "600/60s", "the same: photos, which a page shows many of and asks for without a token, so by address"),
    SETTING_TEXT("TRUSTED_PROXIES", &loaded.trusted_proxies, "", "networks whose X-Forwarded-For and traceparent are believed: 10.0.0.0/8,::1/128; a proxy that does not see its clients' addresses makes one client of them (k8s/README.md)"),
    SETTING_TEXT("CORS_ORIGINS", &loaded.cors_origins, "", "origins of other sites' pages that may call, comma separated; empty: none"),
    SETTING_NUMBER("HTTP_THREADS", &loaded.http_threads, "0", 0, 64, "threads of HTTP; 0: one a core"),
    SETTING_NUMBER("RPC_THREADS", &loaded.rpc_threads, "1", 1, 16, "threads for the calls to the daemons"),
    SETTING_NUMBER("MAX_CONNECTIONS", &loaded.max_connections, "2000", 10, 100000, "clients at once"),
    SETTING_NUMBER("MAX_CONNECTIONS_PER_ADDRESS", &loaded.max_connections_per_address, "1200", 0, 100000, "of one address, a proxy's too; 0: no bound"),
    SETTING_NUMBER("MAX_STREAMS_PER_PERSON", &loaded.max_streams_per_person, "32", 1, 100000, "event streams and WebSockets of one person; one more ends the oldest"),
    SETTING_NUMBER("IDLE_TIMEOUT", &loaded.idle_timeout_s, "30", 1, 3600, "seconds a client may be silent, or take for a request"),
    SETTING_NUMBER("DRAIN_SECONDS", &loaded.drain_s, "5", 0, 25, "seconds to serve on after SIGTERM, while balancers look away"),
    SETTING_FLAG("DEMO", &loaded.demo, "0", "demonstration; on loopback only"),
};
/* clang-format on */

static bool is_rate(const char *name, const char *text)
{
    struct limit_rate rate;

    if (!limit_rate_parse(text, &rate)) {
        fprintf(stderr, "%s: '%s' is not a rate such as 60/60s\n", name, text);
        return false;
    }
    return true;
}

static bool is_usable(void)
{
    bool ok = is_rate("RATE_READ", loaded.rate_read);

    ok = is_rate("RATE_WRITE", loaded.rate_write) && ok;
    ok = is_rate("RATE_AUTH", loaded.rate_auth) && ok;
    ok = is_rate("RATE_IMAGE", loaded.rate_image) && ok;
    ok = otlp_settings_are_good(&loaded.traces, stderr) && ok;
    struct proxies *proxies = proxies_new(loaded.trusted_proxies);
    if (!proxies) {
        fprintf(stderr, "TRUSTED_PROXIES: '%s' is not a list of networks\n",
                loaded.trusted_proxies);
        ok = false;
    }
    proxies_free(proxies);
    bool loopback =
        text_starts(loaded.listen_address, "127.") || text_equal(loaded.listen_address, "::1");
    if (loaded.demo && !loopback) {
        fputs("DEMO: refused, LISTEN_ADDRESS is not on loopback\n", stderr);
        ok = false;
    }
    return ok;
}

const struct config *config_load(void)
{
    return settings_load(table, ARRAY_LEN(table), stderr) && is_usable() ? &loaded : NULL;
}

void config_print(void)
{
    settings_print(table, ARRAY_LEN(table), stdout);
}
