/* What every daemon does the same way: arguments, signals, drain, health, exit codes. */
#ifndef COMMON_PROCESS_DAEMON_H
#define COMMON_PROCESS_DAEMON_H

#include "common/base/ctx.h"

#include <stdbool.h>
#include <stdint.h>

/* Blocks SIGINT and SIGTERM in all threads started later, ignores SIGPIPE. Call it first. */
void daemon_block_signals(void);

/* Keeps out of memory what libraries would load or hold for nobody (ADR 0017). Before the first
 * thread. */
void daemon_spare_memory(void);

/* Before a server listens there: where an outgoing connection's local end has the port, waits for
 * it, ten seconds at most, and says so. A port that another server has is left to who listens.
 * False: it was kept for as long. */
MUST_CHECK bool daemon_await_port(const char *listen_address, int port);

/* Sleeps until one of them comes. */
int daemon_wait_for_signal(void);

/* Where what we wait for hangs too, the process ends all the same: with 0 after so many
 * milliseconds, as it would have. What was under way is in the database, and comes again. */
void daemon_end_within(int ms);
/* Less than the 30 s after which Kubernetes and systemd kill. */
enum { DAEMON_END_MS = 27000 };

/* Readiness: 503 only for what 'required' names (own database, keys, draining); the others show as
 * degraded with 200. Checks run about once a second (20 times while one that is required is
 * down), on threads of their own, those that are required apart from the others: one that hangs
 * is down after 2 s, makes the answers of the rest of its group old, and holds up no reply. One
 * that is required and was up is down once it failed twice in a row. */
struct health;
struct health_check {
    const char *name; /* "postgres" */
    bool required;
    bool (*is_up)(void *service);
};
struct health *health_new(const struct health_check *checks, void *service); /* ends with {0} */
void health_free(struct health *health);
void health_set_draining(struct health *health);
/* tell() hears of each change of what /readyz answers, as soon as a check finds it (that a check
 * hangs is seen by the other group's thread, or by who reports): for gRPC's health. It begins with
 * "not ready", and hears nothing more once the daemon drains. It runs on a thread of the checks (or
 * one that reports or drains), and must not block. Before health_watch(). */
void health_tell(struct health *health, void (*tell)(bool ready, void *user), void *user);
/* Starts the threads, and waits for their first answers, for a second at most: until then it is not
 * ready. Once, and ended before health_free(); the end waits for the check under way. */
void health_watch(struct health *health);
void health_unwatch(struct health *health);
/* Without those threads: asks what is due; says in how many ms to look again. */
int64_t health_look(struct health *health);
/* The body of /readyz; true: 200. Any thread. Where nobody ever watched it asks what is due. */
bool health_report(struct health *health, struct arena *arena, const char **json);

/* /healthz, /readyz and /metrics on a port of their own. */
struct admin_server;
struct admin_options {
    const char *address;
    int port; /* 0: any; admin_server_port() tells */
    struct health *health;
    const char *user, *password; /* Basic for /metrics; NULL: open */
};
/* NULL: the reason is logged. */
struct admin_server *admin_server_start(const struct admin_options *options);
int admin_server_port(const struct admin_server *server);
void admin_server_stop(struct admin_server *server); /* NULL is fine */

#endif
