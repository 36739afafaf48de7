/* Settings from the environment, declared in one table a daemon.
 *
 *     static const struct setting table[] = {
 *         SETTING_NUMBER("GRPC_PORT", &loaded.grpc_port, "50051", 1, 65535, "port of gRPC"),
 *         SETTING_TEXT("DB_HOST", &loaded.db_host, "localhost", "PostgreSQL host"),
 *         SETTING_SECRET("DB_PASSWORD", &loaded.db_password, "password of DB_USER"),
 *     };
 *
 * Exactly one of the typed pointers in a row is set: the compiler checks that the field
 * has the type that the row claims. Nobody else calls getenv(). Only at start, before
 * there are threads. */
#ifndef COMMON_CONF_SETTINGS_H
#define COMMON_CONF_SETTINGS_H

#include "common/base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct setting {
    const char *env;
    const char **text;
    struct secret *secret;
    int *number;
    bool *flag;
    const char *fallback; /* NULL: required; for a secret "" is "may be left out" */
    const char *choices;  /* for a text: the words it may be, space separated; NULL: any */
    int min, max;         /* for a number */
    const char *about;
};

/* A text; with a fallback of NULL it is required. "" is a fallback like any other. */
#define SETTING_TEXT(env_, field, fallback_, about_)                               \
    {                                                                              \
        .env = (env_), .text = (field), .fallback = (fallback_), .about = (about_) \
    }

/* One of several words, for example "debug info warn error". */
#define SETTING_CHOICE(env_, field, fallback_, choices_, about_)                        \
    {                                                                                   \
        .env = (env_), .text = (field), .fallback = (fallback_), .choices = (choices_), \
        .about = (about_)                                                               \
    }

/* A secret has no default. It comes from NAME, or from the file that NAME_FILE names (a
 * mounted Kubernetes secret); NAME is then taken out of the environment. One that begins
 * with "example" or "change" is refused: it was copied from a document. */
#define SETTING_SECRET(env_, field, about_)                 \
    {                                                       \
        .env = (env_), .secret = (field), .about = (about_) \
    }
#define SETTING_SECRET_OPTIONAL(env_, field, about_)                        \
    {                                                                       \
        .env = (env_), .secret = (field), .fallback = "", .about = (about_) \
    }

/* 1, 0, true or false. */
#define SETTING_FLAG(env_, field, fallback_, about_)                               \
    {                                                                              \
        .env = (env_), .flag = (field), .fallback = (fallback_), .about = (about_) \
    }

/* A whole number from min to max, nothing after it. */
#define SETTING_NUMBER(env_, field, fallback_, min_, max_, about_)                               \
    {                                                                                            \
        .env = (env_), .number = (field), .fallback = (fallback_), .min = (min_), .max = (max_), \
        .about = (about_)                                                                        \
    }

/* An empty variable counts as unset. false when anything is missing or malformed: every
 * reason is then on 'complaints', not only the first, and no secret is among them. Texts
 * live as long as the environment is left alone. */
bool settings_load(const struct setting *table, size_t count, FILE *complaints);

/* Only the settings of these names, the last of which is NULL: for a command of the program that
 * looks at no others, so that nobody has to give it secrets that it does not use. */
bool settings_load_only(const struct setting *table, size_t count, const char *const *names,
                        FILE *complaints);

/* The table as an .env file: a daemon's --print-config, and docs/CONFIG.md. What is
 * printed are the defaults, never what was loaded. */
void settings_print(const struct setting *table, size_t count, FILE *out);

/* At the end: wipes every secret of the table. */
void settings_wipe(const struct setting *table, size_t count);

#endif
