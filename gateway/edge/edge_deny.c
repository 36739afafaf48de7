/* See edge_deny.h. */
#include "gateway/edge/edge_deny.h"

#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "common/token/token.h"
#include "gateway/edge/subject_table.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TRUST_MS = 1000, /* how long an answer holds */
    SWEEP_MS = 10000,
    IDLE_MS =
        (TOKEN_LIFE_S + 2 * TOKEN_LEEWAY_S) * 1000, /* the session's last token is then over */
};

struct deny_list {
    struct cache *cache;
    struct cache_subscriber *subscriber;
    struct errands *errands;
    struct subject_table *sessions;
    atomic_bool fresh;
    int64_t next_sweep_ms, next_ping_ms; /* of the ticking thread */
};

struct session_entry {
    struct subject_entry entry; /* first */
    struct errand errand;
    struct deny_list *list;
    struct deny_wait *waiting;
    int64_t checked_ms; /* 0: never */
    bool denied, asking;
};

/* One that was ended is kept, though the table be full: Valkey may have forgotten it. */
static bool may_go(const void *entry, bool is_full)
{
    const struct session_entry *session = entry;

    return !session->asking && !(is_full && session->denied);
}

static void ask_valkey(struct errand *errand);

/* Locked, as subject_lock() has it. */
static struct session_entry *find(struct deny_list *list, const char *session_id, int64_t now_ms)
{
    struct session_entry *session = subject_lock(list->sessions, session_id, now_ms);

    if (!session->list) {
        session->list = list;
        session->errand.run = ask_valkey;
    }
    return session;
}

/* "<session id>" on customer:deny. */
static void heard(const char *channel, const char *session_id, size_t size, void *user)
{
    struct deny_list *list = user;
    char id[ID_TEXT_SIZE];

    (void)channel;
    if (size != ID_TEXT_SIZE - 1 || !uuid_parse(session_id, id)) {
        return;
    }
    struct session_entry *session = find(list, id, clock_monotonic_ms());
    session->denied = true;
    subject_unlock(list->sessions, session);
}

static void bus_changed(bool up, void *user)
{
    (void)up; /* what was missed is asked for within TRUST_MS */
    (void)user;
}

static const struct cache_subscriber_events bus = {.message = heard, .up = bus_changed};

struct deny_list *deny_list_new(struct cache *cache, const struct cache_options *subscribe,
                                struct errands *errands)
{
    struct deny_list *list = calloc(1, sizeof(*list));

    if (!list) {
        fputs("out of memory\n", stderr);
        abort();
    }
    list->cache = cache;
    list->errands = errands;
    list->sessions = subject_table_new(sizeof(struct session_entry), may_go);
    list->subscriber = cache_subscribe(subscribe, "customer:deny", &bus, list);
    return list;
}

void deny_list_free(struct deny_list *list)
{
    if (list) {
        cache_unsubscribe(list->subscriber);
        subject_table_free(list->sessions);
        free(list);
    }
}

bool deny_list_is_fresh(const struct deny_list *list)
{
    return atomic_load(&list->fresh);
}

void deny_list_tick(struct deny_list *list, int64_t now_ms)
{
    if (now_ms >= list->next_sweep_ms) {
        list->next_sweep_ms = now_ms + SWEEP_MS;
        subject_sweep(list->sessions, now_ms, IDLE_MS);
    }
    if (now_ms >= list->next_ping_ms) {
        list->next_ping_ms = now_ms + TRUST_MS;
        atomic_store(&list->fresh, cache_is_up(list->cache));
    }
}

static void ask_valkey(struct errand *errand)
{
    struct session_entry *session =
        (struct session_entry *)((char *)errand - offsetof(struct session_entry, errand));
    struct deny_list *list = session->list;
    struct ctx *ctx = ctx_new_system("gateway");
    const char *value = NULL;
    size_t size;
    const char *key = arena_printf(ctx->arena, "customer:deny:%s", session->entry.key);
    bool answered = cache_get(ctx, list->cache, key, &value, &size) == ST_OK;

    atomic_store(&list->fresh, answered);
    subject_relock(list->sessions, session);
    session->denied = session->denied || (answered && value);
    session->checked_ms = clock_monotonic_ms(); /* away: the last known holds for now */
    session->asking = false;
    struct deny_wait *waiting = session->waiting;
    session->waiting = NULL;
    bool denied = session->denied;
    subject_unlock(list->sessions, session);
    ctx_free(ctx);
    while (waiting) {
        struct deny_wait *next = waiting->next;

        waiting->told(waiting, denied);
        waiting = next;
    }
}

bool deny_list_check(struct deny_list *list, const char *session_id, struct deny_wait *wait,
                     bool *denied)
{
    int64_t now = clock_monotonic_ms();
    struct session_entry *session = find(list, session_id, now);
    bool known = session->denied || (session->checked_ms && now - session->checked_ms < TRUST_MS);

    if (!known && !session->asking && !errands_push(list->errands, &session->errand)) {
        known = true; /* too much to do: what is known must do */
    }
    if (known) {
        *denied = session->denied;
    } else {
        session->asking = true;
        wait->next = session->waiting;
        session->waiting = wait;
    }
    subject_unlock(list->sessions, session);
    return known;
}
