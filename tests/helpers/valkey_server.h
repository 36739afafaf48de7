/* A real Valkey of a test's own, on a port that nobody has: it ends with the test, whichever way
 * that goes. The binary is the one ./everything keeps in its cache, else valkey-server of the
 * PATH. */
#ifndef TESTS_HELPERS_VALKEY_SERVER_H
#define TESTS_HELPERS_VALKEY_SERVER_H

#include <sys/types.h>

struct valkey_server {
    pid_t pid;
    int port;
};

/* Waits until it answers. 'more' are further words of its command line, ending with NULL; or NULL.
 * With a port given it takes that one: that is how a server comes back. */
struct valkey_server valkey_server_start(int port, const char *const *more);
void valkey_server_stop(struct valkey_server *server);         /* SIGKILL; twice is fine */
void valkey_server_freeze(const struct valkey_server *server); /* it listens, and answers nobody */
void valkey_server_thaw(const struct valkey_server *server);

#endif
