/* The envelope, written and read back. What is wrong with one is said in our own words: it becomes
 * the cause of a dead letter. */
#include "common/events/envelope.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

DEFINE_AUTO(json, json_t *, json_decref)

static void add_pair(struct text *text, const char *name, const char *value)
{
    text_printf(text, "\"%s\":", name);
    text_add_json(text, value);
}

static void add_actor(struct text *text, const struct caller *actor)
{
    text_add(text, ",\"actor\":{");
    add_pair(text, "role", actor ? role_name(actor->role) : role_name(ROLE_SYSTEM));
    if (actor && *actor->subject) {
        text_add_char(text, ',');
        add_pair(text, "id", actor->subject);
    }
    text_add_char(text, '}');
}

const char *event_envelope(struct arena *arena, const struct event_draft *draft)
{
    struct text text = text_new(arena, 320 + strlen(draft->data));
    char at[CLOCK_TEXT_SIZE];

    clock_format(draft->at_ms, at);
    text_add_char(&text, '{');
    add_pair(&text, "id", draft->id);
    text_printf(&text, ",\"v\":%d,", EVENT_VERSION);
    add_pair(&text, "type", draft->type);
    text_add_char(&text, ',');
    add_pair(&text, "at", at);
    if (draft->subject) {
        text_add_char(&text, ',');
        add_pair(&text, draft->subject, draft->subject_id);
    }
    if (draft->seq) {
        text_printf(&text, ",\"seq\":%lld", (long long)draft->seq);
    }
    add_actor(&text, draft->actor);
    text_printf(&text, ",\"data\":%s}", draft->data);
    return text.data;
}

/* RFC 3339 in UTC, as event_envelope() writes it. */
static bool read_time(const char *text, int64_t *wall_ms)
{
    struct tm tm = {0};
    int ms = 0, used = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (!rest) {
        return false;
    }
    if (*rest == '.') {
        if (sscanf(rest, ".%3d%n", &ms, &used) != 1 || used != 4 || ms < 0) {
            return false;
        }
        rest += used;
    }
    *wall_ms = (int64_t)timegm(&tm) * 1000 + ms;
    return strcmp(rest, "Z") == 0;
}

static enum status refuse(struct ctx *ctx, const char *why)
{
    return fail_with(ctx, ST_INVALID, "", "event refused: %s", why);
}

static const char *text_of(const json_t *root, const char *name)
{
    return json_string_value(json_object_get(root, name));
}

static enum status read_members(struct ctx *ctx, const json_t *root, struct event *event)
{
    const char *id = text_of(root, "id"), *type = text_of(root, "type"), *at = text_of(root, "at");
    const json_t *version = json_object_get(root, "v"), *seq = json_object_get(root, "seq");
    char parsed[ID_TEXT_SIZE];

    if (!json_is_integer(version)) {
        return refuse(ctx, "it has no version 'v'");
    }
    if (json_integer_value(version) != EVENT_VERSION) {
        return fail_with(ctx, ST_INVALID, "", "event refused: version %lld, known is %d",
                         (long long)json_integer_value(version), EVENT_VERSION);
    }
    if (!id || !uuid_parse(id, parsed)) {
        return refuse(ctx, "'id' is no UUID");
    }
    if (!type || !*type) {
        return refuse(ctx, "it has no 'type'");
    }
    if (!at || !read_time(at, &event->at_ms)) {
        return refuse(ctx, "'at' is no time");
    }
    if (seq && (!json_is_integer(seq) || json_integer_value(seq) < 0)) {
        return refuse(ctx, "'seq' is no number from 0");
    }
    if (!json_is_object(json_object_get(root, "data"))) {
        return refuse(ctx, "'data' is no object");
    }
    event->id = arena_strdup(ctx->arena, parsed);
    event->type = arena_strdup(ctx->arena, type);
    event->seq = json_integer_value(seq);
    return ST_OK;
}

enum status envelope_read(struct ctx *ctx, struct event *event)
{
    json_error_t error;
    AUTO(json)
    json_t *root = json_loadb(event->payload, event->size, JSON_REJECT_DUPLICATES, &error);

    if (!root) {
        return fail_with(ctx, ST_INVALID, "", "event refused: no JSON at byte %d", error.position);
    }
    if (!json_is_object(root)) {
        return refuse(ctx, "it is no object");
    }
    return read_members(ctx, root, event);
}
