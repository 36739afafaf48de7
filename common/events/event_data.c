/* The data of an event, member by member. */
#include "common/events/event_data.h"

#include "common/base/auto.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

DEFINE_AUTO(json, json_t *, json_decref)

static bool read_time(const char *text, int64_t *time_ms)
{
    struct tm tm = {0};
    int ms = 0, used = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

    if (rest && *rest == '.' && sscanf(rest, ".%3d%n", &ms, &used) == 1) {
        rest += used;
        rest += strspn(rest, "0123456789"); /* finer than we keep */
    }
    if (!rest || strcmp(rest, "Z") != 0) {
        return false;
    }
    *time_ms = (int64_t)timegm(&tm) * 1000 + ms;
    return true;
}

static bool read_member(struct ctx *ctx, const json_t *value, const struct event_member *member)
{
    if (member->number && json_is_integer(value)) {
        *member->number = json_integer_value(value);
        return true;
    }
    if (member->time_ms && json_is_string(value)) {
        return read_time(json_string_value(value), member->time_ms);
    }
    if (member->text && json_is_string(value)) {
        *member->text = arena_strdup(ctx->arena, json_string_value(value));
        return true;
    }
    return false;
}

static enum status read_object(struct ctx *ctx, const json_t *object, const char *what,
                               const struct event_member *members)
{
    for (const struct event_member *member = members; member->name; member++) {
        const json_t *value = json_object_get(object, member->name);

        if (value ? !read_member(ctx, value, member) : member->required) {
            return fail_with(ctx, ST_INVALID, "", "event refused: %s.%s is %s", what, member->name,
                             value ? "of another type" : "missing");
        }
    }
    return ST_OK;
}

enum status event_data_read(struct ctx *ctx, const struct event *event,
                            const struct event_member *members)
{
    AUTO(json) json_t *root = json_loadb(event->payload, event->size, 0, NULL);

    return read_object(ctx, json_object_get(root, "data"), "data", members);
}

enum status event_actor_read(struct ctx *ctx, const struct event *event,
                             const struct event_member *members)
{
    AUTO(json) json_t *root = json_loadb(event->payload, event->size, 0, NULL);

    return read_object(ctx, json_object_get(root, "actor"), "actor", members);
}

enum status event_data_read_each(struct ctx *ctx, const struct event *event, const char *list,
                                 const struct event_member *members, void (*each)(void *user),
                                 void *user)
{
    AUTO(json) json_t *root = json_loadb(event->payload, event->size, 0, NULL);
    const json_t *items = json_object_get(json_object_get(root, "data"), list), *item;
    size_t index;

    json_array_foreach(items, index, item)
    {
        TRY(read_object(ctx, item, list, members));
        each(user);
    }
    return ST_OK;
}
