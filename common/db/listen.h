/* LISTEN on a connection of its own, for whoever waits for NOTIFY: it reconnects by itself. */
#ifndef COMMON_DB_LISTEN_H
#define COMMON_DB_LISTEN_H

#include "common/db/db.h"

struct db_listener;

struct db_listener *db_listener_new(const struct db_options *options, const char *channel);
void db_listener_free(struct db_listener *listener);

/* Waits for a notification, a wake-up or the time-out; true when there was one of the first two (or
 * a reconnection, since one may have been missed). One thread at a time. */
bool db_listener_wait(struct db_listener *listener, int timeout_ms);
/* The same, for who wants to know which it was. Each return has one cause; the others are kept. */
enum db_heard { DB_HEARD_NOTHING, DB_HEARD_WAKE, DB_HEARD_NOTIFY };
enum db_heard db_listener_hear(struct db_listener *listener, int timeout_ms);
/* From any thread: ends the wait. */
void db_listener_wake(struct db_listener *listener);

#endif
