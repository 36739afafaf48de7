/* Where Valkey is, as a daemon's table of settings tells. */
#ifndef COMMON_CACHE_CACHE_SETTINGS_H
#define COMMON_CACHE_CACHE_SETTINGS_H

#include "common/cache/cache.h"
#include "common/conf/settings.h"

struct cache_settings {
    const char *host, *user;
    struct secret password;
    int port;
};

/* The lines of each daemon's table. */
#define VALKEY_SETTINGS(to)                                                         \
    SETTING_TEXT("VALKEY_HOST", &(to).host, "localhost", "Valkey host"),            \
        SETTING_NUMBER("VALKEY_PORT", &(to).port, "6379", 1, 65535, "Valkey port"), \
        SETTING_TEXT("VALKEY_USER", &(to).user, "", "Valkey user; empty: no AUTH"), \
        SETTING_SECRET_OPTIONAL("VALKEY_PASSWORD", &(to).password, "password of VALKEY_USER")

/* Its texts are those of the settings. */
struct cache_options cache_options_of(const struct cache_settings *settings);

#endif
