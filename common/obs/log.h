/* Structured logging: one JSON object a line on stdout. The ids in 'ctx' are
 * added to every line (ctx may be NULL). 'event' is a literal, so that it can be
 * counted; what varies goes into the fields. Never log tokens, bodies, names, e-mail. */
#ifndef COMMON_OBS_LOG_H
#define COMMON_OBS_LOG_H

#include "common/base/ctx.h"

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

struct log_field {
    const char *key;
    const char *text; /* or NULL: use number */
    int64_t number;
};

static inline struct log_field log_text(const char *key, const char *text)
{
    return (struct log_field){.key = key, .text = text ? text : ""};
}

static inline struct log_field log_num(const char *key, int64_t number)
{
    return (struct log_field){.key = key, .number = number};
}

#define log_debug(ctx, ...) log_line((ctx), LOG_LEVEL_DEBUG, LOG_ARGS(__VA_ARGS__, {0}))
#define log_info(ctx, ...)  log_line((ctx), LOG_LEVEL_INFO, LOG_ARGS(__VA_ARGS__, {0}))
#define log_warn(ctx, ...)  log_line((ctx), LOG_LEVEL_WARN, LOG_ARGS(__VA_ARGS__, {0}))
#define log_error(ctx, ...) log_line((ctx), LOG_LEVEL_ERROR, LOG_ARGS(__VA_ARGS__, {0}))
#define LOG_ARGS(event, ...)             \
    "" event, (const struct log_field[]) \
    {                                    \
        __VA_ARGS__                      \
    }

void log_line(const struct ctx *ctx, enum log_level level, const char *event,
              const struct log_field *fields);

/* Once, before the first thread: who writes the lines, and from which level on
 * ("debug", "info", "warn", "error"; anything else is "info"). */
void log_open(const char *daemon, const char *level);

/* The one place a failed request is logged: at the edge that answers it. */
void log_failure(const struct ctx *ctx, const char *operation);

#endif
