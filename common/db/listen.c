/* LISTEN: a connection that only hears. It wakes its thread through the socket or an eventfd. */
#include "common/db/listen.h"

#include "common/base/clock.h"
#include "common/db/db_internal.h"
#include "common/obs/log.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CONNECT_AGAIN_MS = 1000 };

struct db_listener {
    struct db_options options; /* its texts are ours, as in the pool */
    char *texts[5], *command;
    struct db_conn *db; /* NULL: away */
    int64_t connect_at_ms;
    int wake;
};

static const char *keep(struct db_listener *listener, int at, const char *text)
{
    listener->texts[at] = text ? strdup(text) : NULL;
    if (text && !listener->texts[at]) {
        abort();
    }
    return listener->texts[at];
}

struct db_listener *db_listener_new(const struct db_options *options, const char *channel)
{
    struct db_listener *listener = calloc(1, sizeof(*listener));

    if (!listener || asprintf(&listener->command, "LISTEN \"%s\"", channel) < 0) {
        abort();
    }
    listener->options = *options;
    listener->options.host = keep(listener, 0, options->host);
    listener->options.name = keep(listener, 1, options->name);
    listener->options.user = keep(listener, 2, options->user);
    listener->options.daemon = keep(listener, 3, options->daemon);
    listener->options.password = keep(listener, 4, options->password);
    listener->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return listener;
}

void db_listener_free(struct db_listener *listener)
{
    if (!listener) {
        return;
    }
    if (listener->db) {
        conn_close(listener->db);
    }
    if (listener->texts[4]) {
        explicit_bzero(listener->texts[4], strlen(listener->texts[4]));
    }
    for (size_t i = 0; i < ARRAY_LEN(listener->texts); i++) {
        free(listener->texts[i]);
    }
    free(listener->command);
    close(listener->wake);
    free(listener);
}

static void let_go(struct db_listener *listener)
{
    conn_close(listener->db);
    listener->db = NULL;
    listener->connect_at_ms = clock_monotonic_ms() + CONNECT_AGAIN_MS;
}

/* true: connected just now, so that notifications may have been missed before. */
static bool connect_again(struct db_listener *listener)
{
    char reason[256];

    if (listener->db || clock_monotonic_ms() < listener->connect_at_ms) {
        return false;
    }
    listener->connect_at_ms = clock_monotonic_ms() + CONNECT_AGAIN_MS;
    listener->db = conn_open(&listener->options, "", reason, sizeof(reason));
    if (!listener->db) {
        return false;
    }
    struct ctx *ctx = ctx_new_system("listen");
    bool heard = conn_command(ctx, listener->db, "listen", listener->command, NULL) == ST_OK;
    ctx_free(ctx);
    if (!heard) {
        let_go(listener);
    }
    return heard;
}

static bool read_notifications(struct db_listener *listener)
{
    PGnotify *heard;
    bool any = false;

    if (!PQconsumeInput(listener->db->pg)) {
        let_go(listener);
        return false;
    }
    while ((heard = PQnotifies(listener->db->pg))) {
        any = true;
        PQfreemem(heard);
    }
    return any;
}

static int time_to_wait(const struct db_listener *listener, int64_t until_ms)
{
    int64_t now = clock_monotonic_ms(), left = until_ms - now;

    if (!listener->db && listener->connect_at_ms - now < left) {
        left = listener->connect_at_ms - now;
    }
    return left > 0 ? (int)left : 0;
}

enum db_heard db_listener_hear(struct db_listener *listener, int timeout_ms)
{
    int64_t until = clock_monotonic_ms() + timeout_ms;
    uint64_t wakes;

    do {
        if (connect_again(listener) || (listener->db && read_notifications(listener))) {
            return DB_HEARD_NOTIFY;
        }
        struct pollfd fds[] = {
            {.fd = listener->wake,                                 .events = POLLIN},
            {.fd = listener->db ? PQsocket(listener->db->pg) : -1, .events = POLLIN},
        };
        poll(fds, ARRAY_LEN(fds), time_to_wait(listener, until));
        if (read(listener->wake, &wakes, sizeof(wakes)) == (ssize_t)sizeof(wakes)) {
            return DB_HEARD_WAKE;
        }
    } while (clock_monotonic_ms() < until);
    return listener->db && read_notifications(listener) ? DB_HEARD_NOTIFY : DB_HEARD_NOTHING;
}

bool db_listener_wait(struct db_listener *listener, int timeout_ms)
{
    return db_listener_hear(listener, timeout_ms) != DB_HEARD_NOTHING;
}

void db_listener_wake(struct db_listener *listener)
{
    uint64_t one = 1;

    if (write(listener->wake, &one, sizeof(one)) < 0) {
        return; /* full: it is awake already */
    }
}
