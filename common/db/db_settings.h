/* Where a daemon's database is, as its table of settings tells. */
#ifndef COMMON_DB_DB_SETTINGS_H
#define COMMON_DB_DB_SETTINGS_H

#include "common/conf/settings.h"
#include "common/db/db.h"

struct db_settings {
    const char *host, *name, *user, *owner_user;
    struct secret password, owner_password;
    int port, pool_max;
};

/* The lines of a daemon's table; the database and its two roles have names of its own. */
#define DB_SETTINGS(to, name_, user_, owner_)                                       \
    SETTING_TEXT("DB_HOST", &(to).host, "localhost", "PostgreSQL host"),            \
        SETTING_NUMBER("DB_PORT", &(to).port, "5432", 1, 65535, "PostgreSQL port"), \
        SETTING_TEXT("DB_NAME", &(to).name, (name_), "database"),                   \
        SETTING_TEXT("DB_USER", &(to).user, (user_), "role that reads and writes"), \
        SETTING_SECRET("DB_PASSWORD", &(to).password, "password of DB_USER"),       \
        SETTING_TEXT("DB_OWNER_USER", &(to).owner_user, (owner_),                   \
                     "role that migrates (--migrate only)"),                        \
        SETTING_SECRET_OPTIONAL("DB_OWNER_PASSWORD", &(to).owner_password,          \
                                "password of DB_OWNER_USER"),                       \
        SETTING_NUMBER("DB_POOL_MAX", &(to).pool_max, "6", 1, 20,                   \
                       "connections for calls, beside relay and listen")

/* Its texts are those of the settings. */
struct db_options db_options_of(const struct db_settings *settings, const char *daemon);

#endif
