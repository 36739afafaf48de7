/* One JSON object a line, built in one buffer and written at once, so that lines of
 * several threads never mix. */
#include "common/obs/log.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static struct {
    const char *daemon;
    enum log_level lowest;
} settings = {"", LOG_LEVEL_INFO}; /* written once, by log_open(), before there are threads */

void log_open(const char *daemon, const char *level)
{
    settings.daemon = daemon;
    settings.lowest = LOG_LEVEL_INFO;
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(level_names[i], level) == 0) {
            settings.lowest = (enum log_level)i;
        }
    }
}

static void add_key(struct text *line, const char *key)
{
    text_add_bytes(line, ",\"", 2);
    text_add(line, key);
    text_add_bytes(line, "\":", 2);
}

static void add_pair(struct text *line, const char *key, const char *value)
{
    if (*value) {
        add_key(line, key);
        if (text_is_utf8(value, strlen(value))) {
            text_add_json(line, value);
        } else {
            text_add(line, "\"(not UTF-8)\"");
        }
    }
}

static void write_all(const char *bytes, size_t left)
{
    while (left) {
        ssize_t written = write(STDOUT_FILENO, bytes, left);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return; /* nobody reads our log: there is nowhere to say so */
        }
        bytes += written;
        left -= (size_t)written;
    }
}

void log_line(const struct ctx *ctx, enum log_level level, const char *event,
              const struct log_field *fields)
{
    if (level < settings.lowest) {
        return;
    }
    AUTO(arena) struct arena *arena = arena_new(1024);
    struct text line = text_new(arena, 960);
    char now[CLOCK_TEXT_SIZE];

    clock_format(clock_wall_ms(), now);
    text_add(&line, "{\"at\":\"");
    text_add(&line, now);
    text_add_char(&line, '"');
    add_pair(&line, "level", level_names[level]);
    add_pair(&line, "service", settings.daemon);
    add_pair(&line, "event", event);
    if (ctx) {
        add_pair(&line, "trace_id", ctx->trace_id);
        add_pair(&line, "span_id", ctx->span_id);
        add_pair(&line, "correlation_id", ctx->correlation_id);
    }
    for (; fields->key; fields++) {
        if (fields->text) {
            add_pair(&line, fields->key, fields->text);
        } else {
            add_key(&line, fields->key);
            text_add_number(&line, fields->number);
        }
    }
    text_add(&line, "}\n");
    write_all(line.data, line.length);
}

void log_failure(const struct ctx *ctx, const char *operation)
{
    const struct failure *f = &ctx->failure;
    enum log_level level = f->status == ST_INTERNAL ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN;

    log_line(ctx, level, "request failed",
             (const struct log_field[]){
                 log_text("operation", operation),
                 log_text("status", status_name(f->status)),
                 log_text("problem", problem_code(f->problem)),
                 log_text("message", f->message),
                 log_text("detail", f->detail),
                 log_text("where", f->where),
                 {0},
             });
}
