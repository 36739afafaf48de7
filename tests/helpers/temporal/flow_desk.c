/* Helpers of the tests that use a real Temporal server. Every wait has its limit. */
#include "tests/helpers/temporal/flow_desk.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"

#include <temporal/history.pb-c.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIMIT_MS = 60000, END_LIMIT_MS = 120000, LOOK_MS = 50 };

struct flow_desk desk;

void desk_start(void)
{
    temporal_server_start(&desk.server);
}

void desk_stop(void)
{
    temporal_server_stop(&desk.server);
}

void desk_open(void)
{
    char id[ID_TEXT_SIZE];

    uuid_v7(id);
    desk.ctx = ctx_new_system("test");
    snprintf(desk.queue, sizeof(desk.queue), "queue-%s", id);
    snprintf(desk.notes, sizeof(desk.notes), "%s/notes-%s", desk.server.folder, id);
    desk.temporal = temporal_new(&(struct temporal_options){.target = desk.server.target});
}

void desk_close(void)
{
    unlink(desk.notes);
    temporal_free(desk.temporal);
    ctx_free(desk.ctx);
}

const char *desk_id(const char *kind)
{
    char id[ID_TEXT_SIZE];

    uuid_v7(id);
    return arena_printf(desk.ctx->arena, "%s-%s", kind, id);
}

struct flow_process desk_worker(int build)
{
    return flow_process_start(&desk.server, desk.queue, build, desk.notes);
}

static void must(enum status st, const char *what)
{
    ck_assert_msg(st == ST_OK, "%s: %s: %s", what, status_name(st),
                  desk.ctx->failure.detail ? desk.ctx->failure.detail : "");
}

/* A server that just came up is not ready for everything at once. */
void desk_begin(const char *type, const char *id, const char *input)
{
    const struct temporal_start start = {.type = type,
                                         .id = id,
                                         .task_queue = desk.queue,
                                         .input = input,
                                         .timeout_ms = 600000,
                                         .request_id = id};
    int64_t until = clock_monotonic_ms() + LIMIT_MS;
    enum status st;

    while ((st = temporal_start(desk.ctx, desk.temporal, &start, NULL)) != ST_OK &&
           clock_monotonic_ms() < until) {
        clock_pause_ms(200);
    }
    must(st, "start");
}

void desk_signal(const char *id, const char *name, const char *json)
{
    must(temporal_signal(desk.ctx, desk.temporal, id, &(struct temporal_signal){name, json, NULL}),
         "signal");
}

const char *desk_query(const char *id, const char *query)
{
    const char *json = "";

    if (temporal_query(desk.ctx, desk.temporal, id, query, NULL, &json) != ST_OK) {
        ctx_forgive(desk.ctx);
    }
    return json;
}

const char *desk_end(const char *id)
{
    struct temporal_outcome outcome;

    must(temporal_await(desk.ctx, desk.temporal, id, END_LIMIT_MS, &outcome), "await");
    if (outcome.state == TEMPORAL_FAILED) {
        return arena_printf(desk.ctx->arena, "failed %s %s", status_name(outcome.failure),
                            outcome.message);
    }
    return arena_printf(desk.ctx->arena, "%s %s", temporal_state_name(outcome.state),
                        outcome.json ? outcome.json : "");
}

void desk_until_step(const char *id, const char *step)
{
    int64_t until = clock_monotonic_ms() + LIMIT_MS;
    const char *wanted = arena_printf(desk.ctx->arena, "\"%s\"", step), *now = "";

    while (strcmp(now = desk_query(id, "current_step"), wanted) != 0 &&
           clock_monotonic_ms() < until) {
        clock_pause_ms(LOOK_MS);
    }
    ck_assert_str_eq(now, wanted);
}

static bool is_pending(const char *id, const char *activity, int attempt)
{
    struct temporal_info info = {.pending_count = 0};

    must(temporal_describe(desk.ctx, desk.temporal, id, &info), "describe");
    for (size_t i = 0; i < info.pending_count; i++) {
        if (strcmp(info.pending[i].name, activity) == 0 && info.pending[i].attempt >= attempt) {
            return true;
        }
    }
    return false;
}

void desk_until_pending(const char *id, const char *activity, int attempt)
{
    int64_t until = clock_monotonic_ms() + LIMIT_MS;
    bool found = false;

    while (!(found = is_pending(id, activity, attempt)) && clock_monotonic_ms() < until) {
        clock_pause_ms(LOOK_MS);
    }
    ck_assert_msg(found, "%s is not pending", activity);
}

/* ---- notes -------------------------------------------------------------------------------- */

/* Lines that begin so; the time of the n-th goes to 'at_ms'. */
static int count_notes(const char *beginning, int n, int64_t *at_ms)
{
    FILE *file = fopen(desk.notes, "re");
    char line[256];
    int found = 0;

    while (file && fgets(line, sizeof(line), file)) {
        if (text_starts(line, beginning)) {
            if (found++ == n && at_ms) {
                *at_ms = strtoll(strrchr(line, ' '), NULL, 10);
            }
        }
    }
    if (file) {
        fclose(file);
    }
    return found;
}

int desk_notes(const char *beginning, int wanted)
{
    int64_t until = clock_monotonic_ms() + LIMIT_MS;
    int found;

    while ((found = count_notes(beginning, 0, NULL)) < wanted && clock_monotonic_ms() < until) {
        clock_pause_ms(LOOK_MS);
    }
    return found;
}

int64_t desk_note_at(const char *beginning, int n)
{
    int64_t at_ms = -1;

    count_notes(beginning, n, &at_ms);
    return at_ms;
}

/* ---- histories ---------------------------------------------------------------------------- */

const char *desk_events(const char *id)
{
    struct text list = text_new(desk.ctx->arena, 1024);
    struct temporal_bytes packed;

    must(temporal_history(desk.ctx, desk.temporal, id, &packed), "history");
    Temporal__History *history = temporal__history__unpack(NULL, packed.size, packed.bytes);
    ck_assert_ptr_nonnull(history);
    for (size_t i = 0; i < history->n_events; i++) {
        const ProtobufCEnumValue *type = protobuf_c_enum_descriptor_get_value(
            &temporal__event_type__descriptor, (int)history->events[i]->event_type);

        text_printf(&list, "%s ", type ? type->name + strlen("EVENT_TYPE_") : "?");
    }
    temporal__history__free_unpacked(history, NULL);
    return list.data;
}

void desk_until_event(const char *id, const char *type)
{
    int64_t until = clock_monotonic_ms() + LIMIT_MS;

    while (!strstr(desk_events(id), type) && clock_monotonic_ms() < until) {
        clock_pause_ms(LOOK_MS);
    }
    ck_assert_ptr_nonnull(strstr(desk_events(id), type));
}

bool desk_in_order(const char *text, const char *const *words)
{
    for (; *words && text; words++) {
        text = strstr(text, *words);
        text = text ? text + strlen(*words) : NULL;
    }
    return text != NULL;
}
