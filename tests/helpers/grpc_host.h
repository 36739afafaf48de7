/* A host of gRPC calls that answers none of them, frame by frame in plain text, on a thread of its
 * own: what a proxy between two daemons does that resets calls, or a replica that dies over
 * them. */
#ifndef TESTS_HELPERS_GRPC_HOST_H
#define TESTS_HELPERS_GRPC_HOST_H

#include "tests/helpers/http2_host.h"

#include <pthread.h>
#include <stdatomic.h>

struct grpc_host {
    struct http2_host base;
    bool resets;      /* each call once its request is there; otherwise it keeps them waiting */
    atomic_int calls; /* whose request came, probes of its health not counted */
    atomic_bool over;
    pthread_t thread;
};

void grpc_host_start(struct grpc_host *host, bool resets);
/* As of a host that is killed: its connection breaks, and nobody listens. */
void grpc_host_stop(struct grpc_host *host);

#endif
