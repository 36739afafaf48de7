/* A real Temporal server of a test's own: server start-dev of the CLI that ./everything keeps in
 * its cache, on a free port and with a file of its own, so that it can be killed and come back. */
#ifndef TESTS_HELPERS_TEMPORAL_TEMPORAL_SERVER_H
#define TESTS_HELPERS_TEMPORAL_TEMPORAL_SERVER_H

#include <sys/types.h>

struct temporal_server {
    pid_t pid;
    int port;
    char folder[64], target[64];
};

/* Waits until it answers. */
void temporal_server_start(struct temporal_server *server);
void temporal_server_kill(struct temporal_server *server); /* kill -9; what it knows stays */
void temporal_server_again(struct temporal_server *server);
void temporal_server_stop(struct temporal_server *server); /* and its folder is gone */

#endif
